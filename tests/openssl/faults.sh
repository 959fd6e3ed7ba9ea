#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Whatever goes wrong with the card under openssl's hands, there is one sentence that says so, nothing
# is lost, and the next command works.
. "$(dirname "$0")/../lib.sh"
virtual_card
make_rsa_key
make_ec_key
echo message >message

control() {
    virtual_hsm control 1 "$1" || fail "control: $1"
}

# sentences: how many different ones of ours the last command said.
sentences() {
    grep -o 'error:[^:]*:sc-hsm:.*' "$seen" | sed 's/.*\.c:[0-9]*://' | sort -u | wc -l
}

# met FAULT: it has befallen all the commands it was meant for.
met() {
    control list >after
    ! grep -q "^${1%% *}" after || fail "$1 has not come to pass: $(cat after)"
}

# well WHAT KEY: it signs, and the PIN has all its tries.
well() {
    check "$1" openssl dgst -sha256 -sign "$2.pem" -out signature message
    check "which OpenSSL verifies" plain_openssl dgst -sha256 -verify "$2.pub" \
        -signature signature message
}

# told KEY FAULT REGEX: signing fails with one sentence that has these words; the next one works.
told() {
    local key=$1 fault=$2 regex=$3
    raw_apdus >/dev/null 2>&1 # logs out, so that a VERIFY comes
    control "$fault"
    fails "$fault" openssl dgst -sha256 -sign "$key.pem" -out signature message
    cp "$seen" output
    says "$regex"
    equal "in one sentence: $(grep -Eo "$regex.*" output | head -1)" 1 "$(sentences)"
    met "$fault"
    well "and the next one works" "$key"
}

# mended KEY FAULT: signing works all the same.
mended() {
    raw_apdus >/dev/null 2>&1
    control "$2"
    well "$2 is made good" "$1"
    met "$2"
}

told ec "status 6F00 ins=68" "device UTSIM.* key 'web-ec': SIGN failed: .*6F00"
told ec "status 6F00 ins=20" "device UTSIM.* key 'web-ec': VERIFY failed: .*6F00"
told ec "status 6D00 ins=68" "SIGN failed: the device does not know this command"
told rsa "status 6700 ins=68" "SIGN failed: the data has a wrong length"
told ec "status 1234 ins=68" "SIGN failed: unknown status word"
told ec "status-after 6A80 ins=68" "SIGN failed: the device refuses the data"
told ec "status 6982 ins=68 count=3" "SIGN failed: not logged in"
told ec "truncate 1 ins=68" "without a status word"
told ec "truncate 2 ins=68" "SIGN failed: unknown status word"
told ec "shorten 0 ins=68" "device UTSIM.*: the device's ECDSA signature of 0 bytes is malformed"
told ec "shorten 20 ins=68" "signature of 20 bytes is malformed"
told ec "corrupt ins=68" "signature of [0-9]* bytes is malformed"
told rsa "shorten 100 ins=68" "RSA result of 100 bytes is malformed"
# That the answer is no signature by this key is seen before anybody gets it.
told rsa "corrupt ins=68" "holds another key"
told ec "truncate 1 ins=20" "without a status word"
mended ec "status 6982 ins=68 count=2"
mended ec "status 6D00 ins=20 count=2"
# A list of files that is none is not taken for a device without keys.
control "corrupt ins=58 count=2"
fails "a malformed list of files" openssl pkey -in sc-hsm:id=10 -noout
says "the device's list of files is malformed"
fails "where a key is to be made" openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 -out new.pem
says "the device's list of files is malformed"
mended rsa "delay 700 ins=68"
control reset
well "the card lost power and nobody noticed" ec
equal "no try was spent" 3 "$(pin_tries)"

# Pulled in the middle of a command.
raw_apdus >/dev/null 2>&1
control "remove-after ins=68"
fails "remove-after ins=68" openssl dgst -sha256 -sign ec.pem -out signature message
says 'card in reader .*: .*insert it'
equal "in one sentence" 1 "$(sentences)"
control insert
wait_for "the card is back" raw_apdus
well "and the next one works" ec
for fault in "remove-before ins=20" "remove-after ins=20" "remove-before ins=68" \
    "remove-after ins=68" "remove-before ins=20 skip=2"; do
    raw_apdus >/dev/null 2>&1
    control "$fault"
    # Two disturbances, one after the other: somebody logged us out, and before we are in again it is pulled.
    [[ $fault != *skip* ]] || control "status 6982 ins=68"
    (
        until virtual_hsm control 1 list | grep -q ^removed; do
            sleep 0.05
        done
        control insert
    ) &
    well "$fault, and put back at once: signed all the same" ec
    wait $!
    met "$fault"
done
equal "no try was spent" 3 "$(pin_tries)"

# While the card is busy with it.
delays() {
    grep -c '! delay' "$SC_HSM_VIRTUAL/card-1.log"
}
is_busy() {
    [ "$(delays)" -gt "$before" ]
}
before=$(delays)
control "delay 600000 ins=68"
openssl dgst -sha256 -sign ec.pem -out signature message >pulled 2>&1 &
process=$!
wait_for "the card is busy" is_busy
control remove
status=0
wait $process || status=$?
cp pulled "$seen"
equal "a card pulled while it is busy ends the wait" 1 "$status"
equal "with one sentence" 1 "$(sentences)"
control insert
wait_for "the card is back" raw_apdus

# New keys: a failure leaves nothing half made, or the next one is in nobody's way.
before=$(files)
for fault in "status 6F00 ins=46" "status 6A84 ins=46" "status 6A84 ins=D7" "shorten 50 ins=B1" \
    "corrupt ins=B1" "status-after 6F00 ins=D7"; do
    control "$fault"
    fails "$fault" openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 -pkeyopt label:new \
        -out new.pem
    equal "in one sentence" 1 "$(sentences)"
    met "$fault"
    [ ! -s new.pem ] || fail "there is a reference to a key that is none"
    equal "and nothing is left on the card" "$before" "$(files)"
done
control "truncate 1 ins=46"
fails "the way to the card breaks" openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 \
    -pkeyopt label:left -out new.pem
says 'key reference 3 may have been left .* should be deleted: .* without a status word'
check "and has its name" sc-hsm list label=left
says 'key-ref=3;.*label=left'
check "a new key is made" openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 \
    -pkeyopt label:new -out new.pem
check "and signs" openssl dgst -sha256 -sign new.pem -out signature message
