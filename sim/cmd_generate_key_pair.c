/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GENERATE ASYMMETRIC KEY PAIR 00 46 NEWID SIGNID: a new key in CC<id>, and its authenticated
 * request as answer and in CE<id> (protocol section 6.2).
 */
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include "commands.h"
#include "cvc.h"
#include "cvc_read.h"
#include "fs.h"
#include "policy.h"
#include "private_op.h"
#include "tlv.h"

/* The command data: the content of a CVC body and the policy objects behind it. */
struct request {
    struct sim_slice profile, car, public_key, chr, other_car, extensions;
    struct sim_policy policy;
};

static const struct sim_tlv_object request_objects[] = {
    { 0x5F29, 1, 1, offsetof(struct request, profile) },
    { 0x42, 0, SIM_MAX_CHR, offsetof(struct request, car) },
    { 0x7F49, 1, SIM_MAX_FILE, offsetof(struct request, public_key) },
    { 0x5F20, 0, SIM_MAX_CHR, offsetof(struct request, chr) },
    { 0x45, 0, SIM_MAX_CHR, offsetof(struct request, other_car) }, /* accepted, not used */
    { 0x65, 0, SIM_MAX_FILE, offsetof(struct request, extensions) },
    SIM_POLICY_OBJECTS(struct request, policy),
    { 0 },
};

/* The public key template 7F49; which members are there tells RSA from EC. */
struct template
{
    struct sim_slice oid, size, t81, t82, t83, t84, t85, t87;
};

static const struct sim_tlv_object template_objects[] = {
    { 0x06, 1, 32, offsetof(struct template, oid) },
    { 0x02, 1, 4, offsetof(struct template, size) },
    { 0x81, 1, 128, offsetof(struct template, t81) },
    { 0x82, 1, 128, offsetof(struct template, t82) },
    { 0x83, 1, 128, offsetof(struct template, t83) },
    { 0x84, 1, 256, offsetof(struct template, t84) },
    { 0x85, 1, 128, offsetof(struct template, t85) },
    { 0x87, 1, 8, offsetof(struct template, t87) },
    { 0 },
};

/* id-TA algorithms up to the last two arcs, which name RSA (01) or ECDSA (02) and the variant */
static const uint8_t oid_terminal_authentication[] = { 0x04, 0x00, 0x7F, 0x00,
                                                       0x07, 0x02, 0x02, 0x02 };
enum { FAMILY_RSA = 0x01, FAMILY_ECDSA = 0x02 };

/* what the outer signature would be in the terms of SIGN */
enum { SIGN_RSA_SHA256 = 0x33, SIGN_EC_SHA256 = 0x73 };

/* OpenSSL's limit for the exponent in practice, and that of the card's 82 object */
enum { MAX_EXPONENT_LEN = 32 };

static int family_of(struct sim_slice oid)
{
    size_t prefix = sizeof(oid_terminal_authentication);
    if (oid.len != prefix + 2 || memcmp(oid.data, oid_terminal_authentication, prefix) != 0) {
        return 0;
    }
    return oid.data[prefix];
}

static uint16_t generate_rsa(const struct sim_profile *profile, const struct template *template,
                             EVP_PKEY **pkey)
{
    unsigned bits = 0;
    if (template->size.data == NULL || template->t81.data != NULL || template->t82.data == NULL ||
        template->t82.len > MAX_EXPONENT_LEN) {
        return SIM_SW_WRONG_DATA;
    }
    for (size_t i = 0; i < template->size.len; i++) {
        bits = bits << 8 | template->size.data[i];
    }
    if (!sim_rsa_size_exists(bits) || bits > profile->device->max_rsa_bits) {
        return SIM_SW_NOT_SUPPORTED;
    }
    uint16_t sw = SIM_SW_INTERNAL;
    BIGNUM *e = BN_bin2bn(template->t82.data, (int)template->t82.len, NULL);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    if (e == NULL || ctx == NULL) {
        goto out;
    }
    if (!BN_is_odd(e) || BN_is_one(e)) {
        sw = SIM_SW_WRONG_DATA;
        goto out;
    }
    if (EVP_PKEY_keygen_init(ctx) == 1 && EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)bits) == 1 &&
        EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e) == 1 && EVP_PKEY_generate(ctx, pkey) == 1) {
        sw = SIM_SW_OK;
    }
