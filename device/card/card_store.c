/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Storing certificates and data objects. The content is written before its description, so that an
 * interruption leaves at most a nameless object, which lists show and which the same call, made
 * again, goes on with.
 *
 * A key's certificate is in the one file CExx, and stands where the key's request or its old
 * certificate stood. A write of several commands may be interrupted, so the new content is first
 * written to a spare file CAxx: from then until the end either CExx or that one is whole.
 */
#include "card_private.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/tlv.h"

#define PLACES 256 /* objects of one kind: the low byte of their file ids */

/* Bytes of the shortest content that is taken for an interrupted write of a longer one. */
#define LEFTOVER_MIN SCHSM_APDU_SHORT_CHUNK

struct storing {
    const struct schsm_store *spec;
    struct schsm_card_files files;
    struct schsm_object *stored;
    unsigned int file;        /* what is written or was by an earlier attempt; 0: nothing */
    unsigned int description; /* likewise; 0: it has none */
    uint8_t *old;             /* a key's certificate or request before the first attempt */
    size_t old_len;
};

/* --- where to ------------------------------------------------------------------------------ */

static bool is_free_place(const struct storing *storing, unsigned int place, bool data)
{
    const struct schsm_card_files *files = &storing->files;

    if (data) {
        return !schsm_card_is_listed(files, SCHSM_FILE_DATA_DESCRIPTION | place) &&
               !schsm_card_is_listed(files, SCHSM_FILE_PRIVATE_DATA | place) &&
               !schsm_card_is_listed(files, SCHSM_FILE_PUBLIC_DATA | place);
    }
    return !schsm_card_is_listed(files, SCHSM_FILE_CERTIFICATE_DESCRIPTION | place) &&
           !schsm_card_is_listed(files, SCHSM_FILE_CA_CERTIFICATE | place);
}

/* Whether a file holds the beginning of what is to be stored, and no more; one that cannot be read
 * does not. */
static int holds_beginning(struct schsm_session *session, const struct storing *storing,
                           unsigned int file, size_t at_least, bool *holds, struct schsm_error *err)
{
    const struct schsm_store *spec = storing->spec;
    uint8_t *content = NULL;
    size_t len = 0;

    if (!schsm_card_read_if_possible(session, file, SCHSM_FORM_BYTES, &content, &len, err)) {
        return 0;
    }
    *holds = content != NULL && len <= spec->value_len &&
             (len >= at_least || len == spec->value_len) && memcmp(content, spec->value, len) == 0;
    OPENSSL_clear_free(content, len);
    return 1;
}

/* Looks for what an interrupted call left: our content, or much of it, without a description. */
static int find_leftover(struct schsm_session *session, struct storing *storing,
                         enum schsm_file content, enum schsm_file description, unsigned int *file,
                         struct schsm_error *err)
{
    *file = 0;
    if (!schsm_card_add_undescribed(session, &storing->files, description, err)) {
        return 0;
    }
    for (size_t i = 0; i < storing->files.count && *file == 0; i++) {
        unsigned int candidate = storing->files.ids[i];
        bool ours = false;

        if (SCHSM_FILE_TYPE(candidate) != (unsigned int)content ||
            schsm_card_is_listed(&storing->files,
                                 (unsigned int)description | SCHSM_FILE_ID(candidate))) {
            continue;
        }
        if (!holds_beginning(session, storing, candidate, LEFTOVER_MIN, &ours, err)) {
            return 0;
        }
        *file = ours ? candidate : 0;
    }
    return 1;
}

/* A description of data that are not there takes no place: an interruption left it. */
static int drop_lone_description(struct schsm_session *session, struct storing *storing,
                                 unsigned int place, struct schsm_error *err)
{
    struct schsm_card_files *files = &storing->files;
    unsigned int description = SCHSM_FILE_DATA_DESCRIPTION | place;
    bool private_data = false, public_data = false;

    if (!schsm_card_is_listed(files, description)) {
        return 1;
    }
    if (!schsm_card_look_for_file(session, files, SCHSM_FILE_PRIVATE_DATA | place, &private_data,
                                  err) ||
        !schsm_card_look_for_file(session, files, SCHSM_FILE_PUBLIC_DATA | place, &public_data,
                                  err)) {
        return 0;
    }
    return private_data || public_data ||
           (schsm_card_delete_optional(session, description, err) &&
            schsm_card_list_files(session, files, err));
}

