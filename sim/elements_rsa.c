/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include "apdu.h"
#include "elements.h"

enum { MAX_EXPONENT_LEN = 32 };

struct numbers {
    BIGNUM *n, *e, *d, *p, *q, *dp, *dq, *qinv;
};

/* The numbers in the order of their use, with libcrypto's names. */
static const struct {
    const char *name;
    size_t offset;
} members[] = {
    { OSSL_PKEY_PARAM_RSA_N, offsetof(struct numbers, n) },
    { OSSL_PKEY_PARAM_RSA_E, offsetof(struct numbers, e) },
    { OSSL_PKEY_PARAM_RSA_D, offsetof(struct numbers, d) },
    { OSSL_PKEY_PARAM_RSA_FACTOR1, offsetof(struct numbers, p) },
    { OSSL_PKEY_PARAM_RSA_FACTOR2, offsetof(struct numbers, q) },
    { OSSL_PKEY_PARAM_RSA_EXPONENT1, offsetof(struct numbers, dp) },
    { OSSL_PKEY_PARAM_RSA_EXPONENT2, offsetof(struct numbers, dq) },
    { OSSL_PKEY_PARAM_RSA_COEFFICIENT1, offsetof(struct numbers, qinv) },
};
enum { N_MEMBERS = sizeof(members) / sizeof(members[0]) };

static BIGNUM **member(struct numbers *numbers, size_t i)
{
    return (BIGNUM **)(void *)((char *)numbers + members[i].offset);
}

static void free_numbers(struct numbers *numbers)
{
    for (size_t i = 0; i < N_MEMBERS; i++) {
        BN_clear_free(*member(numbers, i));
    }
}

bool sim_rsa_put_elements(struct sim_buf *out, const struct sim_key *key, bool crt)
{
    struct numbers key_numbers = { 0 };
    const struct numbers *k = &key_numbers;
    bool ok = true;
    size_t half = key->size / 2;
    for (size_t i = 0; ok && i < N_MEMBERS; i++) {
        ok = EVP_PKEY_get_bn_param(key->pkey, members[i].name, member(&key_numbers, i)) == 1;
    }
    if (ok && crt) {
        ok = sim_element_put_number(out, k->dp, half) && sim_element_put_number(out, k->dq, half) &&
             sim_element_put_number(out, k->p, half) &&
             sim_element_put_number(out, k->qinv, half) && sim_element_put_number(out, k->q, half);
    } else if (ok) {
        ok = sim_element_put_number(out, k->d, key->size);
    }
    ok = ok && sim_element_put_number(out, k->n, key->size) &&
         sim_element_put_number(out, k->e, (size_t)BN_num_bytes(k->e));
    free_numbers(&key_numbers);
    return ok && !out->failed;
}

/* d, dp, dq and qinv from p, q and e; false when those are no key. */
static bool complete(struct numbers *k, BN_CTX *ctx)
{
    bool ok = false;
    BN_CTX_start(ctx);
    BIGNUM *p1 = BN_CTX_get(ctx), *q1 = BN_CTX_get(ctx), *gcd = BN_CTX_get(ctx);
    BIGNUM *lcm = BN_CTX_get(ctx);
    k->d = BN_secure_new();
    k->dp = BN_secure_new();
    k->dq = BN_secure_new();
    k->qinv = BN_secure_new();
    if (lcm != NULL && k->d != NULL && k->dp != NULL && k->dq != NULL && k->qinv != NULL &&
        !BN_is_one(k->p) && !BN_is_one(k->q) && BN_sub(p1, k->p, BN_value_one()) == 1 &&
        BN_sub(q1, k->q, BN_value_one()) == 1 && BN_gcd(gcd, p1, q1, ctx) == 1 &&
        BN_mul(lcm, p1, q1, ctx) == 1 && BN_div(lcm, NULL, lcm, gcd, ctx) == 1 &&
        BN_mod_inverse(k->d, k->e, lcm, ctx) != NULL && BN_mod(k->dp, k->d, p1, ctx) == 1 &&
        BN_mod(k->dq, k->d, q1, ctx) == 1) {
        ok = BN_mod_inverse(k->qinv, k->q, k->p, ctx) != NULL;
    }
    BN_CTX_end(ctx);
    return ok;
}

/* Whether p times q is n; neither may be zero. */
static bool factors_fit(const struct numbers *k, BN_CTX *ctx)
{
    BN_CTX_start(ctx);
    BIGNUM *product = BN_CTX_get(ctx);
    bool ok =
        product != NULL && BN_mul(product, k->p, k->q, ctx) == 1 && BN_cmp(product, k->n) == 0;
    BN_CTX_end(ctx);
    return ok;
}

/*
 * One try to find a factor of n: with d·e - 1 = 2^t·r, squares of g^r end in 1, and for half of
 * all g the last value before that is another square root of 1 than n - 1.
 */
static bool try_factor(struct numbers *k, const BIGNUM *r, int t, BN_CTX *ctx)
{
    bool found = false;
    BN_CTX_start(ctx);
    BIGNUM *x = BN_CTX_get(ctx), *y = BN_CTX_get(ctx), *minus_one = BN_CTX_get(ctx);
    bool ok = minus_one != NULL && BN_sub(minus_one, k->n, BN_value_one()) == 1 &&
              BN_priv_rand_range_ex(y, k->n, 0, ctx) == 1 && BN_mod_exp(x, y, r, k->n, ctx) == 1;
    for (int i = 0; ok && !found && i < t && !BN_is_one(x) && BN_cmp(x, minus_one) != 0; i++) {
        ok = BN_mod_sqr(y, x, k->n, ctx) == 1;
        if (ok && BN_is_one(y)) {
            ok = BN_sub(y, x, BN_value_one()) == 1 && BN_gcd(k->p, y, k->n, ctx) == 1;
            found = ok;
        } else if (ok) {
            ok = BN_copy(x, y) != NULL;
        }
    }
    BN_CTX_end(ctx);
    return found;
}

