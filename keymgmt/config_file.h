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

/* The index-th section of a provider of ours, by its name in that list or its identity; NULL: there
 * are no more. Sections may be missing from the file. */
const char *schsm_config_section(const CONF *conf, size_t index);

#endif
