/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs15.h"

#include "base/tlv.h"

#define TAG_OCTET_STRING 0x04
#define TAG_UTF8 0x0C
#define TAG_SEQUENCE 0x30

/* A SEQUENCE with another first element of this tag, and all else as it is. element: NULL for what
 * it has already; without bytes it gets none. */
static void put_with_first(struct schsm_tlv_writer *writer, const struct schsm_tlv *sequence,
                           uint32_t tag, const struct schsm_view *element)
{
    struct schsm_tlv_reader reader;
    bool replaced = false;
    struct schsm_tlv tlv;
    size_t mark;

    if (element == NULL) {
        schsm_tlv_put_raw(writer, sequence->whole.data, sequence->whole.len);
        return;
    }
    mark = schsm_tlv_begin(writer, TAG_SEQUENCE);
    if (element->len > 0) {
        schsm_tlv_put(writer, tag, element->data, element->len);
    }
    schsm_tlv_read(&reader, sequence->value.data, sequence->value.len);
    while (schsm_tlv_next(&reader, &tlv)) {
        if (tlv.tag == tag && !replaced) {
            replaced = true;
        } else {
            schsm_tlv_put_raw(writer, tlv.whole.data, tlv.whole.len);
        }
    }
    writer->failed = writer->failed || reader.malformed;
    schsm_tlv_end(writer, mark);
}

int schsm_pkcs15_rename(const uint8_t *file, size_t len, const struct schsm_view *label,
                        const struct schsm_view *id, uint8_t *out, size_t *out_len,
                        struct schsm_error *err)
{
    struct schsm_tlv_writer writer;
    struct schsm_tlv_reader reader;
    struct schsm_tlv object, part;
    unsigned int sequences = 0;
    size_t mark;

    if (!schsm_tlv_first(file, len, &object)) {
        return schsm_fail(err, SCHSM_REASON_DEVICE_DATA, "the description is malformed");
    }
    schsm_tlv_write(&writer, out, *out_len);
    mark = schsm_tlv_begin(&writer, object.tag);
    schsm_tlv_read(&reader, object.value.data, object.value.len);
    while (schsm_tlv_next(&reader, &part)) {
        if (part.tag == TAG_SEQUENCE) {
            sequences++;
        }
        if (part.tag == TAG_SEQUENCE && sequences == 1) {
            put_with_first(&writer, &part, TAG_UTF8, label);
        } else if (part.tag == TAG_SEQUENCE && sequences == 2) {
            put_with_first(&writer, &part, TAG_OCTET_STRING, id);
        } else {
            schsm_tlv_put_raw(&writer, part.whole.data, part.whole.len);
        }
    }
    schsm_tlv_end(&writer, mark);
    if (reader.malformed || writer.failed || sequences < (id != NULL ? 2u : 1u)) {
        return schsm_fail(err, SCHSM_REASON_DEVICE_DATA,
                          "the description is malformed or too long");
    }
    *out_len = writer.len;
    return 1;
}
