/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the pool share. */
#ifndef SCHSM_POOL_POOL_PRIVATE_H
#define SCHSM_POOL_POOL_PRIVATE_H

#include <stdatomic.h>
#include <stdint.h>

#include "errand.h"
#include "pool.h"

#define SCHSM_POOL_MEMBERS_MAX 64

/* A device that says nothing for so long is left, where another one can do the work; none takes as
 * long for one operation. */
#define SCHSM_POOL_ANSWER_MS 5000u

/* What is known of a device, as far as one key is concerned. */
enum schsm_member_state {
    SCHSM_MEMBER_NEW,     /* not asked yet whether it has the key */
    SCHSM_MEMBER_READY,   /* it has it */
    SCHSM_MEMBER_OUT,     /* it may have it, and cannot be used */
    SCHSM_MEMBER_STRANGER /* it does not have it */
};

/* A device in its part for one key. All but the first is changed under the guard of forks. */
struct schsm_member {
    struct schsm_member *next;
    struct schsm_device *device; /* the registry's */
    unsigned int number;         /* of the member, from 0 */
    unsigned int rank;           /* lower ones come first */
    int place;                   /* see load.h */
    enum schsm_member_state state;
    struct schsm_object object; /* the key as it is there, without value, while READY */
    struct schsm_checked checked;
    bool seen;                /* it was there at the last look */
    uint64_t asked_at;        /* when it was asked for the key, or failed; milliseconds */
    unsigned long connection; /* STRANGER: on which it had no such key */
    struct schsm_error why;   /* OUT */
    struct schsm_answers answers;
};

/* All devices that have one key. */
struct schsm_pooled_key {
    struct schsm_device device; /* first member */
    struct schsm_pooled_key *next;
    struct schsm_pool *pool;
    struct schsm_expected_key expected;
    char *name;
    struct schsm_object object;      /* as it was named, with value */
    struct schsm_member *members;    /* grows at its end, under the guard; never shrinks */
    struct schsm_error missing;      /* why its own device does not take part; under the guard */
    struct schsm_pin_source *source; /* of the last login, likewise */
    int min_pin_tries;               /* likewise */
    bool keep_pin;                   /* likewise */
    struct schsm_member *alone;      /* the only one that may use it, as it has a use counter there;
                                      * likewise; NULL: none */
    _Atomic(uint64_t) used_at;       /* milliseconds */
    atomic_bool wanted;              /* there is work for more devices */
};

struct schsm_pool_watch;

struct schsm_pool {
    struct schsm_registry *registry;
    enum schsm_pool_mode mode;
    char *serials;
    struct schsm_pooled_key *keys;  /* grows at its head, under the guard */
    struct schsm_answers looks;     /* for devices */
    struct schsm_pool_watch *watch; /* under the guard; NULL: there is none */
};

/* Milliseconds of a clock that is never set. */
uint64_t schsm_pool_now(void);

/* Members, member.c */

/* Looks which devices are there now, and makes members of those that may take part. Asks no device
 * but for a serial number that matters and is not known. hurried: one that was there before and is
 * missed is not waited for. stop, which may be NULL: becomes true where it is to end soon. */
void schsm_pool_look(struct schsm_pooled_key *key, bool hurried, const atomic_bool *stop);

/* Asks a device whether it has the key, and makes it READY, OUT or a STRANGER. stop: likewise. */
void schsm_member_ask(struct schsm_pooled_key *key, struct schsm_member *member,
                      const atomic_bool *stop);

/* Fails with TRANSPORT: it gave no answer. Returns 0. */
int schsm_member_silent(const struct schsm_member *member, struct schsm_error *err);

/* What a failed operation means. */
enum schsm_failure {
    SCHSM_FAILURE_FINAL,     /* another device would say the same */
    SCHSM_FAILURE_ELSEWHERE, /* another one may do it, and this one others */
    SCHSM_FAILURE_OUT        /* this one is out */
};
enum schsm_failure schsm_member_failed(struct schsm_pooled_key *key, struct schsm_member *member,
                                       const struct schsm_error *why);

enum schsm_member_state schsm_member_state(struct schsm_member *member);

/* Whether it is worth to ask a member that is not READY once more: its time has come. */
bool schsm_member_is_due(struct schsm_pooled_key *key, struct schsm_member *member);

/* Choice, choose.c */

/* The member for the next operation, entered at its place; NULL: none is READY that is not among
 * those tried (bit for member number). *object is the key there. */
struct schsm_member *schsm_pool_choose(struct schsm_pooled_key *key, uint64_t tried,
                                       struct schsm_object *object);

/* Whether there is a READY member that is not among those tried. */
bool schsm_pool_has_other(struct schsm_pooled_key *key, uint64_t tried);

/* How many members have the key, or may. */
unsigned int schsm_pool_count(struct schsm_pooled_key *key);

/* The thread, watch.c */

/* Starts it where it does not run, in this process. */
void schsm_pool_watch(struct schsm_pool *pool);

/* Ends it, and waits for its end. */
void schsm_pool_unwatch(struct schsm_pool *pool);

extern const struct schsm_device_ops schsm_pooled_ops;

#endif
