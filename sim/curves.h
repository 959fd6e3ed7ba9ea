/* SPDX-License-Identifier: Apache-2.0 */
/* The elliptic curves of the card (protocol section 9.1) and their explicit parameters. */
#ifndef SIM_CURVES_H
#define SIM_CURVES_H

#include "buf.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

struct sim_curve {
    const char *name;   /* libcrypto's name of the group */
    int nid;            /* libcrypto's number of the group */
    unsigned bits;      /* of the field */
    size_t field_bytes; /* length of p, a, b, each coordinate, and of the order */
};

/* The parameters as they stand in a public key template, tags 81 to 85 (section 6.2). */
struct sim_curve_params {
    struct sim_slice p, a, b, generator, order;
};

/* Where sim_curve_load_params() puts what the slices point to. */
enum { SIM_MAX_FIELD = 66 };
struct sim_curve_storage {
    uint8_t p[SIM_MAX_FIELD], a[SIM_MAX_FIELD], b[SIM_MAX_FIELD], order[SIM_MAX_FIELD];
    uint8_t generator[1 + 2 * SIM_MAX_FIELD];
};

/* The curve of the device PKI (section 11.1). */
#define SIM_DEVICE_CURVE "brainpoolP256r1"

/* The curve with this libcrypto group name; NULL when the card does not have it. */
const struct sim_curve *sim_curve_by_name(const char *name);

/*
 * The curve whose parameters, taken from libcrypto, equal `want` byte for byte; NULL when there
 * is none.
 */
const struct sim_curve *sim_curve_by_params(const struct sim_curve_params *want);

/*
 * The parameters of a curve, all of the field's length; `params` borrows from `storage`. False
 * when libcrypto fails.
 */
bool sim_curve_load_params(const struct sim_curve *curve, struct sim_curve_storage *storage,
                           struct sim_curve_params *params);

/*
 * The key on the curve with the private value `d`, of which the caller keeps ownership; NULL when
 * d is not between 0 and the order, or libcrypto fails. The caller frees it.
 */
EVP_PKEY *sim_curve_key(const struct sim_curve *curve, const BIGNUM *d);

/* Generate a key on the curve; NULL when libcrypto fails. The caller frees it. */
EVP_PKEY *sim_curve_generate(const struct sim_curve *curve);

#endif
