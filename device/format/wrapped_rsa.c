/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RSA keys in and out of a wrapped key. Whatever a key is told by, its two primes are found first,
 * and all else is computed from them and compared: so no part of a key contradicts another.
 */
#include "wrapped_private.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#define RSA_DER_MAX 2500 /* RSAPrivateKey of RSA-4096 */
#define FACTOR_TRIES 40  /* each finds the primes with a probability of at least one half */

struct rsa {
    BIGNUM *n, *e, *d, *p, *q, *dp, *dq, *qi;
};

static bool rsa_init(struct rsa *rsa)
{
    BIGNUM **parts[] = {
        &rsa->n, &rsa->e, &rsa->d, &rsa->p, &rsa->q, &rsa->dp, &rsa->dq, &rsa->qi
    };
    bool ok = true;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        *parts[i] = BN_secure_new();
        if (*parts[i] == NULL) {
            ok = false;
        } else if (parts[i] != &rsa->n && parts[i] != &rsa->e) {
            BN_set_flags(*parts[i], BN_FLG_CONSTTIME);
        }
    }
    return ok;
}

static void rsa_clear(struct rsa *rsa)
{
    BN_clear_free(rsa->n);
    BN_clear_free(rsa->e);
    BN_clear_free(rsa->d);
    BN_clear_free(rsa->p);
    BN_clear_free(rsa->q);
    BN_clear_free(rsa->dp);
    BN_clear_free(rsa->dq);
    BN_clear_free(rsa->qi);
}

static int inconsistent(struct schsm_error *err)
{
    return schsm_fail(err, SCHSM_REASON_FILE, "the parts of the RSA key do not fit together");
}

static bool number(BIGNUM *out, struct schsm_view bytes)
{
    return bytes.len <= SCHSM_CARD_MODULUS_MAX &&
           BN_bin2bn(bytes.data, (int)bytes.len, out) != NULL;
}

/* A number for a private part; how long its arithmetic takes tells nothing. */
static BIGNUM *new_secret_number(void)
{
    BIGNUM *number = BN_secure_new();

    if (number != NULL) {
        BN_set_flags(number, BN_FLG_CONSTTIME);
    }
    return number;
}

/* The same for what follows from it. */
static BIGNUM *secret_number(BN_CTX *ctx)
{
    BIGNUM *number = BN_CTX_get(ctx);

    if (number != NULL) {
        BN_set_flags(number, BN_FLG_CONSTTIME);
    }
    return number;
}

/* Numbers that the arithmetic below can work with: odd and above 1. */
static bool is_odd(const BIGNUM *value)
{
    return BN_is_odd(value) && !BN_is_one(value);
}

/* BN_gcd swaps its result with numbers of its own, and the marks with them. */
static bool secret_gcd(BIGNUM *gcd, const BIGNUM *a, const BIGNUM *b, BN_CTX *ctx)
{
    bool ok = BN_gcd(gcd, a, b, ctx) == 1;

    BN_set_flags(gcd, BN_FLG_CONSTTIME);
    return ok;
}

/* All the rest from p, q and e. */
static bool complete_rsa(struct rsa *rsa, BN_CTX *ctx)
{
    BIGNUM *p1, *q1, *gcd, *lambda;
    bool ok = false;

    BN_CTX_start(ctx);
    p1 = secret_number(ctx);
    q1 = secret_number(ctx);
    gcd = secret_number(ctx);
    lambda = secret_number(ctx);
    if (lambda == NULL || !is_odd(rsa->p) || !is_odd(rsa->q) || !is_odd(rsa->e)) {
        goto done;
    }
    ok = BN_mul(rsa->n, rsa->p, rsa->q, ctx) == 1 && BN_sub(p1, rsa->p, BN_value_one()) == 1 &&
         BN_sub(q1, rsa->q, BN_value_one()) == 1 && secret_gcd(gcd, p1, q1, ctx) &&
         BN_mul(lambda, p1, q1, ctx) == 1 && BN_div(lambda, NULL, lambda, gcd, ctx) == 1 &&
         BN_mod_inverse(rsa->d, rsa->e, lambda, ctx) != NULL &&
         BN_mod(rsa->dp, rsa->d, p1, ctx) == 1 && BN_mod(rsa->dq, rsa->d, q1, ctx) == 1 &&
         BN_mod_inverse(rsa->qi, rsa->q, rsa->p, ctx) != NULL;

done:
    BN_CTX_end(ctx);
    return ok;
}

