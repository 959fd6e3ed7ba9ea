/* SPDX-License-Identifier: Apache-2.0 */
#include "configured.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/conf.h>
#include <openssl/crypto.h>

#include "keymgmt/config_file.h"
#include "target.h"
#include "tell.h"

/* What the tool reads. Trust and patience with PINs are not for an environment to change. */
static const struct known {
    const char *key;
    const char *variable; /* NULL: none */
    size_t origin;        /* where its place is kept; 0: nowhere */
} known[] = {
    { "log", NULL, 0 }, /* SC_HSM_LOG is read where the log is */
    { "log-file", NULL, 0 },
    { "serial", "SC_HSM_SERIAL", offsetof(struct schsm_tool, origins.serial) },
    { "reader", "SC_HSM_READER", offsetof(struct schsm_tool, origins.reader) },
    { "token", "SC_HSM_TOKEN", offsetof(struct schsm_tool, origins.token) },
    { "pkcs11-module", "SC_HSM_PKCS11_MODULE", offsetof(struct schsm_tool, origins.pkcs11_module) },
    { "pin-source", "SC_HSM_PIN_SOURCE", offsetof(struct schsm_tool, origins.pin) },
    { "pin", NULL, offsetof(struct schsm_tool, origins.pin) },
    { "min-pin-tries", NULL, 0 },
    { "secure-channel", "SC_HSM_SECURE_CHANNEL", 0 },
    { "root", NULL, 0 },
    { "wait", "SC_HSM_WAIT", 0 },
};

#define KNOWN (sizeof(known) / sizeof(known[0]))

static const char *const of_device[] = { "serial", "reader", "token", NULL };
static const char *const of_pin[] = { "pin-source", "pin", NULL };

static bool is_among(const char *const *names, const char *key)
{
    while (*names != NULL && strcmp(*names, key) != 0) {
        names++;
    }
    return *names != NULL;
}

/* Whether an option of the command line stands for one of these. */
static bool is_given(const struct schsm_tool *tool, const char *const *names)
{
    while (*names != NULL && !schsm_tool_flag(tool, *names)) {
        names++;
    }
    return *names != NULL;
}

bool schsm_tool_overruled(const struct schsm_tool *tool, const char *key)
{
    return (is_among(of_device, key) && is_given(tool, of_device)) ||
           (is_among(of_pin, key) && is_given(tool, of_pin)) || schsm_tool_flag(tool, key);
}

/* Where settings may stand, the strongest first. */
struct layer {
    const struct schsm_config_file *file; /* NULL: the environment */
    const char *section;
};

static const char *layer_value(const struct layer *layer, const struct known *setting)
{
    STACK_OF(CONF_VALUE) * values;
    const char *value = NULL;

    if (layer->file == NULL) {
        value = setting->variable != NULL ? secure_getenv(setting->variable) : NULL;
        return value != NULL && *value != '\0' ? value : NULL;
    }
    values = NCONF_get_section(layer->file->conf, layer->section);
    for (int i = 0; i < sk_CONF_VALUE_num(values); i++) {
        if (strcmp(sk_CONF_VALUE_value(values, i)->name, setting->key) == 0) {
            value = sk_CONF_VALUE_value(values, i)->value;
        }
    }
    return value;
}

static void layer_place(const struct layer *layer, const struct known *setting,
                        char place[SCHSM_CONFIG_PLACE_MAX])
{
    if (layer->file == NULL) {
        (void)snprintf(place, SCHSM_CONFIG_PLACE_MAX, "the variable %s", setting->variable);
    } else {
        schsm_config_place(layer->file->path, layer->section, setting->key, place);
    }
}

static int keep_text(char **where, const char *text, struct schsm_error *err)
{
    OPENSSL_free(*where);
    *where = text != NULL ? OPENSSL_strdup(text) : NULL;
    return text == NULL || *where != NULL || schsm_fail_memory(err);
}

static int take_setting(struct schsm_tool *tool, const struct layer *layer,
                        const struct known *setting, const char *value, struct schsm_error *err)
{
    char place[SCHSM_CONFIG_PLACE_MAX];

    layer_place(layer, setting, place);
    return schsm_config_set(&tool->context.config, place, setting->key, value, err) &&
           (setting->origin == 0 ||
            keep_text((char **)(void *)((char *)tool + setting->origin), place, err));
}

/* The device that a layer names beside the PIN is the one that has it. */
static int bind_pin(struct schsm_tool *tool, const struct layer *layer, struct schsm_error *err)
{
    char **const texts[] = { &tool->origins.pin_serial, &tool->origins.pin_reader,
                             &tool->origins.pin_token };
    int ok = 1;

    for (size_t i = 0; i < KNOWN; i++) {
        for (size_t j = 0; j < sizeof(texts) / sizeof(texts[0]); j++) {
            if (ok && strcmp(known[i].key, of_device[j]) == 0) {
                ok = keep_text(texts[j], layer_value(layer, &known[i]), err);
            }
        }
    }
    return ok;
}

