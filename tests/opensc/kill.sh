#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Killed in the middle of commands, the card loses nothing that it answered, and its file always loads.
# (Hundreds of kills, at each moment of each command, without a reader that takes its time: kills.sh.)
. "$(dirname "$0")/common.sh"
opensc_card

# killed ROUND WHAT: after the writer met its card's end.
killed() {
    wait $writer || true
    cp writer.log "$seen"
    says 'SCardTransmit' # died with the card, and of nothing else
    virtual_hsm insert >/dev/null
    check "$2: $(grep -c ^done answered) answered changes are there" \
        python3 "$here/kill.py" check "$pin" "$1" answered
}

# D7 writes, 46 makes a key, E4 deletes.
: >answered
round=0
for fault in "kill-before ins=D7 skip=40" "kill-during ins=46 skip=12" "kill-after ins=E4 skip=15" \
    "kill-during ins=D7 skip=25" "kill-after ins=46 skip=20" "kill-before ins=E4 skip=0"; do
    round=$((round + 1))
    virtual_hsm control 1 "$fault" >/dev/null
    python3 "$here/kill.py" write "$pin" $round answered >writer.log 2>&1 &
    writer=$!
    killed $round "$fault"
done

# From outside, wherever the card is by then.
for number in 7 30; do
    round=$((round + 1))
    python3 "$here/kill.py" write "$pin" $round answered >writer.log 2>&1 &
    writer=$!
    wait_for "the writer writes" grep -q "^done [^ ]* $round\.$number\$" answered
    kill_card
    killed $round "killed in passing"
done

# PIN tries: counted before the comparison, so that killing wins no guess.
for fault in "kill-before 3" "kill-during 3" "kill-after 2" "after-the-answer 2"; do
    read -r moment left <<<"$fault"
    if [ "$moment" = after-the-answer ]; then
        equal "a wrong guess is answered" "63C2" "$(status_words 0020008106313131313131)"
        kill_card
    else
        virtual_hsm control 1 "$moment ins=20" >/dev/null
        equal "a guess is not answered" "" "$(status_words 0020008106313131313131 || true)"
    fi
    virtual_hsm insert >/dev/null
    equal "$moment of a guess: the tries that are left" "$left" "$(pin_tries)"
    check "the right PIN" raw_apdus "$verify_pin"
done
