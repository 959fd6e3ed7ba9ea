/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parameters of software keys that our provider holds are the default provider's, all of them;
 * those of a key that is to be made on a device are what a device can do.
 */
#include "samples.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/params.h>

/* --- lists -------------------------------------------------------------------------------------
 */

static size_t names_seen;

static void all_in(const char *what, const OSSL_PARAM *theirs, const OSSL_PARAM *ours)
{
    for (; theirs != NULL && theirs->key != NULL; theirs++) {
        if (ours == NULL || OSSL_PARAM_locate_const(ours, theirs->key) == NULL) {
            fail_msg("%s: %s is missing", what, theirs->key);
        }
        names_seen++;
    }
}

static void lists_of_keys_are_the_default_provider_s(void **state)
{
    static const char *const types[] = { "RSA", "RSA-PSS", "EC" };

    (void)state;
    names_seen = 0;
    for (size_t i = 0; i < COUNT(types); i++) {
        EVP_KEYMGMT *ours = EVP_KEYMGMT_fetch(libctx, types[i], OURS);
        EVP_KEYMGMT *theirs = EVP_KEYMGMT_fetch(judge, types[i], NULL);

        for (int again = 0; again < 2; again++) {
            all_in("gettable", EVP_KEYMGMT_gettable_params(theirs),
                   EVP_KEYMGMT_gettable_params(ours));
            all_in("settable", EVP_KEYMGMT_settable_params(theirs),
                   EVP_KEYMGMT_settable_params(ours));
            all_in("generation", EVP_KEYMGMT_gen_settable_params(theirs),
                   EVP_KEYMGMT_gen_settable_params(ours));
        }
        assert_non_null(OSSL_PARAM_locate_const(EVP_KEYMGMT_gen_settable_params(ours), "label"));
        EVP_KEYMGMT_free(ours);
        EVP_KEYMGMT_free(theirs);
    }
    assert_true(names_seen > 50);
}

static void lists_of_operations_are_the_default_provider_s(void **state)
{
    static const struct {
        const char *name;
        int (*init)(EVP_PKEY_CTX *ctx);
    } operations[] = {
        { "sign", EVP_PKEY_sign_init },       { "verify", EVP_PKEY_verify_init },
        { "encrypt", EVP_PKEY_encrypt_init }, { "decrypt", EVP_PKEY_decrypt_init },
        { "derive", EVP_PKEY_derive_init },
    };

    (void)state;
    names_seen = 0;
    for (size_t i = 0; i < SAMPLES; i++) {
        EVP_PKEY *ours = NULL, *theirs = NULL;

        if (samples[i].part != PAIR) {
            continue;
        }
        make_pair(&samples[i], &ours, &theirs);
        for (size_t j = 0; j < COUNT(operations); j++) {
            EVP_PKEY_CTX *mine = EVP_PKEY_CTX_new_from_pkey(libctx, ours, NULL);
            EVP_PKEY_CTX *yours = EVP_PKEY_CTX_new_from_pkey(judge, theirs, NULL);
            int expected = operations[j].init(yours);

            assert_int_equal(operations[j].init(mine), expected);
            if (expected > 0) {
                all_in(operations[j].name, EVP_PKEY_CTX_gettable_params(yours),
                       EVP_PKEY_CTX_gettable_params(mine));
                all_in(operations[j].name, EVP_PKEY_CTX_settable_params(yours),
                       EVP_PKEY_CTX_settable_params(mine));
            }
            EVP_PKEY_CTX_free(mine);
            EVP_PKEY_CTX_free(yours);
            ERR_clear_error();
        }
        EVP_PKEY_free(ours);
        EVP_PKEY_free(theirs);
    }
    assert_true(names_seen > 100);
}

/* --- generation --------------------------------------------------------------------------------
 */

static EVP_PKEY_CTX *start(const char *type)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(libctx, type, OURS);

    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    if (strstr(type, "EC") != NULL) {
        assert_int_equal(EVP_PKEY_CTX_set_group_name(ctx, "P-256"), 1);
    }
    return ctx;
}

static int set_text(EVP_PKEY_CTX *ctx, const char *name, const char *value)
{
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(name, (char *)value, 0),
                            OSSL_PARAM_construct_end() };

    return EVP_PKEY_CTX_set_params(ctx, params) > 0;
}

/* Nothing is made of a parameter that the device cannot honour, wherever in the order it stands. */
static void a_device_key_is_made_as_asked_for_or_not_at_all(void **state)
{
    static const char *const types[] = { "SC-HSM-RSA", "SC-HSM-RSA-PSS", "SC-HSM-EC", "RSA", "EC" };

    (void)state;
    for (size_t i = 0; i < COUNT(types); i++) {
        EVP_PKEY_CTX *ctx = start(types[i]);
        EVP_PKEY *key = NULL;

        set_text(ctx, "dhkem-ikm-or-the-like", "0102");
        assert_int_equal(set_text(ctx, "label", "x"), 1);
        ERR_clear_error();
        assert_true(EVP_PKEY_generate(ctx, &key) <= 0);
        assert_error_says("dhkem-ikm-or-the-like");
        EVP_PKEY_CTX_free(ctx);
        ERR_clear_error();
    }
}

/* Cut after 763 bytes, as it once was, this would be key reference 123. */
static void a_long_parameter_is_refused_and_not_cut(void **state)
{
    static const char *const types[] = { "SC-HSM-RSA", "SC-HSM-EC" };
    static const char *const names[] = { "key-ref", "key-domain" };
    static char value[20000];

    (void)state;
    for (size_t i = 0; i < COUNT(types); i++) {
        for (size_t len = 764; len < sizeof(value); len += 1237) {
            EVP_PKEY_CTX *ctx = start(types[i]);
            EVP_PKEY *key = NULL;

            memset(value, '0', len);
            memcpy(value + 760, "12345", 5);
            value[len > 765 ? len : 765] = '\0';
            for (size_t j = 0; j < COUNT(names); j++) {
                if (set_text(ctx, names[j], value)) {
                    fail_msg("%s of %zu bytes was taken", names[j], len);
                }
            }
            assert_true(EVP_PKEY_generate(ctx, &key) <= 0);
            assert_null(key);
            EVP_PKEY_CTX_free(ctx);
            ERR_clear_error();
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_of_keys_are_the_default_provider_s),
        cmocka_unit_test(lists_of_operations_are_the_default_provider_s),
        cmocka_unit_test(a_device_key_is_made_as_asked_for_or_not_at_all),
        cmocka_unit_test(a_long_parameter_is_refused_and_not_cut),
    };

    return run_with_judge(tests);
}
