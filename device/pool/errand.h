/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is asked of a device by a thread of its own, so that the caller does not wait for ever: a
 * card, or a module that speaks to another machine, may never answer, and nobody can break off such
 * a call. Who gives up leaves the errand to its thread, which ends it whenever the answer comes,
 * and nobody looks at that.
 */
#ifndef SCHSM_POOL_ERRAND_H
#define SCHSM_POOL_ERRAND_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What came back from one place; zero at the beginning. Under the guard of forks. */
struct schsm_answers {
    pid_t process;        /* whose the next one is */
    unsigned int missing; /* errands that were left */
    uint64_t last;        /* when the last one ended, see schsm_pool_now */
};

/* The first member of what an errand needs, all of which it owns: who asked may be gone. */
struct schsm_errand {
    void (*run)(struct schsm_errand *errand);
    void (*free)(struct schsm_errand *errand);
    struct schsm_answers *answers; /* of the place where it goes */

    /* The rest is errand.c's. */
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int cancel;     /* whether the caller's thread could be cancelled before */
    bool threaded;  /* there is a thread */
    bool done;      /* under the mutex */
    bool left;      /* likewise */
    uint64_t began; /* milliseconds */
};

/*
 * Begins an errand of which run, free and answers are set. Where no thread can be had it is done
 * before this returns. The caller's thread cannot be cancelled until it ends or leaves the errand.
 */
void schsm_errand_start(struct schsm_errand *errand);

/*
 * Whether it is done; waits for that until nothing was heard from its place for limit milliseconds,
 * or *stop, which may be NULL, becomes true and some moments have passed: no usual answer takes
 * longer.
 */
bool schsm_errand_wait(struct schsm_errand *errand, unsigned int limit, const atomic_bool *stop);

/* Leaves it to itself, and then it is not the caller's any more. False: it is done. The code of the
 * errand stays in memory, whoever unloads it. */
bool schsm_errand_leave(struct schsm_errand *errand);

/* For the errand itself: nobody waits for its end any more. */
bool schsm_errand_is_left(struct schsm_errand *errand);

/* Ends one that is done, and frees it. */
void schsm_errand_end(struct schsm_errand *errand);

/* Whether an answer is still to come, in this process; the second one is for who has the guard. */
bool schsm_answers_missing(const struct schsm_answers *answers);
bool schsm_answers_missing_guarded(const struct schsm_answers *answers);

#endif
