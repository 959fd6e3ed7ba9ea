#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
need pkcs11-tool
virtual_card
make_rsa_key
seq 1 100 >data
before=$(files)
sign=(openssl dgst -sha256 -sign rsa.pem -out signature data)

echo 111111 >wrong.pin
configure "pin-source=file:$work/wrong.pin"
checks=$(pin_checks)
fails "a wrong configured PIN" "${sign[@]}"
says "$(tries 2) (are )?left"
says_nothing_of 111111
equal "one try was spent" 2 "$(pin_tries)"
equal "by one VERIFY" 1 $(($(pin_checks) - checks))
fails "again, in a new process" "${sign[@]}"
says '1 (PIN )?(try|tries) (is )?left'
equal "one try left" 1 "$(pin_tries)"

# With fewer tries than min-pin-tries no stored PIN is tried, be it right or wrong.
checks=$(pin_checks)
fails "a configured PIN with one try left" "${sign[@]}"
says '1 (PIN )?(try|tries)'
configure "pin-source=file:$pin_file"
fails "the right one as well" "${sign[@]}"
says '1 (PIN )?(try|tries)' 'min-pin-tries'
fails "a PIN in the URI as well" openssl dgst -sha256 -sign "sc-hsm:id=10?pin-value=$pin" \
    -out signature data
fails "generation as well" openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 -out k.pem
equal "without a try" 0 $(($(pin_checks) - checks))
equal "one try left" 1 "$(pin_tries)"

configure min-pin-tries=1
check "min-pin-tries = 1 permits the last try" "${sign[@]}"
equal "and the counter is back" 3 "$(pin_tries)"

# A wrong one until the card is blocked: a sentence, and the way out.
configure "pin-source=file:$work/wrong.pin"
for tries in 2 1; do
    fails "wrong" "${sign[@]}"
    equal "$tries left" "$tries" "$(pin_tries)"
done
fails "wrong for the last time" "${sign[@]}"
equal "blocked" blocked "$(pin_tries)"
configure "pin-source=file:$pin_file"
fails "a blocked PIN" "${sign[@]}"
says 'blocked' 'SO-PIN|unblock'
equal "nothing changed on the card" "$before" "$(files)"
check "the SO-PIN unblocks, through OpenSC" pkcs11-tool --module "$other_road" --login \
    --login-type so --so-pin "$so_pin" --init-pin --new-pin "$pin"
check "and all is well" "${sign[@]}"

# A PIN that the card would refuse for its form is not sent.
echo 12 >wrong.pin
configure "pin-source=file:$work/wrong.pin"
fails "a PIN that is too short" "${sign[@]}"
says 'PIN'
equal "no try spent" 3 "$(pin_tries)"
fails "a PIN file that is missing" openssl dgst -sha256 \
    -sign "sc-hsm:id=10?pin-source=file:$work/no-such-file" -out signature data
says 'no-such-file'
equal "no try spent" 3 "$(pin_tries)"

# login = use postpones the proof, a supplied PIN is otherwise proven at load.
echo 111111 >wrong.pin
fails "a key with a wrong PIN does not even load" openssl pkey -in rsa.pem -noout
equal "one try spent" 2 "$(pin_tries)"
configure login=use
check "login = use: it loads" openssl pkey -in rsa.pem -noout
equal "no try spent" 2 "$(pin_tries)"
fails "and fails at the first signature" "${sign[@]}"
equal "one try spent" 1 "$(pin_tries)"
