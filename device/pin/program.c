/* SPDX-License-Identifier: Apache-2.0 */
#include "program.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/descriptor.h"

#define FIRST_OF_OURS (STDERR_FILENO + 1)

#ifdef SC_HSM_HAVE_CLOSEFROM
static int close_rest(posix_spawn_file_actions_t *actions)
{
    return posix_spawn_file_actions_addclosefrom_np(actions, FIRST_OF_OURS);
}
#else
/* Those that are open now. */
static int close_rest(posix_spawn_file_actions_t *actions)
{
    DIR *folder = opendir("/proc/self/fd");
    const struct dirent *entry;
    int failed = folder == NULL ? errno : 0;

    while (failed == 0 && (entry = readdir(folder)) != NULL) {
        long fd = strtol(entry->d_name, NULL, 10);

        if (fd >= FIRST_OF_OURS) {
            failed = posix_spawn_file_actions_addclose(actions, (int)fd);
        }
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
    return failed;
}
#endif

static int set_files(posix_spawn_file_actions_t *actions, bool talks, int channel, int terminal)
{
    int failed;

    if (talks) {
        failed = posix_spawn_file_actions_adddup2(actions, channel, STDIN_FILENO);
    } else if (terminal >= 0) {
        failed = posix_spawn_file_actions_adddup2(actions, terminal, STDIN_FILENO);
    } else {
        failed = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    }
    if (failed == 0) {
        failed = posix_spawn_file_actions_adddup2(actions, channel, STDOUT_FILENO);
    }
    if (failed == 0 && fcntl(STDERR_FILENO, F_GETFD) < 0) {
        failed = posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    }
    return failed != 0 ? failed : close_rest(actions);
}

/* A server ignores and blocks signals for itself, not for others. */
static int set_signals(posix_spawnattr_t *attributes)
{
    sigset_t all, none;
    int failed;

    (void)sigfillset(&all);
    (void)sigdelset(&all, SIGKILL);
    (void)sigdelset(&all, SIGSTOP);
    (void)sigemptyset(&none);
    failed = posix_spawnattr_setsigdefault(attributes, &all);
    if (failed == 0) {
        failed = posix_spawnattr_setsigmask(attributes, &none);
    }
    if (failed == 0) {
        failed =
            posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    }
    return failed;
}

/* An error number; 0: it runs. */
static int spawn(const char *const arguments[], bool talks, int channel, pid_t *process)
{
    int terminal = talks ? -1 : schsm_descriptor_open("/dev/tty", O_RDWR | O_NOCTTY, 0);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int failed;

    failed = posix_spawn_file_actions_init(&actions);
    if (failed != 0) {
        goto close_terminal;
    }
    failed = posix_spawnattr_init(&attributes);
    if (failed != 0) {
        goto destroy_actions;
    }
    failed = set_files(&actions, talks, channel, terminal);
    if (failed == 0) {
        failed = set_signals(&attributes);
    }
    if (failed == 0) {
        /* The function takes what exec takes, and changes nothing either. */
        failed = posix_spawnp(process, arguments[0], &actions, &attributes,
                              (char *const *)(void *)arguments, environ);
    }
    (void)posix_spawnattr_destroy(&attributes);

destroy_actions:
    (void)posix_spawn_file_actions_destroy(&actions);

close_terminal:
    if (terminal >= 0) {
        (void)close(terminal);
    }
    return failed;
}

int schsm_program_start(const char *const arguments[], bool talks, struct schsm_program *program,
                        struct schsm_error *err)
{
    int pair[2] = { -1, -1 };
    int failed = 0;

    program->channel = -1;
    /* A socket: writing to a program that ended is no signal, and its end is seen though a fork
     * copied our descriptor. */
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        failed = errno;
    }
    for (int i = 0; i < 2 && failed == 0; i++) {
        pair[i] = schsm_descriptor_above(pair[i]);
        failed = pair[i] < 0 ? errno : 0;
    }
    if (failed == 0) {
        failed = spawn(arguments, talks, pair[1], &program->process);
    }
    if (pair[1] >= 0) {
        (void)close(pair[1]);
    }
    if (failed == 0) {
        program->channel = pair[0];
        return 1;
    }
    if (pair[0] >= 0) {
        (void)close(pair[0]);
    }
    if (failed == ENOENT) {
        return schsm_fail(err, SCHSM_REASON_PIN_SOURCE,
                          "there is no program %s here: install it, or choose another source",
                          arguments[0]);
    }
    return schsm_fail(err, SCHSM_REASON_PIN_SOURCE, "the program %s cannot be started: %s",
                      arguments[0], strerror(failed));
}

bool schsm_program_tell(const struct schsm_program *program, const char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        ssize_t done = send(program->channel, text, left, MSG_NOSIGNAL);

        if (done < 0 && errno != EINTR) {
            return false;
        }
        if (done > 0) {
            text += done;
            left -= (size_t)done;
        }
    }
    return true;
}

size_t schsm_program_hear(const struct schsm_program *program, void *buffer, size_t size)
{
    ssize_t got;

    do {
        got = recv(program->channel, buffer, size, 0);
    } while (got < 0 && errno == EINTR);
    return got > 0 ? (size_t)got : 0;
}

int schsm_program_end(struct schsm_program *program)
{
    int status = 0;
    pid_t ended;

    (void)shutdown(program->channel, SHUT_RDWR);
    (void)close(program->channel);
    program->channel = -1;
    do {
        ended = waitpid(program->process, &status, 0);
    } while (ended < 0 && errno == EINTR);
    return ended == program->process && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
