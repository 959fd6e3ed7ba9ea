/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input of a flow: what is done, and all that the other side answers.
 *
 * A header of FLOW_HEADER_LEN bytes is followed by records: one byte of flags, two of the content's
 * length (big endian), three of the question that it answers, the content. A question is answered
 * by the records that name it, in their order, and by the last of them from then on; one that no
 * record names by the next record that names none (00 00 00), and where there is none left by what
 * the header says. So a piece that a mutation takes away or puts in leaves the other answers where
 * they belong.
 */
#ifndef FLOW_SCRIPT_H
#define FLOW_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum flow_header {
    FLOW_KIND,     /* which flow */
    FLOW_A,        /* two arguments of its */
    FLOW_B,        /* */
    FLOW_SETUP,    /* enum flow_setup */
    FLOW_LOGIN,    /* where the PIN comes from, and when it is proven */
    FLOW_DEFAULT,  /* the answer to what no record answers */
    FLOW_MEMORY,   /* which allocations may fail, see memory.h */
    FLOW_FAILS_HI, /* the how manieth of them does, 0: none */
    FLOW_FAILS_LO,
    FLOW_HEADER_LEN
};

enum flow_setup {
    FLOW_SERIAL_IN_READER = 0x01,
    FLOW_PIN_PAD = 0x02,
    FLOW_OTHER_ATR = 0x04,
    FLOW_TWO_READERS = 0x08,
    FLOW_KEEP_PIN = 0x10,
    FLOW_SPEND_TRIES = 0x20, /* min-pin-tries is 0 */
    FLOW_CHANNEL_AUTO = 0x40,
    FLOW_CHANNEL_REQUIRE = 0x80
};

/* In FLOW_LOGIN, besides the source of the PIN (lowest three bits) and the time of its proof. */
enum flow_login { FLOW_WITH_LOG = 0x40, FLOW_VERIFY_FIRST = 0x80 };

#define FLOW_RECORD_HEADER_LEN 6
#define FLOW_RECORDS_MAX 512
#define FLOW_CONTENT_MAX 4100

/* The flags of a record. */
#define FLOW_RESULT 0x0F    /* how the way to the other side failed; 0: not at all */
#define FLOW_WITH_DATA 0x10 /* answers the question that comes with data */
#define FLOW_SECOND 0x20    /* answers at the second reader */
#define FLOW_WHOSE (FLOW_WITH_DATA | FLOW_SECOND)

struct flow_record {
    uint8_t flags;
    uint8_t question[3];
    const uint8_t *content;
    size_t len;
    bool used;
};

struct flow_script {
    uint8_t header[FLOW_HEADER_LEN];
    struct flow_record records[FLOW_RECORDS_MAX];
    size_t count;
};

/* Takes an input apart; whatever it is, it is a script. Views point into it. */
void flow_script_parse(struct flow_script *script, const uint8_t *data, size_t len);

/* Writes a script; its length, 0 where there is no room. */
size_t flow_script_write(const struct flow_script *script, uint8_t *out, size_t size);

/* The record that answers, NULL: none. whose: of FLOW_WHOSE. */
const struct flow_record *flow_script_answer(struct flow_script *script, uint8_t whose,
                                             const uint8_t question[3]);

/* The same, but for what has an answer of its own where no record names it. */
const struct flow_record *flow_script_named(struct flow_script *script, uint8_t whose,
                                            const uint8_t question[3]);

#endif
