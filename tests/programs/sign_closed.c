/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sign_closed KEY THREADS: started with standard input, output and error closed, or some of them,
 * signs in several threads, each with its own copy of the key, and looks after each signature
 * whether what was closed still is. Ends with 0 if so.
 */
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "program.h"

#define THREADS_MAX 16
#define SIGNATURES 5

static const char *name;
static int closed[3];

static int still_closed(void)
{
    for (int fd = 0; fd < 3; fd++) {
        if (closed[fd] && fcntl(fd, F_GETFD) >= 0) {
            return 0;
        }
    }
    return 1;
}

static void *sign(void *failed)
{
    struct program_key key;

    program_load_key(&key, name);
    for (unsigned int i = 0; i < SIGNATURES; i++) {
        if (!program_sign(&key, i)) {
            *(int *)failed = 1;
        }
    }
    program_free_key(&key);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS_MAX];
    int failed[THREADS_MAX] = { 0 }, bad = 0;
    unsigned int count = 0;

    if (argc != 3 || (count = program_number(argv[2])) > THREADS_MAX) {
        return 2;
    }
    name = argv[1];
    for (int fd = 0; fd < 3; fd++) {
        closed[fd] = fcntl(fd, F_GETFD) < 0;
    }
    for (unsigned int i = 0; i < count; i++) {
        if (pthread_create(&threads[i], NULL, sign, &failed[i]) != 0) {
            return 3;
        }
    }
    for (unsigned int i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        bad = bad || failed[i];
    }
    if (bad) {
        return 4;
    }
    return still_closed() ? 0 : 5;
}
