/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever is asked of key encapsulation with a software key, our provider answers as the default
 * provider alone does, in both orders. No device is reachable here.
 */
#include "reference.h"
#include "samples.h"

#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#ifdef OSSL_FUNC_KEM_AUTH_ENCAPSULATE_INIT
#include <openssl/decoder.h>
#include <openssl/hpke.h>
#endif

#define ROOM 600 /* bytes: every encapsulation and every secret */

/* --- every call --------------------------------------------------------------------------------
 */

/* What a call returned, and whether it left errors. */
struct answers {
    int list[64];
    size_t count;
};

static void note(struct answers *answers, int returned)
{
    assert_true(answers->count + 2 <= COUNT(answers->list));
    answers->list[answers->count++] = returned;
    answers->list[answers->count++] = returned > 0 && ERR_peek_error() != 0;
    ERR_clear_error();
}

static void note_length(struct answers *answers, size_t len)
{
    answers->list[answers->count++] = (int)len;
}

static void operation_params(const char *operation, OSSL_PARAM params[2])
{
    params[0] = operation == NULL ? OSSL_PARAM_construct_end()
                                  : OSSL_PARAM_construct_utf8_string(OSSL_KEM_PARAM_OPERATION,
                                                                     (char *)operation, 0);
    params[1] = OSSL_PARAM_construct_end();
}

/* All that can be asked of one context; wrapped and secret: what the last call gave. */
static void ask_to_encapsulate(EVP_PKEY_CTX *ctx, struct answers *answers,
                               unsigned char wrapped[ROOM], size_t *wrapped_len)
{
    unsigned char secret[ROOM];
    size_t secret_len = 0, len = 0;

    *wrapped_len = 0;
    note(answers, EVP_PKEY_encapsulate(ctx, NULL, &len, NULL, &secret_len));
    note_length(answers, len);
    note_length(answers, secret_len);
    len = secret_len = ROOM;
    note(answers, EVP_PKEY_encapsulate(ctx, wrapped, &len, secret, &secret_len));
    note_length(answers, len);
    note_length(answers, secret_len);
    *wrapped_len = len;
    note(answers, EVP_PKEY_encapsulate(ctx, wrapped, &len, NULL, NULL));
    note(answers, EVP_PKEY_decapsulate(ctx, secret, &secret_len, wrapped, len));
}

static void ask_to_decapsulate(EVP_PKEY_CTX *ctx, struct answers *answers,
                               const unsigned char *wrapped, size_t wrapped_len,
                               unsigned char secret[ROOM])
{
    size_t len = 0;

    memset(secret, 0, ROOM);
    note(answers, EVP_PKEY_decapsulate(ctx, NULL, &len, wrapped, wrapped_len));
    note_length(answers, len);
    len = ROOM;
    note(answers, EVP_PKEY_decapsulate(ctx, secret, &len, wrapped, wrapped_len - 1));
    len = ROOM;
    note(answers, EVP_PKEY_decapsulate(ctx, secret, &len, wrapped, wrapped_len));
    note_length(answers, len);
    note(answers, EVP_PKEY_encapsulate(ctx, NULL, &len, NULL, &len));
}

static void compare(const struct sample *sample, const char *operation, const char *what,
                    const struct answers *ours, const struct answers *theirs)
{
    assert_int_equal(ours->count, theirs->count);
    for (size_t i = 0; i < ours->count; i++) {
        if (ours->list[i] != theirs->list[i]) {
            fail_msg("%s, %s, %s: answer %zu is %d instead of %d", sample->what, what,
                     operation != NULL ? operation : "no operation", i, ours->list[i],
                     theirs->list[i]);
        }
    }
}

