/* SPDX-License-Identifier: Apache-2.0 */
/* Private keys in files of the user's: PEM, PKCS#8 also encrypted, PKCS#12 with certificates,
 * OpenSSH's own format. */
#ifndef SCHSM_TOOL_PRIVATE_KEY_FILE_H
#define SCHSM_TOOL_PRIVATE_KEY_FILE_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "tool.h"

struct schsm_private_key_file {
    EVP_PKEY *key;
    STACK_OF(X509) * certificates; /* in the file's order; may be empty */
};

/*
 * Reads the one private key of a file, "-" for standard input, and its certificates; of several in
 * a PKCS#12 file the one with this friendly name, NULL: there has to be one alone. The password,
 * where one is needed, comes from --file-password-source, or is asked for at the terminal. Fails
 * with FILE for a wrong password or what holds no key, or several, AMBIGUOUS for several with
 * names. *file is to be cleared, also
 * after failure.
 */
int schsm_private_key_file_read(struct schsm_tool *tool, const char *path, const char *name,
                                struct schsm_private_key_file *file, struct schsm_error *err);

void schsm_private_key_file_clear(struct schsm_private_key_file *file);

#endif
