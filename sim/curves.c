/* SPDX-License-Identifier: Apache-2.0 */
#include "curves.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/obj_mac.h>

static const struct sim_curve curves[] = {
    { "prime192v1", NID_X9_62_prime192v1, 192, 24 },
    { "prime256v1", NID_X9_62_prime256v1, 256, 32 },
    { "secp384r1", NID_secp384r1, 384, 48 },
    { "secp521r1", NID_secp521r1, 521, 66 },
    { "brainpoolP192r1", NID_brainpoolP192r1, 192, 24 },
    { "brainpoolP224r1", NID_brainpoolP224r1, 224, 28 },
    { "brainpoolP256r1", NID_brainpoolP256r1, 256, 32 },
    { "brainpoolP320r1", NID_brainpoolP320r1, 320, 40 },
    { "brainpoolP384r1", NID_brainpoolP384r1, 384, 48 },
    { "brainpoolP512r1", NID_brainpoolP512r1, 512, 64 },
    { "brainpoolP192t1", NID_brainpoolP192t1, 192, 24 },
    { "brainpoolP224t1", NID_brainpoolP224t1, 224, 28 },
    { "brainpoolP256t1", NID_brainpoolP256t1, 256, 32 },
    { "brainpoolP320t1", NID_brainpoolP320t1, 320, 40 },
    { "brainpoolP384t1", NID_brainpoolP384t1, 384, 48 },
    { "brainpoolP512t1", NID_brainpoolP512t1, 512, 64 },
    { "secp192k1", NID_secp192k1, 192, 24 },
    { "secp256k1", NID_secp256k1, 256, 32 },
};

enum { MAX_FIELD = 66 };

/* libcrypto's parameters of one curve, laid out as the card's protocol wants them */
struct raw_params {
    uint8_t p[MAX_FIELD], a[MAX_FIELD], b[MAX_FIELD], order[MAX_FIELD];
    uint8_t generator[1 + 2 * MAX_FIELD];
};

static bool load_params(const struct sim_curve *curve, struct raw_params *raw,
                        struct sim_curve_params *params)
{
    bool ok = false;
    int n = (int)curve->field_bytes;
    size_t point = 1 + 2 * curve->field_bytes;
    EC_GROUP *group = EC_GROUP_new_by_curve_name(curve->nid);
    BIGNUM *p = BN_new(), *a = BN_new(), *b = BN_new();
    if (group == NULL || p == NULL || a == NULL || b == NULL ||
        !EC_GROUP_get_curve(group, p, a, b, NULL)) {
        goto out;
    }
    if (BN_bn2binpad(p, raw->p, n) != n || BN_bn2binpad(a, raw->a, n) != n ||
        BN_bn2binpad(b, raw->b, n) != n ||
        BN_bn2binpad(EC_GROUP_get0_order(group), raw->order, n) != n) {
        goto out;
    }
    if (EC_POINT_point2oct(group, EC_GROUP_get0_generator(group), POINT_CONVERSION_UNCOMPRESSED,
                           raw->generator, sizeof(raw->generator), NULL) != point) {
        goto out;
    }
    params->p = (struct sim_slice){ raw->p, curve->field_bytes };
    params->a = (struct sim_slice){ raw->a, curve->field_bytes };
    params->b = (struct sim_slice){ raw->b, curve->field_bytes };
    params->order = (struct sim_slice){ raw->order, curve->field_bytes };
    params->generator = (struct sim_slice){ raw->generator, point };
    ok = true;
out:
    BN_free(p);
    BN_free(a);
    BN_free(b);
    EC_GROUP_free(group);
    return ok;
}

const struct sim_curve *sim_curve_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
        if (strcmp(curves[i].name, name) == 0) {
            return &curves[i];
        }
    }
    return NULL;
}

const struct sim_curve *sim_curve_by_params(const struct sim_curve_params *want)
{
    for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
        struct raw_params raw;
        struct sim_curve_params have;
        if (curves[i].field_bytes != want->p.len || !load_params(&curves[i], &raw, &have)) {
            continue;
        }
        if (sim_slice_equal(have.p, want->p) && sim_slice_equal(have.a, want->a) &&
            sim_slice_equal(have.b, want->b) && sim_slice_equal(have.order, want->order) &&
            sim_slice_equal(have.generator, want->generator)) {
            return &curves[i];
        }
    }
    return NULL;
}

EVP_PKEY *sim_curve_generate(const struct sim_curve *curve)
{
    return EVP_EC_gen(curve->name);
}
