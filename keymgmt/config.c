/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "file.h"
#include "registry/registry.h"

#define ROOTS_FILE_MAX 16384 /* bytes: a few dozen certificates */
#define WAIT_MAX 86400       /* seconds */

void schsm_config_init(struct schsm_config *config)
{
    memset(config, 0, sizeof(*config));
    config->min_pin_tries = 2;
    config->wait = SCHSM_WAIT_DEFAULT;
    config->login = SCHSM_LOGIN_LOAD;
    config->log = SCHSM_LOG_OFF;
}

void schsm_config_clear(struct schsm_config *config)
{
    OPENSSL_free(config->serial);
    OPENSSL_free(config->reader);
    OPENSSL_free(config->token);
    OPENSSL_free(config->pkcs11_module);
    OPENSSL_free(config->pool_devices);
    OPENSSL_free(config->log_file);
    schsm_pin_source_free(config->pin_source);
    schsm_roots_free(config->roots);
    schsm_config_init(config);
}

static int replace_text(char **where, const char *value, struct schsm_error *err)
{
    char *copy = OPENSSL_strdup(value);

    if (copy == NULL) {
        return schsm_fail_memory(err);
    }
    OPENSSL_free(*where);
    *where = copy;
    return 1;
}

static int config_set_serial(struct schsm_config *config, const char *value,
                             struct schsm_error *err)
{
    if (strlen(value) > SCHSM_SERIAL_MAX) {
        return schsm_fail(err, SCHSM_REASON_CONFIG, "a serial number has at most %d characters",
                          SCHSM_SERIAL_MAX);
    }
    return replace_text(&config->serial, value, err);
}

static int config_set_reader(struct schsm_config *config, const char *value,
                             struct schsm_error *err)
{
    return replace_text(&config->reader, value, err);
}

static int config_set_token(struct schsm_config *config, const char *value, struct schsm_error *err)
{
    return replace_text(&config->token, value, err);
}

static int set_pkcs11_module(struct schsm_config *config, const char *value,
                             struct schsm_error *err)
{
    return replace_text(&config->pkcs11_module, value, err);
}

static int config_set_source(struct schsm_config *config, struct schsm_pin_source *source,
                             struct schsm_error *err)
{
    if (source == NULL) {
        return 0;
    }
    if (config->pin_source != NULL) {
        schsm_pin_source_free(source);
        return schsm_fail(err, SCHSM_REASON_CONFIG, "give pin-source or pin, not both");
    }
    config->pin_source = source;
    return 1;
}

static int config_set_pin_source(struct schsm_config *config, const char *value,
                                 struct schsm_error *err)
{
    return config_set_source(config, schsm_pin_source_parse(value, err), err);
}

static int set_pin(struct schsm_config *config, const char *value, struct schsm_error *err)
{
    struct schsm_secret *pin = schsm_secret_new(value, strlen(value), err);
    int ok = 0;

    if (pin != NULL) {
        ok = config_set_source(config, schsm_pin_source_from_secret(pin, err), err);
    }
    schsm_secret_free(pin);
    return ok;
}

static int read_number(const char *value, long least, long most, long *number,
                       struct schsm_error *err)
{
    char *end = NULL;

    *number = strtol(value, &end, 10);
    if (end == value || *end != '\0' || *number < least || *number > most) {
        return schsm_fail(err, SCHSM_REASON_CONFIG, "'%s' is not a number from %ld to %ld", value,
                          least, most);
    }
    return 1;
}

static int set_min_pin_tries(struct schsm_config *config, const char *value,
                             struct schsm_error *err)
{
    long tries;

    if (!read_number(value, 1, 15, &tries, err)) {
        return 0;
    }
    config->min_pin_tries = (int)tries;
    return 1;
}

static int set_wait(struct schsm_config *config, const char *value, struct schsm_error *err)
{
    long seconds;

    if (!read_number(value, 0, WAIT_MAX, &seconds, err)) {
        return 0;
    }
    config->wait = (unsigned int)seconds;
    return 1;
}

static int set_login(struct schsm_config *config, const char *value, struct schsm_error *err)
{
    static const struct {
        const char *name;
        enum schsm_login_time time;
    } names[] = {
        { "load", SCHSM_LOGIN_LOAD },
        { "use", SCHSM_LOGIN_USE },
        { "never", SCHSM_LOGIN_NEVER },
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i].name, value) == 0) {
            config->login = names[i].time;
            return 1;
        }
    }
    return schsm_fail(err, SCHSM_REASON_CONFIG, "'%s' is none of load, use, never", value);
}

static int read_yes(const char *value, bool *yes, struct schsm_error *err)
{
    if (strcmp(value, "yes") == 0 || strcmp(value, "no") == 0) {
        *yes = value[0] == 'y';
        return 1;
    }
    return schsm_fail(err, SCHSM_REASON_CONFIG, "'%s' is neither yes nor no", value);
}

static int set_cache_pin(struct schsm_config *config, const char *value, struct schsm_error *err)
{
    return read_yes(value, &config->cache_pin, err);
}

static int set_pkcs11_uris(struct schsm_config *config, const char *value, struct schsm_error *err)
{
    return read_yes(value, &config->pkcs11_uris, err);
}

