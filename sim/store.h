/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state file: one card, one file, one simulator at a time.
 *
 * Layout: 8 bytes magic, 4 bytes format version, 4 bytes content length, 32 bytes SHA-256 of the
 * content, content (sim_state_encode()). Written to a temporary file beside it, synced, renamed,
 * and the directory synced: at any moment the file is the state before or after one command.
 */
#ifndef SIM_STORE_H
#define SIM_STORE_H

#include "buf.h"

struct sim_state;

/* Where in the next sim_store_save() the program dies, for tests. */
enum sim_power_cut {
    SIM_POWER_CUT_NONE,
    SIM_POWER_CUT_BEFORE, /* nothing is written */
    SIM_POWER_CUT_DURING, /* written beside the old state, not yet in its place */
    SIM_POWER_CUT_AFTER,  /* done */
};

struct sim_store {
    char *path;
    char *tmp_path;
    char *dir_path;
    int lock_fd; /* holds the flock on PATH.lock */
    enum sim_power_cut power_cut;
    unsigned power_writes; /* so many calls of sim_store_save() go well before that */
};

enum sim_store_found {
    SIM_STORE_LOADED,
    SIM_STORE_FRESH, /* there is no file yet */
    SIM_STORE_ERROR, /* said on stderr; nothing was written */
};

/*
 * Lock the state file and read its content into `content` (the encoded state). Errors (locked by
 * another process, unreadable, corrupt) are explained on stderr; the file is never touched then.
 */
enum sim_store_found sim_store_open(struct sim_store *store, const char *path,
                                    struct sim_buf *content);

/* Write `content` durably; false, with a line on stderr, when it may not have reached the disk. */
bool sim_store_save(struct sim_store *store, struct sim_slice content);

/* Die at once, as when the power is cut. */
_Noreturn void sim_store_cut_power(void);

/* Release lock and memory; an all-zero store with lock_fd -1 is fine. */
void sim_store_close(struct sim_store *store);

#endif
