/* SPDX-License-Identifier: Apache-2.0 */
#include "config_file.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include <openssl/conf.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include "base/descriptor.h"
#include "base/log.h"
#include "config.h"
#include "config_slips.h"

#define PROVIDER "sc-hsm"
#define LONG_NAME 8 /* letters, of a setting that nothing else resembles by chance */
#define SLIPS_MAX 2

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Capitals and underscores are no other letters here. */
static bool same(char a, char b)
{
    bool hyphens = (a == '-' || a == '_') && (b == '-' || b == '_');

    return hyphens || tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* How many letters are missing, too many, other ones, or exchanged with the next one. */
static size_t count_slips(const char *a, const char *b)
{
    size_t rows[3][SCHSM_SLIP_MAX + 1] = {
        { 0 }
    }; /* the one before the last, the last, this one */
    size_t a_len = strlen(a), b_len = strlen(b);

    if (a_len >= SCHSM_SLIP_MAX || b_len >= SCHSM_SLIP_MAX) {
        return SCHSM_SLIP_MAX;
    }
    for (size_t j = 0; j <= b_len; j++) {
        rows[1][j] = j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        rows[2][0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t other = rows[1][j - 1] + !same(a[i - 1], b[j - 1]);

            rows[2][j] = least(other, 1 + least(rows[1][j], rows[2][j - 1]));
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1])) {
                rows[2][j] = least(rows[2][j], 1 + rows[0][j - 2]);
            }
        }
        memcpy(rows[0], rows[1], sizeof(rows[0]));
        memcpy(rows[1], rows[2], sizeof(rows[1]));
    }
    return rows[1][b_len];
}

/* The setting that this is one slip of, also where the setting's name is short. */
static const char *find_slip(const char *name)
{
    size_t count = 0;
    struct schsm_slip *slips = schsm_config_slips(&count);
    const char *meant = NULL;

    for (size_t i = 0; i < count && meant == NULL; i++) {
        if (strcmp(slips[i].name, name) == 0) {
            meant = slips[i].meant;
        }
    }
    OPENSSL_free(slips);
    return meant;
}

const char *schsm_config_meant(const char *name)
{
    const char *key;

    if (schsm_config_is_name(name)) {
        return NULL;
    }
    for (size_t i = 0; (key = schsm_config_key(i)) != NULL; i++) {
        if (count_slips(name, key) <= (strlen(key) >= LONG_NAME ? SLIPS_MAX : 0)) {
            return key;
        }
    }
    return find_slip(name);
}

static int check_section(const CONF *conf, const char *section, struct schsm_error *err)
{
    STACK_OF(CONF_VALUE) *values = NCONF_get_section(conf, section);

    for (int i = 0; i < sk_CONF_VALUE_num(values); i++) {
        const char *name = sk_CONF_VALUE_value(values, i)->name;
        const char *meant = schsm_config_meant(name);

        if (meant != NULL) {
            return schsm_fail(err, SCHSM_REASON_CONFIG,
                              "setting '%s' in [%s] of openssl.cnf is unknown: write %s", name,
                              section, meant);
        }
        if (!schsm_config_is_name(name)) {
            schsm_log(SCHSM_LOG_INFO, "'%s' in [%s] of openssl.cnf is no setting of the provider",
                      name, section);
        }
    }
    return 1;
}

static const char *get_text(const CONF *conf, const char *section, const char *name)
{
    const char *value = NULL;

    (void)ERR_set_mark();
    value = NCONF_get_string(conf, section, name);
    (void)ERR_pop_to_mark();
    return value;
}

/* Whether the section has the settings that are in force, and no others. */
static bool is_in_force(const CONF *conf, const char *section, schsm_config_told *told,
                        const void *arg)
{
    const char *key;

    for (size_t i = 0; (key = schsm_config_key(i)) != NULL; i++) {
        const char *here = get_text(conf, section, key), *there = told(arg, key);

        if ((here == NULL) != (there == NULL) || (here != NULL && strcmp(here, there) != 0)) {
            return false;
        }
    }
    return true;
}

/* "/usr/lib/ossl-modules/sc-hsm.so", "sc-hsm" */
static bool is_our_module(const char *module)
{
    const char *slash = strrchr(module, '/');
    const char *file = slash != NULL ? slash + 1 : module;

    return strcmp(file, PROVIDER) == 0 || strcmp(file, PROVIDER ".so") == 0;
}

/* Some programs want a provider by another name, so the same module may stand under that. */
static bool is_ours(const CONF *conf, const char *name, const char *section)
{
    const char *module = get_text(conf, section, "module");

    return strcmp(name, PROVIDER) == 0 || (module != NULL && is_our_module(module));
}

const char *schsm_config_providers(const CONF *conf)
{
    const char *init = get_text(conf, NULL, "openssl_conf");

    return init != NULL ? get_text(conf, init, "providers") : NULL;
}

const char *schsm_config_section(const CONF *conf, size_t index, const char **name)
{
    const char *providers = schsm_config_providers(conf);
    STACK_OF(CONF_VALUE) *all = providers != NULL ? NCONF_get_section(conf, providers) : NULL;
    size_t ours = 0;

    for (int i = 0; i < sk_CONF_VALUE_num(all); i++) {
        const CONF_VALUE *provider = sk_CONF_VALUE_value(all, i);
        const char *identity = get_text(conf, provider->value, "identity");
        const char *known_by = identity != NULL ? identity : provider->name;

        if (is_ours(conf, known_by, provider->value) && ours++ == index) {
            if (name != NULL) {
                *name = known_by;
            }
            return provider->value;
        }
    }
    return NULL;
}

static int check_providers(const CONF *conf, schsm_config_told *told, const void *arg,
                           struct schsm_error *err)
{
    const char *section;

    for (size_t i = 0; (section = schsm_config_section(conf, i, NULL)) != NULL; i++) {
        if (is_in_force(conf, section, told, arg) && !check_section(conf, section, err)) {
            return 0;
        }
    }
    return 1;
}

int schsm_config_file_read(OSSL_LIB_CTX *libctx, struct schsm_config_file *file)
{
    int read = 0;

    memset(file, 0, sizeof(*file));
    file->path = CONF_get1_default_config_file();
    file->conf = NCONF_new_ex(libctx, NULL);
    if (file->path == NULL || file->conf == NULL) {
        schsm_config_file_clear(file);
        return 0;
    }
    if (access(file->path, R_OK) != 0) {
        file->error = errno;
    } else {
        (void)ERR_set_mark();
        schsm_descriptor_hold();
        read = NCONF_load(file->conf, file->path, &file->line);
        schsm_descriptor_release();
        if (read <= 0) {
            file->why = ERR_reason_error_string(ERR_peek_last_error());
        }
        (void)ERR_pop_to_mark();
    }
    if (read <= 0) {
        NCONF_free(file->conf);
        file->conf = NULL;
    }
    return 1;
}

void schsm_config_file_clear(struct schsm_config_file *file)
{
    NCONF_free(file->conf);
    OPENSSL_free(file->path);
    memset(file, 0, sizeof(*file));
}

int schsm_config_check_file(OSSL_LIB_CTX *libctx, schsm_config_told *told, const void *arg,
                            struct schsm_error *err)
{
    struct schsm_config_file file;
    int ok = 1;

    if (schsm_config_file_read(libctx, &file)) {
        ok = file.conf == NULL || check_providers(file.conf, told, arg, err);
        schsm_config_file_clear(&file);
    }
    return ok;
}