/*
 * One attempt to find p from a random base: base^odd is squared until it becomes 1; a square root
 * of 1 other than 1 and n - 1 met on the way shares one prime with n.
 */
static bool try_factor(struct rsa *rsa, const BIGNUM *odd, int twos, BN_CTX *ctx)
{
    BIGNUM *base, *x, *square, *minus_one;
    bool found = false;

    BN_CTX_start(ctx);
    base = BN_CTX_get(ctx);
    x = secret_number(ctx);
    square = secret_number(ctx);
    minus_one = BN_CTX_get(ctx);
    if (minus_one == NULL || BN_priv_rand_range_ex(base, rsa->n, 0, ctx) != 1 || BN_is_zero(base) ||
        BN_sub(minus_one, rsa->n, BN_value_one()) != 1 ||
        BN_mod_exp(x, base, odd, rsa->n, ctx) != 1) {
        goto done;
    }
    for (int i = 0; i < twos && !BN_is_one(x) && BN_cmp(x, minus_one) != 0; i++) {
        if (BN_mod_sqr(square, x, rsa->n, ctx) != 1) {
            goto done;
        }
        if (BN_is_one(square)) {
            found = BN_sub(x, x, BN_value_one()) == 1 && secret_gcd(rsa->p, x, rsa->n, ctx) &&
                    BN_div(rsa->q, NULL, rsa->n, rsa->p, ctx) == 1;
            goto done;
        }
        if (BN_copy(x, square) == NULL) {
            goto done;
        }
    }

done:
    BN_CTX_end(ctx);
    return found;
}

/* p and q from n, e and d (NIST SP 800-56B appendix C); p is the greater one, as libcrypto has it.
 */
static bool factor(struct rsa *rsa, BN_CTX *ctx)
{
    BIGNUM *product;
    bool found = false;
    int twos = 0;

    BN_CTX_start(ctx);
    product = secret_number(ctx);
    if (product == NULL || !is_odd(rsa->n) || BN_is_zero(rsa->d) ||
        BN_mul(product, rsa->d, rsa->e, ctx) != 1 || BN_sub_word(product, 1) != 1 ||
        BN_is_zero(product) || BN_is_negative(product)) {
        goto done;
    }
    while (!BN_is_bit_set(product, twos)) {
        twos++;
    }
    if (BN_rshift(product, product, twos) != 1) {
        goto done;
    }
    for (int tries = 0; tries < FACTOR_TRIES && !found; tries++) {
        found = try_factor(rsa, product, twos, ctx);
    }
    if (found && BN_cmp(rsa->p, rsa->q) < 0) {
        BN_swap(rsa->p,
                rsa->q); /* which is found first is chance; a key is one sequence of bytes */
    }

done:
    BN_CTX_end(ctx);
    return found;
}

/* RSAPrivateKey (RFC 8017 A.1.2), which libcrypto reads. */
static EVP_PKEY *rsa_to_key(OSSL_LIB_CTX *libctx, const struct rsa *rsa, struct schsm_error *err)
{
    const BIGNUM *parts[] = { rsa->n, rsa->e, rsa->d, rsa->p, rsa->q, rsa->dp, rsa->dq, rsa->qi };
    struct schsm_secret *der, *scratch = NULL;
    struct schsm_tlv_writer writer;
    uint8_t *bytes, *room;
    const uint8_t *at;
    EVP_PKEY *key = NULL;
    size_t sequence;

    der = schsm_secret_alloc(RSA_DER_MAX, &bytes, err);
    if (der == NULL) {
        return NULL;
    }
    scratch = schsm_secret_alloc(SCHSM_CARD_MODULUS_MAX, &room, err);
    if (scratch == NULL) {
        goto done;
    }
    schsm_tlv_write(&writer, bytes, RSA_DER_MAX);
    sequence = schsm_tlv_begin(&writer, 0x30);
    schsm_tlv_put_integer(&writer, 0); /* two primes */
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        schsm_tlv_put_number(&writer,
                             (struct schsm_view){ room, (size_t)BN_bn2bin(parts[i], room) });
    }
    schsm_tlv_end(&writer, sequence);
    at = bytes;
    (void)ERR_set_mark();
    if (!writer.failed) {
        key = d2i_PrivateKey_ex(EVP_PKEY_RSA, NULL, &at, (long)writer.len, libctx, NULL);
    }
    (void)ERR_pop_to_mark(); /* our own error says it */
    if (key == NULL) {
        schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto does not take the RSA key");
    }

