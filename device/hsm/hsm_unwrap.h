/* SPDX-License-Identifier: Apache-2.0 */
/* What the ways share in which a wrapped key comes to a device; for jobs of the session. */
#ifndef SCHSM_HSM_HSM_UNWRAP_H
#define SCHSM_HSM_HSM_UNWRAP_H

#include "hsm_wrap.h"

#include "hsm_private.h"
#include "format/wrapped_key.h"

#define SCHSM_UNWRAP_PURPOSE "wrapped keys"

struct schsm_unwrapping {
    const struct schsm_hsm_unwrap *spec;
    enum schsm_key_type type;
    bool maybe_unknown_form; /* an EC key; the device may not know the Pico HSM's form of those */
    struct schsm_card_files files;
    unsigned int trial; /* a reference under which the key was tried out; 0: none */
    uint8_t trial_description[SCHSM_PKCS15_MAX]; /* by which that key is known */
    size_t trial_description_len;
    bool started; /* files of ours, and maybe the key, are there */
};

/* Whether a file is there and holds this. (hsm_unwrap.c) */
int schsm_card_file_holds(struct schsm_session *session, unsigned int file,
                          struct schsm_view wanted, bool *same, struct schsm_error *err);

/* UNWRAP KEY; the sentence says what a refusal means. (hsm_unwrap.c) */
int schsm_card_unwrap_as(struct schsm_session *session, unsigned int ref,
                         const struct schsm_unwrapping *unwrapping, struct schsm_error *err);

/* Deletes a key with its files after a failure, which stays what it was; false where something is
 * left. (hsm_unwrap.c) */
bool schsm_card_clean_up_unwrap(struct schsm_session *session, unsigned int ref);

/* Strikes a key that is to be replaced off the list: its reference and its id are free.
 * (hsm_wrap.c) */
void schsm_card_strike_key(struct schsm_card_files *files, unsigned int ref);

/* The job where the device describes its keys itself, struct schsm_unwrapping its argument: the key
 * comes first, its certificate and description after it. (hsm_unwrap_described.c) */
int schsm_card_unwrap_described(struct schsm_session *session, void *arg, struct schsm_error *err);

#endif
