/* SPDX-License-Identifier: Apache-2.0 */
#include "pool_private.h"

#include <unistd.h>

#include "base/fork_guard.h"
#include "load.h"

#define RACES_MAX 3 /* others who chose the same at the same moment */

/* Whether a comes before b among members with equally much work. */
static bool is_before(const struct schsm_pooled_key *key, const struct schsm_member *a,
                      const struct schsm_member *b)
{
    /* Each process begins with another one, or all would make for the same at the same moment. */
    unsigned int from = (unsigned int)getpid() * 2654435761u >> 26;

    if (key->pool->mode == SCHSM_POOL_FAILOVER) {
        return a->rank < b->rank;
    }
    /* Those that were never used come last: to open them costs commands. */
    if ((schsm_device_connection(a->device) != 0) != (schsm_device_connection(b->device) != 0)) {
        return schsm_device_connection(a->device) != 0;
    }
    return (a->number + from) % SCHSM_POOL_MEMBERS_MAX <
           (b->number + from) % SCHSM_POOL_MEMBERS_MAX;
}

/* The best READY member and how many wait there. */
static struct schsm_member *best_member(struct schsm_pooled_key *key, uint64_t tried,
                                        unsigned int *waiting)
{
    struct schsm_member *best = NULL;

    for (struct schsm_member *member = key->members; member != NULL; member = member->next) {
        unsigned int here = 0;

        if (member->state != SCHSM_MEMBER_READY || (tried >> member->number & 1) != 0) {
            continue;
        }
        if (key->pool->mode == SCHSM_POOL_SHARE) {
            here = schsm_load_waiting(member->place);
        }
        if (best == NULL || here < *waiting || (here == *waiting && is_before(key, member, best))) {
            best = member;
            *waiting = here;
        }
    }
    return best;
}

struct schsm_member *schsm_pool_choose(struct schsm_pooled_key *key, uint64_t tried,
                                       struct schsm_object *object)
{
    struct schsm_member *best = NULL;
    unsigned int waiting = 0, before = 0;

    for (int race = 0;; race++) {
        schsm_guard_lock();
        best = best_member(key, tried, &waiting);
        if (best != NULL) {
            *object = best->object;
        }
        schsm_guard_unlock();
        if (best == NULL) {
            return NULL;
        }
        before = schsm_load_enter(best->place);
        if (before <= waiting || race >= RACES_MAX) {
            break;
        }
        schsm_load_leave(best->place);
    }
    if (before > 0 || (key->pool->mode == SCHSM_POOL_FAILOVER && best->rank > 0)) {
        atomic_store(&key->wanted, true);
    }
    return best;
}

bool schsm_pool_has_other(struct schsm_pooled_key *key, uint64_t tried)
{
    unsigned int waiting = 0;
    bool has;

    schsm_guard_lock();
    has = best_member(key, tried, &waiting) != NULL;
    schsm_guard_unlock();
    return has;
}

unsigned int schsm_pool_count(struct schsm_pooled_key *key)
{
    unsigned int count = 0;

    schsm_guard_lock();
    for (struct schsm_member *member = key->alone == NULL ? key->members : NULL; member != NULL;
         member = member->next) {
        count += member->state != SCHSM_MEMBER_STRANGER ? 1 : 0;
    }
    schsm_guard_unlock();
    return count;
}
