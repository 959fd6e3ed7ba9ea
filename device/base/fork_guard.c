/* SPDX-License-Identifier: Apache-2.0 */
#include "fork_guard.h"

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static int register_failed;
static struct schsm_fork_member *members; /* under guard */

static void child(void)
{
    for (struct schsm_fork_member *member = members; member != NULL; member = member->next) {
        /* Not unlocked but made anew: its owner may be a thread that is not here. */
        (void)pthread_mutex_init(&member->mutex, NULL);
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

void schsm_fork_lock(struct schsm_fork_member *member)
{
    int before;

    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    pthread_mutex_lock(&member->mutex);
    member->cancel = before;
}

void schsm_fork_unlock(struct schsm_fork_member *member)
{
    int before = member->cancel;

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
