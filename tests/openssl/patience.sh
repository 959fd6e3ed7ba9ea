#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A program that keeps the card for itself is waited for, as long as the setting says and no longer
. "$(dirname "$0")/../lib.sh"
virtual_card
make_rsa_key
configure cache-pin=yes
device_test=$SC_HSM_BUILD/tests/device/device_test

# holder MILLISECONDS: another program is in a transaction from now on.
holder() {
    rm -f out-hold
    "$device_test" hold "$1" >out-hold 2>&1 &
    holding=$!
    wait_for "another program keeps the card" grep -q held out-hold
}
# freed: that program ends, killed in its transaction.
freed() {
    kill -KILL $holding
    wait $holding 2>/dev/null || true
}
# in_time WHAT SECONDS START: it took less than that since START.
in_time() {
    [ $((SECONDS - $3)) -lt "$2" ] || fail "$1 took $((SECONDS - $3)) seconds"
    echo "ok: $1 took less than $2 seconds"
}
kept='another program has kept the card in reader .* for itself'

echo message >message
check "a signature before" openssl dgst -sha256 -sign rsa.pem -out signature message
check "its public key" openssl pkey -in rsa.pem -pubout -out public.pem
coproc SIGNER { "$programs/sign_steps" rsa.pem 2>&1; }
signer=$! # bash forgets SIGNER_PID when it ends
eval "exec 8<&${SIGNER[0]}- 9>&${SIGNER[1]}-"
read -r -t 20 -u 8 line || fail "sign_steps did not get ready"

# Not to wait for others is not to give up a card that nobody keeps.
configure wait=0
for _ in {1..10}; do
    check "a signature that waits for nobody" openssl dgst -sha256 -sign rsa.pem -out signature message
    check "nor does the tool" sc-hsm --wait 0 --pin-source "file:$SC_HSM_VIRTUAL/pin" list
done

configure wait=1
holder 600000
start=$SECONDS
fails "a program that begins meanwhile" openssl dgst -sha256 -sign rsa.pem -out signature message
says "$kept.* for 1 second .*'wait'.*end that program"
fails "the tool" sc-hsm --wait 0 list
says "$kept.* for 0 seconds"
openssl storeutl -noout -keys sc-hsm: >"$seen" 2>&1 || true # before OpenSSL 4.0 that is 0
says "$kept.* for 1 second .*'wait'"
in_time "none of them" 40 $start # the tries left were asked for as well, in some
freed
check "it signs when the other program is gone" openssl dgst -sha256 -sign rsa.pem -out signature message
check "the signature verifies" plain_openssl dgst -sha256 -verify public.pem -signature signature message

# One that runs, by the setting's default, waits and goes on.
holder 1500
echo go >&9
read -r -t 60 -u 8 line || fail "no answer of the program that waited"
equal "a running program waits and signs" signed "$line"
wait $holding || fail "the program that kept the card failed"
exec 9>&- 8<&-
wait "$signer" || fail "sign_steps ended badly"

# One that gave up goes on at once where the other program is gone.
configure wait=1
coproc SIGNER { "$programs/sign_steps" rsa.pem 2>&1; }
signer=$! # bash forgets SIGNER_PID when it ends
eval "exec 8<&${SIGNER[0]}- 9>&${SIGNER[1]}-"
read -r -t 20 -u 8 line || fail "sign_steps did not get ready"
holder 600000
for _ in 1 2; do
    echo go >&9
    read -r -t 60 -u 8 line || fail "no answer of the program that gave up"
    echo "$line" >"$seen"
    says "^failed: .*$kept"
done
freed
for _ in {1..5}; do
    echo go >&9
    read -r -t 60 -u 8 line || fail "no answer after that"
    equal "it signs again" signed "$line"
done
exec 9>&- 8<&-
wait "$signer" || fail "sign_steps ended badly"

# A queue of threads does not wait for that time one after another.
configure wait=4
"$programs/sign_threads" rsa.pem 8 100000 >threads.log 2>&1 &
threads=$!
before=$(commands)
signing() { [ "$(commands)" -gt $((before + 20)) ]; }
wait_for "8 threads sign" signing
holder 600000
start=$SECONDS
status=0
wait $threads || status=$?
equal "the program says that it failed" 1 $status
cp threads.log "$seen"
says "$kept.* for 4 seconds"
equal "all its threads" 8 "$(grep -c 'a signature failed' threads.log)"
in_time "the whole queue" 30 $start # 8 times 4 would be more
freed
equal "no try was spent" 3 "$(pin_tries)"

for value in -1 soon 86401; do
    configure wait=$value
    fails "wait = $value" openssl dgst -sha256 -sign rsa.pem -out signature message
    says "setting 'wait' in .*: '$value' is not a number from 0 to 86400"
done
