/* SPDX-License-Identifier: Apache-2.0 */
#include "uri.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>

#include "base/hex.h"
#include "uri_attributes.h"

void schsm_uri_init(struct schsm_uri *uri)
{
    memset(uri, 0, sizeof(*uri));
    uri->key_ref = -1;
}

void schsm_uri_clear(struct schsm_uri *uri)
{
    OPENSSL_free(uri->label);
    OPENSSL_free(uri->serial);
    OPENSSL_free(uri->reader);
    OPENSSL_free(uri->token);
    OPENSSL_free(uri->shown);
    schsm_pin_source_free(uri->pin_source);
    schsm_uri_init(uri);
}

bool schsm_uri_names_object(const struct schsm_uri *uri)
{
    return uri->key_ref >= 0 || uri->has_id || uri->label != NULL || uri->handle != 0;
}

int schsm_id_parse(const char *text, uint8_t id[SCHSM_ID_MAX], size_t *len, struct schsm_error *err)
{
    size_t text_len = strlen(text);
    size_t n = 0;

    if (strchr(text, '%') != NULL) {
        char decoded[3 * SCHSM_ID_MAX + 1];

        if (text_len > 3 * (size_t)SCHSM_ID_MAX ||
            !schsm_uri_percent_decode(text, text_len, decoded, &n) || n > SCHSM_ID_MAX) {
            return schsm_fail(err, SCHSM_REASON_URI, "id: bad percent-encoding, or longer than %d",
                              SCHSM_ID_MAX);
        }
        memcpy(id, decoded, n);
        *len = n;
        return 1;
    }
    /* An odd number of digits is read with a zero in front, as pkcs11-tool does. */
    size_t digits = text_len + text_len % 2;

    if (text_len == 0 || digits / 2 > SCHSM_ID_MAX) {
        return schsm_fail(err, SCHSM_REASON_URI, "id: 1 to %d bytes are needed, as hex digits",
                          SCHSM_ID_MAX);
    }
    memset(id, 0, digits / 2);
    for (size_t i = 0; i < text_len; i++) {
        size_t at = i + (digits - text_len);
        int digit = schsm_hex_digit(text[i]);

        if (digit < 0) {
            return schsm_fail(err, SCHSM_REASON_URI,
                              "id: '%s' is neither hex digits (10) nor percent-encoded (%%10)",
                              text);
        }
        id[at / 2] = (uint8_t)(id[at / 2] * 16 + digit);
    }
    *len = digits / 2;
    return 1;
}

int schsm_key_ref_parse(const char *text, int *key_ref, struct schsm_error *err)
{
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *digits = hex ? text + 2 : text;
    char *end = NULL;
    long value = schsm_hex_digit(*digits) < 0 ? 0 : strtol(digits, &end, hex ? 16 : 10);

    if (value < 1 || value > 255 || end == NULL || *end != '\0') {
        return schsm_fail(err, SCHSM_REASON_URI, "key-ref: '%s' is not a number from 1 to 255",
                          text);
    }
    *key_ref = (int)value;
    return 1;
}

static int uri_set_key_ref(void *arg, const char *value, size_t len, struct schsm_error *err)
{
    struct schsm_uri *uri = arg;

    (void)len;
    return schsm_key_ref_parse(value, &uri->key_ref, err);
}

static int uri_set_id(void *arg, const char *value, size_t len, struct schsm_error *err)
{
    struct schsm_uri *uri = arg;

    (void)len;
    uri->has_id = schsm_id_parse(value, uri->id, &uri->id_len, err) != 0;
    return uri->has_id;
}

static int uri_set_label(void *arg, const char *value, size_t len, struct schsm_error *err)
{
    struct schsm_uri *uri = arg;

    (void)len;
    return schsm_uri_set_text(&uri->label, value, err);
}

static int uri_set_serial(void *arg, const char *value, size_t len, struct schsm_error *err)
{
    struct schsm_uri *uri = arg;

    (void)len;
    return schsm_uri_set_text(&uri->serial, value, err);
}

static int uri_set_reader(void *arg, const char *value, size_t len, struct schsm_error *err)
{
    struct schsm_uri *uri = arg;

    (void)len;
    return schsm_uri_set_text(&uri->reader, value, err);
}

static int uri_set_token(void *arg, const char *value, size_t len, struct schsm_error *err)
{
    struct schsm_uri *uri = arg;

    (void)len;
    return schsm_uri_set_text(&uri->token, value, err);
}

static int uri_set_handle(void *arg, const char *value, size_t len, struct schsm_error *err)
{
    struct schsm_uri *uri = arg;
    unsigned int handle = 0;

    for (size_t i = 0; i < len && i < 9; i++) {
        int digit = schsm_hex_digit(value[i]);

        if (digit < 0 || i == 8) {
            handle = 0;
            break;
        }
        handle = handle << 4 | (unsigned int)digit;
    }
    uri->handle = handle;
    return handle != 0
               ? 1
               : schsm_fail(err, SCHSM_REASON_URI,
                            "handle: '%s' is not a handle, 1 to 8 hex digits, as listings print it",
                            value);
}

