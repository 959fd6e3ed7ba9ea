/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool's thread: it looks for devices that are back, or new, so that no caller waits for them.
 * It runs while the pool is used, in each process that uses it, and has ended when the pool, or
 * this code, is unloaded.
 */
#include "pool_private.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/fork_guard.h"
#include "base/log.h"
#include "load.h"

#define TICK_MS 250    /* between two looks */
#define IDLE_MS 10000u /* the thread ends when there was no operation for so long */

struct schsm_pool_watch {
    struct schsm_pool *pool;
    pid_t process; /* in a child there is no such thread */
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    atomic_bool stop;              /* changed under the mutex */
    atomic_bool over;              /* it has ended by itself, and is to be joined */
    struct schsm_pool_watch *next; /* of all that run, under the guard */
};

static struct schsm_pool_watch *watches;

/* Whether the pool was used a moment ago. */
static bool is_used(const struct schsm_pool *pool)
{
    uint64_t now = schsm_pool_now();
    bool used = false;

    schsm_guard_lock();
    for (struct schsm_pooled_key *key = pool->keys; key != NULL && !used; key = key->next) {
        uint64_t at = atomic_load(&key->used_at);

        used = at != 0 && now < at + IDLE_MS;
    }
    schsm_guard_unlock();
    return used;
}

static struct schsm_pooled_key *next_key(const struct schsm_pool *pool,
                                         struct schsm_pooled_key *key)
{
    struct schsm_pooled_key *next;

    schsm_guard_lock();
    next = key == NULL ? pool->keys : key->next;
    schsm_guard_unlock();
    return next;
}

static struct schsm_member *next_member(struct schsm_pooled_key *key, struct schsm_member *member)
{
    struct schsm_member *next;

    schsm_guard_lock();
    next = member == NULL ? key->members : member->next;
    schsm_guard_unlock();
    return next;
}

static bool has_members_out(struct schsm_pooled_key *key)
{
    bool out = false;

    for (struct schsm_member *member = NULL; (member = next_member(key, member)) != NULL;) {
        out = out || schsm_member_state(member) == SCHSM_MEMBER_OUT;
    }
    return out;
}

static void look_after(struct schsm_pool_watch *watch, struct schsm_pooled_key *key)
{
    bool wanted = atomic_load(&key->wanted);

    if (!wanted && !has_members_out(key)) {
        return;
    }
    schsm_pool_look(key, true, &watch->stop);
    for (struct schsm_member *member = NULL; (member = next_member(key, member)) != NULL;) {
        if (atomic_load(&watch->stop)) {
            return;
        }
        if (schsm_member_is_due(key, member)) {
            schsm_member_ask(key, member, &watch->stop);
        }
    }
    if (wanted) {
        atomic_store(&key->wanted, false); /* until the next one has to wait */
    }
}

/* False where the thread is to end. */
static bool pause_a_moment(struct schsm_pool_watch *watch)
{
    struct timespec until;
    bool stop;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TICK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    (void)pthread_mutex_lock(&watch->mutex);
    while (!atomic_load(&watch->stop) &&
           pthread_cond_timedwait(&watch->changed, &watch->mutex, &until) != ETIMEDOUT) {
    }
    stop = atomic_load(&watch->stop);
    (void)pthread_mutex_unlock(&watch->mutex);
    return !stop;
}

static void *run_watch(void *arg)
{
    struct schsm_pool_watch *watch = arg;

    do {
        schsm_load_show_life();
        for (struct schsm_pooled_key *key = NULL;
             (key = next_key(watch->pool, key)) != NULL && !atomic_load(&watch->stop);) {
            look_after(watch, key);
        }
    } while (pause_a_moment(watch) && is_used(watch->pool));
    OPENSSL_thread_stop();
    atomic_store(&watch->over, true);
    return NULL;
}

static int init_watch(struct schsm_pool_watch *watch, struct schsm_pool *pool)
{
    pthread_condattr_t attributes;
    int ok;

    watch->pool = pool;
    watch->process = getpid();
    if (pthread_condattr_init(&attributes) != 0) {
        return 0;
    }
    ok = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
         pthread_cond_init(&watch->changed, &attributes) == 0;
    (void)pthread_condattr_destroy(&attributes);
    if (ok && pthread_mutex_init(&watch->mutex, NULL) != 0) {
        (void)pthread_cond_destroy(&watch->changed);
        ok = 0;
    }
    return ok;
}

/* The program's signals are for its own threads. */
static int start(struct schsm_pool_watch *watch)
{
    sigset_t all, before;
    int failed;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&watch->thread, NULL, run_watch, watch);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed == 0;
}

/* Takes the watch from its pool; NULL: there is none, or another thread was quicker. */
static struct schsm_pool_watch *take(struct schsm_pool *pool, bool only_ended)
{
    struct schsm_pool_watch *watch;

    schsm_guard_lock();
    watch = pool->watch;
    if (watch != NULL && only_ended && watch->process == getpid() && !atomic_load(&watch->over)) {
        watch = NULL;
    }
    if (watch != NULL) {
        pool->watch = NULL;
        for (struct schsm_pool_watch **at = &watches; *at != NULL; at = &(*at)->next) {
            if (*at == watch) {
                *at = watch->next;
                break;
            }
        }
    }
    schsm_guard_unlock();
    return watch;
}

static void end(struct schsm_pool_watch *watch)
{
    if (watch == NULL) {
        return;
    }
    if (watch->process == getpid()) {
        (void)pthread_mutex_lock(&watch->mutex);
        atomic_store(&watch->stop, true);
        (void)pthread_cond_signal(&watch->changed);
        (void)pthread_mutex_unlock(&watch->mutex);
        (void)pthread_join(watch->thread, NULL);
        (void)pthread_mutex_destroy(&watch->mutex);
        (void)pthread_cond_destroy(&watch->changed);
    }
    OPENSSL_free(watch);
}

void schsm_pool_unwatch(struct schsm_pool *pool)
{
    end(take(pool, false));
}

void schsm_pool_watch(struct schsm_pool *pool)
{
    struct schsm_pool_watch *watch = NULL;
    bool started = false;

    end(take(pool, true));
    schsm_guard_lock();
    started = pool->watch != NULL;
    schsm_guard_unlock();
    if (started || (watch = OPENSSL_zalloc(sizeof(*watch))) == NULL || !init_watch(watch, pool)) {
        OPENSSL_free(watch);
        return;
    }
    schsm_guard_lock();
    started = pool->watch == NULL && start(watch);
    if (started) {
        pool->watch = watch;
        watch->next = watches;
        watches = watch;
    }
    schsm_guard_unlock();
    if (!started) { /* another thread was quicker, or there is none to be had: callers look */
        (void)pthread_mutex_destroy(&watch->mutex);
        (void)pthread_cond_destroy(&watch->changed);
        OPENSSL_free(watch);
    }
}

/* A process that ends without unloading us may not pull the libraries away from under a thread. */
__attribute__((destructor)) static void end_all(void)
{
    struct schsm_pool_watch *watch;

    do {
        schsm_guard_lock();
        watch = watches;
        schsm_guard_unlock();
        if (watch != NULL) {
            schsm_pool_unwatch(watch->pool);
        }
    } while (watch != NULL);
}
