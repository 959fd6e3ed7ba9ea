#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A device that gives no answer at all: another one does the operation, in the same call, and programs
# end as if nothing were. The silent one is a token behind another process, which is stopped; a virtual
# card would stop the whole PC/SC service with it.
. "$(dirname "$0")/pool.sh"
need p11-kit softhsm2-util
client_module=$(find /usr/lib -name p11-kit-client.so | head -1)
[ -n "$client_module" ] || fail "there is no p11-kit-client.so: install p11-kit-modules"
card_and_token
# shellcheck disable=SC2154  # of lib.sh
OPENSSL_CONF=/dev/null p11-kit server --provider "$softhsm" -f -n "$work/socket" \
    'pkcs11:token=the%20token' >p11-kit.log 2>&1 &
server=$!
at_end() { pkill -KILL -P $server; kill -KILL $server 2>/dev/null; }
wait_for "p11-kit's server" test -S socket
unset SOFTHSM2_CONF
export P11_KIT_SERVER_ADDRESS=unix:path=$work/socket
# shellcheck disable=SC2154  # of card_and_token
configure pool=share "pkcs11-module=$client_module" "pin-source=file:$card_pin" log=info "log-file=$work/log"
check "the card takes its time" virtual_hsm control 1 delay 30 ins=68 count=100000

# All that serves the token: the server forks for each program.
silence() {
    kill -STOP $server
    pkill -STOP -P $server || true # nobody is connected
}
speak() {
    pkill -CONT -P $server || true
    kill -CONT $server
}
# --- a program that is running -----------------------------------------------------------------------
# goes_on N: the card goes on working for the program.
goes_on() {
    local before
    before=$(used 1)
    wait_for "the card does the work, $1" has_done 1 $((before + 40))
}
is_left_out() { grep -q "a device is left out: .*the token.* gave no answer" log; }
is_back() { grep -q "device .*the token.* is back" log; }

"$programs/sign_threads" both.pem 8 100000 stop >busy.out 2>&1 &
running=$!
wait_for "the card works" has_done 1 20
silence
wait_for "the token is left out" is_left_out
goes_on "without the token"
speak
wait_for "the token takes part again" is_back
silence
goes_on "without it once more"
# It ends with an answer still to come.
touch stop
wait $running || {
    cat busy.out log >"$seen"
    fail "an operation failed, or the program did not end"
}
echo "ok: $(cat busy.out)"

speak

# --- a device alone is waited for, as without a pool ----------------------------------------------------
check "the card is pulled" virtual_hsm remove 1
openssl dgst -sha256 -sign both.pem -out signature data >alone.out 2>&1 &
running=$!
(
    silence
    sleep 7
    speak
) &
wait $running || {
    cp alone.out "$seen"
    fail "the token alone was not waited for"
}
check "the token alone" plain_openssl dgst -sha256 -verify both.pub -signature signature data