static int choose_file(struct schsm_session *session, struct storing *storing,
                       enum schsm_file content, enum schsm_file description,
                       struct schsm_error *err)
{
    const struct schsm_store *spec = storing->spec;
    bool data = content != SCHSM_FILE_CA_CERTIFICATE, ours = false;
    unsigned int place = 0;

    if (storing->file != 0) { /* an earlier attempt got so far */
        if (!holds_beginning(session, storing, storing->file, 0, &ours, err)) {
            return 0;
        }
        if (ours || is_free_place(storing, SCHSM_FILE_ID(storing->file), data)) {
            return 1;
        }
        storing->file = 0; /* somebody else's by now */
    }
    if (data && spec->id != NULL) {
        place = spec->id[0];
        if (!drop_lone_description(session, storing, place, err) ||
            !schsm_card_add_if_there(session, &storing->files, SCHSM_FILE_PRIVATE_DATA | place,
                                     err) ||
            !schsm_card_add_if_there(session, &storing->files, SCHSM_FILE_PUBLIC_DATA | place,
                                     err)) {
            return 0;
        }
        if (!schsm_card_is_listed(&storing->files, (unsigned int)description | place) &&
            schsm_card_is_listed(&storing->files, (unsigned int)content | place) &&
            !holds_beginning(session, storing, (unsigned int)content | place, LEFTOVER_MIN, &ours,
                             err)) {
            return 0;
        }
        if (!ours && !is_free_place(storing, place, true)) {
            return schsm_fail(err, SCHSM_REASON_EXISTS,
                              "the place %02x for data objects is taken: choose another, or leave "
                              "the choice to us",
                              place);
        }
    } else {
        if (!find_leftover(session, storing, content, description, &storing->file, err)) {
            return 0;
        }
        while (storing->file == 0 && place < PLACES && !is_free_place(storing, place, data)) {
            place++;
        }
        if (place == PLACES) {
            return schsm_fail(err, SCHSM_REASON_DEVICE_FULL,
                              "all %d places for %s are taken: delete one that is no longer needed",
                              PLACES, data ? "data objects" : "certificates without a key");
        }
    }
    if (storing->file == 0) {
        storing->file = (unsigned int)content | place;
    }
    storing->description = (unsigned int)description | SCHSM_FILE_ID(storing->file);
    return 1;
}

/* --- writing ------------------------------------------------------------------------------- */

static int write_content(struct schsm_session *session, const struct storing *storing,
                         unsigned int file, struct schsm_error *err)
{
    const struct schsm_store *spec = storing->spec;

    if (schsm_card_write_file(&session->card, file, spec->value, spec->value_len, err)) {
        return 1;
    }
    if (err->reason == SCHSM_REASON_DEVICE_FULL) {
        schsm_fail(err, SCHSM_REASON_DEVICE_FULL,
                   "the device has no room for %zu bytes more: delete something that is no longer "
                   "needed; what was there is unchanged",
                   spec->value_len);
    }
    return 0;
}

static int encode_description(const struct storing *storing, uint8_t *out, size_t *len,
                              struct schsm_error *err)
{
    const struct schsm_store *spec = storing->spec;
    const char *label = spec->label != NULL ? spec->label : "";

    if (spec->type == SCHSM_OBJECT_CERTIFICATE) {
        struct schsm_pkcs15_certificate description = { .kind = SCHSM_CERTIFICATE_X509,
                                                        .authority = true,
                                                        .id_len = spec->id_len,
                                                        .file_id = storing->file };

        (void)snprintf(description.label, sizeof(description.label), "%s", label);
        memcpy(description.id, spec->id, spec->id_len);
        return schsm_pkcs15_encode_certificate(&description, out, len, err);
    }
    struct schsm_pkcs15_data description = { .private_data = spec->private_data,
                                             .file_id = storing->file };

    (void)snprintf(description.label, sizeof(description.label), "%s", label);
    (void)snprintf(description.application, sizeof(description.application), "%s",
                   spec->application != NULL ? spec->application : "");
    return schsm_pkcs15_encode_data(&description, out, len, err);
}

