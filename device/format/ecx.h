/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Montgomery and Edwards curves (RFC 7748, RFC 8032), which OpenSSL calls ECX: a Pico HSM has keys
 * on them (protocol reference section 19.5), a SmartCard-HSM has none.
 */
#ifndef SCHSM_FORMAT_ECX_H
#define SCHSM_FORMAT_ECX_H

#include <stddef.h>
#include <stdint.h>

#include "types.h"
#include "base/tlv.h"

#define SCHSM_ECX_PUBLIC_MAX 57     /* bytes of a public key: Ed448 */
#define SCHSM_ECX_SIGNATURE_MAX 114 /* bytes of a signature: Ed448 */
#define SCHSM_ECX_OID_LEN 3         /* bytes of an OBJECT IDENTIFIER's content */

/* Why such a key is not backed up: what WRAP gives out UNWRAP refuses (19.5). */
#define SCHSM_ECX_STAYS                                                                            \
    "no device takes an Ed25519, Ed448, X25519 or X448 key back that was wrapped"

struct schsm_ecx {
    enum schsm_key_type type;
    const char *name;       /* OpenSSL's: "ED25519" */
    uint8_t arc;            /* the last one of the OBJECT IDENTIFIER 1.3.101.x (RFC 8410) */
    unsigned int bits;      /* of the field's prime */
    size_t public_len;      /* bytes of a public key; of a shared secret as well */
    size_t signature_len;   /* bytes of a signature; 0: keys for agreement */
    struct schsm_view p, n; /* prime and order, big endian, without leading zeros */
    struct schsm_view base; /* base point as the device takes it, little endian */
};

/* NULL where the type is none of these. */
const struct schsm_ecx *schsm_ecx_by_type(enum schsm_key_type type);

/* By OpenSSL's name, without regard to case; NULL if unknown. */
const struct schsm_ecx *schsm_ecx_by_name(const char *name);

/* By the content of the OBJECT IDENTIFIER; NULL if unknown. */
const struct schsm_ecx *schsm_ecx_by_oid(struct schsm_view oid);

/* The content of the OBJECT IDENTIFIER. */
void schsm_ecx_oid(const struct schsm_ecx *curve, uint8_t oid[SCHSM_ECX_OID_LEN]);

/* By what a CV certificate says of the curve, all of it; NULL if none fits. */
const struct schsm_ecx *schsm_ecx_by_parameters(struct schsm_view p, struct schsm_view n,
                                                struct schsm_view base);

#endif
