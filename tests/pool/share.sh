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
    local card before=() done=() least=1000000 most=0
    for card in 1 2 3 4; do
        before[card]=$(used $card)
    done
    check "$@"
    for card in 1 2 3 4; do
        done[card]=$(($(used $card) - before[card]))
        [ "${done[card]}" -ge $least ] || least=${done[card]}
        [ "${done[card]}" -le $most ] || most=${done[card]}
    done
    echo "operations of each card: ${done[*]}"
    [ "$least" -gt 0 ] && [ "$most" -le $((2 * least)) ] ||
        fail "$1: the cards' operations are not spread evenly: ${done[*]}"
}
for card in 1 2 3 4; do
    check "card $card takes its time" virtual_hsm control $card delay 30 ins=68 count=100000
done
spread "16 threads with an RSA key" "$programs/sign_threads" rsa.pem 16 25
spread "16 threads with an EC key" "$programs/sign_threads" ec.pem 16 25
spread "8 forked processes" "$programs/sign_forked" rsa.pem 8 50
