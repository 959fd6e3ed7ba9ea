#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# All Pico HSMs that were never at their maker's have one serial number, and each is one.
set -euo pipefail
export SC_HSM_TEST_DEVICE=pico
# shellcheck source-path=SCRIPTDIR source=../tool/outcome.sh
. "$(dirname "$0")/../tool/outcome.sh"
profile() { echo pico; }
virtual_cards 2
serial=$(sed -n 1p "$SC_HSM_VIRTUAL/serials")
equal "both have one serial number" "$serial" "$(sed -n 2p "$SC_HSM_VIRTUAL/serials")"
echo "$pin" >pin
echo "$so_pin" >so-pin

# on N COMMAND...: our tool with card N.
on() {
    sc-hsm --reader "Virtual Pico HSM $1" --pin-source file:pin "${@:2}"
}

ends 3 "a serial number that fits both" sc-hsm --serial "$serial" init --yes --so-pin-source file:so-pin \
    --pin-source file:pin
says "several devices have the serial number $serial; name one by reader" "Virtual Pico HSM 1 00 00" \
    "Virtual Pico HSM 2 00 00"
equal "status shows both" 2 "$(json 'len(d["devices"])' sc-hsm --json status)"

# Two keys with one key reference, id and label.
for card in 1 2; do
    check "a key on card $card" on $card keygen --type ec:P-256 --id 10 --label web --out "key-$card.pem"
    check "its public key" openssl pkey -in "key-$card.pem" -pubout -out "key-$card.pub"
done
echo message >message
signs() { # CARD: by the reference file
    check "the key of card $1 signs" openssl dgst -sha256 -sign "key-$1.pem" -out signature message
    check "its public key verifies" plain_openssl dgst -sha256 -verify "key-$1.pub" -signature signature \
        message
}
signs 1
signs 2
fails "a URI that fits both" openssl dgst -sha256 -sign "sc-hsm:serial=$serial;id=10" -out signature message
says "2 private keys match"
# What the sentence names, and what the list does, is one of them each.
cp "$seen" refused
sc-hsm list >listed
for card in 1 2; do
    for said in refused listed; do
        named=$(grep -o "sc-hsm:[^,; ]*;reader=Virtual%20Pico%20HSM%20${card}[^, ;]*;[^, ]*" $said) ||
            fail "no URI in what was $said names the key of card $card"
        check "what was $said names the key of card $card" openssl dgst -sha256 -sign "$named" -out signature message
        check "which is that" plain_openssl dgst -sha256 -verify "key-$card.pub" -signature signature message
    done
done
check "a key of card 2 alone" on 2 keygen --type rsa:2048 --id 20 --label mail
check "its URI finds it" openssl dgst -sha256 -sign "sc-hsm:serial=$serial;label=mail" -out signature message

# A PIN that one refused is not refused by the other.
check "card 1 gets another PIN" on 1 pin change --new-pin-source file:<(echo 24681357)
raw_apdus >/dev/null 2>&1
fails "which card 1 wants" openssl dgst -sha256 -sign key-1.pem -out signature message
says "PIN"
signs 2
check "card 1 gets its old PIN" sc-hsm --reader "Virtual Pico HSM 1" --pin-source file:<(echo 24681357) \
    pin change --new-pin-source file:pin
signs 1

# A program whose card was pulled does not take the other one for it, nor spend a PIN there.
coproc SIGNER { "$programs/sign_steps" key-1.pem 2>&1; }
eval "exec 8<&${SIGNER[0]}- 9>&${SIGNER[1]}-"
# step WHAT REGEX: it signs once more, and says so.
step() {
    local line
    echo go >&9
    read -r -t "$SC_HSM_PATIENCE" -u 8 line || fail "$1: no answer"
    echo "$line" >"$seen"
    says "$2"
    echo "ok: $1: $line"
}
read -r -t "$SC_HSM_PATIENCE" -u 8 line
equal "a program" ready "$line"
step "with card 1" '^signed$'
step "again" '^signed$'
before=$(grep -c '^> 00200081.' "$SC_HSM_VIRTUAL/card-2.log")
virtual_hsm remove 1 >/dev/null
step "without card 1" '^failed'
equal "card 2 was given no PIN" "$before" "$(grep -c '^> 00200081.' "$SC_HSM_VIRTUAL/card-2.log")"
fails "a new program without card 1" openssl dgst -sha256 -sign key-1.pem -out signature message
says "the device holds another key under key-ref 1 than the key reference says: insert the device that has it"
virtual_hsm insert 1 >/dev/null
step "with card 1 again" '^signed$'
exec 9>&- 8<&-
