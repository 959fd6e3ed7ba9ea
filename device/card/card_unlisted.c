/* SPDX-License-Identifier: Apache-2.0 */
/* Files that a card has and does not list. */
#include "card_private.h"

/* Which the Pico HSM leaves out of its list, all but the first of its own (4.2). */
static const unsigned int left_out[] = { SCHSM_FILE_CERTIFICATE, SCHSM_FILE_CA_CERTIFICATE,
                                         SCHSM_FILE_PRIVATE_DATA, SCHSM_FILE_PUBLIC_DATA };

#define LEFT_OUT (sizeof(left_out) / sizeof(left_out[0]))
#define NUMBERS 256

bool schsm_card_lists_everything(const struct schsm_card_files *files)
{
    return schsm_card_is_listed(files, SCHSM_FILE_DEVICE_CERTIFICATES);
}

static bool is_left_out(const struct schsm_card_files *files, unsigned int file)
{
    bool of_type = false;

    for (size_t i = 0; i < LEFT_OUT; i++) {
        of_type = of_type || (file & ~0xFFu) == left_out[i];
    }
    return of_type && !schsm_card_lists_everything(files) && !schsm_card_is_listed(files, file);
}

int schsm_card_add_if_there(struct schsm_session *session, struct schsm_card_files *files,
                            unsigned int file, struct schsm_error *err)
{
    bool there = false;

    if (!is_left_out(files, file)) {
        return 1;
    }
    if (!schsm_card_look_for_file(session, files, file, &there, err)) {
        return 0;
    }
    if (there && files->count < SCHSM_FILES_MAX) {
        files->ids[files->count++] = (uint16_t)file;
    }
    return 1;
}

int schsm_card_add_unlisted(struct schsm_session *session, struct schsm_card_files *files,
                            struct schsm_error *err)
{
    if (schsm_card_lists_everything(files)) {
        return 1;
    }
    for (size_t i = 0; i < LEFT_OUT; i++) {
        for (unsigned int number = 0; number < NUMBERS; number++) {
            unsigned int file = left_out[i] | number;

            if (file != SCHSM_FILE_CERTIFICATE &&
                !schsm_card_add_if_there(session, files, file, err)) {
                return 0;
            }
        }
    }
    return 1;
}

int schsm_card_add_undescribed(struct schsm_session *session, struct schsm_card_files *files,
                               enum schsm_file description, struct schsm_error *err)
{
    bool data = description == SCHSM_FILE_DATA_DESCRIPTION, there = true;

    for (unsigned int place = 0; place < NUMBERS && there && !schsm_card_lists_everything(files);
         place++) {
        unsigned int first = (data ? SCHSM_FILE_PRIVATE_DATA : SCHSM_FILE_CA_CERTIFICATE) | place;
        unsigned int other = data ? SCHSM_FILE_PUBLIC_DATA | place : 0; /* which is no such file */

        if (schsm_card_is_listed(files, (unsigned int)description | place)) {
            continue;
        }
        if (!schsm_card_add_if_there(session, files, first, err) ||
            !schsm_card_add_if_there(session, files, other, err)) {
            return 0;
        }
        there = schsm_card_is_listed(files, first) || schsm_card_is_listed(files, other);
    }
    return 1;
}
