/* SPDX-License-Identifier: Apache-2.0 */
/* One loaded instance of the provider: the core's functions, and what its keys share. */
#ifndef SCHSM_PROVIDER_PROVIDER_H
#define SCHSM_PROVIDER_PROVIDER_H

#include <stdatomic.h>
#include <stdbool.h>

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/provider.h>

#include "base/error.h"
#include "base/fork_guard.h"
#include "keymgmt/context.h"
#include "reasons.h"

/* The lists of generation parameters, keymgmt_gen_params.c. */
enum schsm_settable {
    SCHSM_SETTABLE_RSA,
    SCHSM_SETTABLE_RSA_PSS,
    SCHSM_SETTABLE_EC,
    SCHSM_SETTABLE_ED25519,
    SCHSM_SETTABLE_ED448,
    SCHSM_SETTABLE_X25519,
    SCHSM_SETTABLE_X448,
    SCHSM_SETTABLE_COUNT
};

struct schsm_skey;

struct schsm_provider {
    const OSSL_CORE_HANDLE *handle;
    OSSL_FUNC_core_get_params_fn *core_get_params;
    OSSL_FUNC_core_new_error_fn *core_new_error;
    OSSL_FUNC_core_set_error_debug_fn *core_set_error_debug;
    OSSL_FUNC_core_vset_error_fn *core_vset_error;
    OSSL_FUNC_core_set_error_mark_fn *core_set_error_mark;
    OSSL_FUNC_core_clear_last_error_mark_fn *core_clear_last_error_mark;
    OSSL_FUNC_core_pop_error_to_mark_fn *core_pop_error_to_mark;
    OSSL_PROVIDER *host;  /* the default provider in libctx */
    OSSL_LIB_CTX *libctx; /* our own, with the default provider: host cryptography */
    _Atomic(OSSL_PARAM *) settable[SCHSM_SETTABLE_COUNT]; /* NULL until somebody asks */
    struct schsm_fork_member config_lock;                 /* while the configuration is read */
    /* With context changed under the guard as well, so that a child finds them whole. */
    int configured; /* 0: not read yet, 1: read, -1: bad */
    struct schsm_error config_error;
    struct schsm_reasons *reasons;
    struct schsm_skey *offered; /* keys that a store hands over, under the guard of forks; skey.h */
    struct schsm_context context; /* through schsm_provider_context only */
};

/*
 * The shared context, its configuration read at the first call. NULL with an error raised when the
 * configuration is bad or memory runs out.
 */
struct schsm_context *schsm_provider_context(struct schsm_provider *prov);

/* Raises err on OpenSSL's queue with our reason code; returns 0. */
#define schsm_raise(prov, err) schsm_raise_at((prov), (err), __FILE__, __LINE__, __func__)
int schsm_raise_at(const struct schsm_provider *prov, const struct schsm_error *err,
                   const char *file, int line, const char *function);

/*
 * The same for a failure inside a decoder. OpenSSL's file store throws away what its decoders raise
 * and says "unsupported"; marks set on our error stop it there, so that the user learns why. Marks
 * that nobody uses up stay on the error itself and go with it.
 */
#define schsm_raise_kept(prov, err) schsm_raise_kept_at((prov), (err), __FILE__, __LINE__, __func__)
int schsm_raise_kept_at(const struct schsm_provider *prov, const struct schsm_error *err,
                        const char *file, int line, const char *function);

/* Keeps in that way the error that was raised last; returns 0. */
int schsm_keep_raised(const struct schsm_provider *prov);

/* Raises a sentence of our own; returns 0. */
#define schsm_raise_reason(prov, reason, ...)                                                      \
    schsm_raise_format((prov), (reason), __FILE__, __LINE__, __func__, __VA_ARGS__)
int schsm_raise_format(const struct schsm_provider *prov, enum schsm_reason reason,
                       const char *file, int line, const char *function, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

#endif
