/* SPDX-License-Identifier: Apache-2.0 */
/* BER that is read as it comes, with lengths that may be indefinite. All of it is a stranger's. */
#ifndef SCHSM_KEYMGMT_BER_STREAM_H
#define SCHSM_KEYMGMT_BER_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "encrypted_file.h"

struct schsm_ber {
    const struct schsm_bytes_in *in;
    uint8_t buffer[16384];
    size_t at, len;
    bool ended;        /* nothing follows what is in the buffer */
    uint64_t position; /* bytes that were taken */
};

struct schsm_ber_head {
    uint8_t tag; /* of one byte: CMS has no others */
    bool indefinite;
    uint64_t len; /* 0 where it is indefinite */
};

/* Fails with FILE where the input ends, or it is no such element. */
int schsm_ber_head(struct schsm_ber *ber, struct schsm_ber_head *head, struct schsm_error *err);

/* The same for an element that must have this tag; what: for the sentence. */
int schsm_ber_expect(struct schsm_ber *ber, uint8_t tag, const char *what,
                     struct schsm_ber_head *head, struct schsm_error *err);

/* The content of an element of definite length, whole; *content is in the caller's memory. */
int schsm_ber_content(struct schsm_ber *ber, const struct schsm_ber_head *head, uint8_t *content,
                      size_t room, struct schsm_error *err);

/* The next bytes of a content: *len, at most `most`, at *bytes until the next call; at least one.
 */
int schsm_ber_some(struct schsm_ber *ber, uint64_t most, const uint8_t **bytes, size_t *len,
                   struct schsm_error *err);

/* The end of an element of indefinite length; nothing for another. */
int schsm_ber_end(struct schsm_ber *ber, const struct schsm_ber_head *head,
                  struct schsm_error *err);

#endif
