/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mixed_work RSA EC URI SECONDS THREADS LOG: a process and a child of it, forked when the keys were
 * loaded, each with so many threads that do at random what can be done with an RSA and an EC key
 * (key reference files; their URIs are URI;id=10 and URI;id=20), until the time is over. LOG.1 and
 * LOG.2 get a line for each operation, times in microseconds since 1970:
 *
 *     END DURATION NAME ok|wrong|refused|untidy [REASON: SENTENCE]
 *
 * untidy: the result is right, but errors were left in the queue. Prints "ready" when both begin.
 * Status 0 unless the keys could not be loaded; what became of the operations is told by the logs.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>

#include "operations.h"

#define THREADS_MAX 64
#define SENTENCES_MAX 1024

struct work {
    pthread_t thread;
    const struct operations_keys *keys;
    FILE *log;
    int64_t until;
    uint32_t random; /* xorshift; never 0 */
};

static int64_t now(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_REALTIME, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static const struct operation *choose(uint32_t *state)
{
    unsigned int sum = 0;
    uint32_t chosen;

    for (size_t i = 0; i < operations_count; i++) {
        sum += operations[i].weight;
    }
    chosen = sum == 0 ? 0 : next_random(state) % sum;
    for (size_t i = 0; i < operations_count; i++) {
        if (chosen < operations[i].weight) {
            return &operations[i];
        }
        chosen -= operations[i].weight;
    }
    return &operations[0];
}

/* What the queue holds: our provider's lines, or all where it said nothing. Empties it. */
static void take_sentences(char text[SENTENCES_MAX])
{
    char all[SENTENCES_MAX] = "";
    const char *data = NULL;
    unsigned long code = 0;
    int flags = 0;

    text[0] = '\0';
    while ((code = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0) {
        const char *library = ERR_lib_error_string(code);
        const char *reason = ERR_reason_error_string(code);
        int ours = library != NULL && strcmp(library, "sc-hsm") == 0;
        char *to = ours ? text : all;
        size_t len = strlen(to);

        (void)snprintf(to + len, SENTENCES_MAX - len, "%s%s: %s", len > 0 ? " | " : "",
                       reason != NULL ? reason : "?", (flags & ERR_TXT_STRING) != 0 ? data : "");
    }
    if (text[0] == '\0') {
        memcpy(text, all, SENTENCES_MAX);
    }
    for (char *at = strchr(text, '\n'); at != NULL; at = strchr(at, '\n')) {
        *at = ' ';
    }
}

static void *work_on(void *argument)
{
    static const char *const names[] = { "ok", "refused", "wrong" };
    struct work *work = argument;

    for (unsigned int number = 0; now() < work->until; number++) {
        const struct operation *operation = choose(&work->random);
        char sentences[SENTENCES_MAX];
        int64_t start = now(), end;
        enum outcome outcome;

        ERR_clear_error();
        outcome = operation->run(work->keys, number);
        end = now();
        take_sentences(sentences);
        (void)fprintf(work->log, "%lld %lld %s %s %s\n", (long long)end, (long long)(end - start),
                      operation->name,
                      outcome == OUTCOME_OK && sentences[0] != '\0' ? "untidy" : names[outcome],
                      sentences);
    }
    return NULL;
}

/* 1 where all threads ran. */
static int run_threads(const struct operations_keys *keys, unsigned int threads, int64_t until,
                       const char *prefix, int which)
{
    struct work works[THREADS_MAX];
    unsigned int started = 0;
    char name[4096];
    FILE *log;

    (void)snprintf(name, sizeof(name), "%s.%d", prefix, which);
    log = fopen(name, "w");
    if (log == NULL) {
        perror(name);
        return 0;
    }
    (void)setvbuf(log, NULL, _IOLBF, BUFSIZ);
    for (; started < threads; started++) {
        works[started] = (struct work){
            .keys = keys,
            .log = log,
            .until = until,
            .random = (uint32_t)getpid() * 2654435761u + started + 1,
        };
        works[started].random |= works[started].random == 0;
        if (pthread_create(&works[started].thread, NULL, work_on, &works[started]) != 0) {
            break;
        }
    }
    for (unsigned int i = 0; i < started; i++) {
        pthread_join(works[i].thread, NULL);
    }
    return fclose(log) == 0 && started == threads;
}

int main(int argc, char **argv)
{
    struct operations_keys keys = { .files = { "" } };
    char rsa_uri[512], ec_uri[512];
    unsigned int seconds = 0, threads = 0;
    int count = 0, status = 0, ok = 0;
    int64_t until = 0;
    pid_t child = 0;

    if (argc != 7) {
        (void)fprintf(stderr, "usage: mixed_work RSA EC URI SECONDS THREADS LOG\n");
        return 2;
    }
    seconds = program_number(argv[4]);
    threads = program_number(argv[5]);
    if (threads > THREADS_MAX) {
        return 2;
    }
    keys.files[0] = argv[1];
    keys.files[1] = argv[2];
    (void)snprintf(rsa_uri, sizeof(rsa_uri), "%s;id=10", argv[3]);
    (void)snprintf(ec_uri, sizeof(ec_uri), "%s;id=20", argv[3]);
    keys.uris[0] = rsa_uri;
    keys.uris[1] = ec_uri;
    keys.everything = argv[3];
    program_load_key(&keys.rsa, argv[1]);
    program_load_key(&keys.ec, argv[2]);
    count = operations_list(argv[3]);
    if (count <= 0) {
        program_print_errors("the device could not be listed");
        return 1;
    }
    keys.everything_count = (unsigned int)count;
    (void)printf("ready\n");
    (void)fflush(NULL);
    until = now() + (int64_t)seconds * 1000000;
    child = fork();
    ok = child >= 0 && run_threads(&keys, threads, until, argv[6], child == 0 ? 2 : 1);
    if (child > 0) {
        ok = waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
             ok;
    }
    program_free_key(&keys.rsa);
    program_free_key(&keys.ec);
    return ok ? 0 : 1;
}
