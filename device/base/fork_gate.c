/* SPDX-License-Identifier: Apache-2.0 */
#include "fork_gate.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define PAUSE_NS 200000L
#define PAUSES_MAX 10000

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static atomic_int inside;
static _Thread_local int ours; /* of those inside */

static void shut(void)
{
    const struct timespec pause = { 0, PAUSE_NS };
    int cancel;

    pthread_mutex_lock(&gate);
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    for (int i = 0; atomic_load(&inside) > ours && i < PAUSES_MAX; i++) {
        (void)nanosleep(&pause, NULL);
    }
    (void)pthread_setcancelstate(cancel, &cancel);
}

static void open_again(void)
{
    pthread_mutex_unlock(&gate);
}

static void open_in_child(void)
{
    atomic_store(&inside, ours); /* the other threads are not here */
    pthread_mutex_unlock(&gate);
}

/* Not at a first use, see fork_guard.c. */
__attribute__((constructor)) static void register_gate_handlers(void)
{
    (void)pthread_atfork(shut, open_again, open_in_child);
}

void schsm_gate_enter(void)
{
    if (ours++ > 0) {
        atomic_fetch_add(&inside, 1); /* a shut gate must not stop who is inside already */
        return;
    }
    pthread_mutex_lock(&gate);
    atomic_fetch_add(&inside, 1);
    pthread_mutex_unlock(&gate);
}

void schsm_gate_leave(void)
{
    ours--;
    atomic_fetch_sub(&inside, 1);
}
