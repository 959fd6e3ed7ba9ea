/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mutations that leave an input in its form: of the header, of one answer's bytes or status word,
 * of which answers there are. Some are of the bytes as they are.
 */
#include "fuzz.h"

#include <string.h>

#include "script.h"

/* libFuzzer's, or replay.c's. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned int seed);

static uint32_t state;

static uint32_t below(uint32_t bound)
{
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % bound;
}

static void mutate_header(struct flow_script *script)
{
    uint32_t which = below(FLOW_HEADER_LEN + 3);

    if (which >= FLOW_FAILS_HI) { /* an allocation: one of those that short flows come to */
        script->header[FLOW_FAILS_HI] = below(16) == 0 ? (uint8_t)below(4) : 0;
        script->header[FLOW_FAILS_LO] = below(4) == 0 ? 0 : (uint8_t)below(256);
        script->header[FLOW_MEMORY] = below(4) == 0 ? (uint8_t)below(4) : 0;
    } else {
        uint8_t bit = (uint8_t)(1u << below(8));

        script->header[which] =
            below(2) == 0 ? (uint8_t)below(256) : (uint8_t)(script->header[which] ^ bit);
    }
}

/* An answer's end. */
static void mutate_status_word(struct flow_record *record, uint8_t *content)
{
    static const uint16_t words[] = { 0x9000, 0x6282, 0x6A82, 0x6982, 0x63C3, 0x63C2, 0x63C0,
                                      0x6983, 0x6984, 0x6985, 0x6A80, 0x6A84, 0x6A88, 0x6A81,
                                      0x6D00, 0x6F00, 0x6700, 0x6B00, 0x6100, 0x6110, 0x6C20,
                                      0x6300, 0x6400, 0x6A86, 0x6581 };
    uint16_t word = words[below(sizeof(words) / sizeof(words[0]))];

    if (record->len < 2 || below(4) == 0) { /* nothing but that */
        record->len = 2;
    } else {
        memcpy(content, record->content, record->len);
    }
    content[record->len - 2] = (uint8_t)(word >> 8);
    content[record->len - 1] = (uint8_t)word;
    record->content = content;
}

static void mutate_content(struct flow_record *record, uint8_t *content)
{
    size_t len = record->len;

    if (len > 0) {
        memcpy(content, record->content, len);
    }
    record->len = LLVMFuzzerMutate(content, len, FLOW_CONTENT_MAX);
    record->content = content;
}

static void insert_record(struct flow_script *script, size_t at, const struct flow_record *record)
{
    if (script->count == FLOW_RECORDS_MAX) {
        return;
    }
    memmove(&script->records[at + 1], &script->records[at],
            (script->count - at) * sizeof(script->records[0]));
    script->records[at] = *record;
    script->count++;
}

static void remove_record(struct flow_script *script, size_t at)
{
    script->count--;
    memmove(&script->records[at], &script->records[at + 1],
            (script->count - at) * sizeof(script->records[0]));
}

/* The way to a card breaks, or another one is in the reader. */
static void break_reader(struct flow_script *script, size_t at, uint8_t *content)
{
    struct flow_record record = { .flags = (uint8_t)below(8), .content = content };

    record.question[0] = (uint8_t)(1 + below(5));
    record.flags |= below(4) == 0 ? FLOW_SECOND : 0;
    record.len = below(4);
    for (size_t i = 0; i < record.len; i++) {
        content[i] = (uint8_t)below(4);
    }
    insert_record(script, at, &record);
}

static void mutate_record(struct flow_script *script, uint8_t *content)
{
    size_t at = below((uint32_t)script->count);
    struct flow_record *record = &script->records[at], other = *record;

    switch (below(10)) {
    case 0:
        remove_record(script, at);
        break;
    case 1: /* the next such question gets another answer */
        mutate_status_word(&other, content);
        insert_record(script, at, &other);
        break;
    case 2:
        *record = script->records[below((uint32_t)script->count)];
        memcpy(record->question, other.question, sizeof(record->question));
        break;
    case 3:
        record->flags = (uint8_t)((record->flags & FLOW_WHOSE) | below(8));
        break;
    case 4:
        break_reader(script, at, content);
        break;
    case 5:
        record->question[below(3)] = (uint8_t)below(256);
        break;
    case 6:
        mutate_status_word(record, content);
        break;
    default:
        mutate_content(record, content);
        break;
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned int seed)
{
    static uint8_t copy[1u << 20];
    static struct flow_script script;
    static uint8_t content[4][FLOW_CONTENT_MAX];
    size_t written = 0;

    state = seed;
    if (size < FLOW_HEADER_LEN || size > sizeof(copy) || below(16) == 0) {
        return LLVMFuzzerMutate(data, size, room);
    }
    memcpy(copy, data, size);
    flow_script_parse(&script, copy, size);
    for (uint32_t i = 0, times = 1 + below(4); i < times; i++) {
        if (script.count == 0 || below(6) == 0) {
            mutate_header(&script);
        } else {
            mutate_record(&script, content[i]);
        }
    }
    written = flow_script_write(&script, data, room);
    if (written == 0) {
        memcpy(data, copy, size);
        written = LLVMFuzzerMutate(data, size, room);
    }
    return written;
}
