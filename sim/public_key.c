/* SPDX-License-Identifier: Apache-2.0 */
#include "public_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "cvc_format.h"
#include "tlv.h"

enum { MAX_MEMBER = 512 }; /* the modulus of RSA-4096 */

/* The members of a template; `data` NULL when absent. 81 and 82 are an RSA key's n and e, too. */
struct template
{
    struct sim_slice oid, p, a, b, generator, order, point, cofactor;
};

static const struct sim_tlv_object template_objects[] = {
    { SIM_TAG_OID, 1, MAX_MEMBER, offsetof(struct template, oid) },
    { SIM_TAG_PRIME, 1, MAX_MEMBER, offsetof(struct template, p) },
    { SIM_TAG_A, 1, MAX_MEMBER, offsetof(struct template, a) },
    { SIM_TAG_B, 1, MAX_MEMBER, offsetof(struct template, b) },
    { SIM_TAG_GENERATOR, 1, MAX_MEMBER, offsetof(struct template, generator) },
    { SIM_TAG_ORDER, 1, MAX_MEMBER, offsetof(struct template, order) },
    { SIM_TAG_PUBLIC_POINT, 1, MAX_MEMBER, offsetof(struct template, point) },
    { SIM_TAG_COFACTOR, 1, MAX_MEMBER, offsetof(struct template, cofactor) },
    { 0 },
};

/* The libcrypto key of this type with the members that were pushed; NULL when they don't fit. */
static EVP_PKEY *build(const char *type, OSSL_PARAM_BLD *members)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(members);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return pkey;
}

static bool make_rsa(struct sim_public_key *key, const struct template *template)
{
    struct sim_slice modulus = template->p, exponent = template->a;
    if (modulus.data == NULL || exponent.data == NULL || template->point.data != NULL) {
        return false;
    }
    OSSL_PARAM_BLD *members = OSSL_PARAM_BLD_new();
    BIGNUM *n = BN_bin2bn(modulus.data, (int)modulus.len, NULL);
    BIGNUM *e = BN_bin2bn(exponent.data, (int)exponent.len, NULL);
    if (members != NULL && n != NULL && e != NULL && BN_is_odd(n) && BN_is_odd(e) &&
        OSSL_PARAM_BLD_push_BN(members, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(members, OSSL_PKEY_PARAM_RSA_E, e) == 1) {
        key->kind = SIM_KEY_RSA;
        key->size = (size_t)BN_num_bytes(n);
        key->pkey = build("RSA", members);
    }
    OSSL_PARAM_BLD_free(members);
    BN_free(n);
    BN_free(e);
    return key->pkey != NULL;
}

static bool make_ec(struct sim_public_key *key, const struct template *template,
                    const struct sim_curve *inherited)
{
    struct sim_curve_params params = { .p = template->p,
                                       .a = template->a,
                                       .b = template->b,
                                       .generator = template->generator,
                                       .order = template->order };
    bool named = params.p.data != NULL;
    /* all parameters, or none of them */
    if (named != (params.a.data != NULL) || named != (params.b.data != NULL) ||
        named != (params.generator.data != NULL) || named != (params.order.data != NULL)) {
        return false;
    }
    if (template->cofactor.data != NULL &&
        (template->cofactor.len != 1 || template->cofactor.data[0] != 1)) {
        return false;
    }
    const struct sim_curve *curve = named ? sim_curve_by_params(&params) : inherited;
    struct sim_slice point = template->point;
    if (curve == NULL || point.len != 1 + 2 * curve->field_bytes || point.data[0] != 0x04) {
        return false;
    }
    OSSL_PARAM_BLD *members = OSSL_PARAM_BLD_new();
    if (members != NULL &&
        OSSL_PARAM_BLD_push_utf8_string(members, OSSL_PKEY_PARAM_GROUP_NAME, curve->name, 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(members, OSSL_PKEY_PARAM_PUB_KEY, point.data, point.len) ==
            1) {
        key->kind = SIM_KEY_EC;
        key->curve = curve;
        key->size = curve->field_bytes;
        key->pkey = build("EC", members); /* refuses points that are not on the curve */
    }
    OSSL_PARAM_BLD_free(members);
    return key->pkey != NULL;
}

bool sim_public_key_parse(struct sim_public_key *key, struct sim_slice template_bytes,
                          const struct sim_curve *inherited)
{
    struct template template = { 0 };
    *key = (struct sim_public_key){ 0 };
    if (!sim_tlv_parse(template_bytes, template_objects, &template)) {
        return false;
    }
    if (sim_slice_equal(template.oid, sim_oid_rsa_sha256)) {
        return make_rsa(key, &template);
    }
    if (sim_slice_equal(template.oid, sim_oid_ecdsa_sha256)) {
        return make_ec(key, &template, inherited);
    }
    return false;
}

void sim_public_key_free(struct sim_public_key *key)
{
    EVP_PKEY_free(key->pkey);
    *key = (struct sim_public_key){ 0 };
}

bool sim_public_key_put_point(const struct sim_public_key *key, struct sim_buf *out)
{
    unsigned char *point = NULL;
    size_t len = EVP_PKEY_get1_encoded_public_key(key->pkey, &point);
    bool ok = key->kind == SIM_KEY_EC && len == 1 + 2 * key->size && point[0] == 0x04;
    if (ok) {
        sim_buf_put(out, point, len);
    }
    OPENSSL_free(point);
    return ok && !out->failed;
}

/* r and s in a row as DER; NULL when libcrypto fails. The caller frees it. */
static unsigned char *der_signature(struct sim_slice plain, int *len)
{
    unsigned char *der = NULL;
    int half = (int)(plain.len / 2);
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(plain.data, half, NULL);
    BIGNUM *s = BN_bin2bn(plain.data + half, half, NULL);
    if (sig != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(sig, r, s) == 1) {
        r = s = NULL; /* the signature owns them now */
        *len = i2d_ECDSA_SIG(sig, &der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(sig);
    return der;
}

bool sim_public_key_verify(const struct sim_public_key *key, struct sim_slice data,
                           struct sim_slice signature)
{
    unsigned char *der = NULL;
    const unsigned char *sig = signature.data;
    int len = (int)signature.len;
    if (signature.len != (key->kind == SIM_KEY_EC ? 2 * key->size : key->size)) {
        return false;
    }
    if (key->kind == SIM_KEY_EC) {
        sig = der = der_signature(signature, &len);
        if (der == NULL || len <= 0) {
            return false;
        }
    }
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx != NULL &&
              EVP_DigestVerifyInit_ex(ctx, NULL, "SHA256", NULL, NULL, key->pkey, NULL) == 1 &&
              EVP_DigestVerify(ctx, sig, (size_t)len, data.data, data.len) == 1;
    EVP_MD_CTX_free(ctx);
    OPENSSL_free(der);
    return ok;
}
