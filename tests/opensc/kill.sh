#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Killed at any moment, the card loses nothing that it answered, and its file always loads. (Hundreds of
# kills, without a reader that takes its time: kills.sh.)
. "$(dirname "$0")/common.sh"
opensc_card
rounds=${SC_HSM_KILL_ROUNDS:-6}

: >answered
for round in $(seq "$rounds"); do
    python3 "$here/kill.py" write "$pin" "$round" answered >writer.log 2>&1 &
    writer=$!
    # from the first change on, a moment between nothing and 300 ms
    wait_for "the writer writes" grep -q " $round\.0\$" answered
    sleep "0.$(printf '%03d' $((RANDOM % 300)))"
    kill_card
    wait $writer || true
    cp writer.log "$seen"
    says 'SCardTransmit' # died with the card, and of nothing else
    virtual_hsm insert >/dev/null
    check "round $round: $(grep -c ^done answered) answered changes are there" \
        python3 "$here/kill.py" check "$pin" "$round" answered
done
[ "$(grep -c ^done answered)" -gt $((rounds * 5)) ] || fail "too little was written to prove anything"

# PIN tries: counted before the comparison, so that killing wins no guess.
for round in 1 2 3 4; do
    raw_apdus 0020008106313131313131 >guess 2>&1 &
    guess=$!
    sleep "0.0$(printf '%02d' $((5 + RANDOM % 40)))"
    kill_card
    wait $guess || true
    virtual_hsm insert >/dev/null
    answered=$(grep -c 'SW1=0x63' guess || true)
    left=$(pin_tries)
    [ "$left" -le $((3 - answered)) ] || fail "$answered wrong guesses were answered, $left left"
    echo "ok: killed at a guess ($answered answered): $left left"
    check "the right PIN" raw_apdus "$verify_pin"
done
