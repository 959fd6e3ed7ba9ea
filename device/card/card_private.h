/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the card device share; one file for each operation of the interface. */
#ifndef SCHSM_CARD_CARD_PRIVATE_H
#define SCHSM_CARD_CARD_PRIVATE_H

#include "card_device.h"
#include "command.h"
#include "format/ecx.h"
#include "format/pkcs15.h"
#include "session.h"

struct schsm_card_device {
    struct schsm_device device; /* first member */
    struct schsm_session *session;
};

static inline struct schsm_session *schsm_card_session(struct schsm_device *dev)
{
    return ((struct schsm_card_device *)(void *)dev)->session;
}

/*
 * The session of a device that has to be a SmartCard-HSM, for what no other kind of device offers
 * (the hsm_*.h headers). purpose: what was wanted, for the sentence, such as "key domains". NULL
 * with UNSUPPORTED for another kind of device.
 */
struct schsm_session *schsm_card_session_for(struct schsm_device *dev, const char *purpose,
                                             struct schsm_error *err);

/* Runs a job on such a device. */
int schsm_card_run(struct schsm_device *dev, const char *purpose, const struct schsm_job *job,
                   struct schsm_error *err);

/* The operations of the interface, see device.h. */
int schsm_card_device_find(struct schsm_device *dev, const struct schsm_object_filter *filter,
                           struct schsm_object_list *list, struct schsm_error *err);
int schsm_card_device_read(struct schsm_device *dev, struct schsm_object *object,
                           const struct schsm_login *login, struct schsm_error *err);
int schsm_card_device_info(struct schsm_device *dev, struct schsm_device_info *info,
                           struct schsm_error *err);
int schsm_card_device_operate(struct schsm_device *dev, enum schsm_operation operation,
                              const struct schsm_object *key, const struct schsm_login *login,
                              const uint8_t *in, size_t in_len, uint8_t *out, size_t *out_len,
                              struct schsm_error *err);
int schsm_card_device_generate(struct schsm_device *dev, const struct schsm_generate *spec,
                               const struct schsm_login *login, struct schsm_object *made,
                               struct schsm_error *err);
int schsm_card_device_store(struct schsm_device *dev, const struct schsm_store *spec,
                            const struct schsm_login *login, struct schsm_object *stored,
                            struct schsm_error *err);
int schsm_card_device_key_policy(struct schsm_device *dev, const struct schsm_object *key,
                                 struct schsm_key_policy *policy, struct schsm_error *err);
int schsm_card_device_remove(struct schsm_device *dev, const struct schsm_object *object,
                             const struct schsm_login *login, struct schsm_error *err);
int schsm_card_device_rename(struct schsm_device *dev, struct schsm_object *object,
                             const struct schsm_rename *spec, const struct schsm_login *login,
                             struct schsm_error *err);

int schsm_card_device_change_pin(struct schsm_device *dev, struct schsm_secret *old_pin,
                                 struct schsm_secret *new_pin, int min_tries,
                                 struct schsm_error *err);
int schsm_card_device_change_so_pin(struct schsm_device *dev, const struct schsm_secret *old_pin,
                                    const struct schsm_secret *new_pin, int min_tries,
                                    struct schsm_error *err);
int schsm_card_device_unblock_pin(struct schsm_device *dev, const struct schsm_secret *so_pin,
                                  struct schsm_secret *new_pin, int min_tries,
                                  struct schsm_error *err);
int schsm_card_device_random(struct schsm_device *dev, uint8_t *out, size_t len,
                             struct schsm_error *err);

/* Of jobs: */

/* One private operation as it was asked for; out_len is 0 until it is done. */
struct schsm_card_operation {
    enum schsm_operation operation;
    unsigned int key_ref;
    const uint8_t *in;
    size_t in_len;
    uint8_t *out;
    size_t capacity;
    size_t *out_len;
};

/* Does one with an AES key, in as many commands as its input needs. (card_cipher.c) */
int schsm_card_cipher(struct schsm_session *session, const struct schsm_card_operation *op,
                      struct schsm_error *err);

/*
 * The SO-PIN (card_pin.c). _check_so_pin_len fails with PIN_LENGTH for one that has not
 * SCHSM_SO_PIN_LEN bytes. _check_so_pin fails where it is blocked, fewer than min_tries are left,
 * or the job sent it before and a try is gone since: to be called right before it is sent; _fail_
 * words its refusal by the last command, and leaves the error of every other failure as it is. What
 * is worded is final.
 */
int schsm_card_check_so_pin_len(const struct schsm_secret *so_pin, struct schsm_error *err);
int schsm_card_check_so_pin(struct schsm_session *session, int min_tries, struct schsm_error *err);
int schsm_card_fail_so_pin(struct schsm_session *session, struct schsm_error *err);

/* Fails with DEVICE_DATA where a key for agreement does not belong to its public part. One command,
 * which the key must permit. (card_prove.c) */
