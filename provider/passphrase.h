/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCHSM_PROVIDER_PASSPHRASE_H
#define SCHSM_PROVIDER_PASSPHRASE_H

#include <openssl/core.h>

#include "keymgmt/key.h"

/* libcrypto's passphrase callback with its argument. */
struct schsm_core_passphrase {
    OSSL_PASSPHRASE_CALLBACK *cb;
    void *arg;
};

/* For struct schsm_passphrase: `arg` is a struct schsm_core_passphrase. */
int schsm_ask_passphrase(void *arg, char *pass, size_t size, size_t *len, const char *info);

#endif
