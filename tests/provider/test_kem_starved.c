/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory runs out at every single place of a key encapsulation with a key on a device: it fails or
 * succeeds, and where it fails no secret is handed out. Leaks are the sanitizer's to find.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "checks.h"
#include "stand_in.h"

#define ROOM 300        /* bytes: every encapsulation and every secret */
#define STEPS_MAX 20000 /* allocations that none of these comes near to */

static OSSL_LIB_CTX *libctx;
static long left = -1; /* allocations until one fails; negative: none does */

/* Whether this one fails: the one that was chosen, and it alone. What the device does is not meant.
 */
static int fails(void)
{
    return !stand_in_busy && left >= 0 && left-- == 0;
}

static void *allocate(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return size == 0 || fails() ? NULL : malloc(size);
}

static void *reallocate(void *old, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    if (size == 0) {
        free(old);
        return NULL;
    }
    return fails() ? NULL : realloc(old, size);
}

static void give_back(void *old, const char *file, int line)
{
    (void)file;
    (void)line;
    free(old);
}

/* What goes on the wire, and the secret. */
struct wrapped {
    unsigned char data[ROOM], secret[ROOM];
    size_t len, secret_len;
};

struct way {
    const char *operation;
    struct keys *recipient, *sender; /* sender: NULL, or authenticated */
};

static int init(EVP_PKEY_CTX *ctx, const struct way *way, int decapsulate)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KEM_PARAM_OPERATION, (char *)way->operation, 0),
        OSSL_PARAM_construct_end(),
    };

#ifdef OSSL_FUNC_KEM_AUTH_ENCAPSULATE_INIT
    if (way->sender != NULL) {
        return decapsulate ? EVP_PKEY_auth_decapsulate_init(ctx, way->sender->device, params)
                           : EVP_PKEY_auth_encapsulate_init(ctx, way->sender->device, params);
    }
#endif
    return decapsulate ? EVP_PKEY_decapsulate_init(ctx, params)
                       : EVP_PKEY_encapsulate_init(ctx, params);
}

static int encapsulate(const struct way *way, struct wrapped *out)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, way->recipient->device, NULL);
    int ok = 0;

    memset(out, 0, sizeof(*out));
    out->len = out->secret_len = ROOM;
    ok = ctx != NULL && init(ctx, way, 0) > 0 &&
         EVP_PKEY_encapsulate(ctx, out->data, &out->len, out->secret, &out->secret_len) > 0;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

static int decapsulate(const struct way *way, const struct wrapped *in, unsigned char secret[ROOM])
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, way->recipient->device, NULL);
    size_t len = ROOM;
    int ok = 0;

    memset(secret, 0, ROOM);
    ok = ctx != NULL && init(ctx, way, 1) > 0 &&
         EVP_PKEY_decapsulate(ctx, secret, &len, in->data, in->len) > 0;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

/* Through all allocations, until there are no more. */
static void starve(const struct way *way)
{
    static const unsigned char nothing[ROOM];
    struct wrapped good, made;
    unsigned char secret[ROOM];
    long step = 0, failed = 0;
    int ended = 0;

    assert_true(encapsulate(way, &good));
    assert_true(decapsulate(way, &good, secret));
    for (step = 0; !ended && step < STEPS_MAX; step++) {
        int ok = 0;

        left = step;
        ok = decapsulate(way, &good, secret);
        ended = left >= 0;
        left = -1;
        failed += !ok;
        assert_memory_equal(secret, ok ? good.secret : nothing, good.secret_len);
        ERR_clear_error();
    }
    assert_true(ended && failed > 0);
    for (step = 0, ended = 0; !ended && step < STEPS_MAX; step++) {
        int ok = 0;

        left = step;
        ok = encapsulate(way, &made);
        ended = left >= 0;
        left = -1;
        ERR_clear_error();
        if (ok) {
            assert_true(decapsulate(way, &made, secret));
            assert_memory_equal(secret, made.secret, made.secret_len);
        } else if (way->sender != NULL) { /* else it is the default provider's alone */
            assert_memory_equal(made.secret, nothing, ROOM);
            assert_memory_equal(made.data, nothing, ROOM);
        }
    }
    assert_true(ended);
}

static void rsasve(void **state)
{
    struct keys rsa =
        make_keys(libctx, EVP_PKEY_Q_keygen(libctx, "provider=default", "RSA", (size_t)1024));
    const struct way way = { "RSASVE", &rsa, NULL };

    (void)state;
    starve(&way);
    free_keys(&rsa);
}

#ifdef OSSL_FUNC_KEM_AUTH_ENCAPSULATE_INIT
static void dhkem(void **state)
{
    struct keys to =
        make_keys(libctx, EVP_PKEY_Q_keygen(libctx, "provider=default", "EC", "P-256"));
    struct keys from =
        make_keys(libctx, EVP_PKEY_Q_keygen(libctx, "provider=default", "EC", "P-256"));
    const struct way ways[] = { { "DHKEM", &to, NULL }, { "DHKEM", &to, &from } };

    (void)state;
    starve(&ways[0]);
    starve(&ways[1]);
    free_keys(&to);
    free_keys(&from);
}
#endif

static int set_up(void **state)
{
    (void)state;
    libctx = stand_in_new();
    return libctx == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    stand_in_free(libctx);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(rsasve),
#ifdef OSSL_FUNC_KEM_AUTH_ENCAPSULATE_INIT
        cmocka_unit_test(dhkem),
#endif
    };

    if (!CRYPTO_set_mem_functions(allocate, reallocate, give_back)) {
        return 1;
    }
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
