#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# --profile pico: what a Pico HSM does otherwise, its faults included; OpenSC works with it.
. "$(dirname "$0")/common.sh"
check "a Pico HSM" env OPENSSL_CONF=/dev/null python3 "$here/pico.py" "$SC_HSM_BUILD/bin/sc-hsm-sim"
cat "$seen"
head -c 300 /dev/urandom >message

opensc_card --profile pico
equal "a reader without a serial number" "Virtual Pico HSM 1 00 00" \
    "$(opensc-tool --list-readers | sed -n 's/^0 .*  \(Virtual.*\)/\1/p')"
check "initialised, one share" sc-hsm-tool --initialize --so-pin "$so_pin" --pin "$pin" \
    --dkek-shares 1
check "its version" sc-hsm-tool
says '^Version *: 6\.6$'
share=$(printf 'A5%.0s' $(seq 32))
check "the share" raw_apdus "$verify_pin" "8052000020${share}00"
check "a key" p11_user --keypairgen --key-type EC:prime256v1 --id 10 --label key
check "its public key" pkcs15-tool --read-public-key 10 --output pub.pem
check "signs" p11_user --sign --id 10 --mechanism ECDSA-SHA256 --signature-format openssl \
    --input-file message --output-file signature
check "OpenSSL verifies it" plain_openssl dgst -sha256 -verify pub.pem -signature signature message
check "its wrapped form" sc-hsm-tool --wrap-key key.bin --key-reference 1 --pin "$pin"
unwraps "comes back" sc-hsm-tool --unwrap-key key.bin --key-reference 1 --pin "$pin" --force
