#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# --profile hsm12: the first applet that was sold; OpenSC works with it.
. "$(dirname "$0")/common.sh"
opensc_card --profile hsm12
head -c 300 /dev/urandom >message
select=00A404000BE82B0601040181C31F0201
check "what it says of itself" opensc-tool --reader 0 --card-driver default \
    --send-apdu "${select}00" --send-apdu "00A404040BE82B0601040181C31F020100"
says '^6F 07 82 01 78 85 02 01 02'
says '^62 07 82 01 78 85 02 01 02'
check "its version" sc-hsm-tool
says '^Version *: 1\.2$'
check "initialised" sc-hsm-tool --initialize --so-pin "$so_pin" --pin "$pin" --dkek-shares 1
answers "no transport PIN, no key domains, no public keys" "6A80 6A80 6A80" \
    "$(initialise "8002000281063634383231398208${so_pin}910103")" \
    "$(initialise "8002000181063634383231398208${so_pin}910103970102")" \
    "$(initialise "80020001930201018208$so_pin")"
answers "no AES, no derivation, no registered keys" "6D00 6D00 6D00 6D00" \
    004801B2 80780110 8076010201 8054000000
check "a share" raw_apdus "8052000020$(printf 'A5%.0s' $(seq 32))00"
check "a key" p11_user --keypairgen --key-type rsa:2048 --id 10 --label key
check "its public key" pkcs15-tool --read-public-key 10 --output pub.pem
check "signs" p11_user --sign --id 10 --mechanism SHA256-RSA-PKCS --input-file message \
    --output-file signature
check "OpenSSL verifies it" plain_openssl dgst -sha256 -verify pub.pem -signature signature message
check "its wrapped form" sc-hsm-tool --wrap-key key.bin --key-reference 1 --pin "$pin"
unwraps "comes back" sc-hsm-tool --unwrap-key key.bin --key-reference 1 --pin "$pin" --force
check "the largest curve" p11_user --keypairgen --key-type EC:brainpoolP320r1 --id 20
fails "none larger" p11_user --keypairgen --key-type EC:secp384r1 --id 30
fails "no larger modulus" p11_user --keypairgen --key-type rsa:3072 --id 30
fresh_card
answers "what it says before it is initialised" "6984 6A88" 00200081 00200088
