/* SPDX-License-Identifier: Apache-2.0 */
#include "cvc_read.h"

#include <stddef.h>

#include "tlv.h"

enum {
    MIN_NAME = 8,
    MAX_NAME = 16, /* section 11.1 */
};

/* Take one object with this tag; `whole`, which may be NULL, gets it with tag and length. */
static bool take_object(struct sim_slice *in, uint32_t tag, struct sim_slice *value,
                        struct sim_slice *whole)
{
    struct sim_slice before = *in;
    uint32_t seen;
    if (!sim_tlv_next(in, &seen, value) || seen != tag) {
        return false;
    }
    if (whole != NULL) {
        *whole = (struct sim_slice){ before.data, before.len - in->len };
    }
    return true;
}

bool sim_cvc_is_name(struct sim_slice name)
{
    if (name.len < MIN_NAME || name.len > MAX_NAME) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        /* no control characters; above all no zero, which ends the names that this card keeps */
        if ((name.data[i] & 0x7F) < 0x20 || name.data[i] == 0x7F) {
            return false;
        }
    }
    return true;
}

/* The role, if the certificate belongs to the device PKI; anything else has no role here. */
static bool read_chat(struct sim_cvc *cvc, struct sim_slice chat)
{
    struct sim_slice oid, authorisation;
    if (!take_object(&chat, SIM_TAG_OID, &oid, NULL) ||
        !take_object(&chat, SIM_TAG_AUTHORISATION, &authorisation, NULL) || chat.len != 0) {
        return false;
    }
    if (sim_slice_equal(oid, sim_oid_device_role) && authorisation.len == 1) {
        uint8_t role = authorisation.data[0];
        cvc->has_role =
            role == SIM_ROLE_DEVICE || role == SIM_ROLE_DEVICE_ISSUER || role == SIM_ROLE_ROOT;
        cvc->role = (enum sim_cvc_role)role;
    }
    return true;
}

struct body {
    struct sim_slice profile, car, public_key, chr, chat, effective, expires, extensions;
};

static const struct sim_tlv_object body_objects[] = {
    { SIM_TAG_PROFILE, 1, 1, offsetof(struct body, profile) },
    { SIM_TAG_CAR, 0, MAX_NAME, offsetof(struct body, car) },
    { SIM_TAG_PUBLIC_KEY, 0, SIZE_MAX, offsetof(struct body, public_key) },
    { SIM_TAG_CHR, 0, MAX_NAME, offsetof(struct body, chr) },
    { SIM_TAG_CHAT, 0, SIZE_MAX, offsetof(struct body, chat) },
    { SIM_TAG_EFFECTIVE, 6, 6, offsetof(struct body, effective) },
    { SIM_TAG_EXPIRES, 6, 6, offsetof(struct body, expires) },
    { SIM_TAG_EXTENSIONS, 0, SIZE_MAX, offsetof(struct body, extensions) },
    { 0 },
};

static bool read_body(struct sim_cvc *cvc, struct sim_slice in)
{
    struct body body = { 0 };
    if (!sim_tlv_parse(in, body_objects, &body) || body.profile.data == NULL ||
        body.profile.data[0] != 0 || body.public_key.data == NULL || !sim_cvc_is_name(body.car) ||
        !sim_cvc_is_name(body.chr)) {
        return false;
    }
    cvc->car = body.car;
    cvc->chr = body.chr;
    cvc->public_key = body.public_key;
    cvc->extensions = body.extensions;
    return body.chat.data == NULL || read_chat(cvc, body.chat);
}

bool sim_cvc_read(struct sim_cvc *cvc, struct sim_slice content)
{
    struct sim_slice body;
    *cvc = (struct sim_cvc){ 0 };
    return take_object(&content, SIM_TAG_BODY, &body, &cvc->body) &&
           take_object(&content, SIM_TAG_SIGNATURE, &cvc->signature, NULL) && content.len == 0 &&
           read_body(cvc, body);
}

bool sim_cvc_take_authenticated(struct sim_cvc_authenticated *cvc, struct sim_slice *in)
{
    struct sim_slice before = *in, certificate;
    if (!take_object(in, SIM_TAG_CERTIFICATE, &certificate, NULL) ||
        !sim_cvc_read(&cvc->request, certificate) ||
        !take_object(in, SIM_TAG_CAR, &cvc->outer_car, NULL) || !sim_cvc_is_name(cvc->outer_car)) {
        return false;
    }
    cvc->outer_signed = (struct sim_slice){ before.data, before.len - in->len };
    return take_object(in, SIM_TAG_SIGNATURE, &cvc->outer_signature, NULL);
}

bool sim_cvc_key_domain_uid(const struct sim_cvc *cvc, struct sim_slice *uid)
{
    struct sim_slice in = cvc->extensions;
    while (in.len > 0) {
        struct sim_slice extension, oid;
        if (!take_object(&in, SIM_TAG_DISCRETIONARY, &extension, NULL) ||
            !take_object(&extension, SIM_TAG_OID, &oid, NULL)) {
            return false;
        }
        if (sim_slice_equal(oid, sim_oid_key_domain_uid)) {
            return take_object(&extension, SIM_TAG_EXTENSION_VALUE, uid, NULL) &&
                   extension.len == 0;
        }
    }
    return false;
}