/* After a failure that the card itself told. Where the way to the card broke, the next attempt or
 * the next call goes on with what is there. */
static void undo(struct schsm_session *session, struct storing *storing)
{
    if (session->card.result == SCHSM_TRANSPORT_OK) {
        (void)schsm_card_delete_if_there(session, storing->file);
        (void)schsm_card_delete_if_there(session, storing->description);
        storing->file = 0;
    }
}

static int store_described(struct schsm_session *session, struct storing *storing,
                           enum schsm_file content, enum schsm_file description,
                           struct schsm_error *err)
{
    uint8_t encoded[SCHSM_PKCS15_MAX];
    size_t len = sizeof(encoded);

    if (!choose_file(session, storing, content, description, err) ||
        !encode_description(storing, encoded, &len, err)) {
        return 0;
    }
    if (!write_content(session, storing, storing->file, err) ||
        !schsm_card_write_file(&session->card, storing->description, encoded, len, err)) {
        undo(session, storing);
        return 0;
    }
    storing->stored->handle = storing->file;
    return 1;
}

/* --- a certificate without a key ----------------------------------------------------------- */

static int refuse_id(unsigned int file, const char *label, struct schsm_error *err)
{
    return schsm_fail(err, SCHSM_REASON_EXISTS,
                      "the %s in file %04X%s%s%s has this id: choose another",
                      SCHSM_FILE_TYPE(file) == SCHSM_FILE_KEY ? "key" : "certificate", file,
                      label[0] != 0 ? " (" : "", label, label[0] != 0 ? ")" : "");
}

static bool has_id(const struct schsm_store *spec, const uint8_t *id, size_t id_len)
{
    return id_len == spec->id_len && memcmp(id, spec->id, id_len) == 0;
}

/* Refuses the id of this description C8 of another certificate; one of a certificate that is not
 * there any more has none. */
static int check_id_of_certificate(struct schsm_session *session, const struct storing *storing,
                                   unsigned int file, struct schsm_error *err)
{
    struct schsm_pkcs15_certificate certificate = { 0 };
    struct schsm_error malformed = SCHSM_ERROR_INIT;
    uint8_t *content = NULL;
    bool there = false;
    size_t len = 0;

    if (file == storing->description) { /* an earlier attempt's is ours */
        return 1;
    }
    if (!schsm_card_read_if_possible(session, file, SCHSM_FORM_TLV, &content, &len, err)) {
        return 0;
    }
    if (content != NULL) {
        (void)schsm_pkcs15_decode_certificate(content, len, &certificate, &malformed);
    }
    OPENSSL_free(content);
    if (!has_id(storing->spec, certificate.id, certificate.id_len)) {
        return 1;
    }
    if (certificate.file_id == 0) {
        certificate.file_id = SCHSM_FILE_CA_CERTIFICATE | SCHSM_FILE_ID(file);
    }
    return schsm_card_look_for_file(session, &storing->files, certificate.file_id, &there, err) &&
           (!there || refuse_id(file, certificate.label, err));
}

/* A certificate with the id of a key would be taken for that key's; with another's, for that. */
static int check_id(struct schsm_session *session, const struct storing *storing,
                    struct schsm_error *err)
{
    for (size_t i = 0; i < storing->files.count; i++) {
        unsigned int file = storing->files.ids[i];
        struct schsm_pkcs15_key key = { 0 };

        if (SCHSM_FILE_TYPE(file) == SCHSM_FILE_KEY && SCHSM_FILE_ID(file) != 0) {
            if (!schsm_card_read_name(session, SCHSM_FILE_ID(file), &key, err)) {
                return 0;
            }
            if (has_id(storing->spec, key.id, key.id_len)) {
                return refuse_id(file, key.label, err);
            }
        } else if (SCHSM_FILE_TYPE(file) == SCHSM_FILE_CERTIFICATE_DESCRIPTION &&
                   !check_id_of_certificate(session, storing, file, err)) {
            return 0;
        }
    }
    return 1;
}

/* --- a certificate of a key ---------------------------------------------------------------- */

