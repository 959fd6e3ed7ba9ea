/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that a Pico HSM makes: GENERATE ASYMMETRIC KEY PAIR, GENERATE SYMMETRIC KEY, DERIVE KEY. A
 * key that stands at the place already is overwritten, the device's own included.
 */
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "elements.h"
#include "pico.h"
#include "policy.h"
#include "tlv.h"

enum {
    MIN_RSA_BITS = 1024,
    MAX_RSA_BITS = 4096,
    DEFAULT_RSA_BITS = 2048,
    ALGORITHM_DERIVE = 0x98,
    ALGORITHM_AGREE_XKEK = 0x84,
};

/* mbed TLS's curves, of which the prime alone decides. */
static const char *const curve_names[] = {
    "prime192v1", "prime256v1",      "secp384r1",       "secp521r1",       "secp192k1",
    "secp256k1",  "brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1",
};

const struct sim_curve *sim_pico_curve_by_prime(struct sim_slice prime)
{
    for (size_t i = 0; i < sizeof(curve_names) / sizeof(curve_names[0]); i++) {
        const struct sim_curve *curve = sim_curve_by_name(curve_names[i]);
        struct sim_curve_storage storage;
        struct sim_curve_params params;
        if (curve->field_bytes == prime.len && sim_curve_load_params(curve, &storage, &params) &&
            sim_slice_equal(params.p, prime)) {
            return curve;
        }
    }
    return NULL;
}

static uint32_t number_of(struct sim_slice value, uint32_t otherwise)
{
    uint32_t number = 0;
    for (size_t i = 0; i < value.len && i < 4; i++) {
        number = number << 8 | value.data[i];
    }
    return value.len == 0 ? otherwise : number;
}

static uint16_t generate_rsa(struct sim_slice template, EVP_PKEY **pkey)
{
    struct sim_slice exponent, size;
    (void)sim_pico_find_object(template, 0x82, &exponent);
    (void)sim_pico_find_object(template, 0x02, &size);
    uint32_t bits = number_of(size, DEFAULT_RSA_BITS);
    if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS || bits % 8 != 0) {
        return SIM_PICO_FAILED;
    }
    BIGNUM *e = BN_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    bool ok = e != NULL && ctx != NULL && BN_set_word(e, number_of(exponent, RSA_F4)) == 1 &&
              EVP_PKEY_keygen_init(ctx) == 1 &&
              EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)bits) == 1 &&
              EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e) == 1 && EVP_PKEY_generate(ctx, pkey) == 1;
    EVP_PKEY_CTX_free(ctx);
    BN_free(e);
    return ok ? SIM_SW_OK : SIM_PICO_FAILED;
}

static uint16_t generate_ec(struct sim_slice template, EVP_PKEY **pkey)
{
    struct sim_slice prime, base;
    if (!sim_pico_find_object(template, 0x81, &prime)) {
        return SIM_SW_WRONG_LENGTH;
    }
    bool has_base = sim_pico_find_object(template, 0x83, &base);
    const struct sim_curve *curve = sim_pico_curve_by_prime(prime);
    const struct sim_modern_curve *modern = sim_modern_curve_find(prime, base);
    if (curve == NULL && modern == NULL) {
        return SIM_SW_NOT_SUPPORTED;
    }
    if (curve == NULL && !has_base) {
        return SIM_SW_WRONG_LENGTH;
    }
    *pkey = curve != NULL ? sim_curve_generate(curve) : sim_modern_generate(modern);
    return *pkey == NULL ? SIM_PICO_FAILED : SIM_SW_OK;
}

