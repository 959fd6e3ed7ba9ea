/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DERIVE KEY 80 76 KEYID NEWID, data 98 and a parameter: the EC key whose private value is that of
 * KEYID plus the parameter, modulo the order of the curve (protocol section 6.11).
 */
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>

#include "commands.h"
#include "private_op.h"

enum { ALGORITHM_DERIVE = 0x98 };

static EVP_PKEY *derive(const struct sim_key *key, struct sim_slice param)
{
    EVP_PKEY *pkey = NULL;
    BIGNUM *d = NULL;
    BIGNUM *order = NULL;
    BIGNUM *addend = BN_secure_new();
    BN_CTX *ctx = BN_CTX_secure_new();
    if (addend != NULL && ctx != NULL && BN_bin2bn(param.data, (int)param.len, addend) != NULL &&
        EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_PRIV_KEY, &d) == 1 &&
        EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_EC_ORDER, &order) == 1 &&
        BN_mod_add(d, d, addend, order, ctx) == 1) {
        pkey = sim_curve_key(key->curve, d);
    }
    BN_clear_free(d);
    BN_clear_free(addend);
    BN_free(order);
    BN_CTX_free(ctx);
    return pkey;
}

/* A derived key must not be allowed, nor last, longer than the one it comes from. */
static void inherit_policy(struct sim_key *derived, const struct sim_key *key)
{
    derived->uses_left = key->uses_left;
    derived->domain = key->domain;
    derived->n_algorithms = key->n_algorithms;
    memcpy(derived->algorithms, key->algorithms, sizeof(key->algorithms));
}

uint16_t sim_cmd_derive_key(struct sim_card *card, const struct sim_apdu *apdu, struct sim_buf *out)
{
    struct sim_slice param = apdu->data;
    struct sim_key *key;
    struct sim_key derived;
    uint8_t algorithm;
    (void)out;
    if (!sim_slice_u8(&param, &algorithm)) {
        return SIM_SW_WRONG_LENGTH;
    }
    if (algorithm != ALGORITHM_DERIVE) {
        return SIM_SW_NOT_SUPPORTED;
    }
    uint16_t sw = sim_private_op_begin(card, apdu->p1, SIM_KEY_EC, ALGORITHM_DERIVE, &key);
    if (sw != SIM_SW_OK) {
        return sw;
    }
    /* an empty list allows everything but this: genuine cards want it listed */
    if (key->n_algorithms == 0) {
        return SIM_SW_NOT_SUPPORTED;
    }
    if (param.len == 0 || param.len > key->size) {
        return SIM_SW_WRONG_LENGTH;
    }
    if (apdu->p2 == 0 || sim_keys_find(&card->state, apdu->p2) != NULL) {
        return SIM_SW_EXISTS;
    }
    sw = sim_private_op_count(card, key);
    if (sw != SIM_SW_OK) {
        return sw;
    }
    EVP_PKEY *pkey = derive(key, param);
    if (pkey == NULL) {
        return SIM_SW_WRONG_DATA; /* the parameter is the key's own negative */
    }
    if (!sim_key_from_pkey(&derived, apdu->p2, pkey)) {
        return SIM_SW_INTERNAL;
    }
    inherit_policy(&derived, key);
    return sim_keys_store(&card->state, &derived);
}
