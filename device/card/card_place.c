/* SPDX-License-Identifier: Apache-2.0 */
/* What is on the card, and where something new may go. */
#include "card_private.h"

#include <string.h>

#include <openssl/crypto.h>

bool schsm_card_was_absent(const struct schsm_session *session)
{
    return session->card.result == SCHSM_TRANSPORT_OK &&
           session->card.status_word == SCHSM_SW_FILE_NOT_FOUND;
}

int schsm_card_read_optional(struct schsm_session *session, unsigned int file,
                             enum schsm_file_form form, uint8_t **content, size_t *len,
                             struct schsm_error *err)
{
    return schsm_card_read_file(&session->card, file, form, content, len, err) ||
           schsm_card_was_absent(session);
}

int schsm_card_read_if_possible(struct schsm_session *session, unsigned int file,
                                enum schsm_file_form form, uint8_t **content, size_t *len,
                                struct schsm_error *err)
{
    struct schsm_error found = SCHSM_ERROR_INIT;
    unsigned int status_word;

    if (schsm_card_read_file(&session->card, file, form, content, len, &found)) {
        return 1;
    }
    status_word = session->card.status_word;
    return (session->card.result == SCHSM_TRANSPORT_OK && status_word != SCHSM_SW_INS &&
            status_word != SCHSM_SW_CLA && found.reason != SCHSM_REASON_OUT_OF_MEMORY) ||
           schsm_fail_as(err, &found);
}

static void decode_description(const uint8_t *content, size_t len, struct schsm_pkcs15_key *key)
{
    struct schsm_error malformed = SCHSM_ERROR_INIT;

    memset(key, 0, sizeof(*key));
    if (content != NULL) {
        (void)schsm_pkcs15_decode_key(content, len, key, &malformed);
    }
}

int schsm_card_read_description(struct schsm_session *session, int key_ref,
                                struct schsm_pkcs15_key *key, bool *exists, struct schsm_error *err)
{
    uint8_t *content = NULL;
    size_t len = 0;

    memset(key, 0, sizeof(*key));
    if (!schsm_card_read_optional(session, SCHSM_FILE_KEY_DESCRIPTION | (unsigned int)key_ref,
                                  SCHSM_FORM_TLV, &content, &len, err)) {
        return 0;
    }
    *exists = content != NULL;
    decode_description(content, len, key);
    OPENSSL_free(content);
    return 1;
}

int schsm_card_read_name(struct schsm_session *session, unsigned int key_ref,
                         struct schsm_pkcs15_key *key, struct schsm_error *err)
{
    uint8_t *content = NULL;
    size_t len = 0;

    memset(key, 0, sizeof(*key));
    if (!schsm_card_read_if_possible(session, SCHSM_FILE_KEY_DESCRIPTION | key_ref, SCHSM_FORM_TLV,
                                     &content, &len, err)) {
        return 0;
    }
    decode_description(content, len, key);
    OPENSSL_free(content);
    return 1;
}

int schsm_card_list_files(struct schsm_session *session, struct schsm_card_files *files,
                          struct schsm_error *err)
{
    files->count = SCHSM_FILES_MAX;
    return schsm_card_enumerate(&session->card, files->ids, &files->count, err);
}

bool schsm_card_is_listed(const struct schsm_card_files *files, unsigned int file)
{
    for (size_t i = 0; i < files->count; i++) {
        if (files->ids[i] == file) {
            return true;
        }
    }
    return false;
}

bool schsm_card_may_exist(const struct schsm_card_files *files, unsigned int file)
{
    return schsm_card_is_listed(files, file) || !schsm_card_lists_everything(files);
}

int schsm_card_delete_optional(struct schsm_session *session, unsigned int file,
                               struct schsm_error *err)
{
    return schsm_card_delete_file(&session->card, file, err) || schsm_card_was_absent(session);
}

bool schsm_card_delete_if_there(struct schsm_session *session, unsigned int file)
{
    enum schsm_transport_result result = session->card.result;
    unsigned int status_word = session->card.status_word;
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    bool gone = schsm_card_delete_optional(session, file, &ignored);

    session->card.result = result;
    session->card.status_word = status_word;
    return gone;
}

bool schsm_card_has_key(const struct schsm_card_files *files, unsigned int ref)
{
    return schsm_card_is_listed(files, SCHSM_FILE_KEY | ref);
}

int schsm_card_look_for_file(struct schsm_session *session, const struct schsm_card_files *files,
                             unsigned int file, bool *there, struct schsm_error *err)
{
    int32_t length;

    *there = schsm_card_is_listed(files, file);
    return *there || !schsm_card_may_exist(files, file) ||
           schsm_card_select_file(&session->card, file, there, &length, err) ||
           session->card.result == SCHSM_TRANSPORT_OK;
}

