#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Killed at any moment, the card loses nothing that it answered, and its file always loads.
. "$(dirname "$0")/common.sh"
opensc_card
rounds=${SC_HSM_KILL_ROUNDS:-30}

: >answered
for round in $(seq "$rounds"); do
    python3 "$here/kill.py" write "$pin" "$round" answered >"$seen" 2>&1 &
    writer=$!
    sleep "0.$(printf '%03d' $((50 + RANDOM % 300)))"
    kill_card
    wait $writer || true
    [ ! -s "$seen" ] || grep -q 'SCard' "$seen" || fail "the writer stumbled in round $round"
    virtual_hsm insert >/dev/null
    check "round $round: $(wc -l <answered) answered changes are there" \
        python3 "$here/kill.py" check "$pin" "$round" answered
done
[ "$(wc -l <answered)" -gt $((rounds * 3)) ] || fail "too little was written to prove anything"

# PIN tries: counted before the comparison, so that killing gains nothing.
for round in 1 2 3 4 5 6; do
    raw_apdus 0020008106313131313131 >"$seen" 2>&1 &
    guess=$!
    kill_card
    wait $guess || true
    virtual_hsm insert >/dev/null
    wrong=$(grep -c 'SW1=0x63' "$seen" || true)
    now=$(pin_tries)
    echo "ok: killed at a guess ($wrong answered): $now left"
    [ "$now" = blocked ] || check "the right PIN" raw_apdus "$verify_pin"
    [ "$now" != blocked ] || break
done