/* The first element of a file; false where it is cut. */
static bool is_whole(const uint8_t *file, size_t len, struct schsm_tlv *tlv)
{
    return file != NULL && len > 0 && schsm_tlv_first(file, len, tlv);
}

/* Reads what the key's file holds now; *same: it is what is to be stored. */
static int read_old(struct schsm_session *session, struct storing *storing, unsigned int file,
                    bool *there, bool *same, struct schsm_error *err)
{
    const struct schsm_store *spec = storing->spec;
    uint8_t *content = NULL;
    struct schsm_tlv tlv;
    size_t len = 0;

    if (!schsm_card_read_optional(session, file, SCHSM_FORM_TLV, &content, &len, err)) {
        return 0;
    }
    *there = content != NULL;
    *same = false;
    if (is_whole(content, len, &tlv)) {
        *same = tlv.whole.len == spec->value_len &&
                memcmp(tlv.whole.data, spec->value, spec->value_len) == 0;
        if (storing->old == NULL && !*same) {
            storing->old = content;
            storing->old_len = tlv.whole.len;
            return 1;
        }
    }
    OPENSSL_free(content);
    return 1;
}

/* *lost: the card refused the new content, and the old one could not be put back. */
static int replace_of_key(struct schsm_session *session, const struct storing *storing,
                          unsigned int file, bool there, bool *lost, struct schsm_error *err)
{
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    unsigned int status_word;

    if (there && !schsm_card_delete_file(&session->card, file, err)) {
        return 0;
    }
    if (write_content(session, storing, file, err)) {
        return 1;
    }
    status_word = session->card.status_word;
    if (session->card.result == SCHSM_TRANSPORT_OK) {
        (void)schsm_card_delete_if_there(session, file);
        *lost = storing->old != NULL && !schsm_card_write_file(&session->card, file, storing->old,
                                                               storing->old_len, &ignored);
        session->card.status_word = status_word;
    }
    return 0;
}

static int store_key_certificate_file(struct schsm_session *session, struct storing *storing,
                                      struct schsm_error *err)
{
    unsigned int ref = (unsigned int)storing->spec->key->key_ref;
    unsigned int file = SCHSM_FILE_CERTIFICATE | ref;
    bool there = false, same = false, lost = false;
    int ok = 1;

    if (!schsm_card_has_key(&storing->files, ref)) {
        return schsm_fail(err, SCHSM_REASON_NOT_FOUND, "there is no such key");
    }
    storing->stored->handle = file;
    if (!read_old(session, storing, file, &there, &same, err)) {
        return 0;
    }
    if (there && !same) {
        if (!choose_file(session, storing, SCHSM_FILE_CA_CERTIFICATE,
                         SCHSM_FILE_CERTIFICATE_DESCRIPTION, err)) {
            return 0;
        }
        if (!write_content(session, storing, storing->file, err)) {
            undo(session, storing);
            return 0;
        }
    } else if (storing->file == 0 &&
               !find_leftover(session, storing, SCHSM_FILE_CA_CERTIFICATE,
                              SCHSM_FILE_CERTIFICATE_DESCRIPTION, &storing->file, err)) {
        return 0; /* what is looked for there is the spare copy of an earlier attempt or call */
    }
    if (!same) {
        ok = replace_of_key(session, storing, file, there, &lost, err);
    }
    if (storing->file == 0 || lost || session->card.result != SCHSM_TRANSPORT_OK) {
        return ok;
    }
    if (!ok) {
        (void)schsm_card_delete_if_there(session, storing->file);
    } else if (!schsm_card_delete_file(&session->card, storing->file, err)) {
        return 0; /* to be done again, so that no copy stays */
    }
    storing->file = 0;
    return ok;
}

/* --- the whole ----------------------------------------------------------------------------- */

static int store_on_card(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    struct storing *storing = arg;
    const struct schsm_store *spec = storing->spec;

    if (!schsm_session_check_file(session, spec->value_len, err) ||
        !schsm_card_list_files(session, &storing->files, err)) {
        return 0;
    }
    if (spec->type == SCHSM_OBJECT_DATA) {
        return store_described(
            session, storing, spec->private_data ? SCHSM_FILE_PRIVATE_DATA : SCHSM_FILE_PUBLIC_DATA,
            SCHSM_FILE_DATA_DESCRIPTION, err);
    }
    if (spec->key != NULL) {
        return store_key_certificate_file(session, storing, err);
    }
    return check_id(session, storing, err) &&
           store_described(session, storing, SCHSM_FILE_CA_CERTIFICATE,
                           SCHSM_FILE_CERTIFICATE_DESCRIPTION, err);
}

