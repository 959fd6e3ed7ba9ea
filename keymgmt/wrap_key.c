/* SPDX-License-Identifier: Apache-2.0 */
#include "wrap_key.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "hsm/hsm_key_domain.h"
#include "hsm/hsm_wrap.h"
#include "format/pkcs15.h"
#include "format/public_key.h"
#include "key_request.h"
#include "unfinished.h"

/* --- the file ------------------------------------------------------------------------------ */

/* What the parts of a container tell of its key. */
static int read_parts(struct schsm_wrapped_file *wrapped, struct schsm_error *err)
{
    const struct schsm_key_container *container = &wrapped->container;
    struct schsm_error malformed = SCHSM_ERROR_INIT;
    struct schsm_pkcs15_key description;

    if (!schsm_wrapped_key_parse(container->blob.data, container->blob.len, &wrapped->key, err)) {
        return 0;
    }
    wrapped->bits = schsm_wrapped_key_bits(&wrapped->key);
    /* One that says something else than the key itself is as good as none. */
    if (!schsm_pkcs15_decode_key(container->description.data, container->description.len,
                                 &description, &malformed) ||
        description.type != wrapped->key.type) {
        return 1;
    }
    wrapped->described = true;
    memcpy(wrapped->id, description.id, description.id_len);
    wrapped->id_len = description.id_len;
    memcpy(wrapped->label, description.label, sizeof(wrapped->label));
    wrapped->usage = description.usage;
    wrapped->bits = description.bits != 0 ? description.bits : wrapped->bits;
    return 1;
}

int schsm_wrapped_file_read(const uint8_t *file, size_t len, struct schsm_wrapped_file *wrapped,
                            struct schsm_error *err)
{
    struct schsm_error ignored = SCHSM_ERROR_INIT;

    memset(wrapped, 0, sizeof(*wrapped));
    if (!schsm_key_container_parse(file, len, &wrapped->container, err)) {
        if (!schsm_wrapped_key_parse(file, len, &wrapped->key, &ignored)) {
            return 0;
        }
        /* what WRAP KEY answered, as it is */
        wrapped->container.blob = (struct schsm_view){ file, len };
    }
    return read_parts(wrapped, err);
}

/* A description with this id and label: the file's own where it says the same. */
static int describe_as(const struct schsm_wrapped_file *wrapped,
                       const struct schsm_pkcs15_key *named, uint8_t buffer[SCHSM_PKCS15_MAX],
                       struct schsm_view *description, struct schsm_error *err)
{
    struct schsm_pkcs15_key key = *named;
    size_t len = SCHSM_PKCS15_MAX;

    if (wrapped->described && named->id_len == wrapped->id_len &&
        memcmp(named->id, wrapped->id, named->id_len) == 0 &&
        strcmp(named->label, wrapped->label) == 0) {
        *description = wrapped->container.description;
        return 1;
    }
    key.type = wrapped->key.type;
    key.usage = wrapped->usage;
    key.bits = wrapped->bits != 0 ? wrapped->bits : named->bits;
    if (!schsm_pkcs15_encode_key(&key, buffer, &len, err)) {
        return 0;
    }
    *description = (struct schsm_view){ buffer, len };
    return 1;
}

int schsm_wrapped_file_describe(const struct schsm_wrapped_file *wrapped,
                                const struct schsm_pkcs15_key *otherwise,
                                uint8_t buffer[SCHSM_PKCS15_MAX], struct schsm_view *description,
                                struct schsm_error *err)
{
    struct schsm_pkcs15_key named = *otherwise;

    if (wrapped->described && wrapped->id_len > 0) {
        *description = wrapped->container.description;
        return 1;
    }
    if (wrapped->described) {
        memcpy(named.label, wrapped->label, sizeof(named.label));
    }
    return describe_as(wrapped, &named, buffer, description, err);
}

int schsm_wrapped_file_build(const struct schsm_key_container *parts,
                             const struct schsm_pkcs15_key *otherwise, uint8_t **file, size_t *len,
                             struct schsm_error *err)
{
    struct schsm_wrapped_file wrapped = { .container = *parts };
    uint8_t description[SCHSM_PKCS15_MAX];

