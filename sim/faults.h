/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes wrong on demand: faults that were asked for over the control socket wait in a list
 * and befall the commands they are meant for.
 */
#ifndef SIM_FAULTS_H
#define SIM_FAULTS_H

#include "buf.h"

struct sim_card;

enum {
    SIM_MAX_FAULTS = 16,      /* in the list at a time */
    SIM_MAX_FAULT_LINE = 128, /* bytes of a line that asks for one */
};

struct sim_fault {
    const struct sim_fault_word *word; /* which one */
    unsigned value;                    /* its argument */
    int ins;                           /* the instruction it is meant for; -1: any */
    unsigned skip;                     /* so many such commands go well before it */
    unsigned count;                    /* and so many it befalls */
    unsigned writes; /* of a kill: so many writes of the state go well before it */
};

struct sim_faults {
    struct sim_fault list[SIM_MAX_FAULTS];
    size_t n;
    bool removed; /* the card is out of its reader */
    bool hurried; /* a delay that has begun is over */
};

/* What the card does with one command, put together from the faults that befall it. */
struct sim_mishap {
    unsigned delay_ms;      /* wait so long before executing */
    bool remove_before;     /* instead of executing, leave the reader */
    bool remove_after;      /* leave it instead of answering */
    uint16_t status_before; /* instead of executing answer this; 0: execute */
    uint16_t status_after;  /* answer this instead of data and status word; 0: the truth */
    size_t most;            /* so many bytes of the answer are left, status word included */
    size_t most_data;       /* so many bytes of its data are left */
    bool random_data;       /* the data are random bytes */
    bool random_answer;     /* the data and the status word are */
    int power_cut;          /* enum sim_power_cut */
    unsigned power_writes;  /* so many writes of the state go well before that */
};

/* One word of the control socket's language. */
struct sim_fault_word {
    const char *name;
    const char *argument; /* what the help calls its argument; NULL: takes none */
    const char *help;     /* one line */
    const char *manual;   /* sentences, each on a line of its own */
    unsigned least, most; /* values that its argument may have */
    unsigned base;        /* the numbers it is written in */
    bool counts_writes;   /* takes the setting "writes=N" */
    /* done at once; NULL: waits for commands */
    void (*now)(struct sim_faults *faults, struct sim_card *card, struct sim_buf *answer);
    /* what a fault in the list adds to the mishap of a command */
    void (*befall)(struct sim_mishap *mishap, const struct sim_fault *fault);
};

/* In the order of the help. */
extern const struct sim_fault_word sim_fault_words[];
extern const size_t sim_n_fault_words;

/*
 * Do what one line says, without its end. `answer` gets what to tell: lines of text, the last one
 * "ok" or "error: " and why.
 */
void sim_faults_line(struct sim_faults *faults, struct sim_card *card, const char *line,
                     struct sim_buf *answer);

/* What befalls this command of `len` bytes; counts the faults down. */
void sim_faults_next(struct sim_faults *faults, const uint8_t *command, size_t len,
                     struct sim_mishap *mishap);

/*
 * Execute the command as sim_card_transmit() does, or not, as the mishap will have it. Does not
 * return when it cuts the power.
 */
void sim_faults_transmit(const struct sim_mishap *mishap, struct sim_card *card,
                         const uint8_t *command, size_t len, struct sim_buf *response);

#endif
