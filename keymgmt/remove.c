/* SPDX-License-Identifier: Apache-2.0 */
#include "remove.h"

/* A public key is a part of its private key and of its certificate, and goes with them. */
#define REMOVABLE (SCHSM_OBJECT_ANY & ~(unsigned int)SCHSM_OBJECT_PUBLIC)

static int remove_match(struct schsm_context *context, const struct schsm_uri *uri,
                        const struct schsm_match *match, const struct schsm_passphrase *passphrase,
                        struct schsm_error *err)
{
    struct schsm_pin_source *source = schsm_pin_source_ref(
        uri->pin_source != NULL ? uri->pin_source : context->config.pin_source);
    bool ask = source == NULL && passphrase != NULL && context->config.login != SCHSM_LOGIN_NEVER;
    char name[SCHSM_OBJECT_NAME_MAX];
    int ok = 1;

    schsm_object_name(&match->object, name, sizeof(name));
    if (ask) {
        ok = schsm_login_ask(context, match->device, name, passphrase, &source, err);
    }
    if (ok) {
        struct schsm_login login = schsm_login_for(context, source, name);

        ok = schsm_device_remove(match->device, &match->object, &login, err);
    }
    schsm_pin_source_free(source);
    return ok;
}

int schsm_remove_find(struct schsm_context *context, const struct schsm_uri *uri,
                      struct schsm_match *match, struct schsm_error *err)
{
    unsigned int types = uri->types != 0 ? uri->types : REMOVABLE;
    struct schsm_match_list list = { NULL, 0 };
    int ok = 0;

    if (!schsm_uri_names_object(uri)) {
        return schsm_fail(
            err, SCHSM_REASON_AMBIGUOUS,
            "only a URI that names one object by key-ref, id, label or handle can be deleted");
    }
    if ((types & REMOVABLE) == 0) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "a public key is not deleted by itself: name its key with type=private, "
                          "or its certificate with type=cert");
    }
    ok = schsm_find(context, uri, types, &list, err) &&
         schsm_match_list_take(&list, uri, types, match, err);
    schsm_match_list_clear(&list);
    return ok;
}

int schsm_remove(struct schsm_context *context, const struct schsm_uri *uri,
                 const struct schsm_passphrase *passphrase, struct schsm_error *err)
{
    struct schsm_match match = { 0 };
    int ok;

    if (!schsm_remove_find(context, uri, &match, err)) {
        return 0;
    }
    ok = remove_match(context, uri, &match, passphrase, err);
    schsm_match_clear(&match);
    return ok;
}
