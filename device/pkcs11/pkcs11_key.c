/* SPDX-License-Identifier: Apache-2.0 */
/* Which private keys there are, and which of them is meant. */
#include "pkcs11_private.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "format/pkcs11_public_key.h"
#include "format/public_key.h"
#include "format/spki.h"

bool schsm_pkcs11_same_id(const struct schsm_object *a, const struct schsm_object *b)
{
    return a->id_len > 0 && a->id_len == b->id_len && memcmp(a->id, b->id, a->id_len) == 0;
}

static const struct schsm_pkcs11_object *with_id(const struct schsm_pkcs11_objects *objects,
                                                 const struct schsm_object *wanted)
{
    for (size_t i = 0; i < objects->count; i++) {
        if (schsm_pkcs11_same_id(&objects->at[i].object, wanted)) {
            return &objects->at[i];
        }
    }
    return NULL;
}

static void copy_object_value(struct schsm_object *to, const struct schsm_object *from)
{
    to->value = OPENSSL_memdup(from->value, from->value_len);
    to->value_len = to->value != NULL ? from->value_len : 0;
}

/* The public part of a private key from what stands beside it. */
static void complete_public_part(struct schsm_object *key, const struct schsm_pkcs11_keys *keys)
{
    const struct schsm_pkcs11_object *public = with_id(&keys->public, key);
    const struct schsm_pkcs11_object *certificate = with_id(&keys->certificates, key);
    struct schsm_error ignored = SCHSM_ERROR_INIT;

    key->told_beside = key->told_beside || key->value == NULL;
    if (key->value == NULL && public != NULL && public->object.value != NULL) {
        copy_object_value(key, &public->object);
    }
    if (key->value == NULL && certificate != NULL) {
        (void)schsm_public_key_from_ce(certificate->object.value, certificate->object.value_len,
                                       &key->value, &key->value_len, &ignored);
    }
    if (key->value != NULL) {
        schsm_spki_describe(key->value, key->value_len, &key->key_type, &key->bits);
    }
}

/* Lets a private key stand for itself that is not to be seen. */
static int suppose(struct schsm_pkcs11_keys *keys, const struct schsm_object *beside,
                   struct schsm_error *err)
{
    struct schsm_pkcs11_objects *list = &keys->private;
    struct schsm_pkcs11_object *grown =
        OPENSSL_realloc(list->at, (list->count + 1) * sizeof(*grown));
    struct schsm_object key = *beside;

    if (grown == NULL) {
        return schsm_fail_memory(err);
    }
    list->at = grown;
    key.type = SCHSM_OBJECT_PRIVATE;
    key.authority = false;
    key.value = NULL;
    key.value_len = 0;
    key.told_beside = true;
    if (beside->type == SCHSM_OBJECT_PUBLIC && beside->value != NULL) {
        copy_object_value(&key, beside);
    }
    grown[list->count++] = (struct schsm_pkcs11_object){ .handle = CK_INVALID_HANDLE,
                                                         .class = CKO_PRIVATE_KEY,
                                                         .object = key };
    return 1;
}

int schsm_pkcs11_are_hidden(struct schsm_pkcs11_token *token, bool *hidden, struct schsm_error *err)
{
    struct ck_session_info session;
    struct ck_token_info info;
    ck_rv rv = SCHSM_PKCS11(token, get_session_info, &session);

    if (rv != CKR_OK) {
        return schsm_pkcs11_fail(token, rv, err);
    }
    *hidden = false;
    if (session.state == CKS_RO_USER_FUNCTIONS || session.state == CKS_RW_USER_FUNCTIONS) {
        return 1;
    }
    if (!schsm_pkcs11_token_info(token, &info, err)) {
        return 0;
    }
    *hidden = (info.flags & CKF_LOGIN_REQUIRED) != 0;
    return 1;
}

static int suppose_hidden(struct schsm_pkcs11_keys *keys, struct schsm_error *err)
{
    for (size_t i = 0; i < keys->public.count; i++) {
        const struct schsm_object *public = &keys->public.at[i].object;

        if (with_id(&keys->private, public) == NULL && !suppose(keys, public, err)) {
            return 0;
        }
    }
    for (size_t i = 0; i < keys->certificates.count; i++) {
        const struct schsm_object *certificate = &keys->certificates.at[i].object;

        if (certificate->id_len > 0 && with_id(&keys->private, certificate) == NULL &&
            !schsm_pkcs11_is_authority(certificate->value, certificate->value_len) &&
            !suppose(keys, certificate, err)) {
            return 0;
        }
    }
    return 1;
}

int schsm_pkcs11_list_keys(struct schsm_pkcs11_token *token, const uint8_t *id, size_t id_len,
                           struct schsm_pkcs11_keys *keys, struct schsm_error *err)
{
    bool hidden = false;

    if (!schsm_pkcs11_list(token, CKO_PRIVATE_KEY, id, id_len, &keys->private, err) ||
        !schsm_pkcs11_list(token, CKO_PUBLIC_KEY, id, id_len, &keys->public, err) ||
        !schsm_pkcs11_list(token, CKO_CERTIFICATE, id, id_len, &keys->certificates, err) ||
        !schsm_pkcs11_are_hidden(token, &hidden, err) || (hidden && !suppose_hidden(keys, err))) {
        return 0;
    }
    for (size_t i = 0; i < keys->private.count; i++) {
        struct schsm_object *key = &keys->private.at[i].object;

        complete_public_part(key, keys);
        key->handle = schsm_pkcs11_number(key);
    }
    for (size_t i = 0; i < keys->certificates.count; i++) {
        struct schsm_object *certificate = &keys->certificates.at[i].object;

        certificate->authority = with_id(&keys->private, certificate) == NULL;
    }
    return 1;
}

