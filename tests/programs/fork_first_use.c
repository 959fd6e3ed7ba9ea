/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fork_first_use KEY FIFO FILE: a thread loads KEY, and with it the configuration, which names FIFO
 * as a file to read, so that it waits there. Meanwhile FILE takes FIFO's name, and the process
 * forks. The child must be able to load the key and to sign; then so must the parent, which is
 * given what FILE holds.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "program.h"

static int sign_with(const char *name)
{
    struct program_key key;
    int ok;

    program_load_key(&key, name);
    ok = program_sign(&key, 1);
    if (!ok) {
        program_print_errors("the signature failed");
    }
    program_free_key(&key);
    return ok;
}

static void *first_use(void *name)
{
    static int done;

    done = sign_with(name);
    return &done;
}

/* Opens the FIFO when somebody reads it. */
static int open_for_reader(const char *fifo)
{
    const struct timespec pause = { 0, 1000000 };
    int fd;

    program_end_late();
    while ((fd = open(fifo, O_WRONLY | O_NONBLOCK | O_CLOEXEC)) < 0) {
        (void)nanosleep(&pause, NULL);
    }
    return fd;
}

static int copy(const char *file, int to)
{
    char bytes[16384];
    int from = open(file, O_RDONLY | O_CLOEXEC);
    ssize_t len = from < 0 ? -1 : read(from, bytes, sizeof(bytes));
    int ok = len > 0 && write(to, bytes, (size_t)len) == len;

    (void)close(from);
    (void)close(to);
    return ok;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    void *done = NULL;
    int fd = -1, status = 0;
    pid_t child;

    if (argc != 4) {
        (void)fprintf(stderr, "usage: fork_first_use KEY FIFO FILE\n");
        return 2;
    }
    if (pthread_create(&thread, NULL, first_use, argv[1]) != 0) {
        return 2;
    }
    fd = open_for_reader(argv[2]);
    if (rename(argv[3], argv[2]) != 0) {
        perror(argv[3]);
        return 2;
    }
    child = fork();
    if (child == 0) {
        program_end_late();
        (void)close(fd);
        /* Not exit: what the thread held here belongs to nobody, and a leak checker would tell. */
        _exit(sign_with(argv[1]) ? 0 : 1);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
        (void)fprintf(stderr, "the child ended with %s %d\n",
                      WIFSIGNALED(status) ? "signal" : "status",
                      WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        return 1;
    }
    if (!copy(argv[2], fd) || pthread_join(thread, &done) != 0 || done == NULL || !*(int *)done) {
        (void)fprintf(stderr, "the thread failed\n");
        return 1;
    }
    return 0;
}
