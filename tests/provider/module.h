/* SPDX-License-Identifier: Apache-2.0 */
/* The module as it is installed, beside the default provider, for tests that load it. */
#ifndef SCHSM_TESTS_MODULE_H
#define SCHSM_TESTS_MODULE_H

#include "checks.h"

#include <openssl/provider.h>

#define OURS "provider=sc-hsm"
#define THEIRS "provider=default"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

extern OSSL_LIB_CTX *libctx;
extern OSSL_PROVIDER *module;         /* ours */
extern OSSL_PROVIDER *first, *second; /* in the order in which they were loaded */

/* Runs the tests in both orders; no device is reachable. Returns how many failed. */
#define run_with_module(tests)                                                                     \
    (without_device(),                                                                             \
     cmocka_run_group_tests_name("the default provider first", tests, default_first, unload) +     \
         cmocka_run_group_tests_name("ours first", tests, ours_first, unload))

void without_device(void);
int default_first(void **state);
int ours_first(void **state);
int unload(void **state);

#endif
