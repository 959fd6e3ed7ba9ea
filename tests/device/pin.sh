#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The PIN policy: what is sent to the card, and what is not.
. "$(dirname "$0")/../lib.sh"
device_test=$SC_HSM_BUILD/tests/device/device_test
virtual_card
right=file:$SC_HSM_VIRTUAL/pin
export WRONG=999999 OTHER_WRONG=999998 SHORT=12345
PIN_SOURCE=$right check "a key is made" "$device_test" generate prime256v1

log_out() {
    raw_apdus >/dev/null 2>&1
}

# verifies WHAT N COMMAND...: the command succeeds and sends N PINs.
verifies() {
    local what=$1 wanted=$2 before
    shift 2
    before=$(pin_checks)
    check "$what" "$@"
    equal "$what: PINs sent" "$wanted" $(($(pin_checks) - before))
}

log_out
PIN_SOURCE=env:WRONG verifies "a wrong PIN is sent once, in a child neither" 1 "$device_test" wrong
says "2 tries are left" "refused this PIN before"
equal "one try was spent" 2 "$(pin_tries)"
PIN_SOURCE=env:OTHER_WRONG verifies "another wrong PIN" 1 "$device_test" login-reason PIN_INCORRECT
says "1 try is left"
PIN_SOURCE=$right verifies "the last try is not for a stored PIN" 0 \
    "$device_test" login-reason PIN_TRIES_LOW
says "only 1 PIN try is left .*, so the stored PIN was not tried: use pin-source=prompt" \
    "min-pin-tries to 1"
equal "no try was spent" 1 "$(pin_tries)"
PIN_SOURCE=$right MIN_TRIES=1 verifies "unless that was allowed" 1 "$device_test" cold 1
PIN_SOURCE=env:WRONG verifies "a wrong PIN does not pass because others are logged in" 1 \
    "$device_test" login-reason PIN_INCORRECT
log_out
PIN_SOURCE=env:SHORT verifies "a PIN of a wrong length is not sent" 0 \
    "$device_test" login-reason PIN_LENGTH
PIN_SOURCE=env:MISSING verifies "a source that is not there" 0 "$device_test" login-reason PIN_SOURCE
PIN_SOURCE=file:/nowhere/pin verifies "a file that is not there" 0 \
    "$device_test" login-reason PIN_SOURCE
printf '648219\n123456\n' >two-lines
PIN_SOURCE=file:two-lines verifies "a file of two lines" 0 "$device_test" login-reason PIN_SOURCE
printf '648219\r\n' >crlf
PIN_SOURCE=file:crlf verifies "a file of one line with CR LF" 1 "$device_test" cold 1
log_out
verifies "no source" 0 "$device_test" operate-reason 1 PIN_MISSING
PIN_SOURCE=prompt verifies "a prompt without a terminal" 0 \
    setsid "$device_test" operate-reason 1 PIN_MISSING
PIN_SOURCE=pinpad verifies "a PIN pad that the reader does not have" 0 \
    "$device_test" operate-reason 1 PIN_SOURCE
PIN_SOURCE=fd:7 verifies "a PIN from a descriptor" 1 "$device_test" cold 1 7<<<"$pin"
PIN_SOURCE=$right check "a key that is not there" "$device_test" operate-reason 99 NOT_FOUND

for guess in 111111 222222 333333; do
    WRONG=$guess MIN_TRIES=0 PIN_SOURCE=env:WRONG check "a wrong PIN" \
        "$device_test" login-reason PIN_INCORRECT
done
says "now blocked"
PIN_SOURCE=$right verifies "a blocked PIN is not tried" 0 "$device_test" login-reason PIN_BLOCKED
