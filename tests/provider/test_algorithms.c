/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every dispatch table of the module as it is installed, and every algorithm that it offers, in
 * both orders with the default provider.
 */
#include "module.h"

#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/kdf.h>
#include <openssl/store.h>

#define TABLE_MAX 64 /* entries that no dispatch table of libcrypto's comes near to */
#define ALGORITHMS_MAX 256
#define OPERATION_MAX 64  /* numbers of operations that libcrypto might ever ask for */
#define FUNCTION_MAX 2000 /* numbers of functions */

/* --- tables ------------------------------------------------------------------------------------
 */

static void check_dispatch(const char *names, const OSSL_DISPATCH *table)
{
    int seen[TABLE_MAX];
    size_t count = 0;

    assert_non_null(table);
    for (; table[count].function_id != 0; count++) {
        assert_true(count < TABLE_MAX);
        assert_non_null(table[count].function);
        assert_true(table[count].function_id > 0 && table[count].function_id <= FUNCTION_MAX);
        for (size_t i = 0; i < count; i++) {
            if (seen[i] == table[count].function_id) {
                fail_msg("%s: function %d is there twice", names, seen[i]);
            }
        }
        seen[count] = table[count].function_id;
    }
    assert_null(table[count].function);
    assert_true(count > 0);
}

static void tables_are_ended_properly_and_hold_nothing_twice(void **state)
{
    size_t operations = 0;

    (void)state;
    for (int operation = 1; operation <= OPERATION_MAX; operation++) {
        int no_cache = -1;
        const OSSL_ALGORITHM *algorithms =
            OSSL_PROVIDER_query_operation(module, operation, &no_cache);

        if (algorithms == NULL) {
            continue;
        }
        operations++;
        assert_int_equal(no_cache, 0);
        assert_ptr_equal(algorithms, OSSL_PROVIDER_query_operation(module, operation, &no_cache));
        for (const OSSL_ALGORITHM *a = algorithms; a->algorithm_names != NULL; a++) {
            assert_true(a - algorithms < ALGORITHMS_MAX);
            assert_memory_equal(a->property_definition, OURS, strlen(OURS));
            assert_true(a->algorithm_description != NULL && a->algorithm_description[0] != '\0');
            check_dispatch(a->algorithm_names, a->implementation);
            for (const OSSL_ALGORITHM *b = algorithms; b < a; b++) {
                if (strcmp(a->algorithm_names, b->algorithm_names) == 0 &&
                    strcmp(a->property_definition, b->property_definition) == 0) {
                    fail_msg("%s (%s) is there twice", a->algorithm_names, a->property_definition);
                }
            }
        }
    }
    assert_true(operations >= 7);
}

/* --- names -------------------------------------------------------------------------------------
 */

