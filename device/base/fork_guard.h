/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forks. A process may fork while another of its threads is in the middle of a card command, which
 * can take minutes; neither may the fork wait for it, nor may the child find locks that nobody
 * will ever release, or pointers to what is being freed.
 *
 * So the lock of each connection is a member of a process-wide list, which the child makes anew;
 * and what a child needs of the data behind such a lock is changed under the guard, which a fork
 * waits for.
 */
#ifndef SCHSM_BASE_FORK_GUARD_H
#define SCHSM_BASE_FORK_GUARD_H

#include <pthread.h>
#include <stdbool.h>

struct schsm_fork_turn;

struct schsm_fork_member {
    pthread_mutex_t mutex; /* guards held and the queue, for moments */
    bool held;             /* the lock, which guards the data of the one who embeds this */
    struct schsm_fork_turn *first, *last; /* who waits for it, in the order of coming */
    bool forked; /* set in a child: what the lock guards belongs to the parent */
    int cancel;  /* of who holds the lock: whether his thread could be cancelled before */
    struct schsm_fork_member *next;
};

/* Initialises the member and enters it. Returns 0 where memory runs out. */
int schsm_fork_join(struct schsm_fork_member *member);

/* Takes the member off the list and destroys its lock, which nobody may hold. */
void schsm_fork_leave(struct schsm_fork_member *member);

/*
 * The member's lock. First come, first served: it is handed to who has waited longest. A mutex may
 * be taken again at once by the thread that lets go of it, and on a busy machine one thread then
 * waits for a card through dozens of the others' turns.
 *
 * Whoever holds it cannot be cancelled: what waits for a card or a file is a point of cancellation,
 * and would leave the lock to nobody, and half of a change behind it. A request takes effect after
 * the unlocking. Locks are released in the reverse order.
 */
void schsm_fork_lock(struct schsm_fork_member *member);
void schsm_fork_unlock(struct schsm_fork_member *member);

/*
 * The guard: one process-wide mutex for small changes that must be whole in a child, such as
 * exchanging a pointer or copying a few bytes. A fork waits for it, so nothing that takes time may
 * be done under it. May be taken under a member's lock, never the other way round.
 */
void schsm_guard_lock(void);
bool schsm_guard_try(void); /* takes it where it is free */
void schsm_guard_unlock(void);

#endif
