/* SPDX-License-Identifier: Apache-2.0 */
#include "wrapped.h"

#include <errno.h>

#include "clock.h"

#define STEP_MS 20

static uint64_t told_ms;

void flow_clock_start(void)
{
    told_ms = 0;
}

/* Time passes with each look at it, so that what is waited for ends, and after as many looks each
 * time. */
int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    if (clock != CLOCK_MONOTONIC) {
        return __real_clock_gettime(clock, now);
    }
    told_ms += STEP_MS;
    now->tv_sec = (time_t)(1000 + told_ms / 1000);
    now->tv_nsec = (long)(told_ms % 1000) * 1000000;
    return 0;
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *arg), void *arg)
{
    (void)thread;
    (void)attributes;
    (void)start;
    (void)arg;
    return EAGAIN;
}

int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left)
{
    (void)wanted;
    (void)left;
    return 0;
}
