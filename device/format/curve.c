/* SPDX-License-Identifier: Apache-2.0 */
#include "curve.h"

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <openssl/objects.h>
#include <string.h>
#include <strings.h>

/* Section 9.1; Curve25519, Curve448 and their Edwards forms are in ecx.c. libcrypto knows all that
 * are here. */
static const struct schsm_curve curves[] = {
    { "secp192r1", "P-192", "1.2.840.10045.3.1.1", NID_X9_62_prime192v1, 192, 24, 1, true },
    { "secp256r1", "P-256", "1.2.840.10045.3.1.7", NID_X9_62_prime256v1, 256, 32, 1, true },
    { "secp384r1", "P-384", "1.3.132.0.34", NID_secp384r1, 384, 48, 3, true },
    { "secp521r1", "P-521", "1.3.132.0.35", NID_secp521r1, 521, 66, 3, true },
    { "brainpoolP192r1", NULL, "1.3.36.3.3.2.8.1.1.3", NID_brainpoolP192r1, 192, 24, 1, false },
    { "brainpoolP224r1", NULL, "1.3.36.3.3.2.8.1.1.5", NID_brainpoolP224r1, 224, 28, 1, false },
    { "brainpoolP256r1", NULL, "1.3.36.3.3.2.8.1.1.7", NID_brainpoolP256r1, 256, 32, 1, true },
    { "brainpoolP320r1", NULL, "1.3.36.3.3.2.8.1.1.9", NID_brainpoolP320r1, 320, 40, 1, false },
    { "brainpoolP384r1", NULL, "1.3.36.3.3.2.8.1.1.11", NID_brainpoolP384r1, 384, 48, 3, true },
    { "brainpoolP512r1", NULL, "1.3.36.3.3.2.8.1.1.13", NID_brainpoolP512r1, 512, 64, 3, true },
    { "brainpoolP192t1", NULL, "1.3.36.3.3.2.8.1.1.4", NID_brainpoolP192t1, 192, 24, 1, false },
    { "brainpoolP224t1", NULL, "1.3.36.3.3.2.8.1.1.6", NID_brainpoolP224t1, 224, 28, 1, false },
    { "brainpoolP256t1", NULL, "1.3.36.3.3.2.8.1.1.8", NID_brainpoolP256t1, 256, 32, 1, false },
    { "brainpoolP320t1", NULL, "1.3.36.3.3.2.8.1.1.10", NID_brainpoolP320t1, 320, 40, 1, false },
    { "brainpoolP384t1", NULL, "1.3.36.3.3.2.8.1.1.12", NID_brainpoolP384t1, 384, 48, 3, false },
    { "brainpoolP512t1", NULL, "1.3.36.3.3.2.8.1.1.14", NID_brainpoolP512t1, 512, 64, 3, false },
    { "secp192k1", NULL, "1.3.132.0.31", NID_secp192k1, 192, 24, 1, true },
    { "secp256k1", NULL, "1.3.132.0.10", NID_secp256k1, 256, 32, 1, true },
};

#define CURVE_COUNT (sizeof(curves) / sizeof(curves[0]))

const struct schsm_curve *schsm_curve_at(size_t index)
{
    return index < CURVE_COUNT ? &curves[index] : NULL;
}

const struct schsm_curve *schsm_curve_by_nid(int nid)
{
    for (size_t i = 0; i < CURVE_COUNT; i++) {
        if (curves[i].nid == nid) {
            return &curves[i];
        }
    }
    return NULL;
}

static bool is_name(const char *a, const char *b)
{
    return a != NULL && strcasecmp(a, b) == 0;
}

const struct schsm_curve *schsm_curve_by_name(const char *name)
{
    for (size_t i = 0; name != NULL && i < CURVE_COUNT; i++) {
        const struct schsm_curve *curve = &curves[i];

        if (is_name(curve->name, name) || is_name(curve->nist, name) || is_name(curve->oid, name) ||
            is_name(OBJ_nid2sn(curve->nid), name)) {
            return curve;
        }
    }
    return NULL;
}

size_t schsm_curve_oid(const struct schsm_curve *curve, uint8_t out[SCHSM_CURVE_OID_MAX])
{
    const ASN1_OBJECT *object = OBJ_nid2obj(curve->nid);
    int len = object == NULL ? 0 : i2d_ASN1_OBJECT(object, NULL);

    if (len <= 0 || len > SCHSM_CURVE_OID_MAX) {
        return 0;
    }
    return i2d_ASN1_OBJECT(object, &out) == len ? (size_t)len : 0;
}

int schsm_curve_parameters(const struct schsm_curve *curve,
                           struct schsm_curve_parameters *parameters, struct schsm_error *err)
{
    int len = (int)curve->field_len, ok = 0;
    EC_GROUP *group = EC_GROUP_new_by_curve_name(curve->nid);
    BIGNUM *p = BN_new(), *a = BN_new(), *b = BN_new();
    const EC_POINT *generator;
    const BIGNUM *order;

    if (group == NULL || p == NULL || a == NULL || b == NULL) {
        goto end;
    }
    generator = EC_GROUP_get0_generator(group);
    order = EC_GROUP_get0_order(group);
    parameters->field_len = curve->field_len;
    ok = generator != NULL && order != NULL && EC_GROUP_get_curve(group, p, a, b, NULL) == 1 &&
         BN_bn2binpad(p, parameters->p, len) == len && BN_bn2binpad(a, parameters->a, len) == len &&
         BN_bn2binpad(b, parameters->b, len) == len &&
         BN_bn2binpad(order, parameters->n, len) == len &&
         EC_POINT_point2oct(group, generator, POINT_CONVERSION_UNCOMPRESSED, parameters->g,
                            sizeof(parameters->g), NULL) == 1 + 2 * curve->field_len;
end:
    BN_free(b);
    BN_free(a);
    BN_free(p);
    EC_GROUP_free(group);
    return ok ? 1
              : schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto does not have the curve %s",
                           curve->name);
}

/* Whether a number is the one that we know, which has exactly len bytes. */
static bool same_number(struct schsm_view number, const uint8_t *known, size_t len)
{
    return schsm_view_equal(schsm_view_number(number),
                            schsm_view_number((struct schsm_view){ known, len }));
}

static bool absent_or_same(struct schsm_view number, const uint8_t *known, size_t len)
{
    return number.len == 0 || same_number(number, known, len);
}

const struct schsm_curve *schsm_curve_by_parameters(struct schsm_view p, struct schsm_view a,
                                                    struct schsm_view b, struct schsm_view g,
                                                    struct schsm_view n)
{
    size_t field_len = schsm_view_number(p).len;

    for (size_t i = 0; i < CURVE_COUNT; i++) {
        struct schsm_curve_parameters known;

        if (curves[i].field_len == field_len && schsm_curve_parameters(&curves[i], &known, NULL) &&
            same_number(p, known.p, field_len) && same_number(a, known.a, field_len) &&
            absent_or_same(b, known.b, field_len) && absent_or_same(n, known.n, field_len) &&
            (g.len == 0 ||
             schsm_view_equal(g, (struct schsm_view){ known.g, 1 + 2 * field_len }))) {
            return &curves[i];
        }
    }
    return NULL;
}
