/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sign_threads KEY THREADS COUNT [STOP]: threads that share one key sign COUNT messages each, or
 * fewer where the file STOP appears meanwhile.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "program.h"

#define THREADS_MAX 64

struct work {
    pthread_t thread;
    const struct program_key *key;
    const char *stop; /* NULL: none */
    unsigned int first;
    unsigned int count;
    unsigned int done;
    int failed;
};

static void *sign_all(void *argument)
{
    struct work *work = argument;

    while (work->done < work->count && !work->failed &&
           (work->stop == NULL || access(work->stop, F_OK) != 0)) {
        work->failed = !program_sign(work->key, work->first + work->done);
        work->done += work->failed ? 0 : 1;
    }
    if (work->failed) {
        program_print_errors("a signature failed");
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct work works[THREADS_MAX];
    struct program_key key;
    unsigned int threads = 0;
    unsigned int count = 0;
    unsigned int started = 0;
    unsigned int done = 0;
    int failed = 0;

    if (argc != 4 && argc != 5) {
        (void)fprintf(stderr, "usage: sign_threads KEY THREADS COUNT [STOP]\n");
        return 2;
    }
    threads = program_number(argv[2]);
    count = program_number(argv[3]);
    if (threads > THREADS_MAX) {
        return 2;
    }
    program_load_key(&key, argv[1]);
    for (started = 0; started < threads; started++) {
        works[started] =
            (struct work){ .key = &key, .stop = argv[4], .first = started * count, .count = count };
        if (pthread_create(&works[started].thread, NULL, sign_all, &works[started]) != 0) {
            break;
        }
    }
    for (unsigned int i = 0; i < started; i++) {
        pthread_join(works[i].thread, NULL);
        done += works[i].done;
        failed |= works[i].failed;
    }
    program_free_key(&key);
    printf("%u signatures in %u threads\n", done, started);
    return started == threads && !failed ? 0 : 1;
}