done:
    schsm_secret_free(scratch);
    schsm_secret_free(der);
    return key;
}

/* Whether the elements of an RSA_CRT blob are what its primes and exponent make. */
static bool agrees(const struct rsa *rsa, const struct schsm_view *elements)
{
    const struct {
        const BIGNUM *computed;
        struct schsm_view told;
    } parts[] = {
        { rsa->n, elements[RSA_CRT_N] },
        { rsa->dp, elements[RSA_CRT_DP] },
        { rsa->dq, elements[RSA_CRT_DQ] },
        { rsa->qi, elements[RSA_CRT_QI] },
    };
    BIGNUM *told = new_secret_number();
    bool ok = told != NULL;

    for (size_t i = 0; ok && i < sizeof(parts) / sizeof(parts[0]); i++) {
        ok = number(told, parts[i].told) && BN_cmp(told, parts[i].computed) == 0;
    }
    BN_clear_free(told);
    return ok;
}

/* The numbers of an RSA_CRT blob and of an RSA blob; false where they do not fit together. */
static bool take_crt(struct rsa *rsa, const struct schsm_view *elements, BN_CTX *ctx)
{
    return number(rsa->p, elements[RSA_CRT_P]) && number(rsa->q, elements[RSA_CRT_Q]) &&
           number(rsa->e, elements[RSA_CRT_E]) && complete_rsa(rsa, ctx) && agrees(rsa, elements);
}

/* Whether d, which any multiple of lambda may have been added to, belongs to the primes: then it
 * stays as it was told. */
static bool keep_exponent(struct rsa *rsa, const BIGNUM *told, BN_CTX *ctx)
{
    BIGNUM *minus_one, *rest;
    bool ok = false;

    BN_CTX_start(ctx);
    minus_one = secret_number(ctx);
    rest = secret_number(ctx);
    if (rest != NULL && BN_cmp(told, rsa->n) < 0) {
        ok = BN_sub(minus_one, rsa->p, BN_value_one()) == 1 &&
             BN_mod(rest, told, minus_one, ctx) == 1 && BN_cmp(rest, rsa->dp) == 0 &&
             BN_sub(minus_one, rsa->q, BN_value_one()) == 1 &&
             BN_mod(rest, told, minus_one, ctx) == 1 && BN_cmp(rest, rsa->dq) == 0;
    }
    BN_CTX_end(ctx);
    return ok && BN_copy(rsa->d, told) != NULL; /* BN_swap would take the mark away */
}

static bool take_plain(struct rsa *rsa, const struct schsm_view *elements, BN_CTX *ctx)
{
    BIGNUM *told = new_secret_number();
    bool ok = told != NULL && number(rsa->d, elements[RSA_D]) && number(told, elements[RSA_D]) &&
              number(rsa->n, elements[RSA_N]) && number(rsa->e, elements[RSA_E]) &&
              factor(rsa, ctx) && complete_rsa(rsa, ctx) && keep_exponent(rsa, told, ctx);

    BN_clear_free(told);
    return ok;
}

static EVP_PKEY *read_key(OSSL_LIB_CTX *libctx, const struct schsm_view *elements,
                          bool (*take)(struct rsa *, const struct schsm_view *, BN_CTX *),
                          struct schsm_error *err)
{
    struct rsa rsa = { 0 };
    BN_CTX *ctx = BN_CTX_secure_new_ex(libctx);
    EVP_PKEY *key = NULL;

    (void)ERR_set_mark();
    if (!rsa_init(&rsa) || ctx == NULL) {
        schsm_fail_memory(err);
    } else if (!take(&rsa, elements, ctx)) {
        inconsistent(err);
    } else {
        key = rsa_to_key(libctx, &rsa, err);
    }
    (void)ERR_pop_to_mark();
    BN_CTX_free(ctx);
    rsa_clear(&rsa);
    return key;
}

EVP_PKEY *schsm_wrapped_rsa_crt(OSSL_LIB_CTX *libctx, const struct schsm_view *elements,
                                struct schsm_error *err)
{
    return read_key(libctx, elements, take_crt, err);
}

