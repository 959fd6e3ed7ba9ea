#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Eight cards behind one pcscd: each is itself, to OpenSC and to openssl.
. "$(dirname "$0")/common.sh"
virtual_cards 8
mapfile -t serials <"$SC_HSM_VIRTUAL/serials"
check "the readers" opensc-tool --list-readers
equal "eight cards are in" 8 "$(grep -c Yes "$seen")"
# Left alone, OpenSC has room for fewer readers.
echo 'app default { } app opensc-pkcs11 { pkcs11 { max_virtual_slots = 64; } }' >opensc.conf
export OPENSC_CONF=$work/opensc.conf
check "OpenSC sees eight tokens" p11 --list-token-slots
equal "with eight serial numbers" "$(printf '%s\n' "${serials[@]}" | sort)" \
    "$(sed -n 's/.*serial num *: //p' "$seen" | sort)"
echo message >message
for card in 1 5 8; do
    name=${serials[card - 1]}
    check "a key on card $card" openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 \
        -pkeyopt id:10 -pkeyopt label:same -pkeyopt "serial:$name" -out $card.pem
    check "its public key" openssl pkey -in $card.pem -pubout -out $card.pub
done
fails "one name, three keys" openssl dgst -sha256 -sign sc-hsm:label=same -out signature message
says "${serials[0]}" "${serials[4]}" "${serials[7]}"
for card in 1 5 8; do
    check "card $card signs" openssl dgst -sha256 -sign "sc-hsm:label=same;serial=${serials[card - 1]}" \
        -out signature message
    check "with its own key" plain_openssl dgst -sha256 -verify $card.pub -signature signature message
done
check "card 5 is pulled" virtual_hsm remove 5
fails "and missed" openssl dgst -sha256 -sign 5.pem -out signature message
says "${serials[4]}|card"
check "card 8 does not care" openssl dgst -sha256 -sign 8.pem -out signature message
check "something goes wrong with card 8" virtual_hsm control 8 "status 6F00 ins=68"
check "card 1 does not care" openssl dgst -sha256 -sign 1.pem -out signature message
fails "card 8 does" openssl dgst -sha256 -sign 8.pem -out signature message
says '6F00'
