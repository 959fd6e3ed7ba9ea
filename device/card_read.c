/* SPDX-License-Identifier: Apache-2.0 */
/* Reading objects, and the public key out of what stands beside a private one. */
#include "card_private.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "public_key.h"
#include "tlv.h"

/* RFC 3279, RFC 5480: contents of the OBJECT IDENTIFIERs */
static const uint8_t oid_rsa[] = { 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01 };
static const uint8_t oid_rsa_pss[] = { 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0A };
static const uint8_t oid_ec[] = { 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01 };

static bool has_oid(const struct schsm_tlv *tlv, const uint8_t *oid, size_t len)
{
    return tlv->tag == 0x06 && tlv->value.len == len && memcmp(tlv->value.data, oid, len) == 0;
}

static unsigned int count_bits(const uint8_t *number, size_t len)
{
    unsigned int bits;

    while (len > 0 && *number == 0) {
        number++;
        len--;
    }
    if (len == 0 || len > 4096) {
        return 0;
    }
    bits = (unsigned int)len * 8;
    for (unsigned int top = *number; (top & 0x80) == 0; top <<= 1) {
        bits--;
    }
    return bits;
}

void schsm_card_describe_public_key(struct schsm_object *object, const uint8_t *spki,
                                    size_t spki_len)
{
    struct schsm_tlv outer, algorithm, oid, bit_string, key, modulus;
    struct schsm_tlv_reader reader;

    if (!schsm_tlv_first(spki, spki_len, &outer)) {
        return;
    }
    schsm_tlv_read(&reader, outer.value.data, outer.value.len);
    if (!schsm_tlv_next(&reader, &algorithm) || !schsm_tlv_next(&reader, &bit_string) ||
        bit_string.tag != 0x03 || bit_string.value.len < 2 ||
        !schsm_tlv_first(algorithm.value.data, algorithm.value.len, &oid)) {
        return;
    }
    if (has_oid(&oid, oid_rsa, sizeof(oid_rsa)) ||
        has_oid(&oid, oid_rsa_pss, sizeof(oid_rsa_pss))) {
        object->key_type = SCHSM_KEY_RSA;
        if (schsm_tlv_first(bit_string.value.data + 1, bit_string.value.len - 1, &key) &&
            schsm_tlv_first(key.value.data, key.value.len, &modulus)) {
            object->bits = count_bits(modulus.value.data, modulus.value.len);
        }
    } else if (has_oid(&oid, oid_ec, sizeof(oid_ec))) {
        object->key_type = SCHSM_KEY_EC;
        /* unused bits, 04, X, Y; the only field of the card's that does not fill its bytes is
         * that of secp521r1 */
        object->bits = (unsigned int)(bit_string.value.len - 2) / 2 * 8;
        if (object->bits == 528) {
            object->bits = 521;
        }
    }
}

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
        if (session->card.result == SCHSM_TRANSPORT_OK &&
            session->card.status_word == SCHSM_SW_FILE_NOT_FOUND) {
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

static int read_object(struct schsm_session *session, void *arg, struct schsm_error *err)
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
    }
    return schsm_fail(err, SCHSM_REASON_UNSUPPORTED, "a secret key cannot be read");
}

int schsm_card_device_read(struct schsm_device *dev, struct schsm_object *object,
                           const struct schsm_login *login, struct schsm_error *err)
{
    static const struct schsm_login no_login = { 0 };
    struct reading reading = { object, NULL, 0 };
    struct schsm_job job = { .run = read_object, .arg = &reading };
    char name[64];

    if (object->key_ref >= 0) {
        (void)snprintf(name, sizeof(name), "key reference %d", object->key_ref);
    } else {
        (void)snprintf(name, sizeof(name), "file %04X", object->handle & 0xFFFF);
    }
    job.object = object->label[0] != 0 ? object->label : name;
    if (object->type == SCHSM_OBJECT_DATA && object->private_data) {
        job.login = login != NULL ? login : &no_login;
    }
    if (!schsm_session_run(schsm_card_session(dev), &job, err)) {
        return 0;
    }
    object->value = reading.value;
    object->value_len = reading.len;
    if (object->type == SCHSM_OBJECT_PRIVATE || object->type == SCHSM_OBJECT_PUBLIC) {
        schsm_card_describe_public_key(object, object->value, object->value_len);
    }
    return 1;
}
