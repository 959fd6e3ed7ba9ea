#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Nothing of ours uses libcrypto's default library context: that is the program's, and its configuration
# may lead back into us. What takes it silently is not called; the names with _ex take a context.
. "$(dirname "$0")/../lib.sh"

functions='RAND_bytes|RAND_priv_bytes|BN_rand|BN_priv_rand|BN_rand_range|BN_priv_rand_range
d2i_PUBKEY|d2i_PrivateKey|d2i_AutoPrivateKey|d2i_X509_bio|X509_new|X509_REQ_new|PKCS12_parse
PEM_read_bio_PrivateKey|PEM_read_bio_PUBKEY|PEM_read_bio_X509|OSSL_STORE_open
EVP_PKEY_CTX_new|EVP_PKEY_CTX_new_id|EVP_PKEY_new_raw_private_key|EVP_PKEY_new_raw_public_key
EVP_DigestSignInit|EVP_DigestVerifyInit|MD5|SHA1|SHA256|SHA384|SHA512'
taken=$(grep -rnE --include='*.c' \
    -e "\<(${functions//$'\n'/|})\(" -e '\<d2i_X509\(NULL' \
    -e '\<(EVP_[A-Z]+_fetch|EVP_Q_[a-z]+|EVP_PKEY_Q_keygen|EVP_PKEY_CTX_new_from_[a-z]+)\(NULL' \
    "$SC_HSM_SOURCE"/{device,keymgmt,provider,tool} || true)
equal "calls that take the default library context" "" "$taken"
