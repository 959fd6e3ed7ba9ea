/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of a search on a card share: what is looked for, and what was found. */
#ifndef SCHSM_CARD_CARD_SEARCH_H
#define SCHSM_CARD_CARD_SEARCH_H

#include "card_private.h"

/* One search; a job that is repeated starts with `before` objects again. */
struct schsm_card_search {
    const struct schsm_object_filter *filter;
    struct schsm_object_list *list;
    size_t before;
    struct schsm_card_files files;
};

static inline bool schsm_card_search_wants(const struct schsm_card_search *search,
                                           unsigned int types)
{
    return (search->filter->types & types) != 0;
}

/* Whether id and label of the object are those that are looked for, if any are. (card_find.c) */
bool schsm_card_search_fits(const struct schsm_card_search *search,
                            const struct schsm_object *object);

/* Appends a copy of *object, whose value it takes over; on failure the value is freed.
 * (card_find.c) */
int schsm_card_search_append(struct schsm_card_search *search, struct schsm_object *object,
                             struct schsm_error *err);

/*
 * Reads a file for a search, as schsm_card_read_if_possible. What the card refuses is UNREADABLE in
 * *defect, which stays as it is otherwise. (card_find.c)
 */
int schsm_card_search_read(struct schsm_session *session, unsigned int file,
                           enum schsm_file_form form, uint8_t **content, size_t *len,
                           enum schsm_defect *defect, struct schsm_error *err);

/* The description C4 of a key, into the object. (card_find.c) */
int schsm_card_search_describe(struct schsm_session *session, unsigned int ref,
                               struct schsm_object *object, struct schsm_error *err);

/* Where the content of a data object or of a certificate without a key is: in the file that the
 * description tells, or at the usual place; *file is 0 where it is not there. (card_orphan.c) */
int schsm_card_search_data_file(struct schsm_session *session,
                                const struct schsm_card_search *search, unsigned int id,
                                unsigned int told, unsigned int *file, struct schsm_error *err);
int schsm_card_search_certificate_file(struct schsm_session *session,
                                       const struct schsm_card_search *search, unsigned int id,
                                       unsigned int told, unsigned int *file,
                                       struct schsm_error *err);

/*
 * Whether a certificate that nobody described stands beside its key as well: what an interrupted
 * replacement left of the spare copy. Looked for only where orphans are, and thoroughly.
 * (card_orphan.c)
 */
int schsm_card_search_is_copy(struct schsm_session *session, const struct schsm_card_search *search,
                              const struct schsm_view *certificate, bool *copy,
                              struct schsm_error *err);

/* Appends what is left of keys: descriptions C4 and certificates or requests CE. (card_orphan.c) */
int schsm_card_find_key_orphans(struct schsm_session *session, struct schsm_card_search *search,
                                unsigned int ref, struct schsm_error *err);

/* Appends, as an orphan, one file of an object without a key; it has the name already.
 * (card_orphan.c) */
int schsm_card_append_orphan(struct schsm_card_search *search, const struct schsm_object *object,
                             unsigned int file, enum schsm_defect defect, struct schsm_error *err);

#endif
