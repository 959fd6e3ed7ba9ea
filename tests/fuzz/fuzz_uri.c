/* SPDX-License-Identifier: Apache-2.0 */
/* Parses a URI; the URI of the object that it describes must read the same. */
#include "fuzz.h"

#include <string.h>

#include <openssl/crypto.h>

#include "keymgmt/uri.h"

static void describe(const struct schsm_uri *uri, struct schsm_object *object)
{
    object->key_ref = uri->key_ref;
    object->handle = uri->handle;
    object->id_len = uri->id_len;
    memcpy(object->id, uri->id, uri->id_len);
    if (uri->label != NULL) {
        OPENSSL_strlcpy(object->label, uri->label, sizeof(object->label));
    }
    object->type = uri->types != 0 ? (enum schsm_object_type)uri->types : SCHSM_OBJECT_DATA;
}

static void print_and_parse(const struct schsm_object *object)
{
    const struct schsm_uri_device device = { "UTFUZZ0001", "the token", NULL };
    unsigned int details = SCHSM_URI_TYPE | (object->handle != 0 ? SCHSM_URI_HANDLE : 0u);
    char *text = schsm_uri_of_object(&device, object, details);
    struct schsm_uri again;

    REQUIRE(text != NULL);
    REQUIRE(schsm_uri_parse(&again, text, NULL));
    REQUIRE(strcmp(again.serial, "UTFUZZ0001") == 0 && strcmp(again.token, "the token") == 0);
    REQUIRE(again.key_ref == object->key_ref && again.handle == object->handle);
    REQUIRE(again.types == (unsigned int)object->type);
    REQUIRE(again.id_len == object->id_len && memcmp(again.id, object->id, object->id_len) == 0);
    REQUIRE(strcmp(again.label != NULL ? again.label : "", object->label) == 0);
    schsm_uri_clear(&again);
    OPENSSL_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char *text = malloc(len + 1);
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_uri uri;

    REQUIRE(text != NULL);
    memcpy(text, data, len);
    text[len] = '\0';
    if (schsm_uri_parse(&uri, text, &err)) {
        struct schsm_object object = { 0 };

        REQUIRE(uri.key_ref == -1 || (uri.key_ref >= 1 && uri.key_ref <= 255));
        REQUIRE(uri.id_len <= SCHSM_ID_MAX && (uri.has_id || uri.id_len == 0));
        describe(&uri, &object);
        print_and_parse(&object);
    } else {
        REQUIRE(err.reason == SCHSM_REASON_URI && err.text[0] != '\0');
    }
    schsm_uri_clear(&uri);
    free(text);
    return 0;
}