EVP_PKEY *schsm_wrapped_rsa(OSSL_LIB_CTX *libctx, const struct schsm_view *elements,
                            struct schsm_error *err)
{
    return read_key(libctx, elements, take_plain, err);
}

/* One number of a key; false where it has none. */
static bool get_number_of(EVP_PKEY *key, const char *name, BIGNUM **value)
{
    return EVP_PKEY_get_bn_param(key, name, value) == 1;
}

/* The numbers of a key of the host's. */
static int from_key(EVP_PKEY *key, struct rsa *rsa, BN_CTX *ctx, struct schsm_error *err)
{
    BIGNUM *third = NULL, *modulus;
    bool primes;

    if (get_number_of(key, OSSL_PKEY_PARAM_RSA_FACTOR3, &third)) {
        BN_clear_free(third);
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "an RSA key with more than two primes cannot be on a SmartCard-HSM");
    }
    if (!get_number_of(key, OSSL_PKEY_PARAM_RSA_N, &rsa->n) ||
        !get_number_of(key, OSSL_PKEY_PARAM_RSA_E, &rsa->e) ||
        !get_number_of(key, OSSL_PKEY_PARAM_RSA_D, &rsa->d)) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "this is no private RSA key");
    }
    primes = get_number_of(key, OSSL_PKEY_PARAM_RSA_FACTOR1, &rsa->p) &&
             get_number_of(key, OSSL_PKEY_PARAM_RSA_FACTOR2, &rsa->q) && !BN_is_zero(rsa->p);
    modulus = BN_dup(rsa->n);
    if (modulus == NULL) {
        return schsm_fail_memory(err);
    }
    if ((!primes && !factor(rsa, ctx)) || !complete_rsa(rsa, ctx) || BN_cmp(rsa->n, modulus) != 0) {
        BN_clear_free(modulus);
        return inconsistent(err);
    }
    BN_clear_free(modulus);
    return 1;
}

static void put_padded(struct schsm_tlv_writer *writer, const BIGNUM *value, size_t len)
{
    if (writer->failed || len + 2 > writer->capacity - writer->len) {
        writer->failed = true;
        return;
    }
    schsm_wrapped_put_size(writer, len);
    if (BN_bn2binpad(value, writer->out + writer->len, (int)len) != (int)len) {
        writer->failed = true;
        return;
    }
    writer->len += len;
}

int schsm_wrapped_put_rsa(OSSL_LIB_CTX *libctx, EVP_PKEY *key, bool plain,
                          struct schsm_tlv_writer *writer, struct schsm_error *err)
{
    static const int sizes[] = { SCHSM_RSA_SIZES };
    struct rsa rsa = { 0 };
    BN_CTX *ctx = BN_CTX_secure_new_ex(libctx);
    int bits = EVP_PKEY_get_bits(key), ok = 0;
    bool known = false;
    size_t len = (size_t)(bits > 0 ? bits : 0) / 8;

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        known = known || sizes[i] == bits;
    }
    if (!known) {
        schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                   "RSA keys on a SmartCard-HSM have 1024, 1536, 2048, 3072 or 4096 bits, not %d",
                   bits);
        goto done;
    }
    (void)ERR_set_mark();
    if (!rsa_init(&rsa) || ctx == NULL) {
        schsm_fail_memory(err);
    } else {
        ok = from_key(key, &rsa, ctx, err);
    }
    (void)ERR_pop_to_mark();
    if (!ok) {
        goto done;
    }
    if (BN_num_bits(rsa.p) != bits / 2 || BN_num_bits(rsa.q) != bits / 2) {
        ok = schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                        "the primes of the RSA key are not half as long as the key, as a "
                        "SmartCard-HSM needs them");
        goto done;
    }
    schsm_wrapped_put_size(writer, (size_t)bits);
    if (plain) {
        put_padded(writer, rsa.d, len);
    } else {
        put_padded(writer, rsa.dp, len / 2);
        put_padded(writer, rsa.dq, len / 2);
        put_padded(writer, rsa.p, len / 2);
        put_padded(writer, rsa.qi, len / 2);
        put_padded(writer, rsa.q, len / 2);
    }
    put_padded(writer, rsa.n, len);
    put_padded(writer, rsa.e, (size_t)BN_num_bytes(rsa.e));

done:
    BN_CTX_free(ctx);
    rsa_clear(&rsa);
    return ok;
}
