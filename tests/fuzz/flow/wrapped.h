/* SPDX-License-Identifier: Apache-2.0 */
/* What the linker puts in place of functions that our code calls (-Wl,--wrap). */
#ifndef FLOW_WRAPPED_H
#define FLOW_WRAPPED_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include <openssl/crypto.h>

void *__wrap_mmap(void *at, size_t len, int protection, int flags, int descriptor, off_t offset);
void *__real_mmap(void *at, size_t len, int protection, int flags, int descriptor, off_t offset);
int __wrap_munmap(void *page, size_t len);
int __real_munmap(void *page, size_t len);

/* The time of a run is its own. */
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __real_clock_gettime(clockid_t clock, struct timespec *now);

/* No thread can be had: what one does beside the callers, they do. */
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *arg), void *arg);

/* Nobody waits for a card that is not there. */
int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left);

/* Making a library context takes longer than most flows: all get the same one. */
OSSL_LIB_CTX *__wrap_OSSL_LIB_CTX_new(void);
OSSL_LIB_CTX *__real_OSSL_LIB_CTX_new(void);
void __wrap_OSSL_LIB_CTX_free(OSSL_LIB_CTX *context);
void __real_OSSL_LIB_CTX_free(OSSL_LIB_CTX *context);

#endif
