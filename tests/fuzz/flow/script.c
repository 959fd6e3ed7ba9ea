/* SPDX-License-Identifier: Apache-2.0 */
#include "script.h"

#include <string.h>

void flow_script_parse(struct flow_script *script, const uint8_t *data, size_t len)
{
    size_t at = len < FLOW_HEADER_LEN ? len : FLOW_HEADER_LEN;

    memset(script, 0, sizeof(*script));
    if (at > 0) {
        memcpy(script->header, data, at);
    }
    while (len - at >= FLOW_RECORD_HEADER_LEN && script->count < FLOW_RECORDS_MAX) {
        struct flow_record *record = &script->records[script->count++];

        record->flags = data[at];
        record->len = (size_t)data[at + 1] << 8 | data[at + 2];
        memcpy(record->question, data + at + 3, sizeof(record->question));
        at += FLOW_RECORD_HEADER_LEN;
        record->len = record->len < len - at ? record->len : len - at;
        record->len = record->len < FLOW_CONTENT_MAX ? record->len : FLOW_CONTENT_MAX;
        record->content = data + at;
        at += record->len;
    }
}

size_t flow_script_write(const struct flow_script *script, uint8_t *out, size_t size)
{
    size_t len = FLOW_HEADER_LEN;

    if (size < len) {
        return 0;
    }
    memcpy(out, script->header, len);
    for (size_t i = 0; i < script->count; i++) {
        const struct flow_record *record = &script->records[i];

        if (size - len < FLOW_RECORD_HEADER_LEN + record->len) {
            return 0;
        }
        out[len] = record->flags;
        out[len + 1] = (uint8_t)(record->len >> 8);
        out[len + 2] = (uint8_t)record->len;
        memcpy(out + len + 3, record->question, sizeof(record->question));
        len += FLOW_RECORD_HEADER_LEN;
        if (record->len > 0) {
            memcpy(out + len, record->content, record->len);
        }
        len += record->len;
    }
    return len;
}

const struct flow_record *flow_script_named(struct flow_script *script, uint8_t whose,
                                            const uint8_t question[3])
{
    const struct flow_record *last = NULL;

    for (size_t i = 0; i < script->count; i++) {
        struct flow_record *record = &script->records[i];

        if ((record->flags & FLOW_WHOSE) != whose ||
            memcmp(record->question, question, sizeof(record->question)) != 0) {
            continue;
        }
        if (!record->used) {
            record->used = true;
            return record;
        }
        /* what broke once is not broken for ever: else the ways round it would never be gone */
        last = (record->flags & FLOW_RESULT) == 0 ? record : NULL;
    }
    return last;
}

const struct flow_record *flow_script_answer(struct flow_script *script, uint8_t whose,
                                             const uint8_t question[3])
{
    static const uint8_t none[3];
    const struct flow_record *named = flow_script_named(script, whose, question);

    for (size_t i = 0; i < script->count && named == NULL; i++) {
        struct flow_record *record = &script->records[i];

        if (!record->used && memcmp(record->question, none, sizeof(none)) == 0) {
            record->used = true;
            named = record;
        }
    }
    return named;
}