static int check_content_for_card(const struct schsm_store *spec, struct schsm_error *err)
{
    struct schsm_tlv tlv;

    if (spec->value == NULL || spec->value_len == 0) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "there is nothing to store");
    }
    if ((spec->label != NULL && strlen(spec->label) > SCHSM_LABEL_MAX) ||
        (spec->application != NULL && strlen(spec->application) > SCHSM_LABEL_MAX)) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "a label has at most %d bytes",
                          SCHSM_LABEL_MAX);
    }
    if (spec->type == SCHSM_OBJECT_DATA) {
        return spec->id == NULL || spec->id_len == 1
                   ? 1
                   : schsm_fail(err, SCHSM_REASON_ARGUMENT,
                                "a data object's place is one byte, 00 to ff");
    }
    if (spec->type != SCHSM_OBJECT_CERTIFICATE || !is_whole(spec->value, spec->value_len, &tlv) ||
        tlv.tag != 0x30 || tlv.whole.len != spec->value_len) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "only X.509 certificates and data objects can be stored");
    }
    if (spec->key != NULL ? spec->key->key_ref < 1 || spec->key->key_ref > 255
                          : spec->id == NULL || spec->id_len == 0 || spec->id_len > SCHSM_ID_MAX) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "a certificate needs a key, or an id of 1 to %d bytes", SCHSM_ID_MAX);
    }
    return 1;
}

static void fill_stored_file(const struct schsm_store *spec, struct schsm_object *stored)
{
    bool of_key = spec->type == SCHSM_OBJECT_CERTIFICATE && spec->key != NULL;

    stored->type = spec->type;
    stored->key_ref = of_key ? spec->key->key_ref : -1;
    stored->described = !of_key;
    stored->authority = spec->type == SCHSM_OBJECT_CERTIFICATE && !of_key;
    stored->private_data = spec->private_data;
    if (!of_key && spec->label != NULL) {
        (void)snprintf(stored->label, sizeof(stored->label), "%s", spec->label);
    }
    if (stored->authority) {
        memcpy(stored->id, spec->id, spec->id_len);
        stored->id_len = spec->id_len;
    }
}

int schsm_card_device_store(struct schsm_device *dev, const struct schsm_store *spec,
                            const struct schsm_login *login, struct schsm_object *stored,
                            struct schsm_error *err)
{
    struct storing *storing = OPENSSL_zalloc(sizeof(*storing));
    struct schsm_job job = { .run = store_on_card,
                             .arg = storing,
                             .login = login,
                             .transaction = true,
                             .object = spec->label };
    char name[64];
    int ok = 0;

    if (storing == NULL) {
        return schsm_fail_memory(err);
    }
    storing->spec = spec;
    storing->stored = stored;
    if (spec->label == NULL || spec->label[0] == '\0') {
        if (spec->type == SCHSM_OBJECT_CERTIFICATE && spec->key != NULL) {
            (void)snprintf(name, sizeof(name), "certificate of key reference %d",
                           spec->key->key_ref);
        }
        job.object = spec->type == SCHSM_OBJECT_DATA ? "new data object"
                     : spec->key != NULL             ? name
                                                     : "new certificate";
    }
    if (!check_content_for_card(spec, err)) {
        goto done;
    }
    ok = schsm_session_run(schsm_card_session(dev), &job, err);
    if (ok) {
        fill_stored_file(spec, stored);
    } else if (storing->file != 0) {
        schsm_fail_context(err, "half done: run the same again once the device is back");
    }
    if (ok && spec->replaces != NULL) {
        ok = schsm_card_device_remove(dev, spec->replaces, login, err);
        if (!ok) {
            schsm_fail_context(err, "the new object is stored, but the old one is still there");
        }
    }

done:
    OPENSSL_free(storing->old);
    OPENSSL_free(storing);
    return ok;
}