static int set_verify(struct schsm_config *config, const char *value, struct schsm_error *err)
{
    if (strcmp(value, "always") == 0 || strcmp(value, "first") == 0) {
        config->verify_first = value[0] == 'f';
        return 1;
    }
    return schsm_fail(err, SCHSM_REASON_CONFIG, "'%s' is neither always nor first", value);
}

static int set_pool(struct schsm_config *config, const char *value, struct schsm_error *err)
{
    static const struct {
        const char *name;
        enum schsm_pool_mode mode;
    } names[] = {
        { "off", SCHSM_POOL_OFF },
        { "share", SCHSM_POOL_SHARE },
        { "failover", SCHSM_POOL_FAILOVER },
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i].name, value) == 0) {
            config->pool = names[i].mode;
            return 1;
        }
    }
    return schsm_fail(err, SCHSM_REASON_CONFIG, "'%s' is none of off, share, failover", value);
}

static int set_pool_devices(struct schsm_config *config, const char *value, struct schsm_error *err)
{
    for (const char *p = value;;) {
        size_t len = strcspn(p, ",");

        if (len == 0 || len > SCHSM_SERIAL_MAX || memchr(p, ' ', len) != NULL) {
            return schsm_fail(err, SCHSM_REASON_CONFIG,
                              "'%s' is no list of serial numbers: write them as in "
                              "DENK0100962,DENK0200410, without blanks",
                              value);
        }
        if (p[len] == '\0') {
            return replace_text(&config->pool_devices, value, err);
        }
        p += len + 1;
    }
}

static int set_secure_channel(struct schsm_config *config, const char *value,
                              struct schsm_error *err)
{
    static const struct {
        const char *name;
        enum schsm_channel_mode mode;
    } names[] = {
        { "auto", SCHSM_CHANNEL_AUTO },
        { "require", SCHSM_CHANNEL_REQUIRE },
        { "off", SCHSM_CHANNEL_OFF },
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i].name, value) == 0) {
            config->secure_channel = names[i].mode;
            return 1;
        }
    }
    return schsm_fail(err, SCHSM_REASON_CONFIG, "'%s' is none of auto, require, off", value);
}

/* Adds a file's certificates to those that are trusted already. */
static int set_root(struct schsm_config *config, const char *value, struct schsm_error *err)
{
    uint8_t *content = NULL;
    size_t len = 0;
    int ok = 0;

    if (!schsm_file_read(value, ROOTS_FILE_MAX, &content, &len, err)) {
        goto done;
    }
    if (config->roots == NULL) {
        config->roots = schsm_roots_new(err);
    }
    ok = config->roots != NULL && schsm_roots_add(config->roots, value, content, len, err);
    if (!ok && config->roots != NULL) {
        schsm_fail_context(err, "%s", value);
    }

done:
    OPENSSL_free(content);
    return ok;
}

static int set_log(struct schsm_config *config, const char *value, struct schsm_error *err)
{
    if (!schsm_log_level_parse(value, &config->log)) {
        return schsm_fail(err, SCHSM_REASON_CONFIG, "'%s' is none of off, error, info, debug, apdu",
                          value);
    }
    return 1;
}

static int set_log_file(struct schsm_config *config, const char *value, struct schsm_error *err)
{
    return replace_text(&config->log_file, value, err);
}

/* Logging comes first, so that what follows can be logged. */
static const struct {
    const char *key;
    int (*set)(struct schsm_config *config, const char *value, struct schsm_error *err);
} settings[] = {
    { "log", set_log },
    { "log-file", set_log_file },
    { "serial", config_set_serial },
    { "reader", config_set_reader },
    { "token", config_set_token },
    { "pkcs11-module", set_pkcs11_module },
    { SCHSM_CONFIG_PKCS11_URIS, set_pkcs11_uris },
    { "pin-source", config_set_pin_source },
    { "pin", set_pin },
    { "min-pin-tries", set_min_pin_tries },
    { "login", set_login },
    { "cache-pin", set_cache_pin },
    { "verify", set_verify },
    { "wait", set_wait },
    { "pool", set_pool },
    { "pool-devices", set_pool_devices },
    { "secure-channel", set_secure_channel },
    { "root", set_root },
};

const char *schsm_config_key(size_t index)
{
    return index < sizeof(settings) / sizeof(settings[0]) ? settings[index].key : NULL;
}

int schsm_config_set(struct schsm_config *config, const char *section, const char *key,
                     const char *value, struct schsm_error *err)
{
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        if (strcmp(settings[i].key, key) != 0) {
            continue;
        }
        if (*value == '\0') {
            schsm_fail(err, SCHSM_REASON_CONFIG, "the value is empty");
        } else if (settings[i].set(config, value, err)) {
            return 1;
        }
        if (err != NULL && err->reason != SCHSM_REASON_OUT_OF_MEMORY) {
            err->reason = SCHSM_REASON_CONFIG;
        }
        return section != NULL ? schsm_fail_context(err, "setting '%s' in %s", key, section)
                               : schsm_fail_context(err, "option --%s", key);
    }
    return schsm_fail(err, SCHSM_REASON_CONFIG, "setting '%s' in %s is unknown", key,
                      section != NULL ? section : "the command line");
}
