/* SPDX-License-Identifier: Apache-2.0 */
#include "cvc_container.h"

#include <string.h>

#include "cvc_tags.h"

#define TAG_CONTAINER 0x30

/* Section 11.3: the arc, and what is behind it. Files carry one more arc than the lists name. */
static const uint8_t arc[] = { SCHSM_OID_CARDCONTACT };
static const uint8_t oid_membership[] = { SCHSM_OID_CARDCONTACT, 0x04, 0x02, 0x01 };
#define KIND_ARC 0x04
#define KIND_MEMBERSHIP 0x02
#define KIND_PUBLIC_KEY 0x03

const char *schsm_container_text(enum schsm_container_kind kind)
{
    switch (kind) {
    case SCHSM_CONTAINER_DEVICE_ID:
        return "a device id";
    case SCHSM_CONTAINER_PUBLIC_KEY:
        return "a key with its certificates";
    case SCHSM_CONTAINER_MEMBERSHIP:
        return "a key domain membership";
    }
    return "a file";
}

/* The chain must be one of names at least: a file with certificates of two devices is none. */
static int check_names(const struct schsm_container *container, struct schsm_error *err)
{
    const char *what = schsm_container_text(container->kind);

    if (container->issuer.whole.len > 0 &&
        !schsm_view_equal(container->device.car, container->issuer.chr)) {
        return schsm_fail(err, SCHSM_REASON_DEVICE_DATA,
                          "%s holds certificates that do not belong together", what);
    }
    return 1;
}

static int parse_device_id(const uint8_t *data, size_t len, struct schsm_container *container,
                           struct schsm_error *err)
{
    container->kind = SCHSM_CONTAINER_DEVICE_ID;
    return schsm_cvc_parse_chain(data, len, &container->device, &container->issuer, err) &&
           check_names(container, err);
}

/* 67, device certificate, issuer's */
static int parse_old(struct schsm_view content, struct schsm_container *container,
                     struct schsm_error *err)
{
    struct schsm_tlv_reader reader;
    struct schsm_tlv request, device, issuer;

    container->kind = SCHSM_CONTAINER_PUBLIC_KEY;
    schsm_tlv_read(&reader, content.data, content.len);
    if (!schsm_tlv_next(&reader, &request) || !schsm_tlv_next(&reader, &device) ||
        !schsm_tlv_next(&reader, &issuer)) {
        return schsm_fail_malformed(err, schsm_container_text(container->kind));
    }
    return schsm_cvc_parse_request(request.whole.data, request.whole.len, &container->request,
                                   err) &&
           schsm_cvc_parse(device.whole.data, device.whole.len, &container->device, err) &&
           schsm_cvc_parse(issuer.whole.data, issuer.whole.len, &container->issuer, err) &&
           check_names(container, err);
}

static bool is_kind(struct schsm_view oid, uint8_t kind)
{
    return oid.len >= sizeof(arc) + 2 && oid.len <= sizeof(arc) + 3 &&
           memcmp(oid.data, arc, sizeof(arc)) == 0 && oid.data[sizeof(arc)] == KIND_ARC &&
           oid.data[sizeof(arc) + 1] == kind;
}

/* 06, then 61, 62, 63 and for a membership 54 */
static int parse_new(struct schsm_view content, struct schsm_container *container,
                     struct schsm_error *err)
{
    struct schsm_tlv_reader reader;
    struct schsm_tlv oid, issuer, device, key, signature;

    schsm_tlv_read(&reader, content.data, content.len);
    if (!schsm_tlv_next(&reader, &oid)) {
        return schsm_fail_malformed(err, "the file");
    }
    if (is_kind(oid.value, KIND_MEMBERSHIP)) {
        container->kind = SCHSM_CONTAINER_MEMBERSHIP;
    } else if (is_kind(oid.value, KIND_PUBLIC_KEY)) {
        container->kind = SCHSM_CONTAINER_PUBLIC_KEY;
    } else {
        return schsm_fail(err, SCHSM_REASON_DEVICE_DATA,
                          "the file is neither a key with its certificates nor a key domain "
                          "membership");
    }
    if (!schsm_tlv_next(&reader, &issuer) || issuer.tag != SCHSM_CVC_OF_ISSUER ||
        !schsm_tlv_next(&reader, &device) || device.tag != SCHSM_CVC_OF_DEVICE ||
        !schsm_tlv_next(&reader, &key) || key.tag != SCHSM_CVC_OF_KEY) {
        return schsm_fail_malformed(err, schsm_container_text(container->kind));
    }
    if (container->kind == SCHSM_CONTAINER_MEMBERSHIP) {
        if (!schsm_tlv_next(&reader, &signature) || signature.tag != SCHSM_CVC_MEMBERSHIP ||
            signature.value.len == 0) {
            return schsm_fail_malformed(err, schsm_container_text(container->kind));
        }
        container->signature = signature.value;
    }
    return schsm_cvc_parse(issuer.value.data, issuer.value.len, &container->issuer, err) &&
           schsm_cvc_parse(device.value.data, device.value.len, &container->device, err) &&
           schsm_cvc_parse_request(key.value.data, key.value.len, &container->request, err) &&
           check_names(container, err);
}

int schsm_container_parse(const uint8_t *data, size_t len, struct schsm_container *container,
                          struct schsm_error *err)
{
    struct schsm_tlv outer, first;

    memset(container, 0, sizeof(*container));
    if (schsm_tlv_first(data, len, &outer) && outer.tag == SCHSM_CVC_CERTIFICATE) {
        return parse_device_id(data, len, container, err);
    }
    if (!schsm_tlv_first(data, len, &outer) || outer.tag != TAG_CONTAINER ||
        !schsm_tlv_first(outer.value.data, outer.value.len, &first)) {
        return schsm_fail(err, SCHSM_REASON_DEVICE_DATA,
                          "the file is neither a device id, nor a key with its certificates, nor "
                          "a key domain membership");
    }
    return first.tag == SCHSM_CVC_REQUEST ? parse_old(outer.value, container, err)
                                          : parse_new(outer.value, container, err);
}