/* 1 where the algorithm of that name, with these properties, is ours and goes by the alias too. */
static int fetched(int operation, const char *name, const char *properties, const char *alias)
{
    const OSSL_PROVIDER *from = NULL;
    int is_a = 0;

    switch (operation) {
    case OSSL_OP_KEYMGMT: {
        EVP_KEYMGMT *found = EVP_KEYMGMT_fetch(libctx, name, properties);

        from = found != NULL ? EVP_KEYMGMT_get0_provider(found) : NULL;
        is_a = found != NULL && EVP_KEYMGMT_is_a(found, alias);
        EVP_KEYMGMT_free(found);
        break;
    }
    case OSSL_OP_SIGNATURE: {
        EVP_SIGNATURE *found = EVP_SIGNATURE_fetch(libctx, name, properties);

        from = found != NULL ? EVP_SIGNATURE_get0_provider(found) : NULL;
        is_a = found != NULL && EVP_SIGNATURE_is_a(found, alias);
        EVP_SIGNATURE_free(found);
        break;
    }
    case OSSL_OP_ASYM_CIPHER: {
        EVP_ASYM_CIPHER *found = EVP_ASYM_CIPHER_fetch(libctx, name, properties);

        from = found != NULL ? EVP_ASYM_CIPHER_get0_provider(found) : NULL;
        is_a = found != NULL && EVP_ASYM_CIPHER_is_a(found, alias);
        EVP_ASYM_CIPHER_free(found);
        break;
    }
    case OSSL_OP_KEYEXCH: {
        EVP_KEYEXCH *found = EVP_KEYEXCH_fetch(libctx, name, properties);

        from = found != NULL ? EVP_KEYEXCH_get0_provider(found) : NULL;
        is_a = found != NULL && EVP_KEYEXCH_is_a(found, alias);
        EVP_KEYEXCH_free(found);
        break;
    }
    case OSSL_OP_KEM: {
        EVP_KEM *found = EVP_KEM_fetch(libctx, name, properties);

        from = found != NULL ? EVP_KEM_get0_provider(found) : NULL;
        is_a = found != NULL && EVP_KEM_is_a(found, alias);
        EVP_KEM_free(found);
        break;
    }
    case OSSL_OP_STORE: {
        OSSL_STORE_LOADER *found = OSSL_STORE_LOADER_fetch(libctx, name, properties);

        from = found != NULL ? OSSL_STORE_LOADER_get0_provider(found) : NULL;
        is_a = found != NULL && OSSL_STORE_LOADER_is_a(found, alias);
        OSSL_STORE_LOADER_free(found);
        break;
    }
    case OSSL_OP_DECODER: {
        OSSL_DECODER *found = OSSL_DECODER_fetch(libctx, name, properties);

        from = found != NULL ? OSSL_DECODER_get0_provider(found) : NULL;
        is_a = found != NULL && OSSL_DECODER_is_a(found, alias);
        OSSL_DECODER_free(found);
        break;
    }
    case OSSL_OP_ENCODER: {
        OSSL_ENCODER *found = OSSL_ENCODER_fetch(libctx, name, properties);

        from = found != NULL ? OSSL_ENCODER_get0_provider(found) : NULL;
        is_a = found != NULL && OSSL_ENCODER_is_a(found, alias);
        OSSL_ENCODER_free(found);
        break;
    }
    case OSSL_OP_CIPHER: {
        EVP_CIPHER *found = EVP_CIPHER_fetch(libctx, name, properties);

        from = found != NULL ? EVP_CIPHER_get0_provider(found) : NULL;
        is_a = found != NULL && EVP_CIPHER_is_a(found, alias);
        EVP_CIPHER_free(found);
        break;
    }
    case OSSL_OP_MAC: {
        EVP_MAC *found = EVP_MAC_fetch(libctx, name, properties);

        from = found != NULL ? EVP_MAC_get0_provider(found) : NULL;
        is_a = found != NULL && EVP_MAC_is_a(found, alias);
        EVP_MAC_free(found);
        break;
    }
    case OSSL_OP_KDF: {
        EVP_KDF *found = EVP_KDF_fetch(libctx, name, properties);

        from = found != NULL ? EVP_KDF_get0_provider(found) : NULL;
        is_a = found != NULL && EVP_KDF_is_a(found, alias);
        EVP_KDF_free(found);
        break;
    }
#ifdef OSSL_OP_SKEYMGMT /* OpenSSL 3.5 */
    case OSSL_OP_SKEYMGMT: {
        EVP_SKEYMGMT *found = EVP_SKEYMGMT_fetch(libctx, name, properties);

        from = found != NULL ? EVP_SKEYMGMT_get0_provider(found) : NULL;
        is_a = found != NULL && EVP_SKEYMGMT_is_a(found, alias);
        EVP_SKEYMGMT_free(found);
        break;
    }
#endif
    default:
        fail_msg("operation %d is offered and not tested", operation);
    }
    return from == module && is_a;
}

static void each_algorithm_is_fetched_by_each_of_its_names(void **state)
{
    size_t names_seen = 0;

    (void)state;
    for (int operation = 1; operation <= OPERATION_MAX; operation++) {
        int no_cache = -1;
        const OSSL_ALGORITHM *a = OSSL_PROVIDER_query_operation(module, operation, &no_cache);

        for (; a != NULL && a->algorithm_names != NULL; a++) {
            char names[200], *rest = names, *name;

            assert_true(strlen(a->algorithm_names) < sizeof(names));
            memcpy(names, a->algorithm_names, strlen(a->algorithm_names) + 1);
            while ((name = strtok_r(rest, ":", &rest)) != NULL) {
                char alias[sizeof(names)];
                size_t len = strcspn(a->algorithm_names, ":");

                memcpy(alias, a->algorithm_names, len);
                alias[len] = '\0';
                if (!fetched(operation, name, a->property_definition, alias) ||
                    !fetched(operation, alias, a->property_definition, name)) {
                    fail_msg("operation %d: %s (%s) is not to be had", operation, name,
                             a->property_definition);
                }
                names_seen++;
                assert_no_errors();
            }
        }
    }
    assert_true(names_seen > 60);
}

/* --- without a device --------------------------------------------------------------------------
 */

static void what_needs_a_device_says_so(void **state)
{
    static const char *const names[] = { "SC-HSM-RSA", "SC-HSM-RSA-PSS", "SC-HSM-EC" };
    OSSL_STORE_CTX *store;
    OSSL_STORE_INFO *info = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(libctx, names[i], NULL);
        EVP_PKEY *key = NULL;

        assert_non_null(ctx);
        assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
        if (i == 2) {
            assert_int_equal(EVP_PKEY_CTX_set_group_name(ctx, "P-256"), 1);
        }
        assert_no_errors();
        assert_true(EVP_PKEY_generate(ctx, &key) <= 0);
        assert_null(key);
        assert_error_says("PC/SC");
        EVP_PKEY_CTX_free(ctx);
    }
    store = OSSL_STORE_open_ex("sc-hsm:", libctx, NULL, NULL, NULL, NULL, NULL, NULL);
    if (store != NULL) {
        info = OSSL_STORE_load(store);
    }
    assert_null(info);
    assert_error_says("PC/SC");
    OSSL_STORE_close(store);
    ERR_clear_error();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_ended_properly_and_hold_nothing_twice),
        cmocka_unit_test(each_algorithm_is_fetched_by_each_of_its_names),
        cmocka_unit_test(what_needs_a_device_says_so),
    };

    return run_with_module(tests);
}
