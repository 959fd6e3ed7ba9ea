/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line. One table of options is what parses it, and what the help, the manual page
 * and the completion are printed from (manual.h).
 */
#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "latency.h"
#include "pka.h"
#include "profile.h"

#define SIM_DEFAULT_HOST "127.0.0.1"
#define SIM_DEFAULT_PORT "35963"

struct sim_arguments {
    const char *state;
    const char *serial; /* NULL: the default for a new card, whatever it has for an old one */
    const char *control;
    const char *tell; /* what to say over the control socket instead of being a card */
    const char *write_root;
    char host[256];
    char port[32];
    const struct sim_profile *profile; /* NULL: the default */
    enum sim_latency latency;
    enum sim_challenge_rule challenge_rule;
    bool log;
    void (*print)(void); /* NULL, or what to print instead of being a card */
};

struct sim_option {
    const char *name;
    const char *argument; /* what the help calls its value; NULL: takes none */
    const char *values;   /* the words it may be, for completion; NULL: the name of a file */
    const char *wants;    /* what a refused value should have been; NULL: none is refused */
    const char *help;     /* one line; NULL: for the build, not shown to anybody */
    const char *manual;   /* sentences, each on a line of its own */
    bool (*set)(struct sim_arguments *arguments, const char *value); /* false: refused */
};

/* In the order of the help. */
extern const struct sim_option sim_options[];
extern const size_t sim_n_options;

/* Defaults, then what the command line says; false when it is wrong, said on stderr. */
bool sim_options_parse(struct sim_arguments *arguments, int argc, char **argv);

#endif
