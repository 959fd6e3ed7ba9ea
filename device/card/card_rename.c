/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renaming: one write of the object's description, which alone tells its name. What else the
 * description says stays, whoever wrote it. It is written over the old one by one command, and a
 * reader takes no more of it than the length in it says (4.4), so that at every moment the old one
 * or the new one is whole.
 */
#include "card_private.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

struct renaming {
    const struct schsm_rename *spec;
    struct schsm_object *object;
    struct schsm_card_files files;
    uint8_t encoded[SCHSM_PKCS15_MAX];
    size_t encoded_len;
};

static bool is_of_key(const struct schsm_object *object)
{
    return object->key_ref > 0;
}

/* The file that tells the object's name. */
static unsigned int description_of(const struct schsm_object *object)
{
    if (is_of_key(object)) {
        return SCHSM_FILE_KEY_DESCRIPTION | (unsigned int)object->key_ref;
    }
    return (object->type == SCHSM_OBJECT_DATA ? (unsigned int)SCHSM_FILE_DATA_DESCRIPTION
                                              : (unsigned int)SCHSM_FILE_CERTIFICATE_DESCRIPTION) |
           SCHSM_FILE_ID(object->handle);
}

/* --- the id -------------------------------------------------------------------------------- */

/* The id that this file's object has; none of a file that is no description, or of a description
 * without its object. */
static int read_id_of(struct schsm_session *session, const struct schsm_card_files *files,
                      unsigned int file, struct schsm_pkcs15_key *name, struct schsm_error *err)
{
    struct schsm_pkcs15_certificate certificate = { 0 };
    struct schsm_error malformed = SCHSM_ERROR_INIT;
    unsigned int number = SCHSM_FILE_ID(file);
    uint8_t *content = NULL;
    size_t len = 0;

    memset(name, 0, sizeof(*name));
    if (SCHSM_FILE_TYPE(file) == SCHSM_FILE_KEY && number != 0) {
        return schsm_card_read_name(session, number, name, err);
    }
    if (SCHSM_FILE_TYPE(file) != SCHSM_FILE_CERTIFICATE_DESCRIPTION ||
        !schsm_card_may_exist(files, SCHSM_FILE_CA_CERTIFICATE | number)) {
        return 1;
    }
    if (!schsm_card_read_if_possible(session, file, SCHSM_FORM_TLV, &content, &len, err)) {
        return 0;
    }
    if (content != NULL &&
        schsm_pkcs15_decode_certificate(content, len, &certificate, &malformed)) {
        memcpy(name->id, certificate.id, certificate.id_len);
        name->id_len = certificate.id_len;
        memcpy(name->label, certificate.label, sizeof(name->label));
    }
    OPENSSL_free(content);
    return 1;
}

static bool is_own(const struct schsm_object *object, unsigned int file)
{
    return is_of_key(object) ? file == (SCHSM_FILE_KEY | (unsigned int)object->key_ref)
                             : file == description_of(object);
}

/* A certificate with the id of a key would be taken for that key's; with another's, for that. */
static int check_new_id(struct schsm_session *session, const struct renaming *renaming,
                        struct schsm_error *err)
{
    const struct schsm_rename *spec = renaming->spec;

    for (size_t i = 0; spec->id != NULL && i < renaming->files.count; i++) {
        unsigned int file = renaming->files.ids[i];
        struct schsm_pkcs15_key other;

        if (is_own(renaming->object, file)) {
            continue;
        }
        if (!read_id_of(session, &renaming->files, file, &other, err)) {
            return 0;
        }
        if (other.id_len == spec->id_len && memcmp(other.id, spec->id, spec->id_len) == 0) {
            return schsm_fail(
                err, SCHSM_REASON_EXISTS, "the %s in file %04X%s%s%s has this id: choose another",
                SCHSM_FILE_TYPE(file) == SCHSM_FILE_KEY ? "key" : "certificate", file,
                other.label[0] != 0 ? " (" : "", other.label, other.label[0] != 0 ? ")" : "");
        }
    }
    return 1;
}

/* --- the description ----------------------------------------------------------------------- */

