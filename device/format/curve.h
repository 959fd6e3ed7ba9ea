/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The elliptic curves of the SmartCard-HSM (protocol reference section 9.1): one table, and the
 * domain parameters as the byte strings of fixed length that CV certificates carry (section 6.2).
 */
#ifndef SCHSM_FORMAT_CURVE_H
#define SCHSM_FORMAT_CURVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/tlv.h"

#define SCHSM_FIELD_MAX 66                                  /* bytes: secp521r1 */
#define SCHSM_POINT_MAX (1 + 2 * SCHSM_FIELD_MAX)           /* 04 || X || Y */
#define SCHSM_ECDSA_RAW_MAX (2 * SCHSM_FIELD_MAX)           /* r || s */
#define SCHSM_ECDSA_DER_MAX (2 * (SCHSM_FIELD_MAX + 3) + 3) /* SEQUENCE of two INTEGER */

struct schsm_curve {
    const char *name;   /* SEC 2 or RFC 5639: "secp256r1", "brainpoolP256r1" */
    const char *nist;   /* FIPS 186: "P-256", or NULL */
    const char *oid;    /* dotted */
    int nid;            /* libcrypto's */
    unsigned int bits;  /* of the field's prime */
    size_t field_len;   /* its bytes; the group's order has as many */
    unsigned int since; /* first major version of the genuine card that knows it */
    bool pico;          /* the Pico HSM knows it as well */
};

/* The table's rows in the order of section 9.1; NULL beyond the end. */
const struct schsm_curve *schsm_curve_at(size_t index);

/* NULL if the curve is not one of the card's. */
const struct schsm_curve *schsm_curve_by_nid(int nid);

/* By the name here, libcrypto's names ("prime256v1"), the NIST name or the dotted OID; without
 * regard to case. NULL if unknown. */
const struct schsm_curve *schsm_curve_by_name(const char *name);

#define SCHSM_CURVE_OID_MAX 32 /* bytes */

/* The curve's OBJECT IDENTIFIER in DER, as an element; its length, 0 where libcrypto has none. */
size_t schsm_curve_oid(const struct schsm_curve *curve, uint8_t out[SCHSM_CURVE_OID_MAX]);

/* Domain parameters, big endian, each of the curve's field_len bytes, g being 04 || X || Y. */
struct schsm_curve_parameters {
    size_t field_len;
    uint8_t p[SCHSM_FIELD_MAX];
    uint8_t a[SCHSM_FIELD_MAX];
    uint8_t b[SCHSM_FIELD_MAX];
    uint8_t g[SCHSM_POINT_MAX];
    uint8_t n[SCHSM_FIELD_MAX];
};

/* The parameters of a curve, asked from libcrypto. Fails with CRYPTO, for instance where libcrypto
 * was built without the curve. */
int schsm_curve_parameters(const struct schsm_curve *curve,
                           struct schsm_curve_parameters *parameters, struct schsm_error *err);

/*
 * The curve that has these parameters. p and a are required; b, g and n are compared where present
 * (len not 0), so that a key cannot pretend a known curve with another generator. Numbers may have
 * more or fewer leading zeros than the field has bytes. NULL if none fits.
 */
const struct schsm_curve *schsm_curve_by_parameters(struct schsm_view p, struct schsm_view a,
                                                    struct schsm_view b, struct schsm_view g,
                                                    struct schsm_view n);

#endif
