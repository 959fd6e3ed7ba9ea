#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
virtual_card
# shellcheck source=structures.sh
. "$SC_HSM_SOURCE/tests/openssl/structures.sh"

keys rsa SC-HSM-RSA RSA -pkeyopt rsa_keygen_bits:2048
for digest in sha1 sha224 sha256 sha384 sha512 sha512-256 sha3-256 ripemd160; do
    all_signed rsa $digest
done
bare rsa
enveloped enveloped-rsa rsa -aes256
enveloped enveloped-rsa rsa -aes256 -keyopt rsa_padding_mode:oaep
enveloped enveloped-rsa rsa -aes128 -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256 \
    -keyopt rsa_mgf1_md:sha1 -keyopt rsa_oaep_label:cafe
enough 32
