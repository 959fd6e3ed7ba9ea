/* SPDX-License-Identifier: Apache-2.0 */
/* Tags and object identifiers of card verifiable certificates (protocol section 11). */
#ifndef SIM_CVC_FORMAT_H
#define SIM_CVC_FORMAT_H

#include "buf.h"

enum {
    SIM_TAG_OID = 0x06,
    SIM_TAG_PRIME = 0x81, /* or an RSA modulus */
    SIM_TAG_A = 0x82,     /* or an RSA exponent */
    SIM_TAG_B = 0x83,
    SIM_TAG_GENERATOR = 0x84,
    SIM_TAG_ORDER = 0x85,
    SIM_TAG_PUBLIC_POINT = 0x86,
    SIM_TAG_COFACTOR = 0x87,
    SIM_TAG_CAR = 0x42,
    SIM_TAG_AUTHORISATION = 0x53,
    SIM_TAG_MEMBERSHIP = 0x54, /* signature of a group signer, section 15.3 */
    SIM_TAG_EXTENSIONS = 0x65,
    SIM_TAG_REQUEST = 0x67,
    SIM_TAG_DISCRETIONARY = 0x73, /* one extension */
    SIM_TAG_EXTENSION_VALUE = 0x80,
    SIM_TAG_CHR = 0x5F20,
    SIM_TAG_EXPIRES = 0x5F24,
    SIM_TAG_EFFECTIVE = 0x5F25,
    SIM_TAG_PROFILE = 0x5F29,
    SIM_TAG_SIGNATURE = 0x5F37,
    SIM_TAG_CERTIFICATE = 0x7F21,
    SIM_TAG_PUBLIC_KEY = 0x7F49,
    SIM_TAG_CHAT = 0x7F4C,
    SIM_TAG_BODY = 0x7F4E,
};

/* The authorisation byte of the role: what a certificate's holder may sign (section 11.3). */
enum sim_cvc_role {
    SIM_ROLE_DEVICE = 0x00,        /* requests of its own keys */
    SIM_ROLE_DEVICE_ISSUER = 0x80, /* devices */
    SIM_ROLE_ROOT = 0xC0,          /* device issuers */
};

/* Public key algorithms: id-TA-RSA-v1-5-SHA-256 and id-TA-ECDSA-SHA-256 (section 11.2). */
extern const struct sim_slice sim_oid_rsa_sha256, sim_oid_ecdsa_sha256;
/* CardContact's role in the device PKI, and the extension with a key domain's UID (11.3). */
extern const struct sim_slice sim_oid_device_role, sim_oid_key_domain_uid;

#endif
