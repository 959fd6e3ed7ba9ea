/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a key: choose a free place, describe the key, let the card make it, and check what it says
 * of it. Nothing is left behind by a failure. The description comes first, because a key without
 * one is one that no program shows and that nobody dares to delete; a description without a key
 * takes no place.
 */
#include "card_private.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/bn.h>
#include <openssl/crypto.h>

#include "format/curve.h"
#include "format/cvc.h"
#include "format/key_policy.h"
#include "base/log.h"

#define KEY_SEQUENCE                                                                               \
    "00001" /* what OpenSC puts behind the serial number for a key's name (6.2)                    \
             */

/* The public exponent where none is asked for. */
static const uint8_t f4[] = { 0x01, 0x00, 0x01 };

struct generation {
    const struct schsm_generate *spec;
    const struct schsm_curve *curve; /* EC */
    const struct schsm_ecx *ecx;     /* Ed25519, Ed448, X25519, X448 */
    struct schsm_card_files files;
    struct schsm_pkcs15_key description;
    uint8_t encoded[SCHSM_PKCS15_MAX]; /* the same as a file */
    size_t encoded_len;
    unsigned int key_ref;
    unsigned int unfinished; /* a place where something of ours could not be removed yet, 0: none */
    bool key_made;           /* it may be a key, too */
    uint8_t *spki;
    size_t spki_len;
};

static int make_pair_on_card(struct schsm_session *session, struct generation *generation,
                             struct schsm_error *err)
{
    const struct schsm_generate *spec = generation->spec;
    char chr[SCHSM_SERIAL_MAX + sizeof(KEY_SEQUENCE)];
    struct schsm_cvc_generate request = { .type = spec->type,
                                          .bits = spec->bits,
                                          .exponent = spec->exponent,
                                          .exponent_len = spec->exponent_len,
                                          .curve = generation->curve,
                                          .algorithms = spec->algorithms,
                                          .algorithms_len = spec->algorithms_len,
                                          .use_count = spec->use_count,
                                          .key_domain =
                                              spec->has_key_domain ? (int)spec->key_domain : -1,
                                          .domain_uid = spec->domain_uid,
                                          .domain_uid_len = spec->domain_uid_len };
    uint8_t body[SCHSM_CVC_GENERATE_MAX];
    size_t len = sizeof(body);
    const struct schsm_card_kind *kind = NULL;

    if (!schsm_session_learn_serial(session, err)) {
        return 0;
    }
    if (generation->ecx != NULL && (kind = schsm_session_kind(session, err)) == NULL) {
        return 0;
    }
    if (generation->ecx != NULL && !kind->ecx) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "a SmartCard-HSM has no %s keys, only a Pico HSM has; nothing was made",
                          generation->ecx->name);
    }
    (void)snprintf(chr, sizeof(chr), "%s" KEY_SEQUENCE, session->process.serial);
    if (session->process.serial[0] != 0 && strlen(chr) <= SCHSM_CVC_NAME_MAX) {
        request.chr = chr;
    }
    if (!schsm_cvc_build_generate(&request, body, &len, err)) {
        return 0;
    }
    generation->key_made = true;
    return schsm_card_generate_key_pair(&session->card, generation->key_ref, body, len, err);
}

/* Section 6.3. Clients always send a list of algorithms, so that all of section 8.1 that is for AES
 * stands for "everything". */
static int make_aes_on_card(struct schsm_session *session, struct generation *generation,
                            struct schsm_error *err)
{
    static const uint8_t everything[] = { SCHSM_ALGORITHM_AES_CBC_ENCRYPT,
                                          SCHSM_ALGORITHM_AES_CBC_DECRYPT, SCHSM_ALGORITHM_AES_CMAC,
                                          SCHSM_ALGORITHM_WRAP, SCHSM_ALGORITHM_DERIVE };
    const struct schsm_generate *spec = generation->spec;
    bool listed = spec->algorithms != NULL;
    uint8_t body[2 + SCHSM_ALGORITHMS_MAX + 2 + 4 + 3];
    struct schsm_tlv_writer writer;

    schsm_tlv_write(&writer, body, sizeof(body));
    if (!schsm_key_policy_put(&writer, listed ? spec->algorithms : everything,
                              listed ? spec->algorithms_len : sizeof(everything), spec->use_count,
                              spec->has_key_domain ? (int)spec->key_domain : -1, err)) {
        return 0;
    }
    generation->key_made = true;
    return schsm_card_generate_secret_key(&session->card, generation->key_ref, spec->bits, body,
                                          writer.len, err);
}

