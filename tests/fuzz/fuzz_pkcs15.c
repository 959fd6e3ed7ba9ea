/* SPDX-License-Identifier: Apache-2.0 */
/* The input as each kind of description; a key's is written again and must read the same. */
#include "fuzz.h"

#include <string.h>

#include "format/pkcs15.h"

static void check_key(const struct schsm_pkcs15_key *key)
{
    uint8_t out[SCHSM_PKCS15_MAX];
    struct schsm_pkcs15_key again;
    size_t len = sizeof(out);

    REQUIRE(memchr(key->label, '\0', sizeof(key->label)) != NULL);
    REQUIRE(key->id_len <= SCHSM_ID_MAX);
    if (!schsm_pkcs15_encode_key(key, out, &len, NULL)) {
        REQUIRE(key->type == SCHSM_KEY_NONE || key->id_len == 0 || key->bits == 0);
        return;
    }
    REQUIRE(schsm_pkcs15_decode_key(out, len, &again, NULL));
    REQUIRE(again.type == key->type && again.bits == key->bits);
    REQUIRE(again.usage == key->usage || key->usage == 0);
    REQUIRE(again.id_len == key->id_len && memcmp(again.id, key->id, key->id_len) == 0);
    REQUIRE(strcmp(again.label, key->label) == 0);
}

static void check_certificate(const struct schsm_pkcs15_certificate *certificate)
{
    uint8_t out[SCHSM_PKCS15_MAX];
    struct schsm_pkcs15_certificate again;
    size_t len = sizeof(out);

    if (!schsm_pkcs15_encode_certificate(certificate, out, &len, NULL)) {
        REQUIRE(certificate->id_len == 0 || certificate->file_id == 0 ||
                certificate->kind != SCHSM_CERTIFICATE_X509);
        return;
    }
    REQUIRE(schsm_pkcs15_decode_certificate(out, len, &again, NULL));
    REQUIRE(again.kind == certificate->kind && again.authority == certificate->authority);
    REQUIRE(again.file_id == certificate->file_id && again.id_len == certificate->id_len);
    REQUIRE(memcmp(again.id, certificate->id, certificate->id_len) == 0);
    REQUIRE(strcmp(again.label, certificate->label) == 0);
}

static void check_data(const struct schsm_pkcs15_data *data)
{
    uint8_t out[SCHSM_PKCS15_MAX];
    struct schsm_pkcs15_data again;
    size_t len = sizeof(out);

    if (!schsm_pkcs15_encode_data(data, out, &len, NULL)) {
        REQUIRE(data->file_id == 0);
        return;
    }
    REQUIRE(schsm_pkcs15_decode_data(out, len, &again, NULL));
    REQUIRE(again.file_id == data->file_id && again.private_data == data->private_data);
    REQUIRE(strcmp(again.label, data->label) == 0);
    REQUIRE(strcmp(again.application, data->application) == 0);
}

/* What is renamed has the new name, and is otherwise the key that it was. */
static void check_renamed(const uint8_t *data, size_t len, const struct schsm_pkcs15_key *key)
{
    const struct schsm_view label = { (const uint8_t *)"new", 3 },
                            id = { (const uint8_t *)"id", 2 };
    uint8_t out[SCHSM_PKCS15_MAX];
    struct schsm_pkcs15_key again;
    size_t out_len = sizeof(out);

    if (schsm_pkcs15_rename(data, len, &label, &id, out, &out_len, NULL)) {
        REQUIRE(out_len <= sizeof(out));
        REQUIRE(schsm_pkcs15_decode_key(out, out_len, &again, NULL));
        REQUIRE(strcmp(again.label, "new") == 0 && again.id_len == 2);
        REQUIRE(again.type == key->type && again.bits == key->bits && again.usage == key->usage);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct schsm_pkcs15_key key;
    struct schsm_pkcs15_certificate certificate;
    struct schsm_pkcs15_data object;
    struct schsm_pkcs15_token token;

    if (schsm_pkcs15_decode_key(data, len, &key, NULL)) {
        check_key(&key);
        check_renamed(data, len, &key);
    }
    if (schsm_pkcs15_decode_certificate(data, len, &certificate, NULL)) {
        REQUIRE(memchr(certificate.label, '\0', sizeof(certificate.label)) != NULL);
        REQUIRE(certificate.file_id <= 0xFFFF);
        check_certificate(&certificate);
    }
    if (schsm_pkcs15_decode_data(data, len, &object, NULL)) {
        REQUIRE(memchr(object.application, '\0', sizeof(object.application)) != NULL);
        REQUIRE(object.file_id <= 0xFFFF);
        check_data(&object);
    }
    if (schsm_pkcs15_decode_token(data, len, &token, NULL)) {
        uint8_t out[SCHSM_PKCS15_MAX];
        size_t out_len = sizeof(out);

        REQUIRE(schsm_pkcs15_encode_token(&token, out, &out_len, NULL));
    }
    return 0;
}
