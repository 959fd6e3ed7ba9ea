/* SPDX-License-Identifier: Apache-2.0 */
#include "ber_stream.h"

#include <string.h>

static int fail_cut(struct schsm_error *err)
{
    return schsm_fail(err, SCHSM_REASON_FILE, "it ends in the middle: it was cut off");
}

/* Something is in the buffer afterwards. */
static int fill(struct schsm_ber *ber, struct schsm_error *err)
{
    size_t len = sizeof(ber->buffer);

    if (ber->at < ber->len) {
        return 1;
    }
    if (ber->ended) {
        return fail_cut(err);
    }
    if (!ber->in->read(ber->in->arg, ber->buffer, &len, err)) {
        return 0;
    }
    ber->ended = len < sizeof(ber->buffer);
    ber->at = 0;
    ber->len = len;
    return len > 0 ? 1 : fail_cut(err);
}

static int next_byte(struct schsm_ber *ber, uint8_t *byte, struct schsm_error *err)
{
    if (!fill(ber, err)) {
        return 0;
    }
    *byte = ber->buffer[ber->at++];
    ber->position++;
    return 1;
}

int schsm_ber_head(struct schsm_ber *ber, struct schsm_ber_head *head, struct schsm_error *err)
{
    uint8_t first = 0, byte = 0;

    *head = (struct schsm_ber_head){ 0 };
    if (!next_byte(ber, &head->tag, err) || !next_byte(ber, &first, err)) {
        return 0;
    }
    if (first == 0x80) {
        head->indefinite = true;
        return 1;
    }
    if (first < 0x80) {
        head->len = first;
        return 1;
    }
    if (first > 0x88) {
        return schsm_fail(err, SCHSM_REASON_FILE, "it is malformed: a length has no end");
    }
    for (int i = first & 0x7F; i > 0; i--) {
        if (!next_byte(ber, &byte, err)) {
            return 0;
        }
        head->len = head->len << 8 | byte;
    }
    return 1;
}

int schsm_ber_expect(struct schsm_ber *ber, uint8_t tag, const char *what,
                     struct schsm_ber_head *head, struct schsm_error *err)
{
    return schsm_ber_head(ber, head, err) &&
           (head->tag == tag || schsm_fail(err, SCHSM_REASON_FILE,
                                           "it is malformed: %s is not where it has to be", what));
}

int schsm_ber_content(struct schsm_ber *ber, const struct schsm_ber_head *head, uint8_t *content,
                      size_t room, struct schsm_error *err)
{
    const uint8_t *bytes = NULL;
    size_t len = 0;

    if (head->indefinite || head->len > room) {
        return schsm_fail(err, SCHSM_REASON_FILE,
                          "one of its parts has more than the %zu bytes that are read here, or an "
                          "indefinite length",
                          room);
    }
    for (uint64_t done = 0; done < head->len; done += len) {
        if (!schsm_ber_some(ber, head->len - done, &bytes, &len, err)) {
            return 0;
        }
        memcpy(content + done, bytes, len);
    }
    return 1;
}

int schsm_ber_some(struct schsm_ber *ber, uint64_t most, const uint8_t **bytes, size_t *len,
                   struct schsm_error *err)
{
    if (!fill(ber, err)) {
        return 0;
    }
    *bytes = ber->buffer + ber->at;
    *len = ber->len - ber->at < most ? ber->len - ber->at : (size_t)most;
    ber->at += *len;
    ber->position += *len;
    return 1;
}

int schsm_ber_end(struct schsm_ber *ber, const struct schsm_ber_head *head, struct schsm_error *err)
{
    struct schsm_ber_head end;

    return !head->indefinite ||
           (schsm_ber_expect(ber, 0x00, "the end of a part", &end, err) &&
            ((!end.indefinite && end.len == 0) ||
             schsm_fail(err, SCHSM_REASON_FILE, "it is malformed: a part has a bad end")));
}
