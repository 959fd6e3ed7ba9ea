/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cancel KEY FIFO: a thread signs with KEY, and waits for the PIN in FIFO; there it is cancelled.
 * Then the PIN, the first line of standard input, comes, and all others must be able to go on.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "program.h"

static void *sign(void *key)
{
    (void)program_sign(key, 1);
    for (;;) {
        (void)pause();
    }
    return NULL;
}

/* Opens the FIFO when somebody reads it. */
static int open_for_reader(const char *fifo)
{
    const struct timespec pause = { 0, 1000000 };
    int fd;

    while ((fd = open(fifo, O_WRONLY | O_NONBLOCK | O_CLOEXEC)) < 0) {
        (void)nanosleep(&pause, NULL);
    }
    return fd;
}

int main(int argc, char **argv)
{
    const struct timespec moment = { 0, 200000000 };
    struct program_key key;
    pthread_t thread;
    void *result = NULL;
    char pin[64];
    int fd, ok = 0;

    if (argc != 3 || fgets(pin, sizeof(pin), stdin) == NULL) {
        (void)fprintf(stderr, "usage: cancel KEY FIFO <PIN\n");
        return 2;
    }
    program_load_key(&key, argv[1]);
    program_end_late();
    if (pthread_create(&thread, NULL, sign, &key) != 0) {
        return 2;
    }
    fd = open_for_reader(argv[2]);
    if (pthread_cancel(thread) != 0) {
        return 2;
    }
    (void)nanosleep(&moment, NULL); /* for a thread that ends at once, with the lock */
    ok = write(fd, pin, strlen(pin)) > 0;
    (void)close(fd);
    ok = pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED && ok;
    if (!ok) {
        (void)fprintf(stderr, "the thread was not cancelled\n");
    }
    ok = ok && program_sign(&key, 2);
    if (!ok) {
        program_print_errors("the signature after it failed");
    }
    program_free_key(&key);
    return ok ? 0 : 1;
}
