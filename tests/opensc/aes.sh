#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# AES keys: CBC, CMAC and derivation as OpenSSL computes them, policy kept; OpenSC is not disturbed.
. "$(dirname "$0")/common.sh"
check "AES keys" env OPENSSL_CONF=/dev/null python3 "$here/aes.py" "$SC_HSM_BUILD/bin/sc-hsm-sim"
cat "$seen"

opensc_card
check "a key that OpenSC knows" p11_user --keypairgen --key-type EC:prime256v1 --id 21 --label ec
# section 10.4: id 5, "aes", 256 bit
description=A81930050C036165733008040105030307C010A006300402020100
check "an AES key beside it" raw_apdus "$verify_pin" 004805B206910410111899 \
    00D7C4052154020000531B$description
check "OpenSC lists what it knows" p11_user --list-objects --type privkey
says 'label: *ec$'
head -c 32 /dev/urandom >hash
check "and goes on using it" p11_user --sign --id 21 --mechanism ECDSA --input-file hash \
    --output-file signature
check "its pkcs15-tool too" pkcs15-tool --dump
says 'Private EC Key \[ec\]'