out:
    EVP_PKEY_CTX_free(ctx);
    BN_free(e);
    return sw;
}

static uint16_t generate_ec(const struct sim_profile *profile, const struct template *template,
                            EVP_PKEY **pkey)
{
    struct sim_curve_params params = { .p = template->t81,
                                       .a = template->t82,
                                       .b = template->t83,
                                       .generator = template->t84,
                                       .order = template->t85 };
    size_t n = params.p.len;
    if (n == 0 || params.a.len != n || params.b.len != n || params.order.len != n ||
        params.generator.len != 1 + 2 * n || template->size.data != NULL) {
        return SIM_SW_WRONG_DATA;
    }
    if (template->t87.data != NULL && (template->t87.len != 1 || template->t87.data[0] != 1)) {
        return SIM_SW_NOT_SUPPORTED;
    }
    const struct sim_curve *curve = sim_curve_by_params(&params);
    if (curve == NULL || curve->bits > profile->device->max_curve_bits) {
        return SIM_SW_NOT_SUPPORTED;
    }
    *pkey = sim_curve_generate(curve);
    return *pkey == NULL ? SIM_SW_INTERNAL : SIM_SW_OK;
}

static uint16_t generate(const struct sim_profile *profile, const struct template *template,
                         EVP_PKEY **pkey)
{
    switch (family_of(template->oid)) {
    case FAMILY_RSA:
        return generate_rsa(profile, template, pkey);
    case FAMILY_ECDSA:
        return generate_ec(profile, template, pkey);
    default:
        return template->oid.data == NULL ? SIM_SW_WRONG_DATA : SIM_SW_NOT_SUPPORTED;
    }
}

/* Content of 7F49 in the answer: what the host sent, byte for byte, and the new public key. */
static bool put_public_key(struct sim_buf *out, const struct template *template,
                           const struct sim_key *key)
{
    struct sim_buf value = { 0 };
    bool ok = true;
    sim_tlv_put(out, 0x06, template->oid.data, template->oid.len);
    if (key->kind == SIM_KEY_RSA) {
        ok = sim_key_put_modulus(key, &value);
        sim_tlv_put_buf(out, 0x81, &value);
        sim_tlv_put(out, 0x82, template->t82.data, template->t82.len);
    } else {
        ok = sim_key_put_point(key, &value);
        sim_tlv_put(out, 0x81, template->t81.data, template->t81.len);
        sim_tlv_put(out, 0x82, template->t82.data, template->t82.len);
        sim_tlv_put(out, 0x83, template->t83.data, template->t83.len);
        sim_tlv_put(out, 0x84, template->t84.data, template->t84.len);
        sim_tlv_put(out, 0x85, template->t85.data, template->t85.len);
        sim_tlv_put_buf(out, 0x86, &value);
        sim_tlv_put(out, 0x87, "\x01", 1);
    }
    sim_buf_free(&value);
    return ok && !out->failed;
}

/*
 * The key that vouches for the new one, and its name. A key of the user's signs with SHA-256, if
 * its policy lets it, and that counts as a use.
 */
static uint16_t find_signer(struct sim_card *card, uint8_t id, struct sim_key **signer,
                            const char **name)
{
    if (id == 0) {
        *signer = &card->state.device_key;
        *name = card->state.device_chr;
        return SIM_SW_OK;
    }
    const struct sim_key *key = sim_keys_find(&card->state, id);
    enum sim_key_kind kind = key != NULL && key->kind == SIM_KEY_RSA ? SIM_KEY_RSA : SIM_KEY_EC;
    uint16_t sw = sim_private_op_begin(
        card, id, kind, kind == SIM_KEY_RSA ? SIGN_RSA_SHA256 : SIGN_EC_SHA256, signer);
    if (sw != SIM_SW_OK) {
        return sw;
    }
    /* keys that were derived, or came wrapped, have no name that a request could be attributed to
     */
    *name = (*signer)->chr;
    return *name[0] != '\0' ? SIM_SW_OK : SIM_SW_CONDITIONS;
}