static EVP_PKEY_CTX *start(EVP_PKEY *key, OSSL_LIB_CTX *in, const char *operation, int decapsulate,
                           struct answers *answers)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(in, key, NULL);
    unsigned int one = 1;
    OSSL_PARAM params[2],
        unknown[] = { OSSL_PARAM_construct_uint("nonsense", &one), OSSL_PARAM_construct_end() };

    operation_params(operation, params);
    note(answers, decapsulate ? EVP_PKEY_decapsulate_init(ctx, params)
                              : EVP_PKEY_encapsulate_init(ctx, params));
    note(answers, EVP_PKEY_CTX_set_params(ctx, unknown));
    note(answers, EVP_PKEY_CTX_get_params(ctx, unknown));
    note(answers, EVP_PKEY_CTX_set_kem_op(ctx, "nonsense"));
    note_length(answers, EVP_PKEY_CTX_settable_params(ctx) != NULL);
    note_length(answers, EVP_PKEY_CTX_gettable_params(ctx) != NULL);
    ERR_clear_error();
    return ctx;
}

static int ask_everything(const struct sample *sample, const char *operation, EVP_PKEY *ours,
                          EVP_PKEY *theirs)
{
    struct answers our = { { 0 }, 0 }, their = { { 0 }, 0 };
    unsigned char wrapped[ROOM], other[ROOM], our_secret[ROOM], their_secret[ROOM];
    size_t wrapped_len = 0, other_len = 0;
    EVP_PKEY_CTX *ctx = start(ours, libctx, operation, 0, &our);

    ask_to_encapsulate(ctx, &our, other, &other_len);
    EVP_PKEY_CTX_free(ctx);
    ctx = start(theirs, judge, operation, 0, &their);
    ask_to_encapsulate(ctx, &their, wrapped, &wrapped_len);
    EVP_PKEY_CTX_free(ctx);
    compare(sample, operation, "encapsulation", &our, &their);
    for (int i = 0; i < 2 && wrapped_len > 0; i++) { /* what the one made, and what the other did */
        our.count = their.count = 0;
        ctx = start(ours, libctx, operation, 1, &our);
        ask_to_decapsulate(ctx, &our, i == 0 ? wrapped : other, wrapped_len, our_secret);
        EVP_PKEY_CTX_free(ctx);
        ctx = start(theirs, judge, operation, 1, &their);
        ask_to_decapsulate(ctx, &their, i == 0 ? wrapped : other, wrapped_len, their_secret);
        EVP_PKEY_CTX_free(ctx);
        /* Each has a key of its own there. */
        if (comparable(sample)) {
            compare(sample, operation, "decapsulation", &our, &their);
            assert_memory_equal(our_secret, their_secret, ROOM);
        }
    }
    return wrapped_len > 0 && wrapped_len < ROOM;
}

static void every_call_is_answered_as_by_the_default_provider(void **state)
{
    static const char *const operations[] = { NULL, "RSASVE", "DHKEM", "rsasve", "nonsense" };
    int done = 0;

    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        EVP_PKEY *ours = NULL, *theirs = NULL;

        make_pair(&samples[i], &ours, &theirs);
        for (size_t o = 0; o < COUNT(operations); o++) {
            done += ask_everything(&samples[i], operations[o], ours, theirs);
        }
        EVP_PKEY_free(ours);
        EVP_PKEY_free(theirs);
    }
    print_message("%d contexts encapsulated\n", done);
    assert_true(done >= 4);
}

/* --- authenticated senders ---------------------------------------------------------------------
 */

#ifdef OSSL_FUNC_KEM_AUTH_ENCAPSULATE_INIT

/* 1: the secrets are equal; else what failed */
static int authenticated(OSSL_LIB_CTX *in, EVP_PKEY *to, EVP_PKEY *from)
{
    unsigned char wrapped[ROOM], secret[ROOM], again[ROOM];
    size_t wrapped_len = ROOM, len = ROOM, again_len = ROOM;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(in, to, NULL);
    OSSL_PARAM params[2];
    int done = 0;

    operation_params("DHKEM", params);
    done = EVP_PKEY_auth_encapsulate_init(ctx, from, params);
    if (done > 0) {
        done = EVP_PKEY_encapsulate(ctx, wrapped, &wrapped_len, secret, &len);
    }
    if (done > 0) {
        done = EVP_PKEY_auth_decapsulate_init(ctx, from, params);
    }
    if (done > 0) {
        done = EVP_PKEY_decapsulate(ctx, again, &again_len, wrapped, wrapped_len);
    }
    if (done > 0) {
        assert_int_equal(len, again_len);
        assert_memory_equal(secret, again, len);
        assert_no_errors();
    }
    ERR_clear_error();
    EVP_PKEY_CTX_free(ctx);
    return done;
}

