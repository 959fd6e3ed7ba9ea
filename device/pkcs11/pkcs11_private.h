/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token behind PKCS#11 as a device: what its files share. One session for each token and
 * process, in which jobs run under the module's lock; a job that failed because session, login or
 * token went away is repeated once when that was mended, as session.h does it for cards. One that
 * may have changed something on the token is not.
 */
#ifndef SCHSM_PKCS11_PKCS11_PRIVATE_H
#define SCHSM_PKCS11_PKCS11_PRIVATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cryptoki.h"
#include "model/device.h"
#include "pin/policy.h"
#include "pkcs11_device.h"
#include "pkcs11_error.h"
#include "pkcs11_module.h"

#define SCHSM_PKCS11_KEYS_MAX 32 /* handles that are remembered */

/* A private or secret key that was looked for in this session. */
struct schsm_pkcs11_key {
    uint8_t id[SCHSM_ID_MAX];
    size_t id_len;
    char label[SCHSM_LABEL_MAX + 1];
    unsigned int number; /* see schsm_object.handle */
    ck_handle handle;
    bool always_authenticate;
};

struct schsm_pkcs11_token {
    struct schsm_device device; /* first member */
    struct schsm_pkcs11_module *module;
    char serial[SCHSM_SERIAL_MAX + 1];
    char label[SCHSM_TOKEN_LABEL_MAX + 1];
    char name[SCHSM_DEVICE_NAME_MAX]; /* for sentences */
    atomic_ulong connections;         /* see schsm_device_connection */

    /* All that follows is guarded by the module's lock; the PINs are changed under the
     * process's guard as well, so that a child finds them whole. */
    struct schsm_secret *kept_pin; /* NULL: none is kept */
    struct schsm_pin_wrong wrong_pin;
    struct schsm_secret *typed; /* of the job that runs */
    unsigned int generation;    /* the module's, when slot and session were got */
    ck_handle slot;
    ck_handle session; /* 0: none is open */
    bool was_open;     /* one was open in this process's or a parent's life */
    bool has_pad;      /* a PIN pad, as its flags told last */
    struct schsm_pin_connection pin;
    struct schsm_pkcs11_key keys[SCHSM_PKCS11_KEYS_MAX];
    size_t keys_count;

    /* Of the job that runs. */
    ck_rv rv;           /* what failed last */
    bool refused;       /* the failure is final */
    bool changed;       /* the token was changed, or may have been: nothing is done twice */
    bool unclear_login; /* a login failed with an error that does not tell what became of it */
    ck_handle rw;       /* a session that can write; 0: none is needed */
};

static inline struct schsm_pkcs11_token *schsm_pkcs11_token(struct schsm_device *dev)
{
    return (struct schsm_pkcs11_token *)(void *)dev;
}

struct schsm_pkcs11_job {
    /* NULL: nothing but session and login */
    int (*run)(struct schsm_pkcs11_token *token, void *arg, struct schsm_error *err);
    void *arg;
    const struct schsm_login *login;     /* NULL: the job needs no login */
    struct schsm_pin_prospect *prospect; /* not NULL: the login is prepared only */
    bool prove;                          /* prove login's PIN even where somebody is logged in */
    bool write;                          /* it changes what is on the token */
    const char *object;                  /* for sentences; NULL: none */
};

/* Runs a job. Failures are worded: token and object come first. (pkcs11_session.c) */
int schsm_pkcs11_run(struct schsm_pkcs11_token *token, const struct schsm_pkcs11_job *job,
                     struct schsm_error *err);

/* Of jobs: */

/* Calls a function of the token's module in the job's session. */
#define SCHSM_PKCS11(token, function, ...)                                                         \
    SCHSM_PKCS11_CALL((token)->module, function, ((token)->session, __VA_ARGS__))
#define SCHSM_PKCS11_WRITE(token, function, ...)                                                   \
    schsm_pkcs11_written(token,                                                                    \
                         SCHSM_PKCS11_CALL((token)->module, function, ((token)->rw, __VA_ARGS__)))

/* The session (pkcs11_connect.c) */

/* Opens the token's session if there is none. patient: the token was there a moment ago, so wait
 * for it for a few seconds. */
