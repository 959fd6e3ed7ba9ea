/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fixed table in memory that a process shares with its children: a row for each process, a column
 * for each place. Nobody locks it, as anybody may be killed in the middle; each writes its own row
 * alone, so that what a dead process left is told from what the living do.
 */
#include "load.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/fork_guard.h"

#define PLACES 64
#define PROCESSES 128
#define SILENT_MS 2000     /* who says nothing for so long is not counted */
#define ABANDONED_MS 60000 /* nor does his row stay his */

struct row {
    atomic_int process;     /* 0: nobody's */
    _Atomic(uint32_t) life; /* milliseconds, see now() */
    atomic_uint waiting[PLACES];
};

struct load {
    _Atomic(uint64_t) places[PLACES]; /* fingerprints of their names, 0: free */
    struct row rows[PROCESSES];
};

static struct load private_load;
static _Atomic(struct load *) shared; /* NULL: not shared, `private_load` is used */
static struct row *own_row;           /* of the process below; both under the guard */
static pid_t own_process;

static struct load *get_load(void)
{
    struct load *load = atomic_load(&shared);

    return load != NULL ? load : &private_load;
}

/* After the threads of the watch were ended, which is the business of a destructor before. */
__attribute__((destructor(200))) static void unmap_load(void)
{
    struct load *load = atomic_exchange(&shared, NULL);

    own_row = NULL;
    if (load != NULL) {
        (void)munmap(load, sizeof(*load));
    }
}

/* Milliseconds of a clock that all processes of the machine have; only differences matter. */
static uint32_t now(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint32_t)((uint64_t)time.tv_sec * 1000u + (uint64_t)time.tv_nsec / 1000000u);
}

void schsm_load_share(void)
{
    struct load *load, *none = NULL;

    if (atomic_load(&shared) != NULL) {
        return;
    }
    load = mmap(NULL, sizeof(*load), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (load == MAP_FAILED) {
        return;
    }
    if (!atomic_compare_exchange_strong(&shared, &none, load)) {
        (void)munmap(load, sizeof(*load)); /* another thread was quicker */
        return;
    }
    schsm_guard_lock();
    own_row = NULL; /* it was in the other table */
    schsm_guard_unlock();
}

/* FNV-1a */
static uint64_t fingerprint(const char *name)
{
    uint64_t hash = 0xCBF29CE484222325u;

    for (; *name != '\0'; name++) {
        hash = (hash ^ (uint8_t)*name) * 0x100000001B3u;
    }
    return hash != 0 ? hash : 1;
}

int schsm_load_place(const char *name)
{
    struct load *load = get_load();
    uint64_t wanted = fingerprint(name);

    for (int i = 0; i < PLACES; i++) {
        uint64_t found = 0;

        if (atomic_compare_exchange_strong(&load->places[i], &found, wanted) || found == wanted) {
            return i;
        }
    }
    return -1;
}

static bool is_dead(const struct row *row, int process)
{
    return (kill(process, 0) != 0 && errno == ESRCH) ||
           (int32_t)(now() - atomic_load(&row->life)) > ABANDONED_MS;
}

/* A row that is free, or whose owner is dead. */
static struct row *take_row(struct load *load)
{
    int mine = getpid();

    for (int i = 0; i < PROCESSES; i++) {
        struct row *row = &load->rows[i];
        int owner = atomic_load(&row->process);

        if ((owner == 0 || is_dead(row, owner)) &&
            atomic_compare_exchange_strong(&row->process, &owner, mine)) {
            for (int k = 0; k < PLACES; k++) {
                atomic_store(&row->waiting[k], 0);
            }
            atomic_store(&row->life, now());
            return row;
        }
    }
    return NULL;
}

/* This process's row; NULL where there are too many processes. */
static struct row *get_row(void)
{
    struct row *row;

    schsm_guard_lock();
    if (own_row == NULL || own_process != getpid()) {
        own_row = take_row(get_load());
        own_process = getpid();
    }
    row = own_row;
    schsm_guard_unlock();
    return row;
}

unsigned int schsm_load_waiting(int place)
{
    struct load *load = get_load();
    uint32_t time = now();
    unsigned int waiting = 0;

    for (int i = 0; place >= 0 && i < PROCESSES; i++) {
        struct row *row = &load->rows[i];

        if (atomic_load(&row->process) != 0 &&
            (int32_t)(time - atomic_load(&row->life)) < SILENT_MS) {
            waiting += atomic_load(&row->waiting[place]);
        }
    }
    return waiting;
}

unsigned int schsm_load_enter(int place)
{
    struct row *row = place >= 0 ? get_row() : NULL;
    unsigned int waiting;

    if (row == NULL) {
        return schsm_load_waiting(place);
    }
    /* First that, so that of two who come at the same moment one at least sees the other. */
    atomic_store(&row->life, now());
    atomic_fetch_add(&row->waiting[place], 1);
    waiting = schsm_load_waiting(place);
    return waiting > 0 ? waiting - 1 : 0;
}

void schsm_load_leave(int place)
{
    struct row *row = place >= 0 ? get_row() : NULL;
    unsigned int waiting = row != NULL ? atomic_load(&row->waiting[place]) : 0;

    /* The row may be new since: after the table was shared, or of a process taken for dead. */
    while (waiting > 0 &&
           !atomic_compare_exchange_weak(&row->waiting[place], &waiting, waiting - 1)) {
    }
}

void schsm_load_show_life(void)
{
    struct row *row = get_row();

    if (row != NULL) {
        atomic_store(&row->life, now());
    }
}
