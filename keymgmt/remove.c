/* SPDX-License-Identifier: Apache-2.0 */
#include "remove.h"

#include "reveal.h"

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

/* The list of orphans is what is left of one object. */
static bool is_of_one(const struct schsm_match_list *orphans)
{
    for (size_t i = 1; i < orphans->count; i++) {
        if (orphans->matches[i].device != orphans->matches[0].device ||
            orphans->matches[i].object.whole != orphans->matches[0].object.whole) {
            return false;
        }
    }
    return orphans->count > 0;
}

static enum schsm_object_type type_of_whole(unsigned int types)
{
    if ((types & (SCHSM_OBJECT_PRIVATE | SCHSM_OBJECT_SECRET)) != 0) {
        return SCHSM_OBJECT_PRIVATE;
    }
    return (types & SCHSM_OBJECT_DATA) != 0 ? SCHSM_OBJECT_DATA : SCHSM_OBJECT_CERTIFICATE;
}

struct belonging {
    unsigned int types, handle; /* as the user names what was half deleted; handle 0: does not */
};

static int belongs(void *arg, struct schsm_match *match, struct schsm_error *err)
{
    const struct belonging *wanted = arg;

    (void)err;
    return (match->object.orphan_of & wanted->types) != 0 ||
           (wanted->handle != 0 && match->object.handle == wanted->handle);
}

/*
 * What an interrupted deletion left of such an object, as that object: so that the same command
 * deletes the rest. Or the one orphan that has the handle.
 */
static int find_rest(struct schsm_context *context, const struct schsm_uri *uri, unsigned int types,
                     struct schsm_match_list *list, struct schsm_error *err)
{
    struct belonging wanted = { types, uri->handle };
    struct schsm_uri any = *uri; /* shares what it points to */
    struct schsm_object *object;

    any.types = 0;
    if (!schsm_find(context, &any, SCHSM_OBJECT_ORPHAN, list, err) ||
        !schsm_match_list_filter(list, belongs, &wanted, err)) {
        return 0;
    }
    if (list->count == 0) {
        return schsm_find_fail(uri, list, types, err);
    }
    if (!is_of_one(list)) {
        return schsm_find_fail(uri, list, SCHSM_OBJECT_ORPHAN, err);
    }
    while (list->count > 1) {
        schsm_match_clear(&list->matches[--list->count]);
    }
    object = &list->matches[0].object;
    if (uri->handle == 0 || object->handle != uri->handle || object->whole == uri->handle) {
        object->type = type_of_whole(object->orphan_of & types);
        object->handle = object->whole;
    }
    list->matches[0].unfinished = true;
    list->matches[0].shares_name = true;
    return 1;
}

int schsm_remove_find(struct schsm_context *context, const struct schsm_uri *uri,
                      unsigned int wanted, struct schsm_match *match, struct schsm_error *err)
{
    unsigned int types = uri->types != 0 ? uri->types & wanted : REMOVABLE & wanted;
    struct schsm_match_list list = { NULL, 0 };
    int ok = 0;

    if (!schsm_uri_names_object(uri)) {
        return schsm_fail(
            err, SCHSM_REASON_AMBIGUOUS,
            "only a URI that names one object by key-ref, id, label or handle can be deleted");
    }
    if (uri->types != 0 && (uri->types & REMOVABLE) == 0) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "a public key is not deleted by itself: name its key with type=private, "
                          "or its certificate with type=cert");
    }
    ok = schsm_find(context, uri, types, &list, err) &&
         (list.count > 0 || find_rest(context, uri, types, &list, err)) &&
         (list.count == 1 || schsm_find_fail(uri, &list, types, err));
    if (ok) {
        *match = list.matches[0];
        list.count = 0; /* what it owns has moved */
    }
    schsm_match_list_clear(&list);
    return ok;
}

int schsm_remove(struct schsm_context *context, const struct schsm_uri *uri,
                 const struct schsm_passphrase *passphrase, struct schsm_error *err)
{
    struct schsm_hiding hiding = { .device = NULL };
    struct schsm_error found = SCHSM_ERROR_INIT;
    struct schsm_match match = { 0 };
    bool revealed = false;
    int ok = schsm_remove_find(context, uri, SCHSM_OBJECT_ANY, &match, &found);

    if (!ok && found.reason == SCHSM_REASON_NOT_FOUND && uri->types != SCHSM_OBJECT_CERTIFICATE) {
        /* it may show itself after a login */
        if (!schsm_hiding_find(context, uri, &hiding, err) ||
            !schsm_reveal(context, uri, &hiding, passphrase, &revealed, err)) {
            return 0;
        }
        if (hiding.device != NULL && !revealed) {
            return schsm_hiding_fail(uri, uri->types, &hiding, err);
        }
        ok = revealed && schsm_remove_find(context, uri, SCHSM_OBJECT_ANY, &match, &found);
    }
    if (!ok) {
        return schsm_fail_as(err, &found);
    }
    ok = remove_match(context, uri, &match, passphrase, err);
    schsm_match_clear(&match);
    return ok;
}