int schsm_pkcs11_connect(struct schsm_pkcs11_token *token, bool patient, struct schsm_error *err);

/* Opens another one, which can write or not; the caller's to close. */
int schsm_pkcs11_open(struct schsm_pkcs11_token *token, bool write, ck_handle *session,
                      struct schsm_error *err);

/* Ends the session, if there is one: whatever was under way in it ends with it. */
void schsm_pkcs11_close(struct schsm_pkcs11_token *token);

/* Notes that a function which changes the token returned this; returns it. */
ck_rv schsm_pkcs11_written(struct schsm_pkcs11_token *token, ck_rv rv);

/* Fails with what the module returned. Returns 0. */
int schsm_pkcs11_fail(struct schsm_pkcs11_token *token, ck_rv rv, struct schsm_error *err);

/* The same with what was tried in front: "token ca cannot make keys". */
int schsm_pkcs11_fail_to(struct schsm_pkcs11_token *token, ck_rv rv, const char *what,
                         struct schsm_error *err);

/* Fresh flags and limits. */
int schsm_pkcs11_token_info(struct schsm_pkcs11_token *token, struct ck_token_info *info,
                            struct schsm_error *err);

/* The login, above the session (pkcs11_login.c) */

/* How many tries the flags tell: see pin/refusal.h. */
int schsm_pkcs11_tries(unsigned long flags);

/* The token as the PIN policy sees it. */
struct schsm_pin_holder schsm_pkcs11_pin_holder(struct schsm_pkcs11_token *token);

/* Gives the PIN for the operation that was just begun, as keys want it that are made so. */
int schsm_pkcs11_login_context(struct schsm_pkcs11_token *token, const struct schsm_login *login,
                               struct schsm_error *err);

/* Objects and keys */

/* Something on the token. */
struct schsm_pkcs11_object {
    ck_handle handle; /* in this session */
    unsigned long class;
    struct schsm_object object; /* with its value where that can be read */
};

struct schsm_pkcs11_objects {
    struct schsm_pkcs11_object *at;
    size_t count;
};

/*
 * Appends the objects of a class; id restricts them where it is not NULL. Values are the public
 * part in DER of keys, the certificates and the public data; those of other objects stay NULL.
 * (pkcs11_object.c)
 */
int schsm_pkcs11_list(struct schsm_pkcs11_token *token, unsigned long class, const uint8_t *id,
                      size_t id_len, struct schsm_pkcs11_objects *objects, struct schsm_error *err);

/* Appends the one object of this handle and class. (pkcs11_object.c) */
int schsm_pkcs11_get(struct schsm_pkcs11_token *token, unsigned long class, ck_handle handle,
                     struct schsm_pkcs11_objects *objects, struct schsm_error *err);
void schsm_pkcs11_objects_clear(struct schsm_pkcs11_objects *objects);

/*
 * Reads attributes of an object: value and len of each are filled in, allocated with OPENSSL_malloc
 * and the caller's to free with schsm_pkcs11_free; NULL and 0 for those that it does not have or
 * let out. (pkcs11_object.c)
 */
int schsm_pkcs11_read(struct schsm_pkcs11_token *token, ck_handle object,
                      struct ck_attribute *attributes, size_t count, struct schsm_error *err);
void schsm_pkcs11_free(struct ck_attribute *attributes, size_t count);

/* Whether an attribute is a CK_BBOOL that is true. */
bool schsm_pkcs11_is_true(const struct ck_attribute *attribute);

/*
 * The keys of a token, put together: each private key with its public part, wherever the token has
 * that. Before somebody is logged in private keys are not to be seen; then whatever belongs to one
 * stands for it, with handle 0.
 */
struct schsm_pkcs11_keys {
    struct schsm_pkcs11_objects private, public, certificates;
};

/* All that have this id, or with NULL all there are. (pkcs11_key.c) */
int schsm_pkcs11_list_keys(struct schsm_pkcs11_token *token, const uint8_t *id, size_t id_len,
                           struct schsm_pkcs11_keys *keys, struct schsm_error *err);