/* Takes what no option and no stronger layer decided. decided: a bit for each of the known. */
static int take_layer(struct schsm_tool *tool, const struct layer *layer, unsigned int *decided,
                      struct schsm_error *err)
{
    bool device = false, pin = false;

    for (size_t i = 0; i < KNOWN; i++) {
        const char *value = (*decided & 1U << i) == 0 ? layer_value(layer, &known[i]) : NULL;

        if (value == NULL) {
            continue;
        }
        if (!take_setting(tool, layer, &known[i], value, err)) {
            return 0;
        }
        *decided |= 1U << i;
        device = device || is_among(of_device, known[i].key);
        pin = pin || is_among(of_pin, known[i].key);
    }
    for (size_t i = 0; i < KNOWN; i++) {
        if ((device && is_among(of_device, known[i].key)) ||
            (pin && is_among(of_pin, known[i].key))) {
            *decided |= 1U << i;
        }
    }
    return !pin || bind_pin(tool, layer, err);
}

static bool is_read(const char *key)
{
    size_t i = 0;

    while (i < KNOWN && strcmp(known[i].key, key) != 0) {
        i++;
    }
    return i < KNOWN;
}

/* A name that is nearly right was meant to be read. */
static int refuse_slip(const struct schsm_tool *tool, const struct layer *layer,
                       struct schsm_error *err)
{
    STACK_OF(CONF_VALUE) *values = NCONF_get_section(layer->file->conf, layer->section);
    char place[SCHSM_CONFIG_PLACE_MAX];

    for (int i = 0; i < sk_CONF_VALUE_num(values); i++) {
        const char *name = sk_CONF_VALUE_value(values, i)->name;
        const char *meant = schsm_config_meant(name);

        if (meant != NULL && is_read(meant) && !schsm_tool_overruled(tool, meant)) {
            schsm_config_place(layer->file->path, layer->section, name, place);
            return schsm_fail(err, SCHSM_REASON_CONFIG, "setting '%s' in %s is unknown: write %s",
                              name, place, meant);
        }
    }
    return 1;
}

#define WITHOUT "; OPENSSL_CONF=/dev/null goes without it"

/* A file that is not there holds no settings; one that somebody named was meant to be there. */
static int judge_file(const struct schsm_tool *tool, const struct schsm_config_file *file,
                      struct schsm_error *err)
{
    const char *named = secure_getenv("OPENSSL_CONF");

    if (file->error == ENOENT || file->error == ENOTDIR) {
        if (named != NULL && *named != '\0') {
            schsm_tell_note(tool,
                            "%s, which OPENSSL_CONF names, is not there: going on without settings",
                            file->path);
        }
        return 1;
    }
    if (file->error != 0) {
        return schsm_fail(err, SCHSM_REASON_CONFIG,
                          "%s, OpenSSL's configuration in force, cannot be read: %s" WITHOUT,
                          file->path, strerror(file->error));
    }
    return file->conf != NULL ||
           schsm_fail(err, SCHSM_REASON_CONFIG,
                      "%s, OpenSSL's configuration in force, line %ld: %s; correct it" WITHOUT,
                      file->path, file->line,
                      file->why != NULL ? file->why : "this is no line of a configuration file");
}

/* A log that cannot be written is no reason to do nothing. */
static void start_log(const struct schsm_tool *tool)
{
    const struct schsm_config *config = &tool->context.config;
    struct schsm_error why = SCHSM_ERROR_INIT;

    if ((config->log != SCHSM_LOG_OFF || config->log_file != NULL) &&
        !schsm_log_set(config->log, config->log_file, &why)) {
        schsm_tell_warning(tool, &why);
    }
}

static int take_layers(struct schsm_tool *tool, const struct schsm_config_file *file,
                       struct schsm_error *err)
{
    const struct layer environment = { NULL, NULL };
    const struct layer section = { file, file->conf != NULL
                                             ? schsm_config_section(file->conf, 0, NULL)
                                             : NULL };
    unsigned int decided = 0;

    for (size_t i = 0; i < KNOWN; i++) {
        decided |= schsm_tool_overruled(tool, known[i].key) ? 1U << i : 0;
    }
    return take_layer(tool, &environment, &decided, err) &&
           (section.section == NULL ||
            (refuse_slip(tool, &section, err) && take_layer(tool, &section, &decided, err)));
}

int schsm_tool_configure(struct schsm_tool *tool, struct schsm_error *err)
{
    struct schsm_config_file file;
    int ok;

    if (!schsm_config_file_read(tool->context.libctx, &file)) {
        return schsm_fail_memory(err);
    }
    ok = judge_file(tool, &file, err) && take_layers(tool, &file, err);
    schsm_config_file_clear(&file);
    if (ok) {
        start_log(tool);
    }
    return ok && schsm_tool_registry(tool, err);
}