int schsm_card_clear_key_ref(struct schsm_session *session, const struct schsm_card_files *files,
                             unsigned int ref, struct schsm_error *err)
{
    static const unsigned int leftovers[] = { SCHSM_FILE_KEY_DESCRIPTION, SCHSM_FILE_CERTIFICATE };

    for (size_t i = 0; i < sizeof(leftovers) / sizeof(leftovers[0]); i++) {
        if (schsm_card_is_listed(files, leftovers[i] | ref) &&
            !schsm_card_delete_optional(session, leftovers[i] | ref, err)) {
            return 0;
        }
    }
    return 1;
}

/* A certificate alone may be what somebody kept of a key that was deleted: its place comes last. */
static bool is_kept_certificate(const struct schsm_card_files *files, unsigned int ref)
{
    return schsm_card_is_listed(files, SCHSM_FILE_CERTIFICATE | ref) &&
           !schsm_card_is_listed(files, SCHSM_FILE_KEY_DESCRIPTION | ref);
}

/* The first key reference without a key; 0: there is none. */
static unsigned int first_free_key_ref(const struct schsm_card_files *files, bool kept_too)
{
    for (unsigned int ref = 1; ref <= SCHSM_KEY_REF_MAX; ref++) {
        if (!schsm_card_has_key(files, ref) && (kept_too || !is_kept_certificate(files, ref))) {
            return ref;
        }
    }
    return 0;
}

int schsm_card_choose_key_ref(const struct schsm_card_files *files, int wanted,
                              unsigned int *key_ref, struct schsm_error *err)
{
    unsigned int ref;

    if (wanted >= 0) {
        *key_ref = (unsigned int)wanted;
        if (wanted < 1 || wanted > SCHSM_KEY_REF_MAX) {
            return schsm_fail(err, SCHSM_REASON_ARGUMENT, "%d is no key reference", wanted);
        }
        if (schsm_card_has_key(files, *key_ref)) {
            return schsm_fail(
                err, SCHSM_REASON_EXISTS,
                "key reference %d is taken: choose another, or leave the choice to us", wanted);
        }
        return 1;
    }
    ref = first_free_key_ref(files, false);
    if (ref == 0) {
        ref = first_free_key_ref(files, true);
    }
    if (ref == 0) {
        return schsm_fail(err, SCHSM_REASON_DEVICE_FULL,
                          "all %d key references are taken: delete a key that is no longer needed",
                          SCHSM_KEY_REF_MAX);
    }
    *key_ref = ref;
    return 1;
}

/* Marks the ids of one byte that are taken, and refuses the one asked for if it is. */
static int look_for_id(struct schsm_session *session, const struct schsm_card_files *files,
                       const uint8_t *wanted, size_t wanted_len, bool taken[256],
                       struct schsm_error *err)
{
    for (size_t i = 0; i < files->count; i++) {
        unsigned int file = files->ids[i], ref = SCHSM_FILE_ID(file);
        struct schsm_pkcs15_key other;

        if (SCHSM_FILE_TYPE(file) != SCHSM_FILE_KEY || ref == 0) {
            continue;
        }
        if (!schsm_card_read_name(session, ref, &other, err)) {
            return 0;
        }
        if (other.id_len == 1) {
            taken[other.id[0]] = true;
        }
        if (wanted != NULL && other.id_len == wanted_len &&
            memcmp(other.id, wanted, wanted_len) == 0) {
            return schsm_fail(err, SCHSM_REASON_EXISTS,
                              "key reference %u%s%s%s already has this id: choose another", ref,
                              other.label[0] != 0 ? " (" : "", other.label,
                              other.label[0] != 0 ? ")" : "");
        }
    }
    return 1;
}

int schsm_card_choose_id(struct schsm_session *session, const struct schsm_card_files *files,
                         const uint8_t *wanted, size_t wanted_len, unsigned int first, uint8_t *id,
                         size_t *id_len, struct schsm_error *err)
{
    bool taken[256] = { false };
    unsigned int next = first;

    if (!look_for_id(session, files, wanted, wanted_len, taken, err)) {
        return 0;
    }
    if (wanted != NULL) {
        memcpy(id, wanted, wanted_len);
        *id_len = wanted_len;
        return 1;
    }
    for (unsigned int tried = 0; taken[next] || next == 0; tried++) {
        if (tried > 255) {
            return schsm_fail(err, SCHSM_REASON_DEVICE_FULL,
                              "all ids of one byte are taken: name an id");
        }
        next = (next + 1) & 0xFF;
    }
    id[0] = (uint8_t)next;
    *id_len = 1;
    return 1;
}
