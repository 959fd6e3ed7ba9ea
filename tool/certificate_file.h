/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates in files of the user's: PEM, one or a chain, or DER. */
#ifndef SCHSM_TOOL_CERTIFICATE_FILE_H
#define SCHSM_TOOL_CERTIFICATE_FILE_H

#include <openssl/x509.h>

#include "tool.h"

#define SCHSM_CHAIN_MAX 16

struct schsm_chain {
    X509 *certificates[SCHSM_CHAIN_MAX];
    size_t count;
};

/*
 * Reads the certificates of a file, "-" for standard input, in its order; other PEM blocks are
 * passed over. *chain is overwritten, and to be cleared also after failure. Fails with BAD_INPUT
 * and what the file is instead.
 */
int schsm_chain_read(struct schsm_tool *tool, const char *path, struct schsm_chain *chain,
                     struct schsm_error *err);

void schsm_chain_clear(struct schsm_chain *chain);

#endif
