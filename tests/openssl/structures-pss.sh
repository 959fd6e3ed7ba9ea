#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
virtual_card
# shellcheck source=structures.sh
. "$SC_HSM_SOURCE/tests/openssl/structures.sh"

keys rsa SC-HSM-RSA RSA -pkeyopt rsa_keygen_bits:2048
for salt in digest max auto 0 33; do
    all_signed rsa sha256 rsa_padding_mode:pss rsa_pss_saltlen:$salt
done
all_signed rsa sha1 rsa_padding_mode:pss
all_signed rsa sha512 rsa_padding_mode:pss rsa_pss_saltlen:digest rsa_mgf1_md:sha1

# Keys that say PSS themselves, without and with parameters.
keys pss SC-HSM-RSA-PSS RSA-PSS -pkeyopt rsa_keygen_bits:2048
all_signed pss sha256
keys pss-sha384 SC-HSM-RSA-PSS RSA-PSS -pkeyopt rsa_keygen_bits:2048 \
    -pkeyopt rsa_pss_keygen_md:sha384 -pkeyopt rsa_pss_keygen_mgf1_md:sha384 \
    -pkeyopt rsa_pss_keygen_saltlen:48
all_signed pss-sha384 sha384
enough 32