static void senders_are_authenticated_as_by_the_default_provider(void **state)
{
    int done = 0;

    (void)state;
    for (size_t i = 5; i < SAMPLES; i++) {
        EVP_PKEY *to[2], *from[2];

        make_pair(&samples[i], &to[0], &to[1]);
        for (size_t j = 5; j < SAMPLES; j++) {
            int ours, theirs;

            make_pair(&samples[j], &from[0], &from[1]);
            ours = authenticated(libctx, to[0], from[0]);
            theirs = authenticated(judge, to[1], from[1]);
            if (ours != theirs) {
                fail_msg("%s from %s: %d instead of %d", samples[i].what, samples[j].what, ours,
                         theirs);
            }
            done += theirs > 0;
            EVP_PKEY_free(from[0]);
            EVP_PKEY_free(from[1]);
        }
        EVP_PKEY_free(to[0]);
        EVP_PKEY_free(to[1]);
    }
    assert_true(done > 0);
}

/* --- HPKE --------------------------------------------------------------------------------------
 */

static const struct kind {
    const char *name;
    unsigned int id;
} kinds[] = {
    { "P-256", OSSL_HPKE_KEM_ID_P256 }, { "P-384", OSSL_HPKE_KEM_ID_P384 },
    { "P-521", OSSL_HPKE_KEM_ID_P521 }, { "X25519", OSSL_HPKE_KEM_ID_X25519 },
    { "X448", OSSL_HPKE_KEM_ID_X448 },
};

/* What is sealed with a key of that seed, for one of another; freed by the caller. */
static EVP_PKEY *sealed(OSSL_LIB_CTX *in, const char *properties, const struct kind *kind, int mode,
                        unsigned char out[ROOM], size_t *out_len)
{
    const OSSL_HPKE_SUITE suite = { (uint16_t)kind->id, OSSL_HPKE_KDF_ID_HKDF_SHA384,
                                    OSSL_HPKE_AEAD_ID_AES_GCM_256 };
    unsigned char seed[66] = "the seed of the recipient's key", public_key[ROOM], opened[ROOM],
                  auth_public[ROOM];
    static const unsigned char text[] = "to be sealed";
    size_t public_len = sizeof(public_key), enc_len = ROOM, opened_len = ROOM,
           auth_len = sizeof(auth_public);
    EVP_PKEY *key = NULL, *auth = NULL;
    OSSL_HPKE_CTX *sender = OSSL_HPKE_CTX_new(mode, suite, OSSL_HPKE_ROLE_SENDER, in, properties);
    OSSL_HPKE_CTX *receiver =
        OSSL_HPKE_CTX_new(mode, suite, OSSL_HPKE_ROLE_RECEIVER, in, properties);

    assert_non_null(sender);
    assert_non_null(receiver);
    assert_int_equal(
        OSSL_HPKE_keygen(suite, public_key, &public_len, &key, seed, sizeof(seed), in, properties),
        1);
    seed[0] ^= 1;
    assert_int_equal(
        OSSL_HPKE_keygen(suite, auth_public, &auth_len, &auth, seed, sizeof(seed), in, properties),
        1);
    if (mode == OSSL_HPKE_MODE_AUTH) {
        assert_int_equal(OSSL_HPKE_CTX_set1_authpriv(sender, auth), 1);
        assert_int_equal(OSSL_HPKE_CTX_set1_authpub(receiver, auth_public, auth_len), 1);
    }
    seed[0] ^= 2;
    assert_int_equal(OSSL_HPKE_CTX_set1_ikme(sender, seed, sizeof(seed)), 1);
    assert_int_equal(OSSL_HPKE_encap(sender, out, &enc_len, public_key, public_len, NULL, 0), 1);
    *out_len = ROOM - enc_len;
    assert_int_equal(OSSL_HPKE_seal(sender, out + enc_len, out_len, NULL, 0, text, sizeof(text)),
                     1);
    assert_int_equal(OSSL_HPKE_decap(receiver, out, enc_len, key, NULL, 0), 1);
    assert_int_equal(
        OSSL_HPKE_open(receiver, opened, &opened_len, NULL, 0, out + enc_len, *out_len), 1);
    assert_int_equal(opened_len, sizeof(text));
    assert_memory_equal(opened, text, opened_len);
    *out_len += enc_len;
    EVP_PKEY_free(auth);
    OSSL_HPKE_CTX_free(sender);
    OSSL_HPKE_CTX_free(receiver);
    assert_no_errors();
    return key;
}

