/* SPDX-License-Identifier: Apache-2.0 */
#include "cvc_format.h"

static const uint8_t rsa_sha256[] = { 0x04, 0x00, 0x7F, 0x00, 0x07, 0x02, 0x02, 0x02, 0x01, 0x02 };
static const uint8_t ecdsa_sha256[] = {
    0x04, 0x00, 0x7F, 0x00, 0x07, 0x02, 0x02, 0x02, 0x02, 0x03
};
static const uint8_t device_role[] = { 0x2B, 0x06, 0x01, 0x04, 0x01, 0x81,
                                       0xC3, 0x1F, 0x03, 0x01, 0x01 };
static const uint8_t key_domain_uid[] = { 0x2B, 0x06, 0x01, 0x04, 0x01, 0x81,
                                          0xC3, 0x1F, 0x03, 0x02, 0x02 };

const struct sim_slice sim_oid_rsa_sha256 = { rsa_sha256, sizeof(rsa_sha256) };
const struct sim_slice sim_oid_ecdsa_sha256 = { ecdsa_sha256, sizeof(ecdsa_sha256) };
const struct sim_slice sim_oid_device_role = { device_role, sizeof(device_role) };
const struct sim_slice sim_oid_key_domain_uid = { key_domain_uid, sizeof(key_domain_uid) };
