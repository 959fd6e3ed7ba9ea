/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the user configured: the settings of the provider's section in openssl.cnf, and of the
 * tool's options, from one table of keys.
 */
#ifndef SCHSM_KEYMGMT_CONFIG_H
#define SCHSM_KEYMGMT_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "model/channel_policy.h"
#include "model/device.h"
#include "pool/pool.h"
#include "base/error.h"
#include "base/log.h"
#include "pin/source.h"

/* yes or no; the one setting that is asked for before the others are read. */
#define SCHSM_CONFIG_PKCS11_URIS "pkcs11-uris"

enum schsm_login_time {
    SCHSM_LOGIN_LOAD, /* a supplied PIN is proven when the private key is loaded */
    SCHSM_LOGIN_USE,  /* at its first private operation */
    SCHSM_LOGIN_NEVER /* by somebody else: operations work only on a device already logged in */
};

struct schsm_config {
    char *serial;                        /* NULL: any device */
    char *reader;                        /* NULL: any reader */
    char *token;                         /* label of a PKCS#11 token; NULL: any device */
    char *pkcs11_module;                 /* whose tokens are devices too; NULL: none */
    bool pkcs11_uris;                    /* the store takes pkcs11: URIs as well */
    struct schsm_pin_source *pin_source; /* NULL: none configured */
    int min_pin_tries;
    enum schsm_login_time login;
    bool cache_pin;
    bool verify_first; /* only a key's first result on a connection is checked */
    enum schsm_pool_mode pool;
    char *pool_devices; /* serial numbers, parted by commas; NULL: all that have the key */
    unsigned int wait;  /* seconds, for a program that keeps the card for itself */
    enum schsm_channel_mode secure_channel;
    struct schsm_roots *roots; /* trusted besides the built-in ones; NULL: none */
    enum schsm_log_level log;
    char *log_file;
};

/* Fills in the defaults; nothing is allocated. */
void schsm_config_init(struct schsm_config *config);
void schsm_config_clear(struct schsm_config *config);

/* The known keys, in the order in which they are to be set; NULL at and after the end. */
const char *schsm_config_key(size_t index);

/*
 * Sets one key from its text. The sentence of a failure (SCHSM_REASON_CONFIG) names the key and
 * the section, or where that is NULL the tool's option of the same name, never the value of a PIN.
 */
int schsm_config_set(struct schsm_config *config, const char *section, const char *key,
                     const char *value, struct schsm_error *err);

#endif
