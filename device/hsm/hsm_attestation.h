/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a device shows of itself and of the making of its keys (protocol reference section 12): the
 * bytes, which others verify. Only a SmartCard-HSM has them; another device is UNSUPPORTED.
 */
#ifndef SCHSM_HSM_HSM_ATTESTATION_H
#define SCHSM_HSM_HSM_ATTESTATION_H

#include <stddef.h>
#include <stdint.h>

#include "format/cvc.h"
#include "model/device.h"

/*
 * File 2F02: device certificate, and in devices that are sold the issuer's behind it. *file is
 * allocated with OPENSSL_malloc and the caller's to free; bytes may follow the certificates.
 */
int schsm_hsm_certificates(struct schsm_device *dev, uint8_t **file, size_t *len,
                           struct schsm_error *err);

/*
 * A key's authenticated request, likewise. NOT_FOUND where a certificate has taken its place, or
 * nothing is there.
 */
int schsm_hsm_request(struct schsm_device *dev, int key_ref, uint8_t **request, size_t *len,
                      struct schsm_error *err);

/*
 * Has the device prove that it holds the key of its certificate: its files alone could be copied by
 * anybody. *offered false: it does not offer chip authentication, which is success and proves
 * nothing. WRONG_KEY where the proof is wrong.
 */
int schsm_hsm_prove_device_key(struct schsm_device *dev, const struct schsm_cvc_key *key,
                               const struct schsm_curve *curve, bool *offered,
                               struct schsm_error *err);

#endif
