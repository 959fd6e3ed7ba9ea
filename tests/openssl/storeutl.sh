#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
virtual_card

check "an empty card is no error" openssl storeutl -noout sc-hsm:
found 0
make_rsa_key
make_ec_key
before=$(pin_checks)
check "storeutl sc-hsm: lists" openssl storeutl -noout -text sc-hsm:
says 'sc-hsm:.*id=10' 'sc-hsm:.*id=20' 'web-rsa' 'web-ec'
on_token || says 'sc-hsm:.*key-ref=[0-9]'
says_nothing_of "$pin"
cp "$seen" listed
check "public keys only" openssl storeutl -noout -text 'sc-hsm:type=public'
check "private keys only" openssl storeutl -noout -text sc-hsm:type=private
says 'Total found: 2'
equal "listing asks for no PIN" "$before" "$(pin_checks)"
check "one key by its label" openssl storeutl -noout -text sc-hsm:label=web-ec
says 'web-ec'
says_nothing_of 'web-rsa'

# Each URI that was listed names its object and no other.
uris=$(grep -o 'sc-hsm:[^ "]*' listed | sort -u)
[ "$(wc -l <<<"$uris")" -ge 2 ] || fail "fewer than two URIs were listed"
while read -r uri; do
    check "the listed URI $uri is found" openssl storeutl -noout "$uri"
    says 'Total found: 1'
done <<<"$uris"
