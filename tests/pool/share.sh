#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# pool = share: the operations of a key are done by all devices that have it.
. "$(dirname "$0")/pool.sh"
pool_cards 4

configure pool=share
untouched=$(card_commands 2):$(card_commands 3):$(card_commands 4)
for key in rsa ec; do
    check "$key: one signature" verified $key
done
equal "no other card was touched for that" "$untouched" \
    "$(card_commands 2):$(card_commands 3):$(card_commands 4)"

# --- threads, and processes of one family -----------------------------------------------------------
# spread WHAT COMMAND...: the operations of the command are spread over all four cards.
spread() {
    local card before=() did=() least=1000000 most=0
    for card in 1 2 3 4; do
        before[card]=$(used $card)
    done
    check "$@"
    for card in 1 2 3 4; do
        did[card]=$(($(used $card) - before[card]))
        [ "${did[card]}" -ge "$least" ] || least=${did[card]}
        [ "${did[card]}" -le "$most" ] || most=${did[card]}
    done
    echo "operations of each card: ${did[*]}"
    if [ "$least" = 0 ] || [ "$most" -gt $((2 * least)) ]; then
        fail "$1: the cards' operations are not spread evenly: ${did[*]}"
    fi
}
for card in 1 2 3 4; do
    check "card $card takes its time" virtual_hsm control $card delay 30 ins=68 count=100000
done
spread "16 threads with an RSA key" "$programs/sign_threads" rsa.pem 16 25
spread "16 threads with an EC key" "$programs/sign_threads" ec.pem 16 25
spread "8 forked processes" forked "$programs/sign_forked" rsa.pem 8 50

# --- a device may refuse what is right: its key is another one by now ---------------------------------
for card in 1 2 3 4; do
    check "card $card goes well" virtual_hsm control $card clear
done
check "card 1 refuses its input" virtual_hsm control 1 status 6A80 ins=68 count=100000
check "the others do it" "$programs/sign_threads" rsa.pem 8 5
check "card 1 goes well again" virtual_hsm control 1 clear

# --- what a URI names on several devices is one thing -------------------------------------------------
configure pool=
fails "without a pool: which one?" openssl pkey -in "sc-hsm:id=10" -noout
says "3 private keys match"
configure pool=share
check "a certificate on two cards" openssl req -new -x509 -key rsa.pem -subj /CN=web -days 30 -out web.crt
for card in 1 2; do
    check "beside the key of card $card" on $card cert import web.crt
done
check "a key by its id" openssl dgst -sha256 -sign "sc-hsm:id=10" -out signature data
check "is that key" plain_openssl dgst -sha256 -verify rsa.pub -signature signature data
check "its reference" openssl pkey -in "sc-hsm:id=10" -out again.pem
check "is used" "$programs/sign_threads" again.pem 8 5
check "a certificate by its id" openssl x509 -in "sc-hsm:id=10;type=cert" -out again.crt
same_bytes "is that one" web.crt again.crt
check "the store" openssl storeutl -certs "sc-hsm:id=10"
found 1
check "another key of that label" on 4 keygen --type ec:P-256 --id 55 --label web-rsa
fails "is another key" openssl pkey -in "sc-hsm:label=web-rsa" -noout
says "2 private keys match"
