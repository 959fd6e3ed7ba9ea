#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One card for many threads, children and programs.
. "$(dirname "$0")/../lib.sh"
device_test=$SC_HSM_BUILD/tests/device/device_test
virtual_card
export PIN_SOURCE=file:$SC_HSM_VIRTUAL/pin
check "an EC key is made" "$device_test" generate prime256v1
check "an RSA key is made" "$device_test" generate 2048
check "8 threads make 100 EC signatures each" "$device_test" threads 1 8 100
check "8 threads make 100 RSA signatures each" "$device_test" threads 2 8 100
check "children sign while their parent's threads do" "$device_test" fork 1 20
check "children sign while their parent's threads do, RSA" "$device_test" fork 2 10

processes=()
for key in 1 2 1 2; do
    "$device_test" many $key 100 >"out-${#processes[@]}" 2>&1 &
    processes+=($!)
done
for process in "${processes[@]}"; do
    wait "$process" || { cat out-* >"$seen"; fail "one of four processes failed"; }
done
echo "ok: four processes make 100 signatures each"

"$device_test" threads 1 4 200 >out-threads 2>&1 &
process=$!
for ((i = 0; i < 20; i++)); do
    raw_apdus >/dev/null 2>&1 || true
done
wait $process || { cat out-threads >"$seen"; fail "threads failed while others log out"; }
echo "ok: threads sign while another program logs out again and again"

"$device_test" hold 3000 >out-hold 2>&1 &
process=$!
wait_for "the card is held by another program" grep -q held out-hold
check "signatures wait for a program that holds the card" "$device_test" many 1 10
wait $process || fail "the program that held the card failed"
"$device_test" repeat 1 "'$device_test' hold 2000 >out-hold2 &
    until grep -q held out-hold2; do sleep 0.02; done" >out-repeat 2>&1 ||
    { cat out-repeat >"$seen"; fail "a signature failed while another program held the card"; }
echo "ok: a running program waits as well"