/* Hands out what was written. */
static int finish_file(const struct schsm_tlv_writer *writer, size_t *out_len,
                       struct schsm_error *err)
{
    if (writer->failed) {
        return schsm_fail(err, SCHSM_REASON_DEVICE_DATA, "the device's certificates are too long");
    }
    *out_len = writer->len;
    return 1;
}

int schsm_container_device_id(const struct schsm_container *container, uint8_t *out,
                              size_t *out_len, struct schsm_error *err)
{
    struct schsm_tlv_writer writer;

    schsm_tlv_write(&writer, out, *out_len);
    schsm_tlv_put_raw(&writer, container->device.whole.data, container->device.whole.len);
    schsm_tlv_put_raw(&writer, container->issuer.whole.data, container->issuer.whole.len);
    return finish_file(&writer, out_len, err);
}

/* What goes into a file must be what it says, however it was come by. */
static int parse_parts(const uint8_t *request, size_t request_len, const uint8_t *device_id,
                       size_t device_id_len, struct schsm_container *container,
                       struct schsm_error *err)
{
    struct schsm_cvc_request parsed;

    if (!schsm_cvc_parse_request(request, request_len, &parsed, err) ||
        !schsm_container_parse(device_id, device_id_len, container, err)) {
        return 0;
    }
    container->request = parsed;
    if (container->issuer.whole.len == 0) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "the device holds no certificate of its issuer, and without that no "
                          "other device can verify it");
    }
    return 1;
}

int schsm_container_build_public_key(const uint8_t *request, size_t request_len,
                                     const uint8_t *device_id, size_t device_id_len, uint8_t *out,
                                     size_t *out_len, struct schsm_error *err)
{
    struct schsm_container parts;
    struct schsm_tlv_writer writer;
    size_t sequence;

    if (!parse_parts(request, request_len, device_id, device_id_len, &parts, err)) {
        return 0;
    }
    schsm_tlv_write(&writer, out, *out_len);
    sequence = schsm_tlv_begin(&writer, TAG_CONTAINER);
    schsm_tlv_put_raw(&writer, parts.request.whole.data, parts.request.whole.len);
    schsm_tlv_put_raw(&writer, parts.device.whole.data, parts.device.whole.len);
    schsm_tlv_put_raw(&writer, parts.issuer.whole.data, parts.issuer.whole.len);
    schsm_tlv_end(&writer, sequence);
    return finish_file(&writer, out_len, err);
}

int schsm_container_build_membership(const uint8_t *request, size_t request_len,
                                     const uint8_t *device_id, size_t device_id_len,
                                     const uint8_t *signature, size_t signature_len, uint8_t *out,
                                     size_t *out_len, struct schsm_error *err)
{
    struct schsm_container parts;
    struct schsm_tlv_writer writer;
    size_t sequence;

    if (!parse_parts(request, request_len, device_id, device_id_len, &parts, err)) {
        return 0;
    }
    schsm_tlv_write(&writer, out, *out_len);
    sequence = schsm_tlv_begin(&writer, TAG_CONTAINER);
    schsm_tlv_put(&writer, SCHSM_CVC_OID, oid_membership, sizeof(oid_membership));
    schsm_tlv_put(&writer, SCHSM_CVC_OF_ISSUER, parts.issuer.whole.data, parts.issuer.whole.len);
    schsm_tlv_put(&writer, SCHSM_CVC_OF_DEVICE, parts.device.whole.data, parts.device.whole.len);
    schsm_tlv_put(&writer, SCHSM_CVC_OF_KEY, parts.request.whole.data, parts.request.whole.len);
    schsm_tlv_put(&writer, SCHSM_CVC_MEMBERSHIP, signature, signature_len);
    schsm_tlv_end(&writer, sequence);
    return finish_file(&writer, out_len, err);
}

int schsm_container_verify(const struct schsm_container *container, struct schsm_error *err)
{
    const struct schsm_curve *curve = NULL;
    const struct schsm_cvc *device = &container->device, *issuer = &container->issuer;

    if (issuer->whole.len > 0) {
        if (issuer->key.type == SCHSM_KEY_EC &&
            !schsm_cvc_likely_curve(&issuer->key, &curve, err)) {
            return schsm_fail_context(err, "device issuer's certificate");
        }
        if (!schsm_cvc_verify(&issuer->key, curve, device->body.data, device->body.len,
                              device->signature.data, device->signature.len, err)) {
            return schsm_fail_context(err, "the issuer's signature over the device certificate");
        }
    }
    if (container->kind == SCHSM_CONTAINER_DEVICE_ID) {
        return 1;
    }
    if (device->key.type == SCHSM_KEY_EC && !schsm_cvc_likely_curve(&device->key, &curve, err)) {
        return schsm_fail_context(err, "device certificate");
    }
    return schsm_cvc_verify_request(&container->request, device, curve, err);
}

int schsm_membership_message(const struct schsm_cvc *device, uint8_t *out, size_t *out_len,
                             struct schsm_error *err)
{
    size_t field = (device->key.point.len - 1) / 2;

    if (device->key.type != SCHSM_KEY_EC) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "a device without an EC key of its own cannot be a key domain's member");
    }
    if (*out_len < 1 + field) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "the buffer is too small");
    }
    out[0] = SCHSM_CVC_MEMBERSHIP;
    memcpy(out + 1, device->key.point.data + 1, field);
    *out_len = 1 + field;
    return 1;
}
