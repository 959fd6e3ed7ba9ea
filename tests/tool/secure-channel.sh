#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# PINs go to the device through a secure channel
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

need openssl opensc-tool strace
virtual_card
log=$SC_HSM_VIRTUAL/card-1.log
echo "$pin" >pin
echo "$so_pin" >so-pin
check "the virtual cards' root" "$SC_HSM_BUILD/bin/sc-hsm-sim" --write-root root.cvc

# protected WHAT NUMBER PLAIN COMMAND...: the command succeeds, and has sent so many protected
# commands with a PIN and so many plain ones.
protected() {
    local what=$1 protected=$2 plain=$3 before
    shift 3
    before=$(wc -l <"$log")
    check "$what" "$@"
    tail -n +$((before + 1)) "$log" >part.log
    equal "$what: protected commands with a PIN" "$protected" \
        "$(grep -Ec '^> (0C(20|24|2C)|8C50)' part.log || true)"
    equal "$what: plain ones" "$plain" \
        "$(grep -Ec '^> (00(20|24|2C)|8050)[0-9A-F]+\[' part.log || true)"
}
log_out() {
    raw_apdus >select.out
}
sim() {
    sc-hsm --pin-source file:pin --so-pin-source file:so-pin "$@"
}

log_out
protected "a login" 1 0 sim keygen --type ec:P-256 --label one --id 1
log_out
protected "a login without" 0 1 sim --secure-channel off keygen --type ec:P-256 --label three --id 3
echo 12345678 >new-pin
log_out
echo "$pin" >old-pin
protected "another PIN" 2 0 sc-hsm --pin-source file:old-pin pin change --new-pin-source file:new-pin
protected "a PIN by the SO-PIN" 1 0 sim pin unblock --new-pin-source file:pin
protected "initialisation" 1 0 sim init --yes --dkek-shares 1
equal "plain status queries still work" 3 "$(log_out; pin_tries)"

# What is required is required.
log_out
fails "nobody vouches for a virtual card" sim --secure-channel require keygen --type ec:P-256
says "nothing was sent, since the PIN may only go through a secure channel" "none of the makers"
equal "no try was spent" 3 "$(pin_tries)"
protected "but for one that is trusted" 1 0 sim --root root.cvc --secure-channel require \
    keygen --type ec:P-256 --label four --id 4
log_out
check "what is done is logged" env SC_HSM_LOG=info sc-hsm --pin-source file:pin keygen \
    --type ec:P-256 --label five --id 5
says "VERIFY goes through a secure channel to a device that nobody vouches for: "
echo 999999 >wrong-pin
log_out
fails "a wrong PIN is told through it" sc-hsm --pin-source file:wrong-pin keygen --type ec:P-256
says "the PIN is wrong for device .*; 2 tries are left"
check "the right PIN" sim keygen --type ec:P-256 --label six --id 6
fails "no such way" sim --secure-channel perhaps list
says "'perhaps' is none of auto, require, off"

# The provider does so where it is told to, and not otherwise.
log_out
protected "the provider by itself" 0 1 openssl pkey -in sc-hsm:label=four -noout
configure secure-channel=require root="$work/root.cvc"
log_out
protected "the provider with secure-channel=require" 1 0 openssl pkey -in sc-hsm:label=four -noout
configure root=
log_out
fails "the provider without the root" openssl pkey -in sc-hsm:label=four -noout
says "nothing was sent"

# --- no secret leaves this process, or reaches it, in clear -------------------------------------
configure root="$work/root.cvc"
required=(sc-hsm --pin-source file:pin --so-pin-source file:so-pin --root root.cvc --secure-channel require)

hex() {
    od -An -v -tx1 | tr -d ' \n'
}

# traced COMMAND...: runs it, and notes in hex what it sent to pcscd and got from there. No search for
# leaks is possible under strace.
traced() {
    ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 \
        strace -f -y -qq -xx -s 100000 -e trace=sendto,recvfrom,read,write -o trace "$@" || return
    # "<socket" in hex, as all that strace prints here
    grep -F '<\x73\x6f\x63\x6b\x65\x74' trace | sed 's/\\x//g; s/[^"]*"\([0-9a-f]*\)".*/\1/' >sent
}

