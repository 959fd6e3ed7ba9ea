#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The PIN policy holds for each device by itself: one that refuses its PIN is left out.
. "$(dirname "$0")/pool.sh"
pool_cards 4
configure pool=share "pin-source=file:$work/{serial}.pin"
for serial in "${serials[@]}"; do
    echo "$pin" >"$serial.pin"
done
# log_out N: nobody is logged in on card N.
log_out() {
    on "$1" apdu --yes 00A404000BE82B0601040181C31F020100 >/dev/null
}
# tries_of N: how many tries the PIN of card N has left.
tries_of() {
    log_out "$1"
    on "$1" status | sed -n 's/^PIN: .* \([0-9]*\) \(try\|tries\) left.*/\1/p'
}
# slow: so slow that every card has its share.
slow() {
    local card
    for card in 1 2 3 4; do
        check "card $card takes its time" virtual_hsm control $card delay 30 ins=68 count=100000
    done
}
slow

# --- one device has another PIN than its file says ------------------------------------------------
echo 97531864 >"${serials[2]}.pin"
log_out 3 # who made its keys may still be
export SC_HSM_LOG=error
for workers in threads forked; do
    before=$(used 3)
    check "8 $workers go on without card 3" forked "$programs/sign_$workers" rsa.pem 8 20
    equal "card 3 was not used" "$before" "$(used 3)"
done
says "web-rsa.: a device is left out: .*${serials[2]}"
equal "one try was spent on it for each run" 1 "$(tries_of 3)"
for card in 1 2 4; do
    equal "none on card $card" 3 "$(tries_of $card)"
done
check "another run" "$programs/sign_threads" rsa.pem 8 10
equal "spends no more: there are too few" 1 "$(tries_of 3)"

# --- the file is put right while a program runs -----------------------------------------------------
"$programs/sign_threads" rsa.pem 8 120 >busy.out 2>&1 &
running=$!
sleep 2
before=$(used 3)
equal "card 3 does nothing" 0 "$before"
check "the PIN of card 3 gets its tries back" sc-hsm --serial "${serials[2]}" pin unblock \
    --keep-pin --so-pin-source file:so-pin
echo "$pin" >"${serials[2]}.pin"
wait_for "card 3 takes part again" has_done 3 5
check "the program went on" wait $running

# --- PINs that are wrong everywhere ------------------------------------------------------------------
for serial in "${serials[@]}"; do
    echo 11111111 >"$serial.pin"
done
for card in 1 2 3 4; do
    log_out $card
done
fails "no device can be used" openssl dgst -sha256 -sign rsa.pem -out signature data
says "none of the 4 devices that have it can be used" "${serials[1]}" "PIN"
for card in 1 2 3 4; do
    equal "one try on card $card" 2 "$(tries_of $card)"
done
