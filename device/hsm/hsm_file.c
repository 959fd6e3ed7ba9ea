/* SPDX-License-Identifier: Apache-2.0 */
#include "hsm_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "hsm_private.h"

/* Section 4.1. The first row that fits a file is what it is; mask 0xFF00 rows have a number. */
static const struct kind {
    uint16_t value, mask;
    const char *text;
} kinds[] = {
    { 0x2F00, 0xFFFF, "directory (EF.DIR)" },
    { 0x2F01, 0xFFFF, "answer to reset (EF.ATR)" },
    { SCHSM_FILE_DEVICE_CERTIFICATES, 0xFFFF, "device certificates (EF.C_DevAut)" },
    { SCHSM_FILE_TOKEN_INFO, 0xFFFF, "token information (EF.CIAInfo)" },
    { SCHSM_FILE_WRAPPED_KEY, 0xFFFF, "wrapped key on its way" },
    { SCHSM_FILE_KEY, 0xFFFF, "device authentication key" },
    { SCHSM_FILE_KEY, 0xFF00, "key" },
    { SCHSM_FILE_KEY_DESCRIPTION, 0xFF00, "description of a key" },
    { SCHSM_FILE_CERTIFICATE, 0xFF00, "certificate or request of a key" },
    { SCHSM_FILE_CERTIFICATE_DESCRIPTION, 0xFF00, "description of a certificate" },
    { SCHSM_FILE_CA_CERTIFICATE, 0xFF00, "certificate without a key" },
    { SCHSM_FILE_DATA_DESCRIPTION, 0xFF00, "description of data" },
    { SCHSM_FILE_PRIVATE_DATA, 0xFF00, "data, read with the PIN" },
    { SCHSM_FILE_PUBLIC_DATA, 0xFF00, "data" },
    { SCHSM_FILE_KEY_METADATA, 0xFF00, "further information on a key" },
    { 0, 0, "unknown" },
};

struct listing {
    struct schsm_hsm_file_list *list;
    struct schsm_card_files files;
};

static void describe_file(struct schsm_hsm_file *file)
{
    const struct kind *kind = kinds;

    while ((file->id & kind->mask) != kind->value) {
        kind++;
    }
    file->type = kind->text;
    file->number = kind->mask == 0xFF00 ? (int)SCHSM_FILE_ID(file->id) : -1;
}

/* Asks for a file and appends it if it is there. */
static int list_file(struct schsm_session *session, struct listing *listing, unsigned int id,
                     struct schsm_error *err)
{
    struct schsm_hsm_file_list *list = listing->list;
    struct schsm_hsm_file *files;
    bool exists = false;
    int32_t length = -1;

    if (!schsm_card_select_file(&session->card, id, &exists, &length, err) &&
        session->card.result != SCHSM_TRANSPORT_OK) {
        return 0;
    }
    if (!exists && !schsm_card_is_listed(&listing->files, id)) {
        return 1;
    }
    files = OPENSSL_realloc(list->files, (list->count + 1) * sizeof(*files));
    if (files == NULL) {
        return schsm_fail_memory(err);
    }
    list->files = files;
    files[list->count] = (struct schsm_hsm_file){ .id = id, .length = length };
    /* 4.1: a key is never read, and what a card may tell of its length is not the key's */
    if (SCHSM_FILE_TYPE(id) == SCHSM_FILE_KEY) {
        files[list->count].length = -1;
    }
    describe_file(&files[list->count]);
    list->count++;
    return 1;
}

static int list_hidden(struct schsm_session *session, struct listing *listing, unsigned int id,
                       struct schsm_error *err)
{
    return schsm_card_is_listed(&listing->files, id) || list_file(session, listing, id, err);
}

static int list_files(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    struct listing *listing = arg;

    OPENSSL_free(listing->list->files);
    *listing->list = (struct schsm_hsm_file_list){ NULL, 0 };
    if (!schsm_session_confirm_applet(session, err) ||
        !schsm_card_list_files(session, &listing->files, err)) {
        return 0;
    }
    if (!schsm_card_add_unlisted(session, &listing->files, err)) {
        return 0;
    }
    for (size_t i = 0; i < listing->files.count; i++) {
        if (!list_file(session, listing, listing->files.ids[i], err)) {
            return 0;
        }
    }
    return list_hidden(session, listing, SCHSM_FILE_TOKEN_INFO, err) &&
           (schsm_card_lists_everything(&listing->files) ||
            (list_hidden(session, listing, SCHSM_FILE_DEVICE_CERTIFICATES, err) &&
             list_hidden(session, listing, SCHSM_FILE_WRAPPED_KEY, err)));
}

static int compare_files(const void *a, const void *b)
{
    const struct schsm_hsm_file *left = a, *right = b;

    return (left->id > right->id) - (left->id < right->id);
}

int schsm_hsm_files(struct schsm_device *dev, struct schsm_hsm_file_list *list,
                    struct schsm_error *err)
{
    struct listing *listing = OPENSSL_zalloc(sizeof(*listing));
    const struct schsm_job job = { .run = list_files, .arg = listing, .transaction = true };
    int ok = 0;

    *list = (struct schsm_hsm_file_list){ NULL, 0 };
    if (listing == NULL) {
        return schsm_fail_memory(err);
    }
    listing->list = list;
    ok = schsm_card_run(dev, "files that can be shown", &job, err);
    OPENSSL_free(listing);
    if (!ok) {
        OPENSSL_free(list->files);
        *list = (struct schsm_hsm_file_list){ NULL, 0 };
    } else if (list->count > 1) {
        qsort(list->files, list->count, sizeof(*list->files), compare_files);
    }
    return ok;
}

bool schsm_hsm_file_is_private(unsigned int file)
{
    return SCHSM_FILE_TYPE(file) == SCHSM_FILE_PRIVATE_DATA;
}

bool schsm_hsm_file_is_key(unsigned int file)
{
    return SCHSM_FILE_TYPE(file) == SCHSM_FILE_KEY;
}

struct reading {
    unsigned int file;
    uint8_t **content;
    size_t *len;
};

static int run_file_read(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    const struct reading *reading = arg;

    return schsm_card_read_file(&session->card, reading->file, SCHSM_FORM_BYTES, reading->content,
                                reading->len, err);
}

int schsm_hsm_file_read(struct schsm_device *dev, unsigned int file,
                        const struct schsm_login *login, uint8_t **content, size_t *len,
                        struct schsm_error *err)
{
    struct reading reading = { file, content, len };
    char name[16];
    const struct schsm_job job = {
        .run = run_file_read, .arg = &reading, .login = login, .transaction = true, .object = name
    };

    *content = NULL;
    *len = 0;
    (void)snprintf(name, sizeof(name), "file %04X", file & 0xFFFF);
    return schsm_card_run(dev, "files that can be shown", &job, err);
}
