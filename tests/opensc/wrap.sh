#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Keys through sc-hsm-tool: out, deleted, in again, onto a second card, and not under another DKEK.
. "$(dirname "$0")/common.sh"
opensc_card --cards 2
head -c 300 /dev/urandom >message

# on CARD PROGRAM...: card 1 is in reader 0, card 2 in reader 2.
on() {
    local reader=$(($1 * 2 - 2)) program=$2
    shift 2
    "$program" --reader $reader "$@"
}

# apdus CARD HEX...
apdus() {
    local apdu card=$1 options=(--card-driver default --send-apdu 00A404000BE82B0601040181C31F020100)
    shift
    for apdu in "$@"; do
        options+=(--send-apdu "$apdu")
    done
    on "$card" opensc-tool "${options[@]}"
}

# signs CARD ID MECHANISM: with the key's own public part, taken from the first card.
signs() {
    local slot
    slot=$(p11 --list-slots | sed -n "s/^Slot [0-9]* (0x\([0-9a-f]*\)): .*${serials[$1]}.* 00 00\$/\1/p")
    check "card $1 signs with key $2" p11_user --slot "0x$slot" --sign --id "$2" --mechanism "$3" \
        --signature-format openssl --input-file message --output-file signature
    check "OpenSSL verifies it" plain_openssl dgst -sha256 -verify "$2.pub" -signature signature message
}
mapfile -t -O 1 serials <"$SC_HSM_VIRTUAL/serials"

share=$(printf 'A5%.0s' $(seq 32)) other=$(printf 'E1%.0s' $(seq 32))
for card in 1 2; do
    check "card $card wants a share" on $card sc-hsm-tool --initialize --so-pin "$so_pin" \
        --pin "$pin" --dkek-shares 1
    check "and gets it" apdus $card "8052000020${share}00"
done

id=10
for kind in rsa:2048 rsa:4096 EC:prime256v1 EC:secp521r1 EC:brainpoolP256r1 EC:brainpoolP320r1; do
    id=$((id + 1)) ref=$((id - 10))
    mechanism=ECDSA-SHA256
    [[ $kind == EC:* ]] || mechanism=SHA256-RSA-PKCS
    check "$kind" p11_user --keypairgen --key-type $kind --id $id --label "key $kind"
    check "its public key" pkcs15-tool --read-public-key $id --output $id.pub
    check "is wrapped" on 1 sc-hsm-tool --wrap-key $id.bin --key-reference $ref --pin "$pin"
    fails "does not take the place of itself" on 1 sc-hsm-tool --unwrap-key $id.bin \
        --key-reference $ref --pin "$pin"
    check "is deleted" p11_user --delete-object --type privkey --id $id
    unwraps "comes back" on 1 sc-hsm-tool --unwrap-key $id.bin --key-reference $ref --pin "$pin" \
        --force
    signs 1 $id $mechanism
    unwraps "comes to the second card" on 2 sc-hsm-tool --unwrap-key $id.bin --key-reference $ref \
        --pin "$pin"
    signs 2 $id $mechanism
    check "is wrapped there" on 2 sc-hsm-tool --wrap-key $id-again.bin --key-reference $ref \
        --pin "$pin"
    unwraps "comes home" on 1 sc-hsm-tool --unwrap-key $id-again.bin --key-reference $ref \
        --pin "$pin" --force
    signs 1 $id $mechanism
done

check "a card with another DKEK" on 2 sc-hsm-tool --initialize --so-pin "$so_pin" --pin "$pin" \
    --dkek-shares 1
fails "without shares" on 2 sc-hsm-tool --unwrap-key 13.bin --key-reference 1 --pin "$pin"
check "its share" apdus 2 "8052000020${other}00"
fails "does not take the keys" on 2 sc-hsm-tool --unwrap-key 13.bin --key-reference 1 --pin "$pin"
says 'Data object not found'
fails "nor is anything left" on 2 sc-hsm-tool --wrap-key none.bin --key-reference 1 --pin "$pin"
check "a card without DKEK" on 2 sc-hsm-tool --initialize --so-pin "$so_pin" --pin "$pin"
fails "takes none either" on 2 sc-hsm-tool --unwrap-key 13.bin --key-reference 1 --pin "$pin"
says 'not initialized for key wrap|not supported'
