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
 * Writes a file, or to standard output for "-": whole or not at all. Symbolic links are followed.
 * An existing file is replaced only with overwrite, else EXISTS. What is no regular file, a device
 * or a FIFO, and a descriptor that this program was started with (/dev/stdout, /dev/fd/N), is
 * written as it is, with and without overwrite. FOR_OWNER: nobody else may read a new file.
 */
int schsm_file_write(const char *path, enum schsm_file_secrecy secrecy, bool overwrite,
                     const void *content, size_t len, struct schsm_error *err);

/*
 * The same in pieces. What was appended is nowhere to be found before schsm_file_commit, unless it
 * goes where nothing can be taken back (schsm_file_can_abandon tells). NULL on failure.
 */
struct schsm_file_writer;
struct schsm_file_writer *schsm_file_begin(const char *path, enum schsm_file_secrecy secrecy,
                                           bool overwrite, struct schsm_error *err);
int schsm_file_append(struct schsm_file_writer *writer, const void *content, size_t len,
                      struct schsm_error *err);
bool schsm_file_can_abandon(const struct schsm_file_writer *writer);

/* Both end the writer, also in failure; abandon takes NULL. */
int schsm_file_commit(struct schsm_file_writer *writer, struct schsm_error *err);
void schsm_file_abandon(struct schsm_file_writer *writer);

/* Reading in pieces; "-" is standard input. NULL on failure, with BAD_INPUT. */
struct schsm_file_reader;
struct schsm_file_reader *schsm_file_open(const char *path, struct schsm_error *err);

/* *len: room, and how much came: less than there is room for only at the end. */
int schsm_file_read_piece(struct schsm_file_reader *reader, uint8_t *out, size_t *len,
                          struct schsm_error *err);

/* How long it is; 0: not known. */
unsigned long long schsm_file_size(const struct schsm_file_reader *reader);
void schsm_file_close(struct schsm_file_reader *reader); /* NULL is fine */

/*
 * Whether schsm_file_write would find its way, before the work for the content is done: fails with
 * EXISTS or BAD_INPUT, and changes nothing.
 */
int schsm_file_check_place(const char *path, bool overwrite, struct schsm_error *err);

/* Whether the path leads to standard output: "-", /dev/stdout and the like. */
bool schsm_file_is_stdout(const char *path);

#endif