int schsm_card_prove_agreement(struct schsm_session *session, unsigned int key_ref,
                               const struct schsm_ecx *curve, struct schsm_view key,
                               struct schsm_error *err);

/* Whether the last command failed because there is no such file. */
bool schsm_card_was_absent(const struct schsm_session *session);

/* Reads a file; 1 with *content NULL where it does not exist. The caller knows that the applet
 * answers (schsm_session_confirm_applet). */
int schsm_card_read_optional(struct schsm_session *session, unsigned int file,
                             enum schsm_file_form form, uint8_t **content, size_t *len,
                             struct schsm_error *err);

/* The same, and 1 with *content NULL also where the card refuses it: an object that cannot be read
 * stops nothing but what needs it. Fails where the way to the card broke, where another applet
 * answers, or memory runs out. (card_place.c) */
int schsm_card_read_if_possible(struct schsm_session *session, unsigned int file,
                                enum schsm_file_form form, uint8_t **content, size_t *len,
                                struct schsm_error *err);

/* Reads a key's description C4xx. 1 with key->id_len 0 and type NONE where there is none or it is
 * malformed; *exists tells whether there is a file. */
int schsm_card_read_description(struct schsm_session *session, int key_ref,
                                struct schsm_pkcs15_key *key, bool *exists,
                                struct schsm_error *err);

/* The id and label that another key has, for comparisons; none where its description cannot be
 * read. (card_place.c) */
int schsm_card_read_name(struct schsm_session *session, unsigned int key_ref,
                         struct schsm_pkcs15_key *key, struct schsm_error *err);

/* What ENUMERATE lists (4.2). */
struct schsm_card_files {
    uint16_t ids[SCHSM_FILES_MAX];
    size_t count;
};

int schsm_card_list_files(struct schsm_session *session, struct schsm_card_files *files,
                          struct schsm_error *err);

bool schsm_card_is_listed(const struct schsm_card_files *files, unsigned int file);

/* Whether the list has every file, as a genuine card's has. (card_unlisted.c) */
bool schsm_card_lists_everything(const struct schsm_card_files *files);

/* Adds to the list the certificates and contents that are there and that the card leaves out: a
 * thousand commands where it does, and none elsewhere. (card_unlisted.c) */
int schsm_card_add_unlisted(struct schsm_session *session, struct schsm_card_files *files,
                            struct schsm_error *err);

/* The same for those contents that an interrupted write leaves without the description C8 or C9
 * which follows: up to the first place where nothing is. One or two commands. (card_unlisted.c) */
int schsm_card_add_undescribed(struct schsm_session *session, struct schsm_card_files *files,
                               enum schsm_file description, struct schsm_error *err);

/* The same for one file. (card_unlisted.c) */
int schsm_card_add_if_there(struct schsm_session *session, struct schsm_card_files *files,
                            unsigned int file, struct schsm_error *err);

/* Genuine cards list every file; the Pico HSM leaves out certificates and contents (4.2), so that
 * only there a file that is not listed has to be tried. */
bool schsm_card_may_exist(const struct schsm_card_files *files, unsigned int file);

/* Whether a key has this reference. Its description and certificate are no key: other programs
 * leave them where they delete one, and so does an interruption. (card_place.c) */
bool schsm_card_has_key(const struct schsm_card_files *files, unsigned int ref);

/* Whether there is such a file; asks for one that may exist without being listed. (card_place.c) */
int schsm_card_look_for_file(struct schsm_session *session, const struct schsm_card_files *files,
                             unsigned int file, bool *there, struct schsm_error *err);

/* Deletes what a key left that had this reference, before another one takes it. (card_place.c) */
int schsm_card_clear_key_ref(struct schsm_session *session, const struct schsm_card_files *files,
                             unsigned int ref, struct schsm_error *err);

/* Deletes a file; one that is not there is as good. (card_place.c) */
int schsm_card_delete_optional(struct schsm_session *session, unsigned int file,
                               struct schsm_error *err);

/* Deletes a file that may be there; true where it is not there any more. For cleaning up: what
 * card->result and card->status_word were before is kept. */
bool schsm_card_delete_if_there(struct schsm_session *session, unsigned int file);

/* A key reference for a new key: the wanted one, which fails with EXISTS where a key has it, or
 * with wanted -1 the first free one (DEVICE_FULL where there is none). Leftovers may be there. */
int schsm_card_choose_key_ref(const struct schsm_card_files *files, int wanted,
                              unsigned int *key_ref, struct schsm_error *err);

/*
 * An id for a new key: the wanted one, which fails with EXISTS where a key has it, or with NULL one
 * of a byte, from `first` on: the same whenever it is asked for, so that an interrupted import
 * knows its key again. Reads each key's description. id has room for SCHSM_ID_MAX bytes.
 * (card_place.c)
 */
int schsm_card_choose_id(struct schsm_session *session, const struct schsm_card_files *files,
                         const uint8_t *wanted, size_t wanted_len, unsigned int first, uint8_t *id,
                         size_t *id_len, struct schsm_error *err);

#endif
