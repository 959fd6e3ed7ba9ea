/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fork_guard.h"

#define WAITERS 8

static struct schsm_fork_member member;
static int order[WAITERS], served; /* under the lock */

struct waiter {
    pthread_t thread;
    int number;
};

static void *serve_one(void *arg)
{
    const struct waiter *waiter = arg;

    schsm_fork_lock(&member);
    order[served++] = waiter->number;
    schsm_fork_unlock(&member);
    return NULL;
}

static const void *last_in_queue(void)
{
    const void *last;

    pthread_mutex_lock(&member.mutex);
    last = member.last;
    pthread_mutex_unlock(&member.mutex);
    return last;
}

/* Starts threads that wait for the lock, which the caller holds, in the order of their numbers. */
static void start_waiters(struct waiter *waiters)
{
    const struct timespec pause = { 0, 1000000 };

    served = 0;
    for (int i = 0; i < WAITERS; i++) {
        const void *before = last_in_queue();

        waiters[i].number = i;
        assert_int_equal(pthread_create(&waiters[i].thread, NULL, serve_one, &waiters[i]), 0);
        while (last_in_queue() == before) {
            (void)nanosleep(&pause, NULL);
        }
    }
}

static void serves_in_the_order_of_coming(void **state)
{
    struct waiter waiters[WAITERS];

    (void)state;
    schsm_fork_lock(&member);
    start_waiters(waiters);
    /* Who lets go of it and wants it again at once is the last. */
    schsm_fork_unlock(&member);
    schsm_fork_lock(&member);
    assert_int_equal(served, WAITERS);
    schsm_fork_unlock(&member);
    for (int i = 0; i < WAITERS; i++) {
        assert_int_equal(pthread_join(waiters[i].thread, NULL), 0);
        assert_int_equal(order[i], i);
    }
}

static void is_free_in_a_child(void **state)
{
    struct waiter waiters[WAITERS];
    int status = -1;
    pid_t child;

    (void)state;
    schsm_fork_lock(&member);
    start_waiters(waiters);
    child = fork();
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* what ends it where it waits for ever */
        schsm_fork_lock(&member);
        schsm_fork_unlock(&member);
        _exit(member.forked ? 0 : 1);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    schsm_fork_unlock(&member);
    for (int i = 0; i < WAITERS; i++) {
        assert_int_equal(pthread_join(waiters[i].thread, NULL), 0);
    }
    assert_int_equal(served, WAITERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serves_in_the_order_of_coming),
        cmocka_unit_test(is_free_in_a_child),
    };
    int status;

    if (!schsm_fork_join(&member)) {
        return 1;
    }
    status = cmocka_run_group_tests(tests, NULL, NULL);
    schsm_fork_leave(&member);
    return status;
}
