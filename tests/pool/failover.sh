#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# pool = failover: the first device that works does all; pool-devices names them and their order.
. "$(dirname "$0")/pool.sh"
pool_cards 3
configure pool=failover "pool-devices=${serials[1]},${serials[0]}"

# by CARD WHAT COMMAND...: the command is done by this card alone.
by() {
    local card counts=()
    for card in 1 2 3; do
        counts[card]=$(used $card)
    done
    check "${@:2}"
    for card in 1 2 3; do
        if [ "$card" = "$1" ]; then
            [ "$(used "$card")" -gt "${counts[card]}" ] || fail "$2: card $card did nothing"
        else
            equal "$2: not card $card" "${counts[card]}" "$(used $card)"
        fi
    done
}
by 2 "the first that is named, not the key's own" verified rsa
by 2 "8 threads" "$programs/sign_threads" ec.pem 8 5
check "card 2 is pulled" virtual_hsm remove 2
by 1 "the second" verified rsa
check "card 1 is pulled" virtual_hsm remove 1
fails "not the third, which is not named" openssl dgst -sha256 -sign rsa.pem -out signature data
check "card 2 is back" virtual_hsm insert 2
by 2 "the first" verified rsa
check "card 1 is back" virtual_hsm insert 1

# --- back to the first while a program runs -------------------------------------------------------
for card in 1 2; do
    check "card $card takes its time" virtual_hsm control $card delay 30 ins=68 count=100000
done
"$programs/sign_threads" rsa.pem 4 140 >busy.out 2>&1 &
running=$!
sleep 1
check "card 2 is pulled" virtual_hsm remove 2
wait_for "card 1 does the work" has_done 1 10
check "card 2 is back" virtual_hsm insert 2
check "and takes its time" virtual_hsm control 2 delay 30 ins=68 count=100000
before=$(used 2)
wait_for "card 2 does it again" has_done 2 $((before + 10))
# What was under way there ends first.
rests() {
    local others before
    before=$(used 1) others=$(used 2)
    sleep 0.5
    [ "$(used 1)" = "$before" ] && [ "$(used 2)" -gt "$others" ]
}
wait_for "card 1 does nothing, and card 2 goes on" rests
check "nothing failed" wait $running

# --- without a list: the key's own device first -----------------------------------------------------
configure pool-devices=
by 1 "the key's own" verified rsa
configure pool-devices=NOSUCHCARD
fails "a device that is not there" openssl dgst -sha256 -sign rsa.pem -out signature data
says "no device that is connected has it, or none of those named by pool-devices"

# --- keys with a use counter take no part -------------------------------------------------------------
configure pool=share pool-devices= log=info
check "a key with a counter" on 1 keygen --type ec:P-256 --id 30 --label few --use-count 40 \
    --out few.pem
check "its public key" on 1 pubkey 'label=few;type=private' --out few.pub
check "wrapped" on 1 wrap label=few few.wrapped
check "on card 2" on 2 unwrap few.wrapped
before=$(used 2)
check "it is used on one device alone" "$programs/sign_threads" few.pem 4 5
says "few' has a use counter on device .*takes no part in the pool"
equal "card 2 did nothing" "$before" "$(used 2)"
