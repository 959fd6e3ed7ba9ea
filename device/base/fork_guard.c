/* SPDX-License-Identifier: Apache-2.0 */
#include "fork_guard.h"

#include <stddef.h>

/* One who waits, on his own stack. */
struct schsm_fork_turn {
    pthread_cond_t mine;
    bool come;
    struct schsm_fork_turn *next;
};

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static int register_failed;
static struct schsm_fork_member *members; /* under guard */

static void child(void)
{
    for (struct schsm_fork_member *member = members; member != NULL; member = member->next) {
        /* Not unlocked but made anew: its owner may be a thread that is not here, and so are those
         * who wait. */
        (void)pthread_mutex_init(&member->mutex, NULL);
        member->held = false;
        member->first = NULL;
        member->last = NULL;
        member->forked = true;
    }
    schsm_guard_unlock();
}

/* When this code is loaded rather than at a first use: a child of a fork in the middle of that
 * would register them again, and then take the guard twice. */
__attribute__((constructor)) static void register_guard_handlers(void)
{
    register_failed = pthread_atfork(schsm_guard_lock, schsm_guard_unlock, child);
}

int schsm_fork_join(struct schsm_fork_member *member)
{
    if (register_failed != 0 || pthread_mutex_init(&member->mutex, NULL) != 0) {
        return 0;
    }
    member->held = false;
    member->first = NULL;
    member->last = NULL;
    member->forked = false;
    schsm_guard_lock();
    member->next = members;
    members = member;
    schsm_guard_unlock();
    return 1;
}

void schsm_fork_leave(struct schsm_fork_member *member)
{
    schsm_guard_lock();
    for (struct schsm_fork_member **at = &members; *at != NULL; at = &(*at)->next) {
        if (*at == member) {
            *at = member->next;
            break;
        }
    }
    schsm_guard_unlock();
    (void)pthread_mutex_destroy(&member->mutex);
}

/* Waits at the end of the queue until the lock is handed over; the mutex is held. */
static void wait_for_turn(struct schsm_fork_member *member)
{
    struct schsm_fork_turn turn = { .mine = PTHREAD_COND_INITIALIZER };

    if (member->last != NULL) {
        member->last->next = &turn;
    } else {
        member->first = &turn;
    }
    member->last = &turn;
    while (!turn.come) {
        pthread_cond_wait(&turn.mine, &member->mutex);
    }
    (void)pthread_cond_destroy(&turn.mine);
}

void schsm_fork_lock(struct schsm_fork_member *member)
{
    int before;

    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    pthread_mutex_lock(&member->mutex);
    if (member->held) {
        wait_for_turn(member);
    }
    member->held = true;
    pthread_mutex_unlock(&member->mutex);
    member->cancel = before;
}

void schsm_fork_unlock(struct schsm_fork_member *member)
{
    struct schsm_fork_turn *next;
    int before = member->cancel;

    pthread_mutex_lock(&member->mutex);
    next = member->first;
    if (next == NULL) {
        member->held = false;
    } else { /* held stays: nobody else can take it before this one wakes up */
        member->first = next->next;
        member->last = member->first != NULL ? member->last : NULL;
        next->come = true;
        pthread_cond_signal(&next->mine);
    }
    pthread_mutex_unlock(&member->mutex);
    (void)pthread_setcancelstate(before, &before);
}

void schsm_guard_lock(void)
{
    pthread_mutex_lock(&guard);
}

bool schsm_guard_try(void)
{
    return pthread_mutex_trylock(&guard) == 0;
}

void schsm_guard_unlock(void)
{
    pthread_mutex_unlock(&guard);
}