static void hpke_seals_the_same_bytes(void **state)
{
    static const char *const properties[] = { NULL, "?provider=sc-hsm", "?provider=default" };
    static const int modes[] = { OSSL_HPKE_MODE_BASE, OSSL_HPKE_MODE_AUTH };

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        for (size_t m = 0; m < COUNT(modes); m++) {
            unsigned char theirs[ROOM], ours[ROOM];
            size_t their_len, our_len;

            EVP_PKEY_free(sealed(judge, NULL, &kinds[i], modes[m], theirs, &their_len));
            for (size_t p = 0; p < COUNT(properties); p++) {
                EVP_PKEY *key = sealed(libctx, properties[p], &kinds[i], modes[m], ours, &our_len);

                if (p == 1) {
                    assert_ptr_equal(EVP_PKEY_get0_provider(key), module);
                }
                assert_int_equal(our_len, their_len);
                assert_memory_equal(ours, theirs, our_len);
                EVP_PKEY_free(key);
            }
        }
    }
}

/* A sender whose key is on the device, which the default provider cannot have: it is told so. */
static void a_key_on_the_device_is_not_exported_to_be_a_sender(void **state)
{
    EVP_PKEY *to = EVP_PKEY_Q_keygen(libctx, THEIRS, "EC", "P-256"), *from = NULL;
    unsigned char buffer[1000], *reference = NULL;
    const unsigned char *p = NULL;
    size_t len = make_reference(to, buffer, &reference);
    OSSL_DECODER_CTX *decoder =
        OSSL_DECODER_CTX_new_for_pkey(&from, "DER", NULL, "EC", EVP_PKEY_KEYPAIR, libctx, NULL);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, to, NULL);
    OSSL_PARAM params[2];

    (void)state;
    p = reference;
    assert_int_equal(OSSL_DECODER_from_data(decoder, &p, &len), 1);
    OSSL_DECODER_CTX_free(decoder);
    operation_params("DHKEM", params);
    assert_true(EVP_PKEY_auth_encapsulate_init(ctx, from, params) <= 0);
    assert_error_says("stays on the SmartCard-HSM");
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(from);
    EVP_PKEY_free(to);
    for (size_t i = 0; i < COUNT(kinds); i++) { /* and all else goes on */
        unsigned char bytes[ROOM];

        EVP_PKEY_free(sealed(libctx, NULL, &kinds[i], OSSL_HPKE_MODE_AUTH, bytes, &len));
    }
}

#endif

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_is_answered_as_by_the_default_provider),
#ifdef OSSL_FUNC_KEM_AUTH_ENCAPSULATE_INIT
        cmocka_unit_test(senders_are_authenticated_as_by_the_default_provider),
        cmocka_unit_test(hpke_seals_the_same_bytes),
        cmocka_unit_test(a_key_on_the_device_is_not_exported_to_be_a_sender),
#endif
    };

    return run_with_judge(tests);
}
