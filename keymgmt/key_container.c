/* SPDX-License-Identifier: Apache-2.0 */
#include "key_container.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/crypto.h>

#include "format/cvc_tags.h"

#define TAG_SEQUENCE 0x30
#define TAG_BLOB 0x04
#define TAG_BIT_STRING 0x03
#define TAG_EC_KEY 0xA0
#define TAG_AES_KEY 0xA8

#define HEADERS_MAX 16 /* bytes around the members: two tags and lengths */

/* The tag 30 is both that of an RSA key's description and of an X.509 certificate, which has its
 * signature as a BIT STRING at the end. */
static bool is_certificate_element(const struct schsm_tlv *element)
{
    struct schsm_tlv signature;

    return element->tag == SCHSM_CVC_REQUEST || element->tag == SCHSM_CVC_CERTIFICATE ||
           (element->tag == TAG_SEQUENCE &&
            schsm_tlv_find(element->value.data, element->value.len, TAG_BIT_STRING, &signature));
}

static bool is_description_element(const struct schsm_tlv *element)
{
    return element->tag == TAG_EC_KEY || element->tag == TAG_AES_KEY ||
           (element->tag == TAG_SEQUENCE && !is_certificate_element(element));
}

int schsm_key_container_parse(const uint8_t *file, size_t len,
                              struct schsm_key_container *container, struct schsm_error *err)
{
    struct schsm_tlv_reader reader;
    struct schsm_tlv outer, element;

    memset(container, 0, sizeof(*container));
    if (!schsm_tlv_first(file, len, &outer) || outer.tag != TAG_SEQUENCE) {
        goto malformed;
    }
    schsm_tlv_read(&reader, outer.value.data, outer.value.len);
    if (!schsm_tlv_next(&reader, &element) || element.tag != TAG_BLOB || element.value.len == 0) {
        goto malformed;
    }
    container->blob = element.value;
    while (schsm_tlv_next(&reader, &element)) {
        if (is_certificate_element(&element)) {
            container->certificate = element.whole;
            break;
        }
        if (container->description.data == NULL && is_description_element(&element)) {
            container->description = element.whole;
        }
    }
    if (!reader.malformed) {
        return 1;
    }

malformed:
    memset(container, 0, sizeof(*container));
    return schsm_fail(err, SCHSM_REASON_FILE,
                      "this is no file of a wrapped key, or it was cut short");
}

/* Appends the first element of a file of the device's; none is fine. */
static void put_first(struct schsm_tlv_writer *writer, struct schsm_view member)
{
    struct schsm_tlv element;

    if (schsm_tlv_first(member.data, member.len, &element)) {
        schsm_tlv_put_raw(writer, element.whole.data, element.whole.len);
    }
}

int schsm_key_container_build(const struct schsm_key_container *container, uint8_t **file,
                              size_t *len, struct schsm_error *err)
{
    size_t capacity =
        HEADERS_MAX + container->blob.len + container->description.len + container->certificate.len;
    uint8_t *bytes = OPENSSL_malloc(capacity);
    struct schsm_tlv_writer writer;
    size_t outer;

    if (bytes == NULL) {
        return schsm_fail_memory(err);
    }
    schsm_tlv_write(&writer, bytes, capacity);
    outer = schsm_tlv_begin(&writer, TAG_SEQUENCE);
    schsm_tlv_put(&writer, TAG_BLOB, container->blob.data, container->blob.len);
    put_first(&writer, container->description);
    put_first(&writer, container->certificate);
    schsm_tlv_end(&writer, outer);
    if (writer.failed) {
        OPENSSL_free(bytes);
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "the wrapped key is too long for a file");
    }
    *file = bytes;
    *len = writer.len;
    return 1;
}