static int make_key_on_card(struct schsm_session *session, struct generation *generation,
                            struct schsm_error *err)
{
    schsm_log(SCHSM_LOG_INFO, "device %s makes key reference %u", schsm_session_name(session),
              generation->key_ref);
    /* Once the command is under way there may be a key, even where the answer gets lost. */
    if (generation->spec->type == SCHSM_KEY_AES ? make_aes_on_card(session, generation, err)
                                                : make_pair_on_card(session, generation, err)) {
        return 1;
    }
    if (session->card.result == SCHSM_TRANSPORT_OK) {
        generation->key_made = false; /* the card refused */
    }
    return 0;
}

static int fail_other_key(struct schsm_error *err)
{
    return schsm_fail(err, SCHSM_REASON_DEVICE_DATA,
                      "the device made another key than it was asked for");
}

/* 19.5: firmware that was built without Edwards curves makes such a key without a word. */
static int check_ecx_key(const struct generation *generation, const struct schsm_cvc_key *key,
                         struct schsm_error *err)
{
    const struct schsm_ecx *made = schsm_ecx_by_type(key->type);

    if (made == generation->ecx) {
        return 1;
    }
    return made == NULL ? fail_other_key(err)
                        : schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                                     "the device's firmware has no %s: it made an %s key instead, "
                                     "which is not kept",
                                     generation->ecx->name, made->name);
}

/* Whether the key is what was asked for, so that nobody trusts a weaker one. */
static int check_key(const struct generation *generation, const struct schsm_cvc_key *key,
                     struct schsm_error *err)
{
    const struct schsm_generate *spec = generation->spec;
    struct schsm_view asked = { spec->exponent, spec->exponent_len };
    const struct schsm_curve *curve = NULL;
    struct schsm_view exponent = key->exponent;

    if (generation->ecx != NULL) {
        return check_ecx_key(generation, key, err);
    }
    if (key->type != spec->type) {
        return fail_other_key(err);
    }
    if (key->type == SCHSM_KEY_EC) {
        if (!schsm_cvc_curve(key, NULL, &curve, err)) {
            return 0;
        }
        return curve == generation->curve ? 1 : fail_other_key(err);
    }
    if (spec->exponent == NULL) {
        asked = (struct schsm_view){ f4, sizeof(f4) };
    }
    while (exponent.len > 0 && *exponent.data == 0) {
        exponent.data++;
        exponent.len--;
    }
    if (key->modulus.len != spec->bits / 8 || (key->modulus.data[0] & 0x80) == 0 ||
        !schsm_view_equal(exponent, asked)) {
        return fail_other_key(err);
    }
    return 1;
}

/*
 * The card must hold the private key to the public one that it tells. The signature in the request
 * proves it (11.4), or where the key cannot sign an agreement; a key that was made for neither is
 * believed.
 */
static int prove_key(struct schsm_session *session, const struct generation *generation,
                     const struct schsm_cvc *request, struct schsm_error *err)
{
    const struct schsm_generate *spec = generation->spec;

    if (generation->ecx == NULL || generation->ecx->signature_len > 0) {
        return schsm_cvc_verify(&request->key, NULL, request->body.data, request->body.len,
                                request->signature.data, request->signature.len, err);
    }
    return (spec->algorithms != NULL &&
            memchr(spec->algorithms, SCHSM_ALGORITHM_ECDH, spec->algorithms_len) == NULL) ||
           schsm_card_prove_agreement(session, generation->key_ref, generation->ecx,
                                      request->key.point, err);
}

/* Reads the request that came with the key. */
static int take_public_key(struct schsm_session *session, struct generation *generation,
                           struct schsm_error *err)
{
    struct schsm_cvc_request request;
    uint8_t *file = NULL;
    size_t len = 0;
    int ok;

    if (generation->spec->type == SCHSM_KEY_AES) {
        return 1;
    }
    ok =
        schsm_card_read_file(&session->card, SCHSM_FILE_CERTIFICATE | generation->key_ref,
                             SCHSM_FORM_TLV, &file, &len, err) &&
        schsm_cvc_parse_request(file, len, &request, err) &&
        check_key(generation, &request.cvc.key, err) &&
        prove_key(session, generation, &request.cvc, err) &&
        schsm_cvc_public_key(&request.cvc.key, NULL, &generation->spki, &generation->spki_len, err);
    OPENSSL_free(file);
    return ok;
}

static int write_description(struct schsm_session *session, struct generation *generation,
                             struct schsm_error *err)
{
    generation->unfinished = generation->key_ref;
    return schsm_card_write_file(&session->card, SCHSM_FILE_KEY_DESCRIPTION | generation->key_ref,
                                 generation->encoded, generation->encoded_len, err);
}

