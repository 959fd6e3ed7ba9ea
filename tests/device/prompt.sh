#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The PIN prompt on the controlling terminal: what it shows, what it hides, and that the terminal
# is as before on every way out.
. "$(dirname "$0")/../lib.sh"
need python3
device_test=$SC_HSM_BUILD/tests/device/device_test
virtual_card
PIN_SOURCE=file:$SC_HSM_VIRTUAL/pin check "a key is made" "$device_test" generate prime256v1
export PIN_SOURCE=prompt

cat >typist.py <<'END'
import os, pty, select, signal, sys, termios, time
# typist.py TYPED SIGNAL COMMAND...: runs the command on a terminal of its own, waits for a prompt,
# types or sends a signal, prints what the terminal showed and whether it echoes at the end.
# -SIGNAL: sent after the line was typed, before the terminal is given back: its output is stopped
# (Ctrl-S) until the signal is there.
WRITE = {"x86_64": "1", "aarch64": "64"}[os.uname().machine]
typed, number, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
def wait_until_writing(process):
    # The prompt polls for its answer; then the line's end is the first thing it cannot write.
    end = time.time() + 20
    while time.time() < end:
        with open("/proc/%d/syscall" % process) as syscall:
            words = syscall.read().split()
        if words[0] == WRITE:
            return
        time.sleep(0.01)
    print("never stopped, but in " + " ".join(words))
child, terminal = pty.fork()
if child == 0:
    with open("/dev/null") as nothing:
        os.dup2(nothing.fileno(), 0)  # the prompt must not need standard input
    os.execvp(command[0], command)
seen, answered = b"", False
end = time.monotonic() + float(os.environ["SC_HSM_PATIENCE"])
echo = None
while time.monotonic() < end:
    ready, _, _ = select.select([terminal], [], [], 0.2)
    if ready:
        try:
            data = os.read(terminal, 4096)
        except OSError:
            break
        if not data:
            break
        seen += data
    if not answered and seen.rstrip().endswith(b":"):
        # before it asks, it hides what is typed
        hidden = not termios.tcgetattr(terminal)[3] & termios.ECHO
        print("hidden" if hidden else "SHOWN")
        if number > 0:
            os.kill(child, number)
        line = typed.encode().decode("unicode_escape").encode()
        if number < 0:
            os.write(terminal, b"\x13" + line)
            wait_until_writing(child)
            os.kill(child, -number)
            time.sleep(0.2)
            line = b"\x11"
        os.write(terminal, line)
        answered = True
    try:
        echo = bool(termios.tcgetattr(terminal)[3] & termios.ECHO)
    except termios.error:
        pass
_, status = os.waitpid(child, 0)
print(seen.decode(errors="replace"))
print("echo on" if echo else "ECHO OFF")
print("signal %d" % os.WTERMSIG(status) if os.WIFSIGNALED(status) else "status %d" % os.WEXITSTATUS(status))
END

raw_apdus >/dev/null 2>&1
check "a PIN is typed" python3 typist.py "$pin\n" 0 "$device_test" operate-reason 1 NONE
says "PIN on device UTSIM[0-9]{6} \(3 tries left\): " "^hidden" "echo on" "should have failed"
says_nothing_of "$pin"
raw_apdus >/dev/null 2>&1
check "an empty line leaves" python3 typist.py "\n" 0 "$device_test" operate-reason 1 CANCELLED
says "left without an answer" "echo on" "status 0"
check "end of input leaves" python3 typist.py "\x04" 0 "$device_test" operate-reason 1 CANCELLED
says "left without an answer" "echo on" "status 0"
check "an interrupt ends the program" python3 typist.py "\x03" 0 "$device_test" operate-reason 1 CANCELLED
says "echo on" "signal 2"
check "so does SIGTERM" python3 typist.py "" 15 "$device_test" operate-reason 1 CANCELLED
says "echo on" "signal 15"
for number in 1 2 15; do
    check "a signal after the line does not get lost" \
        python3 typist.py "$pin\n" -$number "$device_test" operate-reason 1 NONE
    says "echo on" "signal $number"
    says_nothing_of "never stopped"
done
equal "no try was spent" 3 "$(pin_tries)"
check "a wrong PIN" python3 typist.py "000000\n" 0 "$device_test" operate-reason 1 PIN_INCORRECT
says "2 tries are left" "status 0"
