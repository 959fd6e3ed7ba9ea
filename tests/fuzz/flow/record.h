/* SPDX-License-Identifier: Apache-2.0 */
/* Recording seeds: flows over virtual cards, whose answers are written down. */
#ifndef FLOW_RECORD_H
#define FLOW_RECORD_H

#include <stdbool.h>

#include "flow.h"
#include "script.h"

#define RECORD_PIN "648219"

/* record_readers.c: the cards in two readers. */

/* New cards of these kinds, NULL: none. */
void record_insert(const char *first, const char *second);
void record_remove(void);

/* The way to a card breaks as it has done this command, and nothing gets through; 0: it is mended.
 */
void record_break_after(uint8_t ins);

/* From here on answers are written into the script; NULL: no more. */
void record_into(struct flow_script *script);

/* Leaves out what only repeats the last answer to its question: that is for good. */
void record_shorten(struct flow_script *script);

/* A world with these cards. */
extern const struct flow_world record_world;

/* record_scenes.c */
struct record_scene {
    const char *name;
    uint8_t header[FLOW_HEADER_LEN];
    const char *first, *second; /* kinds of cards; NULL: the usual one, no second */
    unsigned int on_first, on_second;
    bool fails; /* the flow is meant to */
};

extern const struct record_scene record_scenes[]; /* ends with a name NULL */

/* Puts on the cards what the scene wants there. */
void record_prepare(const struct record_scene *scene);

#endif
