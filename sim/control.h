/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket: a Unix socket for its owner alone, where lines of text ask for faults
 * (faults.h) and each is answered by lines, the last one "ok" or "error: ...".
 */
#ifndef SIM_CONTROL_H
#define SIM_CONTROL_H

#include <poll.h>
#include <stdbool.h>

#include "faults.h"

enum {
    SIM_MAX_CONTROLLERS = 4,                   /* connected at a time */
    SIM_CONTROL_FDS = SIM_MAX_CONTROLLERS + 1, /* the listener, and each connection */
};

struct sim_controller {
    int fd; /* -1: none */
    char line[SIM_MAX_FAULT_LINE];
    size_t len;
};

struct sim_control {
    char *path;
    int listener; /* -1: no socket */
    struct sim_controller controllers[SIM_MAX_CONTROLLERS];
};

/*
 * Listen at `path`, in place of a socket that a dead process left there; NULL: do nothing at all.
 * False when that fails, explained on stderr.
 */
bool sim_control_open(struct sim_control *control, const char *path);

/* What to wait for: SIM_CONTROL_FDS entries, those not in use with fd -1. */
void sim_control_watch(const struct sim_control *control, struct pollfd *fds);

/* Do what the lines say that have come, going by what poll() left in `fds`. */
void sim_control_serve(struct sim_control *control, const struct pollfd *fds,
                       struct sim_faults *faults, struct sim_card *card);

/*
 * The other side: say `line` to the card that listens at `path` and print its answer, or why there
 * is none on stderr; true when it says "ok".
 */
bool sim_control_tell(const char *path, const char *line);

/* Hang up and remove the socket. */
void sim_control_close(struct sim_control *control);

#endif