# hidden WHAT SECRET... -- COMMAND...: the command succeeds, and none of these (hex) is in its trace;
# with the channel off all of them are, or the trace would prove nothing.
hidden() {
    local what=$1 secret secrets=()
    shift
    while [ "$1" != -- ]; do
        secrets+=("$1")
        shift
    done
    shift
    log_out
    check "$what, in the channel" traced "$@"
    for secret in "${secrets[@]}"; do
        ! grep -q "$secret" sent || fail "$what: $secret went in clear"
    done
    log_out
}

# shown WHAT SECRET...: all of them are in the last trace.
shown() {
    local what=$1 secret
    shift
    for secret in "$@"; do
        grep -q "$secret" sent || fail "$what: the trace does not show $secret"
    done
    echo "ok: $what without the channel shows in the trace"
}

off=(sc-hsm --pin-source file:pin --so-pin-source file:so-pin --secure-channel off)
pin_hex=$(printf %s "$pin" | hex) so_pin_hex=$(tr 'A-F' 'a-f' <<<"$so_pin")
# The share of a published guide, whose password is 123456789. Its use takes seconds each time.
base64 -d >share.pbe <<'END'
U2FsdGVkX19TK+VuViUAPOKAfVPE9puwK7yvJSInvPeBSld+Uh2hHli8RazbFVd3dGgOu7ahEjm6YzzYWtxMnA==
END
printf 123456789 >password
share_hex=ae71747fce318e9cf798b8ae0553a32c41269dd4eccccf457ae2e3c0eaccbc3d
check "initialised in clear" traced "${off[@]}" init --yes --dkek-shares 1
shown "PIN and SO-PIN" "$pin_hex" "$so_pin_hex"
check "a share in clear, by another program" traced opensc-tool --reader 0 --card-driver default \
    --send-apdu 00A404000BE82B0601040181C31F020100 --send-apdu "8052000020$share_hex"
shown "a share" "$share_hex"

hidden "initialising" "$pin_hex" "$so_pin_hex" -- "${required[@]}" init --yes --dkek-shares 1
if [ -z "${SC_HSM_ASAN:-}" ]; then # hashing the password would take longest there
    configure root=
    fails "no share without the root" "${required[@]:0:5}" --secure-channel require \
        dkek import-share share.pbe --password-source file:password
    says "nothing was sent"
    configure root="$work/root.cvc"
fi
before=$(wc -l <"$log")
# The channel is there by itself where it can be.
hidden "a share" "$share_hex" -- sc-hsm dkek import-share share.pbe --password-source file:password
says "DKEK is complete"
tail -n +$((before + 1)) "$log" >part.log
equal "its command is protected" "1 0" \
    "$(grep -c '^> 8C5200' part.log || true) $(grep -Ec '^> 80520000[0-9A-F]*\[' part.log || true)"
check "it is this share" sc-hsm dkek status
says "53CA37CEED5B227F"

echo 12345678 >new-pin
new_hex=$(printf 12345678 | hex)
hidden "another PIN" "$pin_hex" "$new_hex" -- "${required[@]}" pin change --new-pin-source file:new-pin
hidden "a PIN by the SO-PIN" "$pin_hex" "$so_pin_hex" -- \
    "${required[@]}" pin unblock --new-pin-source file:pin
printf '0020008106%s\n' "$pin_hex" >verify.apdu
# shellcheck disable=SC2016  # expanded by the inner shell
hidden "a command of one's own" "$pin_hex" -- bash -c '"$@" apdu --yes - <verify.apdu' bash "${required[@]}"

# Private data, longer than one command.
openssl rand 3000 >private
chunk=$(head -c 20 private | hex) later=$(tail -c 20 private | hex)
check "private data in clear" traced "${off[@]}" data write private --label one --private
shown "private data" "$chunk" "$later"
hidden "private data" "$chunk" "$later" "$pin_hex" -- \
    "${required[@]}" data write private --label two --private