/* Of an object that nobody described, or whose description is of no use. */
static int describe_anew(struct renaming *renaming, struct schsm_error *err)
{
    const struct schsm_object *object = renaming->object;
    const struct schsm_rename *spec = renaming->spec;
    const char *label = spec->label != NULL ? spec->label : object->label;
    const uint8_t *id = spec->id != NULL ? spec->id : object->id;
    size_t id_len = spec->id != NULL ? spec->id_len : object->id_len;

    renaming->encoded_len = sizeof(renaming->encoded);
    if (object->type == SCHSM_OBJECT_DATA) {
        struct schsm_pkcs15_data data = { .private_data = object->private_data,
                                          .file_id = object->handle };

        (void)snprintf(data.label, sizeof(data.label), "%s", label);
        memcpy(data.application, object->application, sizeof(data.application));
        return schsm_pkcs15_encode_data(&data, renaming->encoded, &renaming->encoded_len, err);
    }
    if (id_len == 0) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "it has no id yet: give it one as well, with --id");
    }
    if (is_of_key(object)) {
        struct schsm_pkcs15_key key = { .type = object->key_type,
                                        .id_len = id_len,
                                        .bits = object->bits };

        if (key.type == SCHSM_KEY_NONE) {
            return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                              "nothing on the device tells what kind of key this is, and without "
                              "that it cannot be described");
        }
        (void)snprintf(key.label, sizeof(key.label), "%s", label);
        memcpy(key.id, id, id_len);
        return schsm_pkcs15_encode_key(&key, renaming->encoded, &renaming->encoded_len, err);
    }
    struct schsm_pkcs15_certificate certificate = { .kind = SCHSM_CERTIFICATE_X509,
                                                    .authority = object->authority,
                                                    .id_len = id_len,
                                                    .file_id = object->handle };

    (void)snprintf(certificate.label, sizeof(certificate.label), "%s", label);
    memcpy(certificate.id, id, id_len);
    return schsm_pkcs15_encode_certificate(&certificate, renaming->encoded, &renaming->encoded_len,
                                           err);
}

static int make_description(struct schsm_session *session, struct renaming *renaming,
                            struct schsm_error *err)
{
    const struct schsm_rename *spec = renaming->spec;
    struct schsm_view label = { (const uint8_t *)spec->label,
                                spec->label != NULL ? strlen(spec->label) : 0 };
    struct schsm_view id = { spec->id, spec->id_len };
    struct schsm_error malformed = SCHSM_ERROR_INIT;
    uint8_t *content = NULL;
    size_t len = 0;
    int ok;

    if (!schsm_card_read_optional(session, description_of(renaming->object), SCHSM_FORM_TLV,
                                  &content, &len, err)) {
        return 0;
    }
    renaming->encoded_len = sizeof(renaming->encoded);
    ok = (content != NULL && schsm_pkcs15_rename(content, len, spec->label != NULL ? &label : NULL,
                                                 spec->id != NULL ? &id : NULL, renaming->encoded,
                                                 &renaming->encoded_len, &malformed)) ||
         describe_anew(renaming, err);
    OPENSSL_free(content);
    return ok;
}

/* --- the whole ----------------------------------------------------------------------------- */

static int rename_on_card(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    struct renaming *renaming = arg;
    const struct schsm_object *object = renaming->object;

    if (!schsm_card_list_files(session, &renaming->files, err)) {
        return 0;
    }
    if (is_of_key(object) && !schsm_card_has_key(&renaming->files, (unsigned int)object->key_ref)) {
        return schsm_fail(err, SCHSM_REASON_NOT_FOUND, "there is no such key any more");
    }
    if (!check_new_id(session, renaming, err) || !make_description(session, renaming, err)) {
        return 0;
    }
    if (session->card.short_only && renaming->encoded_len > SCHSM_APDU_SHORT_CHUNK) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "the reader takes short commands only, too short for a label of this "
                          "length: choose a shorter one");
    }
    return schsm_card_write_file(&session->card, description_of(object), renaming->encoded,
                                 renaming->encoded_len, err);
}

static int check_new_name(const struct schsm_object *object, const struct schsm_rename *spec,
                          struct schsm_error *err)
{
    if (object->type == SCHSM_OBJECT_ORPHAN) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "what is left of an object cannot be renamed, only deleted");
    }
    if (spec->label != NULL && strlen(spec->label) > SCHSM_LABEL_MAX) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "a label has at most %d bytes",
                          SCHSM_LABEL_MAX);
    }
    if (spec->id != NULL && object->type == SCHSM_OBJECT_DATA) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "a data object has a label and no id");
    }
    return spec->id == NULL || (spec->id_len > 0 && spec->id_len <= SCHSM_ID_MAX)
               ? 1
               : schsm_fail(err, SCHSM_REASON_ARGUMENT, "an id has 1 to %d bytes", SCHSM_ID_MAX);
}

int schsm_card_device_rename(struct schsm_device *dev, struct schsm_object *object,
                             const struct schsm_rename *spec, const struct schsm_login *login,
                             struct schsm_error *err)
{
    struct renaming *renaming = OPENSSL_zalloc(sizeof(*renaming));
    struct schsm_job job = { .run = rename_on_card,
                             .arg = renaming,
                             .login = login,
                             .transaction = true,
                             .object = object->label[0] != '\0' ? object->label : NULL };
    int ok = 0;

    if (renaming == NULL) {
        return schsm_fail_memory(err);
    }
    renaming->spec = spec;
    renaming->object = object;
    if (!check_new_name(object, spec, err) ||
        !schsm_session_run(schsm_card_session(dev), &job, err)) {
        goto done;
    }
    if (spec->label != NULL) {
        (void)snprintf(object->label, sizeof(object->label), "%s", spec->label);
    }
    if (spec->id != NULL) {
        memcpy(object->id, spec->id, spec->id_len);
        object->id_len = spec->id_len;
    }
    ok = 1;

done:
    OPENSSL_free(renaming);
    return ok;
}
