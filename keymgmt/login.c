/* SPDX-License-Identifier: Apache-2.0 */
#include "login.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include "find.h"

#define PASSPHRASE_MAX 64
#define PROMPT_MAX 1024 /* bytes */

struct schsm_login schsm_login_for(const struct schsm_context *context,
                                   struct schsm_pin_source *source, const char *object)
{
    bool never = context->config.login == SCHSM_LOGIN_NEVER;
    struct schsm_login login = {
        .source = never ? NULL : source,
        .min_pin_tries = context->config.min_pin_tries,
        .keep_pin = context->config.cache_pin,
        .pin_pad = !never,
        .object = object,
    };

    return login;
}

int schsm_passphrase_ask(const struct schsm_passphrase *passphrase, const char *info,
                         const char *object, bool may_be_empty, struct schsm_pin_source **source,
                         struct schsm_error *err)
{
    char pass[PASSPHRASE_MAX + 1];
    char shown[PROMPT_MAX];
    size_t len = 0;
    struct schsm_secret *pin = NULL;
    int asked = 0;

    schsm_copy_printable(shown, sizeof(shown), info); /* a label may hold a prompt of its own */
    ERR_set_mark();
    asked = passphrase->ask(passphrase->arg, pass, sizeof(pass) - 1, &len, shown);
    ERR_pop_to_mark();
    if (asked && len > 0) {
        pin = schsm_secret_new(pass, len, err);
    }
    OPENSSL_cleanse(pass, sizeof(pass));
    if (!asked || (len == 0 && may_be_empty)) {
        return 1;
    }
    if (len == 0) { /* Apache's first pass: its dialog comes when this load fails */
        return schsm_fail(err, SCHSM_REASON_PIN_MISSING,
                          "%s: the PIN that the application gave is empty", object);
    }
    if (pin != NULL) {
        *source = schsm_pin_source_from_secret(pin, err);
    }
    schsm_secret_free(pin);
    return *source != NULL;
}

int schsm_login_ask(const struct schsm_context *context, struct schsm_device *device,
                    const char *object, const struct schsm_passphrase *passphrase,
                    struct schsm_pin_source **source, struct schsm_error *err)
{
    struct schsm_login login = schsm_login_for(context, NULL, object);
    struct schsm_pin_prospect state;
    char info[SCHSM_OBJECT_NAME_MAX + sizeof(state.device) + 80];
    char tries[32] = "";

    *source = NULL;
    if (!schsm_device_prepare_login(device, &login, &state, err)) {
        return 0;
    }
    if (state.proven) {
        return 1; /* a device's PIN opens all of its keys, and was asked for at the first */
    }
    if (state.tries_left >= 0) {
        BIO_snprintf(tries, sizeof(tries), ", %d %s left", state.tries_left,
                     state.tries_left == 1 ? "try" : "tries");
    }
    BIO_snprintf(info, sizeof(info), "%s %s, %s%s%s", state.kind, state.device, object, tries,
                 state.pin_pad ? " (none: PIN pad)" : "");
    return schsm_passphrase_ask(passphrase, info, object, state.pin_pad, source, err);
}