hidden "reading it" "$chunk" "$later" "$pin_hex" -- \
    "${required[@]}" data read label=two --out private.back
same_bytes "as it was" private private.back

random_is() {
    rm -f random.out
    log_out
    check "random numbers, $1" traced "${@:2}" random 1500 --out random.out
    shown_random=$(head -c 20 random.out | hex) later=$(tail -c 20 random.out | hex)
}
random_is "in clear" "${off[@]}"
shown "random numbers" "$shown_random" "$later"
random_is "in the channel" "${required[@]}"
! grep -q -e "$shown_random" -e "$later" sent || fail "random numbers went in clear"

# Keys: one of the user's own comes wrapped, and what keys decrypt and agree on is private.
check "a key of one's own" plain_openssl genrsa -out own.pem 2048
plain_openssl pkey -in own.pem -pubout -out own.pub
prime_hex=$(plain_openssl rsa -in own.pem -noout -text | sed -n '/^prime1/,/^prime2/{//!p;}' | tr -d ' :\n')
prime_hex=${prime_hex:2:60}
hidden "importing it" "$prime_hex" "$share_hex" "$pin_hex" -- "${required[@]}" import own.pem \
    --share share.pbe --password-source file:password --label own --id 50
check "an EC key" sc-hsm --pin-source file:pin keygen --type ec:P-256 --label ec --id 51 --out ec.pem
check "a peer" plain_openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out peer.pem
plain_openssl pkey -in peer.pem -pubout -out peer.pub
openssl pkey -in ec.pem -pubout -out ec.pub
plain_openssl pkeyutl -derive -inkey peer.pem -peerkey ec.pub -out expected
shared_hex=$(hex <expected)
head -c 40 private >message
plain_openssl pkeyutl -encrypt -pubin -inkey own.pub -in message -out message.enc
message_hex=$(hex <message)
decrypts=(openssl pkeyutl -decrypt -inkey sc-hsm:id=50 -in message.enc -out message.back)
derives=(openssl pkeyutl -derive -inkey ec.pem -peerkey peer.pub -out derived)
configure secure-channel=off
check "decryption in clear" traced "${decrypts[@]}"
shown "a message" "$message_hex"
check "a secret in clear" traced "${derives[@]}"
shown "a shared secret" "$shared_hex"
configure secure-channel=require
hidden "decrypting" "$message_hex" "$pin_hex" -- "${decrypts[@]}"
same_bytes "the message" message message.back
hidden "agreeing" "$shared_hex" "$pin_hex" -- "${derives[@]}"
same_bytes "the shared secret" expected derived
count "a signature: PIN status, three for the channel, VERIFY, and SIGN as ever" "=6" openssl dgst -sha256 -sign ec.pem -out sig message
check "is verified" plain_openssl dgst -sha256 -verify ec.pub -signature sig message


# What may come between two decryptions of one process is met as without the channel.
coproc DECRYPTING { "$programs/use_steps" decrypt sc-hsm:id=50 message.enc 2>&1; }
eval "exec 8<&${DECRYPTING[0]}- 9>&${DECRYPTING[1]}-"
decrypting=$DECRYPTING_PID
answers() {
    local line
    read -r -t "$SC_HSM_PATIENCE" -u 8 line || fail "$1: no answer"
    equal "$1" "$2" "$line"
}
answers "a program with a key" ready
for disturbance in true log_out "opensc-tool --reader 0 --reset=cold" \
    "opensc-tool --reader 0 --card-driver default --send-apdu 00A4040000" \
    "opensc-tool --reader 0 --card-driver default --send-apdu 00A40000022F02" \
    "virtual_hsm remove" "virtual_hsm insert"; do
    # shellcheck disable=SC2086  # words on purpose
    check "$disturbance" $disturbance
    [ "$disturbance" != "virtual_hsm remove" ] || continue
    echo go >&9
    answers "decrypts after: $disturbance" "done $message_hex"
done
exec 9>&- 8<&-
wait "$decrypting" || fail "use_steps ended badly"
equal "no try was spent" 3 "$(pin_tries)"
