#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What OpenSC saved from a real device comes onto the virtual card and is used there.
. "$(dirname "$0")/common.sh"
vectors=${SC_HSM_VECTORS:-$SC_HSM_SOURCE/../shared/vectors}
if [ ! -d "$vectors" ]; then
    echo "*** SKIPPED: no files from real devices in $vectors; set SC_HSM_VECTORS to their folder" >&2
    exit 77
fi
opensc_card

check "one share wanted" sc-hsm-tool --initialize --so-pin "$so_pin" --pin "$pin" --dkek-shares 1
# Not by sc-hsm-tool, which takes more than twice as long for a password.
echo passwordpassword >password
check "the real device's share" sc-hsm dkek import-share "$vectors/A-dkek.pbe" \
    --password-source file:password
check "sc-hsm-tool" sc-hsm-tool
says 'key check value *: ECC92C62E3F6189E'
unwraps "its key" sc-hsm-tool --unwrap-key "$vectors/A-wrap-key.bin" --key-reference 1 --pin "$pin"
check "has a description" p11_user --list-objects --type privkey
says 'Private Key Object; EC'
id=$(sed -n 's/^ *ID: *//p' "$seen")
check "signs" p11_user --sign --id "$id" --mechanism ECDSA-SHA1 --signature-format openssl \
    --input-file "$vectors/A-msg.bin" --output-file signature
check "its public key" plain_openssl ec -in "$vectors/A-key.pem" -pubout -out key.pub
check "verifies that" plain_openssl dgst -sha1 -verify key.pub -signature signature \
    "$vectors/A-msg.bin"
fails "a key of another DKEK" sc-hsm-tool --unwrap-key "$vectors/other-dkek.wrapped" \
    --key-reference 2 --pin "$pin"
says 'Data object not found'

check "one share wanted again" sc-hsm-tool --initialize --so-pin "$so_pin" --pin "$pin" \
    --dkek-shares 1
# the content of seed-dkek-share.pbe
check "the share of the guide" raw_apdus \
    8052000020AE71747FCE318E9CF798B8AE0553A32C41269DD4ECCCCF457AE2E3C0EACCBC3D00
says '^01 00 53 CA 37 CE ED 5B 22 7F'
