/* SPDX-License-Identifier: Apache-2.0 */
/* Reads elements at all depths; each that was read is written again and must read the same. */
#include "fuzz.h"

#include <string.h>

#include "base/tlv.h"

#define DEPTH_MAX 8

static void walk(struct schsm_view content, int depth)
{
    struct schsm_tlv_reader reader;
    struct schsm_tlv tlv;

    schsm_tlv_read(&reader, content.data, content.len);
    while (schsm_tlv_next(&reader, &tlv)) {
        struct schsm_tlv_writer writer;
        struct schsm_tlv again;
        uint8_t *out = malloc(tlv.whole.len + 1);

        REQUIRE(out != NULL);
        REQUIRE(tlv.whole.data >= content.data &&
                tlv.whole.data + tlv.whole.len <= content.data + content.len);
        REQUIRE(tlv.value.data + tlv.value.len == tlv.whole.data + tlv.whole.len);
        schsm_tlv_write(&writer, out, tlv.whole.len); /* a minimal length is never longer */
        schsm_tlv_put(&writer, tlv.tag, tlv.value.data, tlv.value.len);
        REQUIRE(!writer.failed && schsm_tlv_first(out, writer.len, &again));
        REQUIRE(again.tag == tlv.tag && schsm_view_equal(again.value, tlv.value));
        free(out);
        if (depth < DEPTH_MAX) {
            walk(tlv.value, depth + 1);
        }
    }
    REQUIRE(reader.malformed || reader.left == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    walk((struct schsm_view){ data, len }, 0);
    return 0;
}
