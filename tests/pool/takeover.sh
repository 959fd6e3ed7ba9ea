#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Whatever happens to one device, another one that has the key does the operation within the same call.
. "$(dirname "$0")/pool.sh"
pool_cards 3
configure pool=share

# goes_on WHAT [KEY]: both keys go on signing, whatever was done before.
goes_on() {
    check "$1: RSA" verified rsa
    check "$1: EC" verified ec
}
goes_on "all three"
# --- a program's own card, at its first operation and later --------------------------------------
check "card 1 is pulled" virtual_hsm remove 1
goes_on "without the key's own card"
check "card 2 is pulled" virtual_hsm remove 2
goes_on "with card 3 alone"
check "card 3 is pulled" virtual_hsm remove 3
fails "without any" openssl dgst -sha256 -sign rsa.pem -out signature data
says 'is connected|no device'
for card in 1 2 3; do
    check "card $card is back" virtual_hsm insert $card
done
goes_on "all back"

# --- in a running program ------------------------------------------------------------------------
# busy KEY SECONDS COMMAND...: eight threads sign while the command does its worst.
busy() {
    local key=$1 running
    "$programs/sign_threads" "$key.pem" 8 120 >busy.out 2>&1 &
    running=$!
    sleep 1
    "${@:2}"
    wait $running || {
        cp busy.out "$seen"
        fail "$key: an operation failed"
    }
    echo "ok: $key: $(cat busy.out)"
}
for card in 1 2 3; do
    check "card $card takes its time" virtual_hsm control $card delay 20 ins=68 count=100000
done
pull_and_return() {
    local card
    for card in 1 2 3; do
        check "card $card is pulled" virtual_hsm remove $card
        sleep 0.3
        check "card $card is back" virtual_hsm insert $card
        check "card $card takes its time" virtual_hsm control $card delay 20 ins=68 count=100000
        sleep 1
    done
}
busy rsa pull_and_return
busy ec pull_and_return

# --- wrong answers ---------------------------------------------------------------------------------
wrong_answers() {
    check "card 1 computes wrongly" virtual_hsm control 1 corrupt ins=68
    check "card 2 says no" virtual_hsm control 2 status 6F00 ins=68
    check "card 3 is cut off" virtual_hsm control 3 truncate 5 ins=68
}
busy rsa wrong_answers

# --- a program that keeps a card for itself -----------------------------------------------------------
# The first operations that meet it wait for some seconds, and are done by the others; later ones do not.
kept_for_ever() {
    "$SC_HSM_BUILD/tests/device/device_test" hold 600000 >holder.out 2>&1 &
    holder=$!
    wait_for "another program keeps a card" grep -q held holder.out
}
busy ec kept_for_ever
kill -KILL "$holder"
wait "$holder" 2>/dev/null || true