void schsm_pkcs11_keys_clear(struct schsm_pkcs11_keys *keys)
{
    schsm_pkcs11_objects_clear(&keys->private);
    schsm_pkcs11_objects_clear(&keys->public);
    schsm_pkcs11_objects_clear(&keys->certificates);
}

/* How well an object fits: each digit of the result is one criterion. */
static unsigned int fitness(const struct schsm_object *object, const struct schsm_object *wanted)
{
    return (wanted->label[0] != 0 && strcmp(object->label, wanted->label) == 0 ? 2u : 0u) +
           (object->handle == wanted->handle ? 1u : 0u);
}

static const struct schsm_pkcs11_object *pick(const struct schsm_pkcs11_objects *objects,
                                              const struct schsm_object *wanted, bool supposed,
                                              bool *several)
{
    const struct schsm_pkcs11_object *best = NULL;

    *several = false;
    for (size_t i = 0; i < objects->count; i++) {
        const struct schsm_pkcs11_object *it = &objects->at[i];

        if ((it->handle == CK_INVALID_HANDLE && !supposed) ||
            (wanted->id_len > 0 && !schsm_pkcs11_same_id(&it->object, wanted)) ||
            (wanted->id_len == 0 && strcmp(it->object.label, wanted->label) != 0) ||
            (wanted->id_len == 0 && wanted->label[0] == 0 && it->object.handle != wanted->handle)) {
            continue;
        }
        if (best == NULL || fitness(&it->object, wanted) > fitness(&best->object, wanted)) {
            best = it;
            *several = false;
        } else if (fitness(&it->object, wanted) == fitness(&best->object, wanted)) {
            *several = true;
        }
    }
    return *several ? NULL : best;
}

const struct schsm_pkcs11_object *schsm_pkcs11_pick(const struct schsm_pkcs11_objects *objects,
                                                    const struct schsm_object *wanted,
                                                    bool *several)
{
    return pick(objects, wanted, false, several);
}

const struct schsm_pkcs11_object *
schsm_pkcs11_pick_or_suppose(const struct schsm_pkcs11_objects *objects,
                             const struct schsm_object *wanted, bool *several)
{
    return pick(objects, wanted, true, several);
}

static bool is_it(const struct schsm_pkcs11_key *key, const struct schsm_object *wanted)
{
    return key->id_len == wanted->id_len && memcmp(key->id, wanted->id, key->id_len) == 0 &&
           strcmp(key->label, wanted->label) == 0 && key->number == wanted->handle;
}

static int fail_no_such_key(const struct schsm_object *wanted, bool several,
                            struct schsm_error *err)
{
    const char *kind = wanted->type == SCHSM_OBJECT_SECRET ? "secret keys" : "private keys";

    if (several) {
        return schsm_fail(
            err, SCHSM_REASON_AMBIGUOUS,
            "the token has several %s of this id and label: give them ids of their own", kind);
    }
    return schsm_fail(err, SCHSM_REASON_NOT_FOUND,
                      "the token has no %s key of this %s, or does not let this user see it",
                      wanted->type == SCHSM_OBJECT_SECRET ? "secret" : "private",
                      wanted->id_len > 0 ? "id" : "label");
}

static int remember(struct schsm_pkcs11_token *token, const struct schsm_object *wanted,
                    ck_handle handle, const struct schsm_pkcs11_key **key, struct schsm_error *err)
{
    struct ck_attribute always = { CKA_ALWAYS_AUTHENTICATE, NULL, 0 };
    struct schsm_pkcs11_key *slot = NULL;

    if (!schsm_pkcs11_read(token, handle, &always, 1, err)) {
        return 0;
    }
    if (token->keys_count == SCHSM_PKCS11_KEYS_MAX) {
        token->keys_count = 0; /* who has so many looks for them again */
    }
    slot = &token->keys[token->keys_count++];
    memset(slot, 0, sizeof(*slot));
    memcpy(slot->id, wanted->id, wanted->id_len);
    slot->id_len = wanted->id_len;
    (void)snprintf(slot->label, sizeof(slot->label), "%s", wanted->label);
    slot->number = wanted->handle;
    slot->handle = handle;
    slot->always_authenticate = schsm_pkcs11_is_true(&always);
    schsm_pkcs11_free(&always, 1);
    *key = slot;
    return 1;
}

int schsm_pkcs11_find_key(struct schsm_pkcs11_token *token, const struct schsm_object *wanted,
                          const struct schsm_pkcs11_key **key, struct schsm_error *err)
{
    struct schsm_pkcs11_keys keys = { { NULL, 0 }, { NULL, 0 }, { NULL, 0 } };
    const uint8_t *id = wanted->id_len > 0 ? wanted->id : NULL;
    const struct schsm_pkcs11_object *found = NULL;
    bool several = false;
    int ok = 0;

    for (size_t i = 0; i < token->keys_count; i++) {
        if (is_it(&token->keys[i], wanted)) {
            *key = &token->keys[i];
            return 1;
        }
    }
    if (!(wanted->type == SCHSM_OBJECT_SECRET
              ? schsm_pkcs11_list(token, CKO_SECRET_KEY, id, wanted->id_len, &keys.private, err)
              : schsm_pkcs11_list_keys(token, id, wanted->id_len, &keys, err))) {
        goto done;
    }
    found = schsm_pkcs11_pick(&keys.private, wanted, &several);
    ok = found != NULL ? remember(token, wanted, found->handle, key, err)
                       : fail_no_such_key(wanted, several, err);

done:
    schsm_pkcs11_keys_clear(&keys);
    return ok;
}
