#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The state file: private, checked, never overwritten when it is damaged, one simulator at a time.
. "$(dirname "$0")/common.sh"
opensc_card
card_program=$SC_HSM_BUILD/bin/sc-hsm-sim
# Where nobody listens: the card must fail before it gets that far.
start=("$card_program" --vpcd 127.0.0.1:1 --state)

equal "only its owner can read it" 600 "$(stat -c %a "$card_state")"
check "a reading command" raw_apdus 00200081 8058000000 0084000008
before=$(stat -c '%i %y' "$card_state")
check "commands that change nothing" raw_apdus 00200081 00B12F02045402000000 0084000008 00B1CF7700
equal "write nothing" "$before" "$(stat -c '%i %y' "$card_state")"
fails "a second simulator" "${start[@]}" "$card_state"
says 'in use by another'
virtual_hsm remove >/dev/null

fails "another serial number" "${start[@]}" "$card_state" --serial UTOTHER1
says "is the card $serial, not UTOTHER1"
cp "$card_state" good
size=$(stat -c %s good)

# damaged WHAT: the copy `bad` must be refused and stay as it is
damaged() {
    cp bad kept
    fails "$1" "${start[@]}" bad
    says 'corrupt|not a sc-hsm-sim state|another version'
    same_bytes "is left as it is" kept bad
}
for at in 0 9 13 17 60 $((size / 2)) $((size - 1)); do
    cp good bad
    python3 -c 'import sys
with open("bad", "r+b") as f:
    f.seek(int(sys.argv[1])); b = f.read(1)[0]; f.seek(int(sys.argv[1])); f.write(bytes([b ^ 1]))' "$at"
    damaged "byte $at changed"
done
for length in 0 7 47 100 $((size - 1)); do
    head -c "$length" good >bad
    damaged "cut to $length bytes"
done
{ cat good; echo; } >bad
damaged "one byte more"
echo 'something else' >bad
damaged "another file"

fails "no folder" "${start[@]}" nowhere/state
says 'nowhere/state'
mkdir folder
fails "a folder" "${start[@]}" folder
fails "no --state" "$card_program"
says 'state FILE is missing'
fails "a bad serial" "${start[@]}" new --serial 'ut 1'
fails "a long serial" "${start[@]}" new --serial UT1234567890
fails "a bad latency" "${start[@]}" new --latency slow
fails "a bad address" "${start[@]}" new --vpcd nowhere
fails "an unknown option" "${start[@]}" new --nonsense
fails "an extra word" "${start[@]}" new word
[ ! -e new ] || fail "something was made"
check "help" "$card_program" --help
says '^usage: sc-hsm-sim --state FILE'
check "version" "$card_program" --version
says '^sc-hsm-sim [0-9]'

check "a card that cannot write its state" python3 "$here/unwritable.py" "$card_program"
cat "$seen"

# The end: at once and cleanly, also while it waits for vpcd, and with a loud start.
for signal in TERM INT; do
    rm -f out
    "$card_program" --state alone --vpcd 127.0.0.1:1 2>out &
    process=$!
    wait_for "the simulator waits for vpcd" grep -q 'waiting for vpcd' out
    kill -$signal $process
    status=0
    wait $process || status=$?
    equal "SIG$signal ends it cleanly" 0 $status
done
cp out "$seen"
says 'PROTECTS NOTHING' 'UTSIM00001'
virtual_hsm insert >/dev/null
check "the card is as it was" raw_apdus 00200081

# A state file of the first version, with a maker of its own, a DKEK and an EC key.
cp "$here/first-version.state" former
check "a card of the first version" python3 "$here/first_version.py" "$card_program" former
check "its own root" "$card_program" --state former --write-root root
check "its chain" python3 "$here/device_chain.py" root chain UTOLD00001
check "the root of new cards" "$card_program" --write-root new-root
fails "is another one" cmp root new-root