    /* what cannot be read back is no backup */
    return (read_parts(&wrapped, err) || schsm_fail_context(err, "what the device gave")) &&
           schsm_wrapped_file_describe(&wrapped, otherwise, description,
                                       &wrapped.container.description, err) &&
           schsm_key_container_build(&wrapped.container, file, len, err);
}

int schsm_wrap_key(struct schsm_device *device, int key_ref, const struct schsm_login *login,
                   uint8_t **file, size_t *len, struct schsm_error *err)
{
    const struct schsm_pkcs15_key unnamed = { .id = { (uint8_t)key_ref }, .id_len = 1 };
    struct schsm_hsm_wrapped wrapped;
    struct schsm_key_container container;
    int ok;

    if (!schsm_hsm_wrap_key(device, key_ref, login, &wrapped, err)) {
        return 0;
    }
    container = (struct schsm_key_container){
        .blob = { wrapped.blob, wrapped.blob_len },
        .description = { wrapped.description, wrapped.description_len },
        .certificate = { wrapped.certificate, wrapped.certificate_len },
    };
    ok = schsm_wrapped_file_build(&container, &unnamed, file, len, err);
    schsm_hsm_wrapped_clear(&wrapped);
    return ok;
}

/* --- onto the device ----------------------------------------------------------------------- */

/* The key reference of the key that has this id; -1: none has. */
static int find_id(struct schsm_device *device, const uint8_t *id, size_t id_len, int *key_ref,
                   struct schsm_error *err)
{
    const struct schsm_object_filter filter = { .types = (unsigned int)SCHSM_OBJECT_PRIVATE |
                                                         (unsigned int)SCHSM_OBJECT_SECRET,
                                                .key_ref = -1,
                                                .id = id,
                                                .id_len = id_len };
    struct schsm_object_list list = { NULL, 0 };

    if (!schsm_device_find(device, &filter, &list, err)) {
        return 0;
    }
    *key_ref = list.count > 0 ? list.objects[0].key_ref : -1;
    schsm_object_list_clear(&list);
    return 1;
}

static int choose_unwrap_place(struct schsm_device *device,
                               const struct schsm_wrapped_file *wrapped,
                               const struct schsm_unwrap *wishes, struct schsm_object *made,
                               struct schsm_error *err)
{
    struct schsm_hsm_place place = { .key_ref = wishes->key_ref,
                                     .id = wishes->id,
                                     .id_len = wishes->id_len,
                                     .replace = wishes->replace };
    unsigned int key_ref = 0;

    if (place.id == NULL && wrapped->id_len > 0) {
        place.id = wrapped->id;
        place.id_len = wrapped->id_len;
    }
    if (place.replace && place.key_ref < 0 && place.id != NULL &&
        !find_id(device, place.id, place.id_len, &place.key_ref, err)) {
        return 0;
    }
    if (!schsm_hsm_place_key(device, &place, &key_ref, made->id, &made->id_len, err)) {
        return 0;
    }
    made->key_ref = (int)key_ref;
    return 1;
}

/* The description for the device, with the id that was chosen and the label that is wished. */
static int describe_unwrapped(const struct schsm_wrapped_file *wrapped,
                              const struct schsm_unwrap *wishes, struct schsm_object *made,
                              uint8_t buffer[SCHSM_PKCS15_MAX], struct schsm_view *description,
                              struct schsm_error *err)
{
    struct schsm_pkcs15_key named = { .id_len = made->id_len };

    (void)snprintf(made->label, sizeof(made->label), "%s",
                   wishes->label != NULL ? wishes->label : wrapped->label);
    memcpy(named.id, made->id, made->id_len);
    memcpy(named.label, made->label, sizeof(named.label));
    return describe_as(wrapped, &named, buffer, description, err);
}

/* Whether an earlier call, which was killed, brought the key and did not describe it: then *unwrap
 * and *made are for the rest. */
static int find_unfinished(struct schsm_device *device, const struct schsm_wrapped_file *wrapped,
                           const struct schsm_unwrap *wishes, struct schsm_hsm_unwrap *unwrap,
                           struct schsm_object *made, uint8_t buffer[SCHSM_PKCS15_MAX],
                           struct schsm_error *err)
{
    struct schsm_unfinished unfinished;
    struct schsm_unwrap there = *wishes;