/* Whether the device is the one that is named beside the PIN's source. */
static bool has_this_pin(struct schsm_tool *tool, const struct schsm_device *device, bool second)
{
    const struct schsm_origins *origins = &tool->origins;
    const struct schsm_device_selector selector = { .serial = origins->pin_serial,
                                                    .reader = origins->pin_reader,
                                                    .token = origins->pin_token,
                                                    .hurried = true };
    struct schsm_device *devices[SCHSM_TOOL_DEVICES_MAX];
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    size_t count = SCHSM_TOOL_DEVICES_MAX, i = 0;

    if (selector.serial == NULL && selector.reader == NULL && selector.token == NULL) {
        return !second;
    }
    if (!schsm_registry_devices(tool->context.registry, &selector, devices, &count, &ignored)) {
        return false;
    }
    while (i < count && devices[i] != device) {
        i++;
    }
    return i < count;
}

/* What was read takes the place of its source for this run: a pipe gives it once. Devices with PINs
 * of their own are told from each other by the source alone. */
static int keep_pin(struct schsm_tool *tool, struct schsm_secret *pin, struct schsm_error *err)
{
    struct schsm_config *config = &tool->context.config;
    struct schsm_pin_source *kept = NULL;

    if (tool->origins.pin_kept || schsm_pin_source_takes_serial(config->pin_source)) {
        return 1;
    }
    if ((kept = schsm_pin_source_from_secret(pin, err)) == NULL) {
        return 0;
    }
    schsm_pin_source_free(config->pin_source);
    config->pin_source = kept;
    tool->origins.pin_kept = true;
    return 1;
}

struct schsm_pin_source *schsm_tool_configured_pin(struct schsm_tool *tool,
                                                   struct schsm_device *device, bool second)
{
    struct schsm_pin_source *source = tool->context.config.pin_source;
    char serial[SCHSM_SERIAL_MAX + 1] = "";
    const struct schsm_pin_prompt prompt = { .serial = serial };
    struct schsm_error why = SCHSM_ERROR_INIT;
    struct schsm_secret *pin = NULL;

    if (source == NULL || tool->origins.pin == NULL || !schsm_pin_source_is_stored(source)) {
        return tool->origins.pin != NULL ? source : NULL;
    }
    if (!schsm_pin_source_takes_serial(source) && !has_this_pin(tool, device, second)) {
        return NULL;
    }
    (void)schsm_device_serial(device, serial, &why);
    if (schsm_pin_source_read(source, &prompt, &pin, &why) && keep_pin(tool, pin, &why)) {
        schsm_secret_free(pin);
        tool->origins.pin_used = true;
        return tool->context.config.pin_source;
    }
    schsm_secret_free(pin);
    if (!tool->origins.pin_told) {
        schsm_fail_context(&why, "pin-source in %s is of no use here", tool->origins.pin);
        schsm_tell_warning(tool, &why);
    }
    tool->origins.pin_told = true;
    return NULL;
}

static void add_blame(struct schsm_error *err, const char *what, const char *place)
{
    size_t len = strlen(err->text);

    (void)snprintf(err->text + len, sizeof(err->text) - len, " (%s stands in %s)", what, place);
}

void schsm_tool_blame(const struct schsm_tool *tool, struct schsm_error *err)
{
    const struct schsm_config *config = &tool->context.config;
    const struct schsm_origins *origins = &tool->origins;
    const struct {
        const char *key, *value, *place;
    } named[] = {
        { "serial", config->serial, origins->serial },
        { "reader", config->reader, origins->reader },
        { "token", config->token, origins->token },
        { "pkcs11-module", config->pkcs11_module, origins->pkcs11_module },
    };

    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
        if ((err->reason == SCHSM_REASON_NO_DEVICE || err->reason == SCHSM_REASON_NO_READER) &&
            named[i].place != NULL && strstr(err->text, named[i].value) != NULL) {
            add_blame(err, named[i].key, named[i].place);
        }
    }
    if (origins->pin_used &&
        (err->reason == SCHSM_REASON_PIN_INCORRECT || err->reason == SCHSM_REASON_PIN_LENGTH ||
         err->reason == SCHSM_REASON_PIN_TRIES_LOW ||
         err->reason == SCHSM_REASON_PIN_KNOWN_WRONG)) {
        add_blame(err, "pin-source", origins->pin);
    }
}

void schsm_tool_origins_clear(struct schsm_origins *origins)
{
    OPENSSL_free(origins->serial);
    OPENSSL_free(origins->reader);
    OPENSSL_free(origins->token);
    OPENSSL_free(origins->pkcs11_module);
    OPENSSL_free(origins->pin);
    OPENSSL_free(origins->pin_serial);
    OPENSSL_free(origins->pin_reader);
    OPENSSL_free(origins->pin_token);
    memset(origins, 0, sizeof(*origins));
}
