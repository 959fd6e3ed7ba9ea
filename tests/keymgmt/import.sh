#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Keys of the host's, of every type and size, are imported: openssl signs with them through our
# provider, and the default provider verifies with the public key of the file they came from.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../tool/outcome.sh
. "$(dirname "$0")/../tool/outcome.sh"
admin_card
PATH=$SC_HSM_BUILD/tests/keymgmt:$PATH

# A5.. and E1.. make the DKEK 44..
a5=$(printf 'A5%.0s' $(seq 32)) e1=$(printf 'E1%.0s' $(seq 32))
check "a device that expects two shares" sc-hsm init --yes --so-pin-source file:so-pin \
    --pin-source file:pin --dkek-shares 2
rsa=(rsa1024 rsa2048 rsa3072 rsa4096) ec=(P-256 P-384 P-521 brainpoolP256r1 secp256k1)
for key in "${rsa[@]}"; do
    plain_openssl genrsa -out "$key" "${key#rsa}" 2>/dev/null
done
for key in "${ec[@]}"; do
    plain_openssl genpkey -algorithm EC -pkeyopt "group:$key" -out "$key"
done
for key in P-256-two P-256-three; do
    plain_openssl genpkey -algorithm EC -pkeyopt group:P-256 -out $key
done
plain_openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out pss 2>/dev/null

before=$(files)
check "the first share" raw_apdus "8052000020${a5}00"
fails "no key before the DKEK is whole" import_keys rsa2048
says "key check value BB391415C05E39D7" "1 of 2 shares"
equal "nothing was written" "$before" "$(files)"
check "the second share" raw_apdus "8052000020${e1}00"
says 'BB 39 14 15 C0 5E 39 D7'
check "all are imported" import_keys "${rsa[@]}" "${ec[@]}" pss
says "^rsa4096: key reference 4, 4096 bits" "^P-521: key reference 7, 521 bits"

echo message >message
for key in "${rsa[@]}" "${ec[@]}" pss; do
    plain_openssl pkey -in "$key" -pubout -out pub
    check "$key: the public key" openssl pkey -in "sc-hsm:label=$key;type=public" -pubin -out card.pub
    if [ "$key" != pss ]; then
        same_bytes "$key: the public key is that of the file" pub card.pub
    fi
    check "$key signs" openssl dgst -sha256 -sign "sc-hsm:label=$key" -out signature message
    [ "$key" != pss ] || cp card.pub pub
    check "$key: the signature verifies" plain_openssl dgst -sha256 -verify pub \
        -signature signature message
done

# OpenSC finds the public keys in the requests.
check "pkcs15-tool reads a public key" opensc pkcs15-tool --read-public-key 02
cp "$seen" opensc.out
plain_openssl pkey -in rsa2048 -pubout -out pub
sed -n '/BEGIN/,/END/p' opensc.out >opensc.pub
same_bytes "it is the one of the file" pub opensc.pub

# What no card can hold, and what has no place, is refused before anything is written.
check "a key in a place of its own" import_keys --id 77 --key-ref 77 P-256-two
before=$(files)
fails "the id is taken" import_keys --id 77 P-256-three
says "already has this id"
fails "the key reference is taken" import_keys --key-ref 77 P-256-three
says "key reference 77 is taken"
plain_openssl genrsa -out odd 1280 2>/dev/null
plain_openssl genpkey -algorithm EC -pkeyopt group:P-224 -out P-224
plain_openssl genpkey -algorithm ED25519 -out ed
for key in odd P-224 ed; do
    fails "$key cannot be imported" import_keys "$key"
    says "SmartCard-HSM"
done
equal "nothing was written" "$before" "$(files)"
