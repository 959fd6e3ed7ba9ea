/* SPDX-License-Identifier: Apache-2.0 */
/* Two readers, whose cards answer what a script says: a transport. */
#ifndef FLOW_READERS_H
#define FLOW_READERS_H

#include "card/transport.h"
#include "script.h"
#include "tries.h"

#define FLOW_READERS 2

/* What is asked of a reader rather than of a card, as the first byte of a record's question. */
enum flow_reader_question {
    FLOW_LIST = 0x01, /* content: how many readers, which have cards (bits), whose ATR is odd (bits)
                       */
    FLOW_OPEN = 0x02,
    FLOW_RECONNECT = 0x03,
    FLOW_BEGIN = 0x04,
    FLOW_PAD = 0x05
};

/* A connection to one of them; several may be open at once. */
struct flow_handle {
    struct flow_readers *readers; /* NULL: it is closed */
    size_t reader;
    int transactions;
};
#define FLOW_HANDLES 8

struct flow_readers {
    struct flow_script *script;
    struct flow_handle handles[FLOW_HANDLES];
    struct flow_tries tries[FLOW_READERS];
    unsigned int exchanges;
    size_t pin_len; /* of the PIN that is used, for CHANGE REFERENCE DATA */
};

extern const struct schsm_transport flow_readers_transport; /* its argument: these: */

void flow_readers_start(struct flow_readers *readers, struct flow_script *script, size_t pin_len);

/* Whether each transaction was ended; whether each connection was. */
bool flow_readers_are_free(const struct flow_readers *readers);
bool flow_readers_are_closed(const struct flow_readers *readers);

extern const char *const flow_reader_names[FLOW_READERS];

/* The ATR that every client knows (1.2). */
void flow_reader_atr(struct schsm_atr *atr);

#endif
