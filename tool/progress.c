/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

struct schsm_progress {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stopped;
    bool stop;           /* guarded by lock */
    atomic_uint percent; /* 0: not told */
    const char *what;
};

static void *show(void *arg)
{
    struct schsm_progress *progress = arg;
    struct timespec next;
    unsigned int seconds = 0;

    (void)clock_gettime(CLOCK_MONOTONIC, &next);
    pthread_mutex_lock(&progress->lock);
    while (!progress->stop) {
        if (seconds > 0) { /* what is done at once needs no line */
            unsigned int percent = atomic_load(&progress->percent);

            (void)fprintf(stderr, "\r%s: %u s ", progress->what, seconds);
            if (percent > 0) {
                (void)fprintf(stderr, "(%u %%) ", percent);
            }
        }
        next.tv_sec++;
        seconds++;
        /* whatever else wakes it up, the line is shown again at the next second */
        while (!progress->stop &&
               pthread_cond_timedwait(&progress->stopped, &progress->lock, &next) == 0) {
        }
    }
    pthread_mutex_unlock(&progress->lock);
    if (seconds > 1) {
        (void)fprintf(stderr, "\r%*s\r", (int)strlen(progress->what) + 24, "");
    }
    return NULL;
}

/* Signals are for the thread that works. */
static bool start_thread(struct schsm_progress *progress)
{
    sigset_t all, before;
    bool started;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    started = pthread_create(&progress->thread, NULL, show, progress) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

struct schsm_progress *schsm_progress_start(const char *what)
{
    struct schsm_progress *progress = NULL;
    pthread_condattr_t attributes;

    if (!isatty(STDERR_FILENO)) {
        return NULL;
    }
    progress = OPENSSL_zalloc(sizeof(*progress));
    if (progress == NULL) {
        return NULL;
    }
    progress->what = what;
    (void)pthread_mutex_init(&progress->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&progress->stopped, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    if (!start_thread(progress)) {
        (void)pthread_cond_destroy(&progress->stopped);
        (void)pthread_mutex_destroy(&progress->lock);
        OPENSSL_free(progress);
        return NULL;
    }
    return progress;
}

void schsm_progress_at(struct schsm_progress *progress, unsigned int percent)
{
    if (progress != NULL) {
        atomic_store(&progress->percent, percent);
    }
}

void schsm_progress_stop(struct schsm_progress *progress)
{
    if (progress == NULL) {
        return;
    }
    pthread_mutex_lock(&progress->lock);
    progress->stop = true;
    (void)pthread_cond_signal(&progress->stopped);
    pthread_mutex_unlock(&progress->lock);
    (void)pthread_join(progress->thread, NULL);
    (void)pthread_cond_destroy(&progress->stopped);
    (void)pthread_mutex_destroy(&progress->lock);
    OPENSSL_free(progress);
}
