#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
virtual_card
# shellcheck source=structures.sh
. "$SC_HSM_SOURCE/tests/openssl/structures.sh"

keys ec SC-HSM-EC EC -pkeyopt ec_paramgen_curve:P-256
for digest in sha1 sha224 sha256 sha384 sha512 sha3-256; do
    all_signed ec $digest
done
bare ec
enveloped enveloped-ec ec -aes256
enveloped enveloped-ec ec -aes128 -keyopt ecdh_kdf_md:sha384
enveloped enveloped-ec ec -aes128 -keyopt ecdh_cofactor_mode:1

for curve in P-384 P-521 brainpoolP256r1 secp256k1; do
    keys "$curve" SC-HSM-EC EC -pkeyopt "ec_paramgen_curve:$curve"
    all_signed "$curve" sha384
done
enveloped enveloped-ec P-384 -aes256 -wrap aes256-wrap -keyopt ecdh_kdf_md:sha256
enough 40
