#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Keys that a Pico HSM wrapped are used on a SmartCard-HSM, and come back.
set -euo pipefail
export SC_HSM_TEST_DEVICE=pico
# shellcheck source-path=SCRIPTDIR source=../tool/outcome.sh
. "$(dirname "$0")/../tool/outcome.sh"
admin_card
pico=$PCSCLITE_CSOCK_NAME
other=$(virtual_hsm start) || fail "no SmartCard-HSM"
card=$(eval "$other" && echo "$PCSCLITE_CSOCK_NAME")
at_end() {
    (eval "$other" && virtual_hsm stop >/dev/null)
}
tool=(sc-hsm --pin-source file:pin)
keys=(rsa:2048 rsa:4096 ec:P-192 ec:P-256 ec:P-384 ec:P-521 ec:secp192k1 ec:secp256k1 ec:brainpoolP256r1
    ec:brainpoolP384r1 ec:brainpoolP512r1)
echo message >message

# on SOCKET: from now on that device is used, new and with the DKEK of a share of 32 times the byte 44.
on() {
    export PCSCLITE_CSOCK_NAME=$1
    check "a new device" sc-hsm init --yes --so-pin-source file:so-pin --pin-source file:pin --dkek-shares 1
    check "its share" sc-hsm apdu --yes - <<<"8052000020$(printf '44%.0s' {1..32})"
    says 9000
}

# signs KEY: the key of that label, by its public key of the first day.
signs() {
    check "$1 signs" openssl dgst -sha256 -sign "sc-hsm:label=$1;type=private" -out signature message
    check "the signature verifies" plain_openssl dgst -sha256 -verify "$1.pub" -signature signature message
}

on "$pico"
for key in "${keys[@]}"; do
    check "$key is made on a Pico HSM" "${tool[@]}" keygen --type "$key" --label "$key"
    check "its public key" sc-hsm pubkey "label=$key;type=private" --out "$key.pub"
    check "it is wrapped" "${tool[@]}" wrap "label=$key" "$key.pico"
done
check "all of them" "${tool[@]}" backup saved

on "$card"
for key in "${keys[@]}"; do
    check "$key comes to a SmartCard-HSM" "${tool[@]}" unwrap "$key.pico"
    signs "$key"
    check "it is wrapped there" "${tool[@]}" wrap "label=$key" "$key.card"
done
on "$card"
check "all of them" "${tool[@]}" restore saved
says "${#keys[@]} restored"

# A device that does not know the form: 6A80 and 6A81 are all that it could say.
on "$card"
for status in 6A80 6A81; do
    (eval "$other" && virtual_hsm control 1 status $status ins=74 >/dev/null)
    ends 1 "a device refuses, $status" "${tool[@]}" unwrap ec:P-256.pico
    says "a Pico HSM wrapped it in a form .*sc-hsm decrypt-backup.*status word $status"
done

on "$pico"
for key in "${keys[@]}"; do
    if [ "$key" = rsa:4096 ]; then
        continue # tests/pico/pico.sh: by import
    fi
    check "$key comes back" "${tool[@]}" unwrap "$key.card"
    signs "$key"
done
