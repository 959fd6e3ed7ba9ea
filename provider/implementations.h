/* SPDX-License-Identifier: Apache-2.0 */
/* The dispatch tables of all operations; provider.c gathers them into the algorithm tables. */
#ifndef SCHSM_PROVIDER_IMPLEMENTATIONS_H
#define SCHSM_PROVIDER_IMPLEMENTATIONS_H

#include <openssl/core.h>

extern const OSSL_DISPATCH schsm_keymgmt_rsa[];
extern const OSSL_DISPATCH schsm_keymgmt_rsa_pss[];
extern const OSSL_DISPATCH schsm_keymgmt_ec[];
/* SC-HSM-RSA, SC-HSM-RSA-PSS, SC-HSM-EC: generate on the device */
extern const OSSL_DISPATCH schsm_keymgmt_device_rsa[];
extern const OSSL_DISPATCH schsm_keymgmt_device_rsa_pss[];
extern const OSSL_DISPATCH schsm_keymgmt_device_ec[];

extern const OSSL_DISPATCH schsm_signature_rsa[];
extern const OSSL_DISPATCH schsm_signature_ecdsa[];
extern const OSSL_DISPATCH schsm_asym_cipher_rsa[];
extern const OSSL_DISPATCH schsm_keyexch_ecdh[];

extern const OSSL_DISPATCH schsm_store[];

extern const OSSL_DISPATCH schsm_decoder_pem[];
extern const OSSL_DISPATCH schsm_decoder_der_rsa[];
extern const OSSL_DISPATCH schsm_decoder_der_rsa_pss[];
extern const OSSL_DISPATCH schsm_decoder_der_ec[];

/* One set for all key types: the key knows its own. */
extern const OSSL_DISPATCH schsm_encoder_reference_pem[];
extern const OSSL_DISPATCH schsm_encoder_reference_der[];
extern const OSSL_DISPATCH schsm_encoder_pkcs8_der[];
extern const OSSL_DISPATCH schsm_encoder_spki_pem[];
extern const OSSL_DISPATCH schsm_encoder_spki_der[];
extern const OSSL_DISPATCH schsm_encoder_text[];

#endif
