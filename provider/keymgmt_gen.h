/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key generation. A key is made on the device only when the user said so, by an algorithm name of
 * ours or by a card parameter; else it is an ordinary software key, made by the default provider.
 */
#ifndef SCHSM_PROVIDER_KEYMGMT_GEN_H
#define SCHSM_PROVIDER_KEYMGMT_GEN_H

#include <stdbool.h>

#include <openssl/core_dispatch.h>

#include "keymgmt/uri.h"
#include "digest.h"
#include "pkey.h"

struct schsm_generation {
    struct schsm_provider *prov;
    const char *type; /* of the key, as struct schsm_pkey has it */
    bool on_device;
    bool bad_parameter;  /* one was refused: gen must not go on with the rest */
    char unhonoured[64]; /* the name of a parameter that no device can honour; "": none */
    int selection;
    EVP_PKEY_CTX *host; /* makes software keys, and checks and keeps the standard parameters */
    unsigned int bits;
    uint8_t exponent[64];
    size_t exponent_len;
    size_t primes;
    char group[64];
    char encoding[16]; /* of the curve's parameters: "" or "named_curve", or another */
    /* What an RSA-PSS key shall be restricted to; "" and -1: not named. */
    char digest[SCHSM_DIGEST_NAME_MAX];
    char mgf1_digest[SCHSM_DIGEST_NAME_MAX];
    int salt_len;
    struct schsm_uri where; /* serial, PIN source */
    int key_ref;
    uint8_t id[SCHSM_ID_MAX];
    size_t id_len;
    char *label;
    uint8_t algorithms[SCHSM_ALGORITHMS_MAX];
    size_t algorithms_len;
    uint32_t use_count;
    int key_domain; /* -1: not named */
};

/* type: as struct schsm_pkey has it; on_device: by name already. For a table's own gen_init. */
void *schsm_gen_init(struct schsm_provider *prov, const char *type, bool on_device, int selection,
                     const OSSL_PARAM params[]);

/* The card parameters, for lists of what can be set. */
#define SCHSM_CARD_PARAMETERS                                                                      \
    OSSL_PARAM_utf8_string("id", NULL, 0), OSSL_PARAM_utf8_string("label", NULL, 0),               \
        OSSL_PARAM_utf8_string("key-ref", NULL, 0), OSSL_PARAM_utf8_string("serial", NULL, 0),     \
        OSSL_PARAM_utf8_string("algorithms", NULL, 0),                                             \
        OSSL_PARAM_utf8_string("use-count", NULL, 0),                                              \
        OSSL_PARAM_utf8_string("key-domain", NULL, 0),                                             \
        OSSL_PARAM_utf8_string("pin-source", NULL, 0),                                             \
        OSSL_PARAM_utf8_string("pin-value", NULL, 0)

/* Sets a card parameter: 1, 0 with its error raised, or -1 where it is another one. */
int schsm_gen_set_card_parameter(struct schsm_generation *gen, const OSSL_PARAM *p);

/* What the device is to make, of this type; the generation's as long as it lasts. The curve is
 * still to be set. */
struct schsm_generate schsm_gen_spec(const struct schsm_generation *gen, enum schsm_key_type type);

OSSL_FUNC_keymgmt_gen_fn schsm_gen;
OSSL_FUNC_keymgmt_gen_cleanup_fn schsm_gen_cleanup;
OSSL_FUNC_keymgmt_gen_set_params_fn schsm_gen_set_params;
OSSL_FUNC_keymgmt_gen_set_template_fn schsm_gen_set_template;
OSSL_FUNC_keymgmt_gen_settable_params_fn schsm_gen_settable_rsa;
OSSL_FUNC_keymgmt_gen_settable_params_fn schsm_gen_settable_rsa_pss;
OSSL_FUNC_keymgmt_gen_settable_params_fn schsm_gen_settable_ec;

/* The same for "ED25519", "ED448", "X25519" and "X448", each with its own list. */
const OSSL_PARAM *schsm_gen_settable_ecx(struct schsm_provider *prov, const char *type,
                                         enum schsm_settable which);

#endif
