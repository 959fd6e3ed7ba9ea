/* SPDX-License-Identifier: Apache-2.0 */
#include "measure.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS_MAX 64
#define COUNT_MAX 10000000
#define WARM_UP 2.0 /* seconds; several devices have all joined by then */

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int bench_plan_parse(struct bench_plan *plan, int argc, char **argv)
{
    int next = 1;
    long workers = 1, count = 0;

    if (argc > 1 && strcmp(argv[1], "--together") == 0) {
        plan->together = 1;
        next = 2;
    }
    if (argc > next + 1 &&
        (strcmp(argv[next], "--threads") == 0 || strcmp(argv[next], "--processes") == 0)) {
        plan->processes = argv[next][2] == 'p';
        workers = strtol(argv[next + 1], NULL, 10);
        next += 2;
    }
    if (next < argc) {
        count = strtol(argv[next++], NULL, 10);
    }
    if (workers < 1 || workers > WORKERS_MAX || count < workers || count > COUNT_MAX) {
        (void)fprintf(stderr, "usage: %s [--together] [--threads N | --processes N] COUNT ...\n",
                      argv[0]);
        return -1;
    }
    plan->workers = (unsigned int)workers;
    plan->count = (size_t)(count - count % workers);
    return next;
}

struct worker {
    const struct bench_plan *plan;
    double *samples;          /* seconds; this worker's share */
    pthread_barrier_t *start; /* NULL: at once */
    double *began, *ended;    /* when its measured work did */
    int ok;
};

static void *work(void *arg)
{
    struct worker *worker = arg;
    size_t share = worker->plan->count / worker->plan->workers;

    worker->ok = 1;
    *worker->began = now();
    if (worker->start != NULL) {
        do {
            worker->ok = worker->plan->operate(worker->plan->arg);
        } while (worker->ok && now() - *worker->began < WARM_UP);
        pthread_barrier_wait(worker->start);
        *worker->began = now();
    }
    for (size_t i = 0; i < share && worker->ok; i++) {
        double start = now();

        worker->ok = worker->plan->operate(worker->plan->arg);
        worker->samples[i] = now() - start;
    }
    *worker->ended = now();
    return NULL;
}

static int run_threads(struct worker *workers, unsigned int count)
{
    pthread_t threads[WORKERS_MAX];
    unsigned int started = 0;
    int ok = 1;

    while (started < count &&
           pthread_create(&threads[started], NULL, work, &workers[started]) == 0) {
        started++;
    }
    ok = started == count;
    for (unsigned int i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
        ok = ok && workers[i].ok;
    }
    return ok;
}

static int run_processes(struct worker *workers, unsigned int count)
{
    pid_t children[WORKERS_MAX];
    unsigned int started = 0;
    int ok = 1;

    (void)fflush(NULL);
    while (started < count) {
        children[started] = fork();
        if (children[started] == 0) {
            work(&workers[started]);
            exit(workers[started].ok ? 0 : 1);
        }
        if (children[started] < 0) {
            break;
        }
        started++;
    }
    ok = started == count;
    for (unsigned int i = 0; i < started; i++) {
        int status = 0;

        if (waitpid(children[i], &status, 0) < 0 || status != 0) {
            ok = 0;
        }
    }
    return ok;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* So that what forked processes measure comes back. */
static void *share_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

/* From when the first worker began to when the last one ended. */
static double time_of_all(const struct worker *workers, unsigned int count)
{
    double began = *workers[0].began, ended = *workers[0].ended;

    for (unsigned int i = 1; i < count; i++) {
        began = *workers[i].began < began ? *workers[i].began : began;
        ended = *workers[i].ended > ended ? *workers[i].ended : ended;
    }
    return ended - began;
}

int bench_run(const struct bench_plan *plan)
{
    size_t size = (plan->count + 2 * (size_t)plan->workers) * sizeof(double);
    size_t share = plan->count / plan->workers;
    struct worker workers[WORKERS_MAX];
    double *samples = share_memory(size), *times = NULL;
    pthread_barrier_t *together = share_memory(sizeof(*together));
    pthread_barrierattr_t shared;
    int ok = 0;

    if (samples == NULL || together == NULL) {
        perror("mmap");
        return 1;
    }
    pthread_barrierattr_init(&shared);
    pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(together, &shared, plan->workers);
    pthread_barrierattr_destroy(&shared);
    times = samples + plan->count;
    for (unsigned int i = 0; i < plan->workers; i++, times += 2) {
        workers[i] = (struct worker){ .plan = plan,
                                      .samples = samples + i * share,
                                      .start = plan->together ? together : NULL,
                                      .began = times,
                                      .ended = times + 1 };
    }
    if (plan->operate(plan->arg)) {
        ok = plan->processes ? run_processes(workers, plan->workers)
                             : run_threads(workers, plan->workers);
    }
    if (ok) {
        qsort(samples, plan->count, sizeof(double), compare);
        printf("%.2f %.3f %.3f %.3f\n", (double)plan->count / time_of_all(workers, plan->workers),
               samples[plan->count / 2] * 1e3, samples[plan->count * 95 / 100] * 1e3,
               samples[plan->count * 99 / 100] * 1e3);
    }
    munmap(together, sizeof(*together));
    munmap(samples, size);
    return ok ? 0 : 1;
}