/* p and q from n, e and d. */
static bool factor(struct numbers *k, const BIGNUM *d, BN_CTX *ctx)
{
    enum { TRIES = 64 }; /* each one succeeds with a probability of one half */
    bool found = false;
    int t = 0;
    BN_CTX_start(ctx);
    BIGNUM *r = BN_CTX_get(ctx);
    k->p = BN_secure_new();
    k->q = BN_secure_new();
    if (r != NULL && k->p != NULL && k->q != NULL && BN_mul(r, d, k->e, ctx) == 1 &&
        BN_sub_word(r, 1) == 1 && !BN_is_zero(r) && !BN_is_negative(r) && BN_is_odd(k->n)) {
        while (!BN_is_odd(r) && BN_rshift1(r, r) == 1) {
            t++;
        }
        for (int i = 0; t > 0 && !found && i < TRIES; i++) {
            found = try_factor(k, r, t, ctx);
        }
    }
    found = found && BN_div(k->q, NULL, k->n, k->p, ctx) == 1;
    BN_CTX_end(ctx);
    return found;
}

static bool take_modulus_and_exponent(struct numbers *k, struct sim_slice *in, unsigned bits)
{
    k->n = sim_element_take_number(in, bits / 8);
    k->e = k->n == NULL ? NULL : sim_element_take_number(in, MAX_EXPONENT_LEN);
    return k->e != NULL && BN_num_bits(k->n) == (int)bits && BN_is_odd(k->e) && !BN_is_one(k->e);
}

/* Parts that do not belong to each other would give signatures that tell the key. */
static bool take_crt(struct numbers *k, struct sim_slice *in, unsigned bits, BN_CTX *ctx)
{
    size_t half = bits / 16;
    BIGNUM *dp = sim_element_take_number(in, half);
    BIGNUM *dq = dp == NULL ? NULL : sim_element_take_number(in, half);
    BIGNUM *qinv = NULL;
    k->p = dq == NULL ? NULL : sim_element_take_number(in, half);
    qinv = k->p == NULL ? NULL : sim_element_take_number(in, half);
    k->q = qinv == NULL ? NULL : sim_element_take_number(in, half);
    bool ok = k->q != NULL && take_modulus_and_exponent(k, in, bits) && factors_fit(k, ctx) &&
              complete(k, ctx) && BN_cmp(dp, k->dp) == 0 && BN_cmp(dq, k->dq) == 0 &&
              BN_cmp(qinv, k->qinv) == 0;
    BN_clear_free(dp);
    BN_clear_free(dq);
    BN_clear_free(qinv);
    return ok;
}

static bool take_plain(struct numbers *k, struct sim_slice *in, unsigned bits, BN_CTX *ctx)
{
    BIGNUM *d = sim_element_take_number(in, bits / 8);
    bool ok = d != NULL && take_modulus_and_exponent(k, in, bits) && factor(k, d, ctx) &&
              factors_fit(k, ctx) && complete(k, ctx);
    BN_clear_free(d);
    return ok;
}

static EVP_PKEY *make_pkey(struct numbers *numbers)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params = NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    bool ok = build != NULL && ctx != NULL;
    for (size_t i = 0; ok && i < N_MEMBERS; i++) {
        ok = OSSL_PARAM_BLD_push_BN(build, members[i].name, *member(numbers, i)) == 1;
    }
    params = ok ? OSSL_PARAM_BLD_to_param(build) : NULL;
    if (params != NULL && EVP_PKEY_fromdata_init(ctx) == 1) {
        (void)EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params);
    }
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

EVP_PKEY *sim_rsa_with_usual_exponent(const EVP_PKEY *pkey)
{
    struct numbers k = { 0 };
    EVP_PKEY *made = NULL;
    BN_CTX *ctx = BN_CTX_secure_new();
    k.e = BN_new();
    if (ctx != NULL && k.e != NULL && BN_set_word(k.e, 65537) == 1 &&
        EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &k.n) == 1 &&
        EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_FACTOR1, &k.p) == 1 &&
        EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_FACTOR2, &k.q) == 1 && complete(&k, ctx)) {
        made = make_pkey(&k);
    }
    free_numbers(&k);
    BN_CTX_free(ctx);
    return made;
}

uint16_t sim_rsa_from_elements(struct sim_slice in, unsigned bits, bool crt, EVP_PKEY **pkey)
{
    struct numbers numbers = { 0 };
    BN_CTX *ctx = BN_CTX_secure_new();
    uint16_t sw = SIM_SW_WRONG_DATA;
    if (!sim_rsa_size_exists(bits)) {
        sw = SIM_SW_NOT_SUPPORTED;
    } else if (ctx != NULL &&
               (crt ? take_crt(&numbers, &in, bits, ctx) : take_plain(&numbers, &in, bits, ctx))) {
        *pkey = make_pkey(&numbers);
        sw = *pkey == NULL ? SIM_SW_INTERNAL : SIM_SW_OK;
    }
    free_numbers(&numbers);
    BN_CTX_free(ctx);
    return sw;
}
