/* SPDX-License-Identifier: Apache-2.0 */
/* PKCS#12 files (RFC 7292) with one or several private keys. */
#ifndef SCHSM_TOOL_PKCS12_FILE_H
#define SCHSM_TOOL_PKCS12_FILE_H

#include <openssl/pkcs12.h>

#include "private_key_file.h"

/* The password of a file, asked for at the first need; NULL where there is none to be had. */
struct schsm_key_password {
    const struct schsm_secret *(*ask)(void *arg);
    void *arg;
};

/* The file, if it is PKCS#12; NULL otherwise. */
PKCS12 *schsm_pkcs12_parse(OSSL_LIB_CTX *libctx, const uint8_t *content, size_t len);

/*
 * The key with this friendly name, the only one for NULL, and the file's certificates but for those
 * of its other keys. Fails with AMBIGUOUS where there are several, naming them, and NOT_FOUND where
 * none has the name. Without a key, and with err as it was, where there is none or the password is
 * wrong.
 */
int schsm_pkcs12_read(OSSL_LIB_CTX *libctx, PKCS12 *pkcs12, const char *path, const char *name,
                      const struct schsm_key_password *password,
                      struct schsm_private_key_file *file, struct schsm_error *err);

#endif
