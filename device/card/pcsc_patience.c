/* SPDX-License-Identifier: Apache-2.0 */
#include "pcsc_patience.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/fork_gate.h"

#define AGAIN_AFTER 1 /* seconds, where nobody is in a transaction */
#define BEGIN_LEAST 1 /* seconds */

/* Little, for programs that lock all of their memory; the sanitizers want more. */
#define STACK_SIZE ((size_t)512 * 1024)

/* One SCardConnect, on a thread of its own: nothing else ends its waiting. */
struct connecting {
    pthread_mutex_t mutex;
    pthread_cond_t answered; /* by CLOCK_MONOTONIC */
    bool done, abandoned;    /* under the mutex */
    SCARDCONTEXT context;
    char reader[MAX_READERNAME];
    SCARDHANDLE card;
    DWORD protocol;
    LONG code;
};

static LONG connect_now(SCARDCONTEXT context, const char *reader, SCARDHANDLE *card,
                        DWORD *protocol)
{
    LONG code;

    schsm_gate_enter();
    code = SCardConnect(context, reader, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1,
                        card, protocol);
    schsm_gate_leave();
    return code;
}

static bool make_waitable(pthread_mutex_t *mutex, pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    if (pthread_mutex_init(mutex, NULL) != 0) {
        return false;
    }
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(condition, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    return true;
}

static void destroy_waitable(pthread_mutex_t *mutex, pthread_cond_t *condition)
{
    (void)pthread_cond_destroy(condition);
    (void)pthread_mutex_destroy(mutex);
}

static struct timespec deadline(unsigned int seconds)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)seconds;
    return until;
}

/* The program's signal handlers run on its own threads. */
static bool start_thread(pthread_t *thread, void *(*run)(void *arg), void *arg)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    int failed;

    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(thread, &attributes, run, arg);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
    return failed == 0;
}

static void free_connecting(struct connecting *job)
{
    destroy_waitable(&job->mutex, &job->answered);
    free(job);
}

/* Nobody wants the connection any more. */
static void end_abandoned(struct connecting *job)
{
    schsm_gate_enter();
    if (job->code == SCARD_S_SUCCESS) {
        (void)SCardDisconnect(job->card, SCARD_LEAVE_CARD);
    }
    (void)SCardReleaseContext(job->context);
    schsm_gate_leave();
    free_connecting(job);
}

static void *connect_in_thread(void *arg)
{
    struct connecting *job = arg;
    bool abandoned;

    job->code = connect_now(job->context, job->reader, &job->card, &job->protocol);
    pthread_mutex_lock(&job->mutex);
    job->done = true;
    abandoned = job->abandoned;
    pthread_cond_signal(&job->answered);
    pthread_mutex_unlock(&job->mutex);
    if (abandoned) {
        end_abandoned(job);
    }
    return NULL;
}

static struct connecting *new_connecting(SCARDCONTEXT context, const char *reader)
{
    struct connecting *job = calloc(1, sizeof(*job));

    if (job == NULL || !make_waitable(&job->mutex, &job->answered)) {
        free(job);
        return NULL;
    }
    (void)snprintf(job->reader, sizeof(job->reader), "%s", reader);
    job->context = context;
    return job;
}

/* The code of a thread that goes on must stay, whoever unloads this library meanwhile. */
static void pin_this_library(void)
{
    Dl_info about;

    if (dladdr((void *)&free_connecting, &about) != 0 && about.dli_fname != NULL) {
        (void)dlopen(about.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
    }
}

LONG schsm_pcsc_connect(SCARDCONTEXT *context, const char *reader, unsigned int seconds,
                        SCARDHANDLE *card, DWORD *protocol)
{
    struct connecting *job = new_connecting(*context, reader);
    const struct timespec until = deadline(seconds);
    pthread_t thread;
    int late = 0;
    LONG code;

    if (job == NULL) {
        return SCARD_E_NO_MEMORY;
    }
    if (!start_thread(&thread, connect_in_thread, job)) {
        free_connecting(job); /* better without a bound than not at all */
        return connect_now(*context, reader, card, protocol);
    }
    pthread_mutex_lock(&job->mutex);
    while (!job->done && late == 0) {
        late = pthread_cond_timedwait(&job->answered, &job->mutex, &until);
    }
    job->abandoned = !job->done;
    if (job->abandoned) {
        pin_this_library();
        (void)pthread_detach(thread);
        *context = 0;
        pthread_mutex_unlock(&job->mutex);
        return SCARD_E_TIMEOUT;
    }
    pthread_mutex_unlock(&job->mutex);
    (void)pthread_join(thread, NULL);
    code = job->code;
    *card = job->card;
    *protocol = job->protocol;
    free_connecting(job);
    return code;
}

/* To end a transaction that we have not begun changes nothing, asks neither reader nor card, and is
 * a violation where another program is in one. While the card works for us this waits. */
static bool is_taken(SCARDHANDLE card)
{
    LONG code;

    schsm_gate_enter();
    code = SCardEndTransaction(card, SCARD_LEAVE_CARD);
    schsm_gate_leave();
    return code == SCARD_E_SHARING_VIOLATION;
}

static void *watch_call(void *arg)
{
    struct schsm_pcsc_watch *watch = arg;

    pthread_mutex_lock(&watch->mutex);
    while (!watch->done && !watch->ended) {
        if (pthread_cond_timedwait(&watch->over, &watch->mutex, &watch->until) == 0) {
            continue;
        }
        pthread_mutex_unlock(&watch->mutex);
        bool taken = watch->begins || is_taken(watch->card);
        pthread_mutex_lock(&watch->mutex);
        watch->ended = taken && !watch->done;
        watch->until.tv_sec += AGAIN_AFTER;
    }
    if (watch->ended) { /* still under the mutex: whoever ends the watch finds it closed */
        schsm_gate_enter();
        (void)SCardDisconnect(watch->card, SCARD_LEAVE_CARD);
        schsm_gate_leave();
    }
    pthread_mutex_unlock(&watch->mutex);
    return NULL;
}

void schsm_pcsc_watch_start(struct schsm_pcsc_watch *watch, SCARDHANDLE card, unsigned int seconds,
                            bool begins)
{
    *watch = (struct schsm_pcsc_watch){ .card = card, .begins = begins };
    if (!make_waitable(&watch->mutex, &watch->over)) {
        return;
    }
    watch->until = deadline(begins && seconds < BEGIN_LEAST ? BEGIN_LEAST : seconds);
    watch->running = start_thread(&watch->thread, watch_call, watch);
    if (!watch->running) {
        destroy_waitable(&watch->mutex, &watch->over);
    }
}

bool schsm_pcsc_watch_end(struct schsm_pcsc_watch *watch)
{
    if (!watch->running) {
        return false;
    }
    pthread_mutex_lock(&watch->mutex);
    watch->done = true;
    pthread_cond_signal(&watch->over);
    pthread_mutex_unlock(&watch->mutex);
    (void)pthread_join(watch->thread, NULL);
    destroy_waitable(&watch->mutex, &watch->over);
    return watch->ended;
}

#define HURRIED_WAIT 5 /* seconds: longer than a login and what comes with it take */

static _Thread_local bool hurried_thread;

void schsm_pcsc_hurry(bool hurried)
{
    hurried_thread = hurried;
}

unsigned int schsm_pcsc_limit(unsigned int seconds)
{
    return hurried_thread && seconds > HURRIED_WAIT ? HURRIED_WAIT : seconds;
}
