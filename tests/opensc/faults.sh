#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The control socket: faults befall what they are meant for, OpenSC meets them, and all is well after.
. "$(dirname "$0")/common.sh"
opensc_card
card_program=$SC_HSM_BUILD/bin/sc-hsm-sim
socket=$SC_HSM_VIRTUAL/card-1.control
echo message >message

control() {
    virtual_hsm control 1 "$1"
}

equal "only its owner reaches the socket" 600 "$(stat -c %a "$socket")"
check "it explains itself" control help
says '^status SW \[ins=II\] \[skip=N\] \[count=N\]: ' '^remove: '
for line in nonsense "status" "status 12345" "status xyz" "status 6F00 ins=1234" "status 6F00 foo=1" \
    "delay -1" "truncate 0" "garbage 7" "remove ins=20" "corrupt count=0" "delay 99999999999999" \
    "status 6F00 writes=1" "kill-after writes=-1" \
    "delay 1 2 3 4 5 6 7 8" "$(printf 'x%.0s' $(seq 300))" ""; do
    fails "refused: ${line:0:30}" control "$line"
done
check "nothing of it waits" control list
equal "" inserted "$(cat "$seen")"
for _ in $(seq 16); do
    control "status 6F00 ins=FF"
done
fails "a list has an end" control "status 6F00"
says 'full'
check "and can be emptied" control clear
check "then it takes more" control "status 6F00 ins=FE count=2"
check "and this" control "kill-during ins=FE writes=1"
check "it shows what waits" control list
says '^status 6F00 ins=FE skip=0 count=2$' '^kill-during ins=FE writes=1 skip=0 count=1$'
control clear
python3 - "$socket" <<'END'
import os, socket, sys
for junk in (os.urandom(5000), b"\0\0\0\n", b"status" * 100, b"list\nlist\nhelp", b"\n" * 500):
    with socket.socket(socket.AF_UNIX) as wire:
        wire.connect(sys.argv[1])
        try:
            wire.sendall(junk)
        except OSError:
            pass  # it hung up
wires = [socket.socket(socket.AF_UNIX) for _ in range(4)]
for wire in wires:
    wire.connect(sys.argv[1])
    wire.settimeout(float(os.environ["SC_HSM_PATIENCE"]))
with wires[0] as wire:
    wire.sendall(b"li")
    wire.sendall(b"st\ncle")
    wire.sendall(b"ar\n")
    answer = b""
    while answer.count(b"ok\n") < 2:
        answer += wire.recv(100)
assert answer == b"inserted\nok\nok\n", answer
END
check "junk on the socket does it no harm" control list

# count, skip, instruction
control "status 6F00 ins=84 skip=1 count=2"
answers "the second and third GET CHALLENGE" "9000 63C3 6F00 6F00 9000" 0084000008 00200081 0084000008 \
    0084000008 0084000008
control "status-after 6F00 ins=D7"
answers "done, but not said" "9000 6F00 6282" "$verify_pin" 00D7CF0107540200005301AA \
    00B1CF01045402000000
init=800200018106$(hex_of "$pin")8208${so_pin}910103
control "status 6A84 ins=50"
answers "garbage collection: the same command again succeeds" "6A84 9000" \
    "$(initialise "$init")" "$(initialise "$init")"
control "shorten 3 ins=84"
check "three bytes of eight" raw_apdus 0084000008
tail -1 "$seen" | grep -Eq '^([0-9A-F]{2} ){3}.{3}$' || fail "that are more or less"
# hundredths: of a second, by a clock that nobody sets.
hundredths() {
    sed 's/\([0-9]*\)\.\(..\).*/\1\2/' /proc/uptime
}
control "delay 800 ins=84"
began=$(hundredths)
raw_apdus 0084000008 >/dev/null 2>&1
[ $(($(hundredths) - began)) -ge 79 ] || fail "that was no delay"
echo "ok: a delay delays"
: >"$card_log"
control "delay 600000 ins=84"
raw_apdus 0084000008 >hurried 2>&1 &
hurried=$!
wait_for "the delay has begun" grep -q '! delay befalls 00840000' "$card_log"
control clear
check "clear ends it" wait $hurried

check "a key" p11_user --keypairgen --key-type EC:prime256v1 --id 10 --label k
sign() {
    p11_user --sign --id 10 --mechanism ECDSA-SHA256 --signature-format openssl \
        --input-file message --output-file signature
}
check "it signs" sign
# OpenSC tries some of it again.
for fault in "status 6F00 ins=68 count=9" "status 6982 ins=68 count=9" "truncate 1 ins=68 count=9" \
    "remove-before ins=68" "remove-after ins=68" "status 6700 ins=68 count=9"; do
    : >"$card_log"
    control "$fault"
    fails "OpenSC meets $fault" sign
    grep -q "^! ${fault%% *} befalls 806801" "$card_log" || fail "$fault has not come to pass"
    control clear
    control insert
    wait_for "the card is there" raw_apdus
    check "then it signs" sign
done
equal "no PIN try is lost" 3 "$(pin_tries)"
check "nor anything else" p11_user --list-objects
says 'label: *k$'

# Pulled and put back, as with remove and insert of the script, but by the card itself.
check "it is pulled" control remove
wait_for "which the reader shows" eval '! opensc-tool -l | grep -q Yes'
check "nobody is there" sc-hsm-tool
says "Card not present"
check "it is put back" control insert
wait_for "which the reader shows" eval 'opensc-tool -l | grep -q Yes'
check "and all is well" sign

# The socket of a card that died is in nobody's way; that of a card that lives is.
fails "a second card at the same socket" ends_by_itself "$card_program" --state other \
    --vpcd 127.0.0.1:1 --control "$socket"
says 'another process listens here'
echo content >file
fails "a file where the socket should be" ends_by_itself "$card_program" --state other \
    --vpcd 127.0.0.1:1 --control file
says 'no socket'
equal "it is untouched" content "$(cat file)"
fails "a name that is too long" ends_by_itself "$card_program" --state other --vpcd 127.0.0.1:1 \
    --control "$(printf 'x%.0s' $(seq 120))"
says 'too long'
kill_card
fails "a card that is gone does not answer" "$card_program" --control "$socket" --tell list
virtual_hsm insert >/dev/null
check "its successor does" control list
fails "--tell needs to know whom" "$card_program" --tell list
says 'needs --control'

# Nonsense, from a card that pcscd has no part in.
check "nonsense stops no card" python3 "$here/hostile.py" "$card_program"
cat "$seen"
