/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files without what they belong to. A deletion that was interrupted leaves them, a write that was,
 * and other programs: OpenSC deletes a key and its description, and keeps its certificate. They
 * take no place and no id; what may be of use by itself, as a certificate or data without a
 * description, is none.
 */
#include "card_search.h"

#include <string.h>

#include <openssl/crypto.h>

#include "base/tlv.h"

/* The first of these files that is there; 0: none is. */
static int first_there(struct schsm_session *session, const struct schsm_card_search *search,
                       const unsigned int *candidates, size_t count, unsigned int *file,
                       struct schsm_error *err)
{
    *file = 0;
    for (size_t i = 0; i < count && *file == 0; i++) {
        bool there = false;

        if (candidates[i] != 0 &&
            !schsm_card_look_for_file(session, &search->files, candidates[i], &there, err)) {
            return 0;
        }
        *file = there ? candidates[i] : 0;
    }
    return 1;
}

int schsm_card_search_data_file(struct schsm_session *session,
                                const struct schsm_card_search *search, unsigned int id,
                                unsigned int told, unsigned int *file, struct schsm_error *err)
{
    bool usable = SCHSM_FILE_TYPE(told) == SCHSM_FILE_PRIVATE_DATA ||
                  SCHSM_FILE_TYPE(told) == SCHSM_FILE_PUBLIC_DATA;
    const unsigned int candidates[] = { usable ? told : 0, SCHSM_FILE_PRIVATE_DATA | id,
                                        SCHSM_FILE_PUBLIC_DATA | id };

    return first_there(session, search, candidates, sizeof(candidates) / sizeof(candidates[0]),
                       file, err);
}

int schsm_card_search_certificate_file(struct schsm_session *session,
                                       const struct schsm_card_search *search, unsigned int id,
                                       unsigned int told, unsigned int *file,
                                       struct schsm_error *err)
{
    const unsigned int candidates[] = { SCHSM_FILE_TYPE(told) == SCHSM_FILE_CA_CERTIFICATE ? told
                                                                                           : 0,
                                        SCHSM_FILE_CA_CERTIFICATE | id };

    return first_there(session, search, candidates, sizeof(candidates) / sizeof(candidates[0]),
                       file, err);
}

int schsm_card_search_is_copy(struct schsm_session *session, const struct schsm_card_search *search,
                              const struct schsm_view *certificate, bool *copy,
                              struct schsm_error *err)
{
    const unsigned int both = SCHSM_OBJECT_ORPHAN | SCHSM_SEARCH_THOROUGHLY;

    *copy = false;
    if ((search->filter->types & both) != both) {
        return 1;
    }
    for (size_t i = 0; i < search->files.count && !*copy; i++) {
        unsigned int file = search->files.ids[i], ref = SCHSM_FILE_ID(file);
        enum schsm_defect ignored = SCHSM_DEFECT_NONE;
        struct schsm_tlv first;
        uint8_t *beside = NULL;
        size_t len = 0;

        if (SCHSM_FILE_TYPE(file) != SCHSM_FILE_KEY || ref == 0) {
            continue;
        }
        if (!schsm_card_search_read(session, SCHSM_FILE_CERTIFICATE | ref, SCHSM_FORM_TLV, &beside,
                                    &len, &ignored, err)) {
            return 0;
        }
        *copy = beside != NULL && schsm_tlv_first(beside, len, &first) &&
                schsm_view_equal(first.whole, *certificate);
        OPENSSL_free(beside);
    }
    return 1;
}

/* What a file that is left may have belonged to, and the handle that this had. */
static void tell_origin(struct schsm_object *orphan, unsigned int file)
{
    unsigned int id = SCHSM_FILE_ID(file);

    switch (SCHSM_FILE_TYPE(file)) {
    case SCHSM_FILE_KEY_DESCRIPTION:
        orphan->orphan_of = (unsigned int)SCHSM_OBJECT_PRIVATE | (unsigned int)SCHSM_OBJECT_SECRET;
        orphan->whole = SCHSM_FILE_KEY | id;
        break;
    case SCHSM_FILE_CERTIFICATE:
        orphan->orphan_of =
            (unsigned int)SCHSM_OBJECT_PRIVATE | (unsigned int)SCHSM_OBJECT_CERTIFICATE;
        orphan->whole = SCHSM_FILE_KEY | id;
        break;
    case SCHSM_FILE_DATA_DESCRIPTION:
        orphan->orphan_of = SCHSM_OBJECT_DATA;
        orphan->whole =
            (orphan->private_data ? SCHSM_FILE_PRIVATE_DATA : SCHSM_FILE_PUBLIC_DATA) | id;
        break;
    default: /* C8 and CA */
        orphan->orphan_of = SCHSM_OBJECT_CERTIFICATE;
        orphan->whole = SCHSM_FILE_CA_CERTIFICATE | id;
        break;
    }
}

int schsm_card_append_orphan(struct schsm_card_search *search, const struct schsm_object *object,
                             unsigned int file, enum schsm_defect defect, struct schsm_error *err)
{
    struct schsm_object orphan = *object;

    if (!schsm_card_search_wants(search, SCHSM_OBJECT_ORPHAN)) {
        return 1;
    }
    orphan.type = SCHSM_OBJECT_ORPHAN;
    orphan.handle = file;
    orphan.defect = defect;
    orphan.authority = false;
    tell_origin(&orphan, file);
    return schsm_card_search_append(search, &orphan, err);
}

int schsm_card_find_key_orphans(struct schsm_session *session, struct schsm_card_search *search,
                                unsigned int ref, struct schsm_error *err)
{
    static const unsigned int parts[] = { SCHSM_FILE_KEY_DESCRIPTION, SCHSM_FILE_CERTIFICATE };
    struct schsm_object orphan = { .key_ref = (int)ref, .described = true };

    if (schsm_card_is_listed(&search->files, SCHSM_FILE_KEY_DESCRIPTION | ref) &&
        !schsm_card_search_describe(session, ref, &orphan, err)) {
        return 0;
    }
    if (!schsm_card_search_fits(search, &orphan)) {
        return 1;
    }
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (schsm_card_is_listed(&search->files, parts[i] | ref) &&
            !schsm_card_append_orphan(search, &orphan, parts[i] | ref, SCHSM_DEFECT_NONE, err)) {
            return 0;
        }
    }
    return 1;
}