/* Where the id is left to us, so many random bytes are no other key's, and none of them need be
 * asked. */
#define ID_CHOSEN_LEN 8

static int choose_new_id(struct schsm_session *session, struct generation *generation,
                         struct schsm_error *err)
{
    const struct schsm_generate *spec = generation->spec;
    struct schsm_pkcs15_key *description = &generation->description;

    if (spec->id != NULL) {
        return schsm_card_choose_id(session, &generation->files, spec->id, spec->id_len, 0,
                                    description->id, &description->id_len, err);
    }
    description->id_len = ID_CHOSEN_LEN;
    return getentropy(description->id, ID_CHOSEN_LEN) == 0
               ? 1
               : schsm_fail(err, SCHSM_REASON_CRYPTO, "this machine gives no random numbers");
}

static int describe_key(struct schsm_session *session, struct generation *generation,
                        struct schsm_error *err)
{
    struct schsm_pkcs15_key *description = &generation->description;
    const struct schsm_generate *spec = generation->spec;

    description->type = spec->type;
    description->bits = generation->curve != NULL ? generation->curve->bits
                        : generation->ecx != NULL ? generation->ecx->bits
                                                  : spec->bits;
    if (spec->label != NULL) {
        (void)snprintf(description->label, sizeof(description->label), "%s", spec->label);
    }
    generation->encoded_len = sizeof(generation->encoded);
    return schsm_pkcs15_encode_key(description, generation->encoded, &generation->encoded_len,
                                   err) &&
           write_description(session, generation, err);
}

/* A Pico HSM writes a description of its own over ours: ours again, which replaces it whole (4.4).
 */
static int keep_description(struct schsm_session *session, struct generation *generation,
                            struct schsm_error *err)
{
    const struct schsm_card_kind *kind = schsm_session_kind(session, err);

    return kind != NULL && (!kind->describes_keys || write_description(session, generation, err));
}

/* Removes what an attempt left. What failed stays what failed. */
static void remove_unfinished_key(struct schsm_session *session, struct generation *generation)
{
    unsigned int ref = generation->unfinished;

    if (ref != 0 && session->card.result == SCHSM_TRANSPORT_OK &&
        (!generation->key_made ||
         (schsm_card_delete_if_there(session, SCHSM_FILE_KEY | ref) &&
          schsm_card_delete_if_there(session, SCHSM_FILE_CERTIFICATE | ref))) &&
        schsm_card_delete_if_there(session, SCHSM_FILE_KEY_DESCRIPTION | ref)) {
        generation->unfinished = 0;
        generation->key_made = false;
    }
}

/*
 * The attempt before this one broke off while the card made its key or after that. Whatever is
 * there under that reference is ours if nobody described it meanwhile, as other programs do first
 * thing, or if the description is the one that we were about to write.
 */
static int remove_earlier_key(struct schsm_session *session, struct generation *generation,
                              struct schsm_error *err)
{
    const struct schsm_pkcs15_key *ours = &generation->description;
    struct schsm_pkcs15_key found;
    bool exists = false;

    if (generation->unfinished == 0) {
        return 1;
    }
    if (!schsm_card_read_description(session, (int)generation->unfinished, &found, &exists, err)) {
        return 0;
    }
    if (!exists || (found.id_len == ours->id_len && strcmp(found.label, ours->label) == 0 &&
                    memcmp(found.id, ours->id, ours->id_len) == 0)) {
        remove_unfinished_key(session, generation);
    } else {
        schsm_log(SCHSM_LOG_INFO, "key reference %u was described by another program: it stays",
                  generation->unfinished);
    }
    generation->unfinished = 0;
    generation->key_made = false;
    return 1;
}

/* What some kinds of card would make otherwise than asked, without a word. */
static int check_kind(struct schsm_session *session, const struct schsm_generate *spec,
                      struct schsm_error *err)
{
    const struct schsm_view asked = { spec->exponent, spec->exponent_len };
    const struct schsm_card_kind *kind;

    if (spec->type != SCHSM_KEY_RSA || spec->exponent == NULL ||
        schsm_view_equal(asked, (struct schsm_view){ f4, sizeof(f4) })) {
        return 1;
    }
    kind = schsm_session_kind(session, err);
    if (kind == NULL) {
        return 0;
    }
    if (!kind->exponent_fixed) {
        return 1;
    }
    session->card.status_word = 0;
    return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                      "a %s has RSA keys with the public exponent 65537 and no other; no key was "
                      "made",
                      kind->name);
}

