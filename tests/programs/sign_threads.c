/* SPDX-License-Identifier: Apache-2.0 */
/* sign_threads KEY THREADS COUNT: threads that share one key sign COUNT messages each. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>

#include "program.h"

#define THREADS_MAX 64

struct work {
    pthread_t thread;
    const struct program_key *key;
    unsigned int first;
    unsigned int count;
    unsigned int done;
};

static void *sign_all(void *argument)
{
    struct work *work = argument;

    while (work->done < work->count && program_sign(work->key, work->first + work->done)) {
        work->done++;
    }
    if (work->done < work->count) {
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

    if (argc != 4) {
        (void)fprintf(stderr, "usage: sign_threads KEY THREADS COUNT\n");
        return 2;
    }
    threads = program_number(argv[2]);
    count = program_number(argv[3]);
    if (threads > THREADS_MAX) {
        return 2;
    }
    program_load_key(&key, argv[1]);
    for (started = 0; started < threads; started++) {
        works[started] = (struct work){ .key = &key, .first = started * count, .count = count };
        if (pthread_create(&works[started].thread, NULL, sign_all, &works[started]) != 0) {
            break;
        }
    }
    for (unsigned int i = 0; i < started; i++) {
        pthread_join(works[i].thread, NULL);
        done += works[i].done;
    }
    program_free_key(&key);
    printf("%u signatures in %u threads\n", done, started);
    return done == threads * count ? 0 : 1;
}
