#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# {serial} in a PIN source stands for the serial number of the device: each has its own PIN.
. "$(dirname "$0")/../lib.sh"
virtual_cards 2
mapfile -t serials <"$SC_HSM_VIRTUAL/serials"
configure pin-source=
seq 1 100 >data
printf '%s\n' "$pin" >"${serials[0]}.pin"
echo 97531864 >"${serials[1]}.pin"
check "the second device has another PIN" sc-hsm --serial "${serials[1]}" --pin-source "file:$pin_file" \
    pin change --new-pin-source "file:${serials[1]}.pin"
for serial in "${serials[@]}"; do
    check "$serial: a key, by the tool" sc-hsm --serial "$serial" --pin-source 'file:{serial}.pin' \
        keygen --type ec:P-256 --label web
    check "$serial: its public key" sc-hsm --serial "$serial" pubkey 'label=web;type=private' \
        --out "$serial.pub"
    check "$serial: its file" sc-hsm --serial "$serial" pubkey 'label=web;type=private' --reference \
        --out "$serial.pem"
done

log_out() {
    check "$1: logged out" sc-hsm --serial "$1" apdu --yes 00A404000BE82B0601040181C31F020100
}

# signs WHAT: with each device's key, where nobody is logged in.
signs() {
    local card
    for card in 0 1; do
        rm -f signature
        log_out "${serials[card]}"
        check "${serials[card]}: $1" openssl dgst -sha256 -sign "${serials[card]}.pem" \
            -out signature data
        check "${serials[card]}: verified" plain_openssl dgst -sha256 \
            -verify "${serials[card]}.pub" -signature signature data
    done
}
configure "pin-source=file:$work/{serial}.pin"
signs "a file for each"
configure cache-pin=yes
signs "kept"
configure cache-pin= "pin-source=env:PIN_{serial}"
export "PIN_${serials[0]}=$pin" "PIN_${serials[1]}=97531864"
signs "a variable for each"
configure 'pin-source=credential:{serial}.pin'
export CREDENTIALS_DIRECTORY=$work
signs "a credential for each"
check "in a URI" openssl dgst -sha256 -sign \
    "sc-hsm:serial=${serials[1]};label=web?pin-source=file:%7Bserial%7D.pin" -out signature data
configure "pin-source=file:$work/{serial}/{serial}.pin"
fails "no such file" openssl dgst -sha256 -sign "${serials[1]}.pem" -out signature data
says "the PIN file $work/${serials[1]}/${serials[1]}.pin cannot be read: No such file"
fails "what belongs to no device" sc-hsm dkek create-share x.pbe \
    --password-source 'file:{serial}.pin'
says "names a serial number, and there is none here"
for serial in "${serials[@]}"; do
    log_out "$serial"
    check "$serial: its state" sc-hsm --serial "$serial" status
    says '^PIN: .*3 tries left'
done
