/* SPDX-License-Identifier: Apache-2.0 */
/* Reading objects, and the public key out of what stands beside a private one. */
#include "card_private.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "format/public_key.h"
#include "format/spki.h"
#include "base/tlv.h"

struct reading {
    struct schsm_object *object;
    uint8_t *value;
    size_t len;
};

static int read_public_key(struct schsm_session *session, struct reading *reading,
                           struct schsm_error *err)
{
    uint8_t *file = NULL;
    size_t len = 0;
    int ok;

    if (!schsm_card_read_file(&session->card,
                              SCHSM_FILE_CERTIFICATE | (unsigned int)reading->object->key_ref,
                              SCHSM_FORM_TLV, &file, &len, err)) {
        if (schsm_card_was_absent(session)) {
            schsm_fail(err, SCHSM_REASON_NO_PUBLIC_KEY,
                       "the device holds neither a certificate nor a request of this key, so its "
                       "public part is unknown: import its certificate, or name a key reference "
                       "file that contains the public key");
        }
        return 0;
    }
    ok = schsm_public_key_from_ce(file, len, &reading->value, &reading->len, err);
    OPENSSL_free(file);
    return ok;
}

/* The first element of the file alone: an older, longer one may have left its tail. */
static int read_certificate(struct schsm_session *session, struct reading *reading,
                            struct schsm_error *err)
{
    struct schsm_tlv certificate;
    uint8_t *file = NULL;
    size_t len = 0;
    int ok;

    if (!schsm_card_read_file(&session->card, reading->object->handle, SCHSM_FORM_TLV, &file, &len,
                              err)) {
        return 0;
    }
    ok = len > 0 && schsm_tlv_first(file, len, &certificate);
    if (!ok) {
        schsm_fail(err, SCHSM_REASON_DEVICE_DATA, "the certificate on the device is malformed");
        OPENSSL_free(file);
        return 0;
    }
    reading->value = file;
    reading->len = certificate.whole.len;
    return 1;
}

static int read_card_object(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    struct reading *reading = arg;

    switch (reading->object->type) {
    case SCHSM_OBJECT_PRIVATE:
    case SCHSM_OBJECT_PUBLIC:
        return read_public_key(session, reading, err);
    case SCHSM_OBJECT_CERTIFICATE:
        return read_certificate(session, reading, err);
    case SCHSM_OBJECT_DATA:
        return schsm_card_read_file(&session->card, reading->object->handle, SCHSM_FORM_BYTES,
                                    &reading->value, &reading->len, err);
    case SCHSM_OBJECT_SECRET:
        break;
    case SCHSM_OBJECT_ORPHAN:
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "what is left of an object is of no use to anybody");
    }
    return schsm_fail(err, SCHSM_REASON_UNSUPPORTED, "a secret key cannot be read");
}

int schsm_card_device_read(struct schsm_device *dev, struct schsm_object *object,
                           const struct schsm_login *login, struct schsm_error *err)
{
    struct reading reading = { object, NULL, 0 };
    struct schsm_job job = { .run = read_card_object, .arg = &reading };
    char name[64];

    if (object->key_ref >= 0) {
        (void)snprintf(name, sizeof(name), "key reference %d", object->key_ref);
    } else {
        (void)snprintf(name, sizeof(name), "file %04X", object->handle & 0xFFFF);
    }
    job.object = object->label[0] != 0 ? object->label : name;
    if (object->type == SCHSM_OBJECT_DATA && object->private_data) {
        job.login = login;
    }
    if (!schsm_session_run(schsm_card_session(dev), &job, err)) {
        return 0;
    }
    object->value = reading.value;
    object->value_len = reading.len;
    if (object->type == SCHSM_OBJECT_PRIVATE || object->type == SCHSM_OBJECT_PUBLIC) {
        schsm_spki_describe(object->value, object->value_len, &object->key_type, &object->bits);
    }
    return 1;
}