/* The policy objects of a request; the lengths of other devices are not insisted on. */
static void apply_policy(struct sim_slice data, struct sim_key *key)
{
    struct sim_slice value;
    if (sim_pico_find_object(data, SIM_TAG_USES, &value) && value.len == 4) {
        sim_slice_u32(&value, &key->uses_left);
    }
    if (sim_pico_find_object(data, SIM_TAG_ALGORITHMS, &value) && value.len <= SIM_MAX_ALGORITHMS) {
        key->n_algorithms = (uint8_t)value.len;
        if (value.len > 0) {
            memcpy(key->algorithms, value.data, value.len);
        }
    }
    if (sim_pico_find_object(data, SIM_TAG_DOMAIN, &value) && value.len == 1) {
        key->names_domain = true;
        key->domain = value.data[0];
    }
}

/* A key for agreeing on an XKEK says in its request which domain that is for. */
static uint16_t put_extension(const struct sim_state *state, const struct sim_key *key,
                              struct sim_buf *out)
{
    struct sim_buf content = { 0 };
    if (key->n_algorithms == 0 ||
        memchr(key->algorithms, ALGORITHM_AGREE_XKEK, key->n_algorithms) == NULL) {
        return SIM_SW_OK;
    }
    if (!key->names_domain || key->domain >= SIM_PICO_DOMAINS ||
        !state->domains[key->domain].is_xkek) {
        return SIM_SW_WRONG_LENGTH;
    }
    const struct sim_domain *domain = &state->domains[key->domain];
    sim_tlv_put(&content, SIM_TAG_OID, sim_oid_key_domain_uid.data, sim_oid_key_domain_uid.len);
    sim_tlv_put(&content, SIM_TAG_EXTENSION_VALUE, domain->uid, domain->uid_len);
    sim_tlv_put_buf(out, SIM_TAG_DISCRETIONARY, &content);
    sim_buf_free(&content);
    return SIM_SW_OK;
}

/*
 * The request tells the exponent that was asked for; the key keeps its primes and forgets it, and
 * from then on computes with 65537.
 */
static bool keep_primes_only(struct sim_key *key, const struct sim_key *made)
{
    if (made->kind != SIM_KEY_RSA) {
        return sim_key_from_pkey(key, made->id,
                                 EVP_PKEY_up_ref(made->pkey) == 1 ? made->pkey : NULL);
    }
    return sim_key_from_pkey(key, made->id, sim_rsa_with_usual_exponent(made->pkey));
}

bool sim_pico_settle_key(struct sim_key *key)
{
    struct sim_key settled = { 0 };
    if (!keep_primes_only(&settled, key)) {
        return false;
    }
    settled.uses_left = key->uses_left;
    settled.names_domain = key->names_domain;
    settled.domain = key->domain;
    settled.n_algorithms = key->n_algorithms;
    memcpy(settled.algorithms, key->algorithms, sizeof(key->algorithms));
    sim_key_free(key);
    *key = settled;
    return true;
}

uint16_t sim_pico_generate_key_pair(struct sim_card *card, const struct sim_apdu *apdu,
                                    struct sim_buf *out)
{
    static const uint8_t rsa[] = { 0x04, 0x00, 0x7F, 0x00, 0x07, 0x02, 0x02, 0x02, 0x01, 0x02 };
    struct sim_slice template, oid;
    struct sim_key key = { 0 };
    struct sim_buf extension = { 0 };
    struct sim_cvc_request names = { 0 };
    EVP_PKEY *pkey = NULL;
    if (!sim_pico_find_object(apdu->data, SIM_TAG_PUBLIC_KEY, &template)) {
        return SIM_SW_WRONG_LENGTH;
    }
    (void)sim_pico_find_object(template, SIM_TAG_OID, &oid);
    bool is_rsa = sim_slice_equal(oid, (struct sim_slice){ rsa, sizeof(rsa) });
    if (!is_rsa && !sim_slice_equal(oid, sim_oid_ecdsa_sha256)) {
        return SIM_SW_OK; /* no key of a kind that it does not know, and no word about it */
    }
    uint16_t sw = is_rsa ? generate_rsa(template, &pkey) : generate_ec(template, &pkey);
    if (sw != SIM_SW_OK) {
        return sw;
    }
    if (!sim_key_from_pkey(&key, apdu->p1, pkey)) {
        return SIM_PICO_FAILED;
    }
    apply_policy(apdu->data, &key);
    sw = put_extension(&card->state, &key, &extension);
    (void)sim_pico_find_object(apdu->data, SIM_TAG_CAR, &names.car);
    (void)sim_pico_find_object(apdu->data, SIM_TAG_CHR, &names.chr);
    if (extension.len > 0) {
        names.extensions = sim_buf_slice(&extension);
    }
    names.outer_car = (struct sim_slice){ (const uint8_t *)card->state.device_chr,
                                          strlen(card->state.device_chr) };
    if (sw == SIM_SW_OK) {
        sw = sim_pico_put_request(out, &card->state, &key, names) && sim_pico_settle_key(&key)
                 ? sim_pico_store_key(card, &key, out)
                 : SIM_PICO_FAILED;
    }
    sim_key_free(&key);
    sim_buf_free(&extension);
    card->answers_whole = apdu->le == 0;
    return sw;
}