    if (!schsm_unfinished_find(device, wrapped->key.type == SCHSM_KEY_AES, wishes->key_ref,
                               &unfinished, err)) {
        return 0;
    }
    there.replace = true;
    for (size_t i = 0; i < unfinished.count && !unwrap->unfinished; i++) {
        struct schsm_error taken = SCHSM_ERROR_INIT;

        there.key_ref = (int)unfinished.refs[i];
        if (!choose_unwrap_place(device, wrapped, &there, made, &taken)) {
            if (taken.reason != SCHSM_REASON_EXISTS) {
                return schsm_fail_as(err, &taken);
            }
            continue; /* another key has the id */
        }
        unwrap->key_ref = unfinished.refs[i];
        if (!describe_unwrapped(wrapped, wishes, made, buffer, &unwrap->description, err) ||
            !schsm_hsm_is_unfinished(device, unwrap, &unwrap->unfinished, err)) {
            return 0;
        }
    }
    return 1;
}

/* The public part of a pair that has no certificate and no request in its file, out of the key. */
static int request_public_part(struct schsm_device *device,
                               const struct schsm_wrapped_file *wrapped,
                               const struct schsm_unwrap *wishes, uint8_t **request, size_t *len,
                               struct schsm_error *err)
{
    char serial[SCHSM_SERIAL_MAX + 1];
    EVP_PKEY *pair;
    int ok;

    if (wishes->dkek == NULL || wrapped->container.certificate.len > 0 ||
        wrapped->key.type == SCHSM_KEY_AES) {
        return 1;
    }
    pair = schsm_wrapped_key_private(wishes->libctx, &wrapped->key, wishes->dkek, err);
    ok = pair != NULL && schsm_device_serial(device, serial, err) &&
         schsm_key_request(wishes->libctx, pair, serial, request, len, err);
    EVP_PKEY_free(pair);
    return ok;
}

int schsm_unwrap_key(struct schsm_device *device, const struct schsm_wrapped_file *wrapped,
                     const struct schsm_unwrap *wishes, const struct schsm_login *login,
                     struct schsm_object *made, struct schsm_error *err)
{
    const struct schsm_key_container *container = &wrapped->container;
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    uint8_t buffer[SCHSM_PKCS15_MAX], *request = NULL;
    struct schsm_hsm_unwrap unwrap = { .blob = container->blob,
                                       .certificate = container->certificate,
                                       .replace = wishes->replace };
    size_t request_len = 0;
    unsigned int domain;
    int ok = 0;

    memset(made, 0, sizeof(*made));
    if (wishes->label != NULL && strlen(wishes->label) > SCHSM_LABEL_MAX) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "a label has at most %d bytes",
                          SCHSM_LABEL_MAX);
    }
    /* the right device first: all else would be misleading */
    if (!schsm_hsm_find_kek(device, wrapped->key.kcv, &domain, err) ||
        !request_public_part(device, wrapped, wishes, &request, &request_len, err)) {
        goto done;
    }
    if (request != NULL) {
        unwrap.certificate = (struct schsm_view){ request, request_len };
    }
    if (!find_unfinished(device, wrapped, wishes, &unwrap, made, buffer, err) ||
        (!unwrap.unfinished &&
         (!choose_unwrap_place(device, wrapped, wishes, made, err) ||
          !describe_unwrapped(wrapped, wishes, made, buffer, &unwrap.description, err)))) {
        goto done;
    }
    unwrap.key_ref = (unsigned int)made->key_ref;
    if (!schsm_hsm_unwrap_key(device, &unwrap, login, err)) {
        goto done;
    }
    made->type = wrapped->key.type == SCHSM_KEY_AES ? SCHSM_OBJECT_SECRET : SCHSM_OBJECT_PRIVATE;
    made->described = true;
    made->key_type = wrapped->key.type;
    made->bits = wrapped->bits;
    (void)schsm_public_key_from_ce(unwrap.certificate.data, unwrap.certificate.len, &made->value,
                                   &made->value_len, &ignored);
    ok = 1;

done:
    OPENSSL_free(request);
    return ok;
}