static int generate_on_card(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    struct generation *generation = arg;
    const struct schsm_generate *spec = generation->spec;

    OPENSSL_free(generation->spki);
    generation->spki = NULL;
    if (!check_kind(session, spec, err) || !remove_earlier_key(session, generation, err)) {
        return 0;
    }
    memset(&generation->description, 0, sizeof(generation->description));
    if (!schsm_card_list_files(session, &generation->files, err) ||
        !schsm_card_choose_key_ref(&generation->files, spec->key_ref, &generation->key_ref, err) ||
        !choose_new_id(session, generation, err) ||
        !schsm_card_clear_key_ref(session, &generation->files, generation->key_ref, err)) {
        return 0;
    }
    if (describe_key(session, generation, err) && make_key_on_card(session, generation, err) &&
        take_public_key(session, generation, err) && keep_description(session, generation, err)) {
        generation->unfinished = 0;
        return 1;
    }
    remove_unfinished_key(session, generation);
    return 0;
}

static int check_key_for_card(struct generation *generation, struct schsm_error *err)
{
    const struct schsm_generate *spec = generation->spec;

    if (spec->id != NULL && (spec->id_len == 0 || spec->id_len > SCHSM_ID_MAX)) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "an id has 1 to %d bytes", SCHSM_ID_MAX);
    }
    if (spec->label != NULL && strlen(spec->label) > SCHSM_LABEL_MAX) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "a label has at most %d bytes",
                          SCHSM_LABEL_MAX);
    }
    if (spec->has_key_domain && spec->key_domain > 255) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "there is no key domain %u",
                          spec->key_domain);
    }
    if (spec->type == SCHSM_KEY_RSA) {
        return 1;
    }
    if (spec->type == SCHSM_KEY_AES) {
        return spec->bits == 128 || spec->bits == 192 || spec->bits == 256
                   ? 1
                   : schsm_fail(err, SCHSM_REASON_ARGUMENT,
                                "the device makes AES keys of 128, 192 or 256 bits, not of %u",
                                spec->bits);
    }
    generation->ecx = schsm_ecx_by_type(spec->type);
    if (generation->ecx != NULL) {
        return 1;
    }
    if (spec->type != SCHSM_KEY_EC) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "a key is RSA, EC, AES, Ed25519, Ed448, X25519 or X448");
    }
    generation->curve = schsm_curve_by_nid(spec->curve_nid);
    if (generation->curve == NULL) {
        return schsm_fail(
            err, SCHSM_REASON_UNSUPPORTED,
            "a SmartCard-HSM has no keys on this curve, but on P-192, P-256, P-384, P-521, "
            "secp192k1, secp256k1, and brainpoolP192r1 to brainpoolP512r1");
    }
    return 1;
}

static int fill_made_key(struct schsm_object *made, struct generation *generation)
{
    const struct schsm_pkcs15_key *description = &generation->description;

    memset(made, 0, sizeof(*made));
    made->type = description->type == SCHSM_KEY_AES ? SCHSM_OBJECT_SECRET : SCHSM_OBJECT_PRIVATE;
    made->handle = SCHSM_FILE_KEY | generation->key_ref;
    made->key_ref = (int)generation->key_ref;
    made->described = true;
    memcpy(made->id, description->id, description->id_len);
    made->id_len = description->id_len;
    memcpy(made->label, description->label, sizeof(made->label));
    made->key_type = description->type;
    made->bits = description->bits;
    made->value = generation->spki;
    made->value_len = generation->spki_len;
    generation->spki = NULL;
    return 1;
}

int schsm_card_device_generate(struct schsm_device *dev, const struct schsm_generate *spec,
                               const struct schsm_login *login, struct schsm_object *made,
                               struct schsm_error *err)
{
    struct generation *generation = OPENSSL_zalloc(sizeof(*generation));
    struct schsm_job job = { .run = generate_on_card,
                             .arg = generation,
                             .login = login,
                             .transaction = true,
                             .object = "new key" };
    int ok = 0;

    if (generation == NULL) {
        return schsm_fail_memory(err);
    }
    generation->spec = spec;
    if (!check_key_for_card(generation, err)) {
        goto done;
    }
    ok = schsm_session_run(schsm_card_session(dev), &job, err);
    if (ok) {
        ok = fill_made_key(made, generation);
    } else if (generation->key_made) {
        schsm_fail_context(err,
                           "key reference %u may have been left on the device and should be "
                           "deleted",
                           generation->unfinished);
    }

done:
    OPENSSL_free(generation->spki);
    OPENSSL_free(generation);
    return ok;
}
