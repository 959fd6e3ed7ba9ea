/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts of our reason codes in libcrypto's table of strings.
 *
 * libcrypto would load them itself for OSSL_FUNC_PROVIDER_GET_REASON_STRINGS, but it takes them out
 * again whenever the last key lets go of the provider, and where that is after OPENSSL_cleanup (a
 * static object of C++, a destructor, a handler of atexit) it uses a lock that is gone.
 */
#ifndef SCHSM_PROVIDER_REASONS_H
#define SCHSM_PROVIDER_REASONS_H

#include <stdbool.h>

#include <openssl/err.h>

struct schsm_reasons;

/* Empty; NULL when memory runs out. */
struct schsm_reasons *schsm_reasons_new(void);

/*
 * Loads the texts, once, under the library number of the error just raised with that reason and
 * sentence. Where the core is another libcrypto than ours, its error is not on our queue, and its
 * table not ours to fill: there the reason stays a number.
 */
void schsm_reasons_load(struct schsm_reasons *reasons, int reason, const char *sentence);

/* Takes them out again where libcrypto still has a table. NULL is fine. */
void schsm_reasons_free(struct schsm_reasons *reasons);

/* Whether OPENSSL_cleanup has been called: then nothing of libcrypto's that is global may be used.
 */
bool schsm_libcrypto_is_gone(void);

#endif
