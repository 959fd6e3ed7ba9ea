/* SPDX-License-Identifier: Apache-2.0 */
/* An AES key that a command uses on data: which one, what comes in, what goes out. */
#ifndef SCHSM_TOOL_SECRET_KEY_USE_H
#define SCHSM_TOOL_SECRET_KEY_USE_H

#include <stdint.h>

#include "keymgmt/encrypted_file.h"
#include "keymgmt/file.h"
#include "keymgmt/find.h"
#include "progress.h"
#include "tool.h"

struct schsm_key_use {
    struct schsm_match match;
    struct schsm_login login;
    struct schsm_secret_key key; /* points to the others */
    char name[SCHSM_OBJECT_NAME_MAX];
    struct schsm_file_reader *reader;
    struct schsm_progress *progress;
    char doing[SCHSM_OBJECT_NAME_MAX + 32]; /* the progress's line */
    unsigned long long bytes, total;        /* that came in; of the file, 0: not known */
    unsigned long long written;
    /* for functions that want them; out has no place to write to before schsm_key_use_out */
    struct schsm_file_writer *writer;
    struct schsm_bytes_in in;
    struct schsm_bytes_out out;
};

/*
 * Finds the one secret key that the command's first argument names, and logs in for it. To be
 * cleared with schsm_key_use_end, also after failure.
 */
int schsm_key_use_begin(struct schsm_tool *tool, struct schsm_key_use *use,
                        struct schsm_error *err);

/* Opens the file of the command's second argument, standard input where there is none, and shows
 * progress from now on: doing is "encrypts" and the like. */
int schsm_key_use_in(struct schsm_tool *tool, struct schsm_key_use *use, const char *doing,
                     struct schsm_error *err);

/* Begins the file of --out. */
int schsm_key_use_out(struct schsm_tool *tool, struct schsm_key_use *use,
                      enum schsm_file_secrecy secrecy, struct schsm_error *err);

/* Puts the file in its place and says so: "Encrypted", and how many bytes. */
int schsm_key_use_commit(struct schsm_tool *tool, struct schsm_key_use *use, const char *done,
                         unsigned long long bytes, struct schsm_error *err);

void schsm_key_use_end(struct schsm_key_use *use);

/* Reads exactly len bytes from an option's hexadecimal digits; fails with ARGUMENT. */
int schsm_tool_hex(const char *option, const char *digits, uint8_t *bytes, size_t len,
                   struct schsm_error *err);

#endif
