/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the user's. */
#ifndef SCHSM_KEYMGMT_FILE_H
#define SCHSM_KEYMGMT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/*
 * Reads a file, or standard input for "-", of at most max bytes. *content is allocated with
 * OPENSSL_malloc, has a NUL behind it that *len does not count, and is the caller's to free with
 * OPENSSL_clear_free where it may be secret. Fails with BAD_INPUT.
 */
int schsm_file_read(const char *path, size_t max, uint8_t **content, size_t *len,
                    struct schsm_error *err);

enum schsm_file_secrecy { SCHSM_FILE_FOR_ALL, SCHSM_FILE_FOR_OWNER };

/*
 * Writes a file, or to standard output for "-": whole or not at all. An existing one is replaced
 * only with overwrite, else EXISTS. FOR_OWNER: nobody else may read it.
 */
int schsm_file_write(const char *path, enum schsm_file_secrecy secrecy, bool overwrite,
                     const void *content, size_t len, struct schsm_error *err);

#endif
