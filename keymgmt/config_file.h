/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The provider's section as it stands in the configuration file. OpenSSL tells a provider what it
 * asks for, never which names there are; where the file can be read, they can be seen.
 */
#ifndef SCHSM_KEYMGMT_CONFIG_FILE_H
#define SCHSM_KEYMGMT_CONFIG_FILE_H

#include <stddef.h>

#include <openssl/types.h>

#include "base/error.h"

/* The file in force, as it was read. */
struct schsm_config_file {
    char *path;
    CONF *conf;      /* NULL: it was not read, for one of these: */
    int error;       /* errno, where it is not there or may not be read; else 0 */
    long line;       /* that libcrypto does not take; 0: it names none */
    const char *why; /* what it says of that, static; NULL: nothing */
};

/*
 * Reads OpenSSL's configuration file (OPENSSL_CONF, or the usual one). 0 where memory ran out; 1
 * else, also for a file that is not there. *file is to be cleared. Leaves the error queue as it
 * was.
 */
int schsm_config_file_read(OSSL_LIB_CTX *libctx, struct schsm_config_file *file);
void schsm_config_file_clear(struct schsm_config_file *file);

/* What the core says a setting is; NULL where it is not set. */
typedef const char *schsm_config_told(const void *arg, const char *key);

/*
 * Reads OpenSSL's configuration file (OPENSSL_CONF, or the usual one) and looks for sections of
 * ours in it. Fails (CONFIG) on a name that was meant for a setting, be it with two slips in a long
 * one; other unknown names are the user's own and are only logged. 1 as well where there is no such
 * file, or where it is not the one in force: its settings are not those that the core tells.
 */
int schsm_config_check_file(OSSL_LIB_CTX *libctx, schsm_config_told *told, const void *arg,
                            struct schsm_error *err);

/* The setting that a name in our section was meant for, one rule for provider and tool; NULL: it is
 * a setting, or OpenSSL's, or nothing like one. */
const char *schsm_config_meant(const char *name);

/* The section that lists the providers; NULL: the file has none. Nothing of the error queue. */
const char *schsm_config_providers(const CONF *conf);

/* The index-th section of a provider of ours, by its name in that list, its identity or its
 * module's name; NULL: there are no more. Sections may be missing from the file. *name, unless that
 * is NULL: what programs know the provider by. */
const char *schsm_config_section(const CONF *conf, size_t index, const char **name);

/* The line of a name in a section of a configuration file, or with name NULL of the section's head;
 * 0: it cannot be told, as for what an included file has. */
size_t schsm_config_line(const char *path, const char *section, const char *name);

#define SCHSM_CONFIG_PLACE_MAX 512

/* "[sc_hsm_sect] of /etc/ssl/openssl.cnf, line 12" */
void schsm_config_place(const char *path, const char *section, const char *name,
                        char place[SCHSM_CONFIG_PLACE_MAX]);

#endif
