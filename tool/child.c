/* SPDX-License-Identifier: Apache-2.0 */
#include "child.h"

#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const int keys[] = { SIGINT, SIGQUIT };
#define KEYS (sizeof(keys) / sizeof(keys[0]))

void schsm_child_hold(struct schsm_child_signals *signals)
{
    const struct sigaction ignore = { .sa_handler = SIG_IGN };

    signals->came = 0;
    for (size_t i = 0; i < KEYS; i++) {
        (void)sigaction(keys[i], &ignore, &signals->keys[i]);
    }
    (void)signal(SIGCHLD, SIG_DFL);
    (void)sigemptyset(&signals->held);
    (void)sigaddset(&signals->held, SIGTERM);
    (void)sigaddset(&signals->held, SIGHUP);
    (void)sigaddset(&signals->held, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &signals->held, &signals->before);
}

void schsm_child_release(const struct schsm_child_signals *signals)
{
    (void)sigprocmask(SIG_SETMASK, &signals->before, NULL);
    for (size_t i = 0; i < KEYS; i++) {
        (void)sigaction(keys[i], &signals->keys[i], NULL);
    }
}

/* Starts a program that keys at the terminal end, unless they did not end us either. */
static int start(char *const *argv, const int *descriptors,
                 const struct schsm_child_signals *signals, pid_t *child)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t defaults;
    int result = posix_spawnattr_init(&attributes);

    if (result != 0) {
        return result;
    }
    result = posix_spawn_file_actions_init(&actions);
    if (result != 0) {
        (void)posix_spawnattr_destroy(&attributes);
        return result;
    }
    (void)sigemptyset(&defaults);
    for (size_t i = 0; i < KEYS; i++) {
        if (signals->keys[i].sa_handler != SIG_IGN) {
            (void)sigaddset(&defaults, keys[i]);
        }
    }
    (void)posix_spawnattr_setsigdefault(&attributes, &defaults);
    (void)posix_spawnattr_setsigmask(&attributes, &signals->before);
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    for (; descriptors != NULL && descriptors[0] >= 0 && result == 0; descriptors += 2) {
        result = posix_spawn_file_actions_adddup2(&actions, descriptors[0], descriptors[1]);
    }
    if (result == 0) {
        result = posix_spawnp(child, argv[0], &actions, &attributes, argv, environ);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attributes);
    return result;
}

int schsm_child_run(char *const *argv, const int *descriptors, struct schsm_child_signals *signals,
                    int *status, struct schsm_error *err)
{
    pid_t child = 0, ended = 0;
    int result = start(argv, descriptors, signals, &child);

    if (result != 0) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "%s cannot be run: %s", argv[0],
                          strerror(result));
    }
    while (ended == 0) {
        int number = 0;

        if (sigwait(&signals->held, &number) == 0 && number != SIGCHLD) {
            signals->came = number;
            (void)kill(child, number);
        }
        ended = waitpid(child, status, WNOHANG);
    }
    return ended == child ||
           schsm_fail(err, SCHSM_REASON_DEVICE, "%s was lost: %s", argv[0], strerror(errno));
}

int schsm_child_shell_status(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : SCHSM_SHELL_SIGNAL + WTERMSIG(status);
}
