/* SPDX-License-Identifier: Apache-2.0 */
#include "reveal.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>

#define DEVICES_MAX 64

int schsm_hiding_find(struct schsm_context *context, const struct schsm_uri *uri,
                      struct schsm_hiding *hiding, struct schsm_error *err)
{
    const struct schsm_device_selector selector = schsm_find_selector(context, uri);
    struct schsm_device *devices[DEVICES_MAX];
    size_t count = DEVICES_MAX;

    *hiding = (struct schsm_hiding){ .device = NULL };
    if (!schsm_registry_devices(context->registry, &selector, devices, &count, err)) {
        return 0;
    }
    for (size_t i = 0; i < count && hiding->device == NULL; i++) {
        bool hides = false;

        if (!schsm_device_hides_objects(devices[i], &hides, err)) {
            return 0;
        }
        if (hides) {
            hiding->device = devices[i];
            hiding->several = count > 1;
        }
    }
    return 1;
}

/* The URI that means all of a device, for a sentence; the caller's, NULL where it is unknown. */
static char *device_uri(struct schsm_device *device)
{
    const struct schsm_object nothing = { .key_ref = -1 };
    char serial[SCHSM_SERIAL_MAX + 1], token[SCHSM_TOKEN_LABEL_MAX + 1];
    const struct schsm_uri_device named = { .serial = serial, .token = token };
    struct schsm_error ignored = SCHSM_ERROR_INIT;

    if (!schsm_device_serial(device, serial, &ignored)) {
        return NULL;
    }
    schsm_device_token(device, token);
    return schsm_uri_of_object(&named, &nothing, 0);
}

int schsm_hiding_fail(const struct schsm_uri *uri, unsigned int types,
                      const struct schsm_hiding *hiding, struct schsm_error *err)
{
    const struct schsm_match_list none = { NULL, 0 };
    char name[SCHSM_DEVICE_NAME_MAX];
    char *sought = NULL, *device = NULL;

    if (hiding->device == NULL) {
        return schsm_find_fail(uri, &none, types, err);
    }
    schsm_device_name(hiding->device, name);
    sought = schsm_find_sought(uri, types);
    if (sought == NULL) {
        return schsm_fail_memory(err);
    }
    if (hiding->several) {
        device = device_uri(hiding->device);
        schsm_fail(
            err, SCHSM_REASON_NOT_FOUND,
            "there is no %s to be seen on several devices, of which device %s shows its keys "
            "only after a login: if that is the one, name it as in %s",
            sought, name, device != NULL ? device : "sc-hsm:token=LABEL");
    } else {
        schsm_fail(err, SCHSM_REASON_PIN_MISSING,
                   "device %s shows its keys only after a login, and no PIN was given, so there is "
                   "no %s to be seen: set pin-source in the configuration, or add "
                   "?pin-source=prompt to the URI",
                   name, sought);
    }
    OPENSSL_free(device);
    OPENSSL_free(sought);
    return 0;
}

/* For prompts and sentences: what a login is for. */
static void name_wanted_key(const struct schsm_uri *uri, enum schsm_object_type type,
                            char name[SCHSM_OBJECT_NAME_MAX])
{
    char *sought = schsm_find_sought(uri, type);

    BIO_snprintf(name, SCHSM_OBJECT_NAME_MAX, "%s", sought != NULL ? sought : "key");
    OPENSSL_free(sought);
}

static int reveal(struct schsm_context *context, const struct schsm_uri *uri,
                  enum schsm_object_type type, const struct schsm_hiding *hiding,
                  const struct schsm_passphrase *passphrase, bool *revealed,
                  struct schsm_error *err)
{
    struct schsm_pin_source *source = NULL;
    char name[SCHSM_OBJECT_NAME_MAX];
    int ok = 1;

    *revealed = false;
    if (hiding->device == NULL || hiding->several || context->config.login == SCHSM_LOGIN_NEVER) {
        return 1;
    }
    name_wanted_key(uri, type, name);
    source = schsm_pin_source_ref(uri->pin_source != NULL ? uri->pin_source
                                                          : context->config.pin_source);
    if (source == NULL && passphrase != NULL) {
        ok = schsm_login_ask(context, hiding->device, name, passphrase, &source, err);
    }
    if (ok && source != NULL) {
        const struct schsm_login login = schsm_login_for(context, source, name);

        ok = schsm_device_login(hiding->device, &login, err);
        *revealed = ok != 0;
    }
    schsm_pin_source_free(source);
    return ok;
}

int schsm_reveal(struct schsm_context *context, const struct schsm_uri *uri,
                 const struct schsm_hiding *hiding, const struct schsm_passphrase *passphrase,
                 bool *revealed, struct schsm_error *err)
{
    return reveal(context, uri, SCHSM_OBJECT_PRIVATE, hiding, passphrase, revealed, err);
}

int schsm_reveal_key(struct schsm_context *context, const struct schsm_uri *uri,
                     enum schsm_object_type type, const struct schsm_passphrase *passphrase,
                     struct schsm_match *match, struct schsm_error *err)
{
    struct schsm_hiding hiding = { .device = NULL };
    struct schsm_error found = SCHSM_ERROR_INIT;
    bool revealed = false;

    if (schsm_find_one(context, uri, type, match, &found)) {
        return 1;
    }
    if (found.reason != SCHSM_REASON_NOT_FOUND) {
        return schsm_fail_as(err, &found);
    }
    if (!schsm_hiding_find(context, uri, &hiding, err) ||
        !reveal(context, uri, type, &hiding, passphrase, &revealed, err)) {
        return 0;
    }
    return revealed ? schsm_find_one(context, uri, type, match, err)
                    : schsm_hiding_fail(uri, type, &hiding, err);
}
