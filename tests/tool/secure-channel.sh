#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# PINs go to the device through a secure channel
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

need openssl opensc-tool
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
