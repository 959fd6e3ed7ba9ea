/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs one operation many times, in one or several threads or processes, and prints what it took
 * as one line: operations per second, median, 95th and 99th percentile of one operation's time in
 * milliseconds, separated by spaces.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stddef.h>

struct bench_plan {
    size_t count;         /* operations in all; a multiple of workers */
    unsigned int workers; /* at least 1 */
    int processes;        /* workers are forked processes instead of threads */
    int together;         /* they start when each has worked for two seconds that do not count */
    int (*operate)(void *arg); /* 1: done, 0: failed, and said why on stderr */
    void *arg;
};

/*
 * Reads `[--together] [--threads N | --processes N] COUNT` from argv[1] on; the number of words
 * read, or -1 after a line on stderr.
 */
int bench_plan_parse(struct bench_plan *plan, int argc, char **argv);

/*
 * The first operation of the caller is not measured: it logs in and warms up. In forked processes
 * each one's first operation is measured, because a server's worker pays for it too. Returns an
 * exit status.
 */
int bench_run(const struct bench_plan *plan);

#endif