void schsm_pkcs11_keys_clear(struct schsm_pkcs11_keys *keys);

/* Whether objects may be there that are not to be seen, because nobody is logged in.
 * (pkcs11_key.c) */
int schsm_pkcs11_are_hidden(struct schsm_pkcs11_token *token, bool *hidden,
                            struct schsm_error *err);

/* Whether two objects have the same id, and one at all. */
bool schsm_pkcs11_same_id(const struct schsm_object *a, const struct schsm_object *b);

/*
 * Picks what is meant by an object that a search gave: among several by label, then by number.
 * NULL where none is left, or several are: then *several is set. (pkcs11_key.c)
 */
const struct schsm_pkcs11_object *schsm_pkcs11_pick(const struct schsm_pkcs11_objects *objects,
                                                    const struct schsm_object *wanted,
                                                    bool *several);

/* The same among private keys of which some may be supposed. */
const struct schsm_pkcs11_object *
schsm_pkcs11_pick_or_suppose(const struct schsm_pkcs11_objects *objects,
                             const struct schsm_object *wanted, bool *several);

/* The private or secret key that is meant by an object that a search gave; the pointer is good
 * until the next search. (pkcs11_key.c) */
int schsm_pkcs11_find_key(struct schsm_pkcs11_token *token, const struct schsm_object *wanted,
                          const struct schsm_pkcs11_key **key, struct schsm_error *err);

/* What the objects of a token are told apart by where id and label are the same: a number made of
 * them and of their value; never 0. (pkcs11_object.c) */
unsigned int schsm_pkcs11_number(const struct schsm_object *object);

/* One private operation as it was asked for; out_len is 0 until it is done. */
struct schsm_pkcs11_operation {
    enum schsm_operation operation;
    const struct schsm_object *key;
    const struct schsm_login *login;
    const uint8_t *in;
    size_t in_len;
    uint8_t *out;
    size_t capacity;
    size_t *out_len;
};

/* Does one with an AES key. (pkcs11_cipher.c) */
int schsm_pkcs11_cipher(struct schsm_pkcs11_token *token, const struct schsm_pkcs11_operation *op,
                        const struct schsm_pkcs11_key *key, struct schsm_error *err);

/* The operations of the interface, see device.h; one file each. */
int schsm_pkcs11_device_find(struct schsm_device *dev, const struct schsm_object_filter *filter,
                             struct schsm_object_list *list, struct schsm_error *err);
int schsm_pkcs11_device_hides(struct schsm_device *dev, bool *hides, struct schsm_error *err);
int schsm_pkcs11_device_read(struct schsm_device *dev, struct schsm_object *object,
                             const struct schsm_login *login, struct schsm_error *err);
int schsm_pkcs11_device_operate(struct schsm_device *dev, enum schsm_operation operation,
                                const struct schsm_object *key, const struct schsm_login *login,
                                const uint8_t *in, size_t in_len, uint8_t *out, size_t *out_len,
                                struct schsm_error *err);
int schsm_pkcs11_device_generate(struct schsm_device *dev, const struct schsm_generate *spec,
                                 const struct schsm_login *login, struct schsm_object *made,
                                 struct schsm_error *err);
int schsm_pkcs11_device_store(struct schsm_device *dev, const struct schsm_store *spec,
                              const struct schsm_login *login, struct schsm_object *stored,
                              struct schsm_error *err);
int schsm_pkcs11_device_remove(struct schsm_device *dev, const struct schsm_object *object,
                               const struct schsm_login *login, struct schsm_error *err);
int schsm_pkcs11_device_change_pin(struct schsm_device *dev, struct schsm_secret *old_pin,
                                   struct schsm_secret *new_pin, int min_tries,
                                   struct schsm_error *err);
int schsm_pkcs11_device_change_so_pin(struct schsm_device *dev, const struct schsm_secret *old_pin,
                                      const struct schsm_secret *new_pin, int min_tries,
                                      struct schsm_error *err);
int schsm_pkcs11_device_unblock_pin(struct schsm_device *dev, const struct schsm_secret *so_pin,
                                    struct schsm_secret *new_pin, int min_tries,
                                    struct schsm_error *err);

#endif
