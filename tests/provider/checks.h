/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of operations share. */
#ifndef SCHSM_TESTS_CHECKS_H
#define SCHSM_TESTS_CHECKS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/evp.h>

/* A key in three shapes: OpenSSL's own, ours as a software key, ours on the device. */
struct keys {
    EVP_PKEY *theirs, *software, *device;
};

struct keys make_keys(OSSL_LIB_CTX *libctx, EVP_PKEY *key);
void free_keys(struct keys *keys);

/* Some line of the error queue has this text (3.4 and later put a line of their own after ours). */
void assert_error_says(const char *text);

/* Nothing is on the error queue, as it must be after success. */
#define assert_no_errors()                                                                         \
    do {                                                                                           \
        if (ERR_peek_error() != 0)                                                                 \
            ERR_print_errors_fp(stderr);                                                           \
        assert_true(ERR_peek_error() == 0);                                                        \
    } while (0)

#endif
