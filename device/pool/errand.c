/* SPDX-License-Identifier: Apache-2.0 */
#include "errand.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/fork_guard.h"
#include "pool_private.h"

#define SLICE_MS 100u
#define STOPPED_MS 1000u

/* In a child there are none of its parent's threads. Under the guard. */
static void begin_in_process(struct schsm_answers *answers)
{
    if (answers->process != getpid()) {
        answers->process = getpid();
        answers->missing = 0;
    }
}

static void note_answer(struct schsm_answers *answers, bool was_left)
{
    uint64_t now = schsm_pool_now();

    schsm_guard_lock();
    begin_in_process(answers);
    answers->last = now;
    answers->missing -= was_left && answers->missing > 0 ? 1 : 0;
    schsm_guard_unlock();
}

bool schsm_answers_missing_guarded(const struct schsm_answers *answers)
{
    return answers->missing > 0 && answers->process == getpid();
}

bool schsm_answers_missing(const struct schsm_answers *answers)
{
    bool missing;

    schsm_guard_lock();
    missing = schsm_answers_missing_guarded(answers);
    schsm_guard_unlock();
    return missing;
}

static void free_errand(struct schsm_errand *errand)
{
    (void)pthread_mutex_destroy(&errand->mutex);
    (void)pthread_cond_destroy(&errand->changed);
    errand->free(errand);
}

static void *go(void *arg)
{
    struct schsm_errand *errand = arg;
    bool left;

    errand->run(errand);
    OPENSSL_thread_stop();
    (void)pthread_mutex_lock(&errand->mutex);
    errand->done = true;
    left = errand->left;
    note_answer(errand->answers, left);
    (void)pthread_cond_signal(&errand->changed);
    (void)pthread_mutex_unlock(&errand->mutex);
    if (left) {
        free_errand(errand);
    }
    return NULL;
}

static int init_clocked(pthread_cond_t *changed)
{
    pthread_condattr_t attributes;
    int ok;

    if (pthread_condattr_init(&attributes) != 0) {
        return 0;
    }
    ok = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
         pthread_cond_init(changed, &attributes) == 0;
    (void)pthread_condattr_destroy(&attributes);
    return ok;
}

/* The program's signals are for its own threads. */
static bool start_thread(struct schsm_errand *errand)
{
    sigset_t all, before;
    bool started;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    started = pthread_create(&errand->thread, NULL, go, errand) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

void schsm_errand_start(struct schsm_errand *errand)
{
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &errand->cancel);
    errand->done = false;
    errand->left = false;
    errand->began = schsm_pool_now();
    (void)pthread_mutex_init(&errand->mutex, NULL); /* which cannot fail on Linux */
    errand->threaded = init_clocked(&errand->changed) && start_thread(errand);
    if (!errand->threaded) {
        errand->run(errand);
        errand->done = true;
        note_answer(errand->answers, false);
    }
}

/* When the patience with this errand ends. */
static uint64_t deadline_of(const struct schsm_errand *errand, unsigned int limit, bool stopped)
{
    uint64_t since;

    schsm_guard_lock();
    since = errand->answers->last > errand->began ? errand->answers->last : errand->began;
    schsm_guard_unlock();
    return stopped ? errand->began + STOPPED_MS : since + limit;
}

bool schsm_errand_wait(struct schsm_errand *errand, unsigned int limit, const atomic_bool *stop)
{
    bool done = false;

    while (!done) {
        bool stopped = stop != NULL && atomic_load(stop);
        uint64_t deadline = deadline_of(errand, limit, stopped), now = schsm_pool_now();
        struct timespec until;

        if (now >= deadline) {
            return !errand->threaded;
        }
        if (stop != NULL && deadline > now + SLICE_MS) {
            deadline = now + SLICE_MS;
        }
        until.tv_sec = (time_t)(deadline / 1000u);
        until.tv_nsec = (long)(deadline % 1000u) * 1000000L;
        (void)pthread_mutex_lock(&errand->mutex);
        while (!errand->done &&
               pthread_cond_timedwait(&errand->changed, &errand->mutex, &until) != ETIMEDOUT) {
        }
        done = errand->done;
        (void)pthread_mutex_unlock(&errand->mutex);
    }
    return true;
}

/* Our code is not unloaded from now on: a thread is to come back to it. */
static void keep_code(void)
{
    static atomic_bool kept;
    Dl_info about;

    if (!atomic_exchange(&kept, true) && dladdr((void *)&kept, &about) != 0 &&
        about.dli_fname != NULL) {
        (void)dlopen(about.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
    }
}

bool schsm_errand_leave(struct schsm_errand *errand)
{
    int cancel = errand->cancel;
    bool left;

    keep_code();
    (void)pthread_mutex_lock(&errand->mutex);
    left = !errand->done;
    if (left) {
        errand->left = true;
        (void)pthread_detach(errand->thread);
        schsm_guard_lock();
        begin_in_process(errand->answers);
        errand->answers->missing++;
        schsm_guard_unlock();
    }
    (void)pthread_mutex_unlock(&errand->mutex); /* it may be gone now */
    if (left) {
        (void)pthread_setcancelstate(cancel, NULL);
    }
    return left;
}

bool schsm_errand_is_left(struct schsm_errand *errand)
{
    bool left;

    (void)pthread_mutex_lock(&errand->mutex);
    left = errand->left;
    (void)pthread_mutex_unlock(&errand->mutex);
    return left;
}

void schsm_errand_end(struct schsm_errand *errand)
{
    int cancel = errand->cancel;

    if (errand->threaded) {
        (void)pthread_join(errand->thread, NULL);
    }
    free_errand(errand);
    (void)pthread_setcancelstate(cancel, NULL);
}