static bool put_request(struct sim_buf *out, const struct request *request,
                        const struct template *template, const struct sim_key *key,
                        const struct sim_key *signer, const char *signer_name)
{
    /* what real cards write when the host names no authority (section 11.4) */
    static const char default_car[] = "UTDUMMY00000";
    struct sim_buf public_key = { 0 };
    struct sim_cvc_request cvc = {
        .car = request->car,
        .chr = request->chr,
        .extensions = request->extensions,
        .outer_car = { (const uint8_t *)signer_name, strlen(signer_name) },
    };
    if (cvc.car.data == NULL) {
        cvc.car = (struct sim_slice){ (const uint8_t *)default_car, sizeof(default_car) - 1 };
    }
    bool ok = put_public_key(&public_key, template, key);
    cvc.public_key = sim_buf_slice(&public_key);
    ok = ok && sim_cvc_put_request(out, &cvc, key, signer);
    sim_buf_free(&public_key);
    return ok;
}

/* Put key and request on the card; the answer already stands in `out`. */
static uint16_t store(struct sim_state *state, struct sim_key *key, const struct sim_buf *out)
{
    uint16_t certificate = (uint16_t)(SIM_PREFIX_CERTIFICATE << 8 | key->id);
    uint16_t sw = sim_keys_store(state, key);
    return sw != SIM_SW_OK ? sw : sim_fs_replace(state, certificate, sim_buf_slice(out));
}

uint16_t sim_cmd_generate_key_pair(struct sim_card *card, const struct sim_apdu *apdu,
                                   struct sim_buf *out)
{
    struct sim_state *state = &card->state;
    struct request request = { 0 };
    struct template template = { 0 };
    struct sim_key key = { 0 };
    struct sim_key *signer = NULL;
    EVP_PKEY *pkey = NULL;
    const char *signer_name = NULL;

    if (!sim_tlv_parse(apdu->data, request_objects, &request) || request.profile.data == NULL ||
        request.profile.data[0] != 0 || request.public_key.data == NULL ||
        (request.car.data != NULL && !sim_cvc_is_name(request.car)) ||
        !sim_cvc_is_name(request.chr) ||
        !sim_tlv_parse(request.public_key, template_objects, &template)) {
        return SIM_SW_WRONG_DATA;
    }
    /* before 3.0 a key had no policy */
    bool has_policy = request.policy.uses.data != NULL || request.policy.algorithms.data != NULL ||
                      request.policy.domain.data != NULL;
    if ((has_policy && !card->profile->device->key_domains) ||
        !sim_policy_possible(&request.policy, state)) {
        return SIM_SW_WRONG_DATA;
    }
    if (apdu->p1 == 0 || sim_keys_find(state, apdu->p1) != NULL) {
        return SIM_SW_EXISTS;
    }
    uint16_t sw = find_signer(card, apdu->p2, &signer, &signer_name);
    if (sw == SIM_SW_OK) {
        sw = generate(card->profile, &template, &pkey);
    }
    if (sw == SIM_SW_OK && apdu->p2 != 0) {
        sw = sim_private_op_count(card, signer);
    }
    if (sw != SIM_SW_OK) {
        EVP_PKEY_free(pkey);
        return sw;
    }
    if (!sim_key_from_pkey(&key, apdu->p1, pkey)) {
        return SIM_SW_INTERNAL;
    }
    sim_policy_apply(&request.policy, &key);
    memcpy(key.chr, request.chr.data, request.chr.len);
    sim_latency_add(card, SIM_OPERATION_GENERATE, &key);
    if (put_request(out, &request, &template, &key, signer, signer_name)) {
        sw = store(state, &key, out);
    } else {
        sw = SIM_SW_INTERNAL;
    }
    sim_key_free(&key);
    return sw;
}