static const struct {
    const char *name;
    unsigned int type;
} type_names[] = {
    { "private", SCHSM_OBJECT_PRIVATE },  { "public", SCHSM_OBJECT_PUBLIC },
    { "cert", SCHSM_OBJECT_CERTIFICATE }, { "data", SCHSM_OBJECT_DATA },
    { "secret", SCHSM_OBJECT_SECRET },
};

static int uri_set_type(void *arg, const char *value, size_t len, struct schsm_error *err)
{
    struct schsm_uri *uri = arg;

    (void)len;
    for (size_t i = 0; i < sizeof(type_names) / sizeof(type_names[0]); i++) {
        if (strcmp(type_names[i].name, value) == 0) {
            uri->types = type_names[i].type;
            return 1;
        }
    }
    return schsm_fail(err, SCHSM_REASON_URI,
                      "type: '%s' is none of private, public, cert, data, secret", value);
}

static int uri_set_pin_source(void *arg, const char *value, size_t len, struct schsm_error *err)
{
    (void)len;
    return schsm_uri_set_pin_source(arg, value, err);
}

static int uri_set_pin_value(void *arg, const char *value, size_t len, struct schsm_error *err)
{
    return schsm_uri_set_pin_value(arg, value, len, err);
}

/* id is handed over undecoded, because `10` and `%10` must stay different until it is parsed. */
static const struct schsm_uri_attribute attributes[] = {
    { "key-ref", false, SCHSM_URI_TEXT, uri_set_key_ref },
    { "id", false, SCHSM_URI_RAW, uri_set_id },
    { "label", false, SCHSM_URI_TEXT, uri_set_label },
    { "type", false, SCHSM_URI_TEXT, uri_set_type },
    { "serial", false, SCHSM_URI_TEXT, uri_set_serial },
    { "reader", false, SCHSM_URI_TEXT, uri_set_reader },
    { "token", false, SCHSM_URI_TEXT, uri_set_token },
    { "handle", false, SCHSM_URI_TEXT, uri_set_handle },
    { "pin-source", true, SCHSM_URI_TEXT, uri_set_pin_source },
    { "pin-value", true, SCHSM_URI_BYTES, uri_set_pin_value },
};

int schsm_uri_parse(struct schsm_uri *uri, const char *text, struct schsm_error *err)
{
    static const struct schsm_uri_grammar grammar = { SCHSM_URI_SCHEME, "label", "id", attributes,
                                                      sizeof(attributes) / sizeof(attributes[0]) };

    schsm_uri_init(uri);
    return schsm_uri_read(&grammar, text, uri, err);
}

/* Writes value with everything percent-encoded that RFC 7512 does not let stand in a path. */
static void put_encoded(BIO *out, const char *name, const char *value)
{
    /* Encoded as well: what goes on having a meaning between the quotes of a shell. */
    BIO_printf(out, ";%s=", name);
    for (const unsigned char *p = (const unsigned char *)value; *p != '\0'; p++) {
        bool plain = (*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z') ||
                     (*p >= 'a' && *p <= 'z') || strchr("-._~:[]@!()*+,=&", *p) != NULL;

        if (plain) {
            BIO_write(out, p, 1);
        } else {
            BIO_printf(out, "%%%02X", *p);
        }
    }
}

static void put_given(BIO *out, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0') {
        put_encoded(out, name, value);
    }
}

char *schsm_uri_of_object(const struct schsm_uri_device *device, const struct schsm_object *object,
                          unsigned int details)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *data = NULL;
    char *uri = NULL;

    if (out == NULL) {
        return NULL;
    }
    put_given(out, "serial", device->serial);
    put_given(out, "token", device->token);
    put_given(out, "reader", device->reader);
    if (object->key_ref >= 0) {
        BIO_printf(out, ";key-ref=%d", object->key_ref);
    }
    if (object->id_len > 0) {
        BIO_puts(out, ";id=");
        for (size_t i = 0; i < object->id_len; i++) {
            BIO_printf(out, "%02x", object->id[i]);
        }
    }
    put_given(out, "label", object->label);
    if ((details & SCHSM_URI_HANDLE) != 0) {
        BIO_printf(out, ";handle=%04x", object->handle);
    }
    if ((details & SCHSM_URI_TYPE) != 0) {
        for (size_t i = 0; i < sizeof(type_names) / sizeof(type_names[0]); i++) {
            if (type_names[i].type == (unsigned int)object->type) {
                BIO_printf(out, ";type=%s", type_names[i].name);
            }
        }
    }
    long len = BIO_get_mem_data(out, &data);

    if (len > 0) {
        /* The first attribute's ';' gives way to the scheme. */
        uri = OPENSSL_zalloc(sizeof(SCHSM_URI_SCHEME ":") + (size_t)len);
        if (uri != NULL) {
            memcpy(uri, SCHSM_URI_SCHEME ":", sizeof(SCHSM_URI_SCHEME));
            memcpy(uri + sizeof(SCHSM_URI_SCHEME), data + 1, (size_t)len - 1);
        }
    }
    BIO_free(out);
    return uri;
}
