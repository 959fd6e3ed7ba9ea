#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
virtual_card

# made NAME ALGORITHM OPTION...: a key on the card, NAME.pem, and a certificate for it, NAME.crt.
made() {
    local name=$1 algorithm=$2 option options=()
    shift 2
    for option in "$@" "label:$name"; do
        options+=(-pkeyopt "$option")
    done
    check "the key $name" openssl genpkey -algorithm "$algorithm" "${options[@]}" -out "$name.pem"
    self_signed "$name"
}

made rsa SC-HSM-RSA bits:2048
made rsa1024 SC-HSM-RSA bits:1024 rsa_keygen_pubexp:3
made pss SC-HSM-RSA-PSS bits:2048 digest:sha256 mgf1-digest:sha256 saltlen:20
made free SC-HSM-RSA-PSS bits:2048
made p256 SC-HSM-EC group:P-256
made p521 SC-HSM-EC group:P-521
made brainpool SC-HSM-EC group:brainpoolP384r1

everything() {
    local name
    for name in rsa rsa1024 pss free p256 p521 brainpool; do
        check "$1: $name by its reference file" "$programs/key_steps" "$name.pem" "$name.crt"
    done
    for name in rsa p256 p521 brainpool; do
        check "$1: $name by its URI" "$programs/key_steps" "sc-hsm:label=$name" "$name.crt"
    done
}

everything "default provider first"
sed -i '/^default = default_sect/d' "$OPENSSL_CONF"
sed -i '/^sc-hsm = sc_hsm_sect/a default = default_sect' "$OPENSSL_CONF"
everything "ours first"
