#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
plain=$SC_HSM_BUILD/tests/store/store_plain
virtual_card
make_rsa_key
make_ec_key
for id in 31 32; do
    check "a key with the label of another one" openssl genpkey -algorithm SC-HSM-EC \
        -pkeyopt group:P-256 -pkeyopt "id:$id" -pkeyopt label:dup -out "dup-$id.pem"
done

for uri in 'sc-hsm:label=dup' 'sc-hsm:label=dup;type=private'; do
    fails "no first pick of two: $uri" "$plain" "$uri" "$pin"
    says 'sc-hsm.*2 private keys match' 'id=31' 'id=32'
    says_nothing_of 'came: PKey'
    openssl storeutl -noout "$uri" </dev/null >"$seen" 2>&1 || true
    says 'id=31' 'id=32' '2 private keys match'
done
check "one of them by its id" "$plain" 'sc-hsm:label=dup;id=32' "$pin"
says 'signs: 1'

# The pass phrase of the program, whether the URI says that it means a key or not.
configure pin-source=
for uri in 'sc-hsm:id=10' 'sc-hsm:label=web-ec' 'sc-hsm:id=10;type=private' \
    'sc-hsm:key-ref=1' 'sc-hsm:label=web-ec;type=private'; do
    check "the program's pass phrase serves $uri" "$plain" "$uri" "$pin"
    says 'asked: 1' 'signs: 1'
    tries=$(pin_tries)
    fails "a wrong one is told at once: $uri" "$plain" "$uri" 11
    says 'was not tried'
    equal "no try was spent" "$tries" "$(pin_tries)"
done

# A list asks nobody.
for uri in sc-hsm: sc-hsm:type=private sc-hsm:type=public 'sc-hsm:id=10;type=public'; do
    "$plain" "$uri" "$pin" >"$seen" || true
    says 'asked: 0'
done
echo "ok: lists and public keys ask for nothing"