uint16_t sim_pico_generate_symmetric_key(struct sim_card *card, const struct sim_apdu *apdu,
                                         struct sim_buf *out)
{
    struct sim_key key = { 0 };
    uint8_t value[SIM_MAX_SECRET];
    /* what is none of these gives 256 bits, too */
    size_t len = apdu->p2 == 0xB0 ? 16 : apdu->p2 == 0xB1 ? 24 : apdu->p2 == 0xB3 ? 64 : 32;
    (void)out;
    bool ok = RAND_priv_bytes(value, (int)len) == 1 &&
              sim_key_from_aes(&key, apdu->p1, (struct sim_slice){ value, len });
    OPENSSL_cleanse(value, sizeof(value));
    if (!ok) {
        return SIM_PICO_FAILED;
    }
    apply_policy(apdu->data, &key);
    return sim_pico_store_key(card, &key, NULL);
}

/* The sum is taken modulo the curve's prime: a fault that gives another key than it should. */
static EVP_PKEY *derive(const struct sim_key *key, struct sim_slice param)
{
    EVP_PKEY *pkey = NULL;
    BIGNUM *d = NULL;
    BIGNUM *prime = NULL;
    BIGNUM *addend = BN_bin2bn(param.data, (int)param.len, NULL);
    BN_CTX *ctx = BN_CTX_secure_new();
    if (addend != NULL && ctx != NULL &&
        EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_PRIV_KEY, &d) == 1 &&
        EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_EC_P, &prime) == 1 &&
        BN_mod_add(d, d, addend, prime, ctx) == 1) {
        pkey = sim_curve_key(key->curve, d);
    }
    BN_clear_free(d);
    BN_clear_free(addend);
    BN_free(prime);
    BN_CTX_free(ctx);
    return pkey;
}

uint16_t sim_pico_derive_key(struct sim_card *card, const struct sim_apdu *apdu,
                             struct sim_buf *out)
{
    struct sim_slice param = apdu->data;
    struct sim_key *key;
    struct sim_key derived = { 0 };
    uint8_t algorithm;
    (void)out;
    uint16_t sw = sim_pico_begin(card, apdu->p1, ALGORITHM_DERIVE, &key);
    if (sw != SIM_SW_OK) {
        return sw;
    }
    if (!sim_slice_u8(&param, &algorithm) || algorithm != ALGORITHM_DERIVE) {
        return SIM_SW_WRONG_LENGTH;
    }
    if (key->kind != SIM_KEY_EC) {
        return sim_card_die(card, "DERIVE KEY with a key that is not EC");
    }
    if (param.len > key->size + 1) {
        return sim_card_die(card, "DERIVE KEY with a long parameter");
    }
    EVP_PKEY *pkey = derive(key, param);
    if (pkey == NULL || !sim_key_from_pkey(&derived, apdu->p2, pkey)) {
        return SIM_PICO_FAILED;
    }
    return sim_pico_store_key(card, &derived, NULL);
}
