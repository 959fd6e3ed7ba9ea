/* SPDX-License-Identifier: Apache-2.0 */
#include "uri.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>

#include "base/hex.h"

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
    schsm_pin_source_free(uri->pin_source);
    schsm_uri_init(uri);
}

bool schsm_uri_names_object(const struct schsm_uri *uri)
{
    return uri->key_ref >= 0 || uri->has_id || uri->label != NULL || uri->handle != 0;
}

/* Decodes percent-encoding; out has room for len + 1 bytes and gets a terminator. -1: malformed. */
static int percent_decode(const char *text, size_t len, char *out, size_t *out_len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        if (text[i] != '%') {
            out[n++] = text[i];
            continue;
        }
        int high = i + 1 < len ? schsm_hex_digit(text[i + 1]) : -1;
        int low = i + 2 < len ? schsm_hex_digit(text[i + 2]) : -1;

        if (high < 0 || low < 0) {
            return 0;
        }
        out[n++] = (char)(unsigned char)(high * 16 + low);
        i += 2;
    }
    out[n] = '\0';
    *out_len = n;
    return 1;
}

int schsm_id_parse(const char *text, uint8_t id[SCHSM_ID_MAX], size_t *len, struct schsm_error *err)
{
    size_t text_len = strlen(text);
    size_t n = 0;

    if (strchr(text, '%') != NULL) {
        char decoded[3 * SCHSM_ID_MAX + 1];

        if (text_len > 3 * (size_t)SCHSM_ID_MAX || !percent_decode(text, text_len, decoded, &n) ||
            n > SCHSM_ID_MAX) {
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

static int uri_set_text(char **where, const char *value, size_t len, struct schsm_error *err)
{
    if (memchr(value, '\0', len) != NULL || len == 0) {
        return schsm_fail(err, SCHSM_REASON_URI, "the value is empty or contains a zero byte");
    }
    *where = OPENSSL_strdup(value);
    return *where != NULL ? 1 : schsm_fail_memory(err);
}

static int uri_set_key_ref(struct schsm_uri *uri, const char *value, size_t len,
                           struct schsm_error *err)
{
    (void)len;
    return schsm_key_ref_parse(value, &uri->key_ref, err);
}

static int uri_set_label(struct schsm_uri *uri, const char *value, size_t len,
                         struct schsm_error *err)
{
    return uri_set_text(&uri->label, value, len, err);
}

static int uri_set_serial(struct schsm_uri *uri, const char *value, size_t len,
                          struct schsm_error *err)
{
    return uri_set_text(&uri->serial, value, len, err);
}

static int uri_set_reader(struct schsm_uri *uri, const char *value, size_t len,
                          struct schsm_error *err)
{
    return uri_set_text(&uri->reader, value, len, err);
}

static int uri_set_token(struct schsm_uri *uri, const char *value, size_t len,
                         struct schsm_error *err)
{
    return uri_set_text(&uri->token, value, len, err);
}

static int uri_set_handle(struct schsm_uri *uri, const char *value, size_t len,
                          struct schsm_error *err)
{
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

static int uri_set_type(struct schsm_uri *uri, const char *value, size_t len,
                        struct schsm_error *err)
{
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

static int uri_set_pin_source(struct schsm_uri *uri, const char *value, size_t len,
                              struct schsm_error *err)
{
    (void)len;
    uri->pin_source = schsm_pin_source_parse(value, err);
    return uri->pin_source != NULL;
}

static int uri_set_pin_value(struct schsm_uri *uri, const char *value, size_t len,
                             struct schsm_error *err)
{
    struct schsm_secret *pin = schsm_secret_new(value, len, err);

    if (pin != NULL) {
        uri->pin_source = schsm_pin_source_from_secret(pin, err);
    }
    schsm_secret_free(pin);
    return uri->pin_source != NULL;
}

/*
 * id is handed over undecoded, because `10` and `%10` must stay different until it is parsed; all
 * others are percent-decoded first.
 */
static const struct attribute {
    const char *name;
    bool query;
    bool raw;
    int (*set)(struct schsm_uri *uri, const char *value, size_t len, struct schsm_error *err);
} attributes[] = {
    { "key-ref", false, false, uri_set_key_ref },
    { "id", false, true, NULL },
    { "label", false, false, uri_set_label },
    { "type", false, false, uri_set_type },
    { "serial", false, false, uri_set_serial },
    { "reader", false, false, uri_set_reader },
    { "token", false, false, uri_set_token },
    { "handle", false, false, uri_set_handle },
    { "pin-source", true, false, uri_set_pin_source },
    { "pin-value", true, false, uri_set_pin_value },
};
#define ATTRIBUTE_COUNT (sizeof(attributes) / sizeof(attributes[0]))

static int set_attribute(struct schsm_uri *uri, const struct attribute *attribute,
                         const char *value, size_t len, struct schsm_error *err)
{
    char *text = OPENSSL_zalloc(len + 1);
    size_t text_len = len;
    int ok = 0;

    if (text == NULL) {
        return schsm_fail_memory(err);
    }
    if (attribute->raw) {
        memcpy(text, value, len);
        ok = schsm_id_parse(text, uri->id, &uri->id_len, err);
        uri->has_id = ok != 0;
    } else if (!percent_decode(value, len, text, &text_len)) {
        ok = schsm_fail(err, SCHSM_REASON_URI, "%s: bad percent-encoding", attribute->name);
    } else {
        ok = attribute->set(uri, text, text_len, err);
    }
    OPENSSL_clear_free(text, len + 1);
    if (!ok && err != NULL && err->reason != SCHSM_REASON_OUT_OF_MEMORY) {
        err->reason = SCHSM_REASON_URI;
    }
    return ok;
}

/* A word by itself was meant for a label, or for an id where it is hexadecimal digits. */
static int fail_bare_word(const char *word, size_t len, struct schsm_error *err)
{
    size_t digits = strspn(word, "0123456789abcdefABCDEF");
    int shown = (int)(len < 40 ? len : 40);

    if (digits >= len && len % 2 == 0) {
        return schsm_fail(err, SCHSM_REASON_URI,
                          "'%.*s' is no attribute: did you mean id=%.*s or "
                          "label=%.*s?",
                          shown, word, shown, word, shown, word);
    }
    return schsm_fail(err, SCHSM_REASON_URI, "'%.*s' is no attribute: did you mean label=%.*s?",
                      shown, word, shown, word);
}

/* Parses NAME=VALUE pairs between text and end; seen has a bit for each attribute met. */
static int parse_pairs(struct schsm_uri *uri, const char *text, const char *end, bool query,
                       unsigned int *seen, struct schsm_error *err)
{
    char separator = query ? '&' : ';';

    while (text < end) {
        const char *next = memchr(text, separator, (size_t)(end - text));
        const char *stop = next != NULL ? next : end;
        const char *equals = memchr(text, '=', (size_t)(stop - text));
        size_t name_len = (size_t)((equals != NULL ? equals : stop) - text);
        size_t i = 0;

        while (i < ATTRIBUTE_COUNT &&
               (attributes[i].query != query || strlen(attributes[i].name) != name_len ||
                memcmp(attributes[i].name, text, name_len) != 0)) {
            i++;
        }
        if (i == ATTRIBUTE_COUNT && equals == NULL && !query && name_len > 0) {
            return fail_bare_word(text, name_len, err);
        }
        if (i == ATTRIBUTE_COUNT) {
            return schsm_fail(err, SCHSM_REASON_URI, "unknown %s attribute '%.*s'",
                              query ? "query" : "path", (int)(name_len < 40 ? name_len : 40), text);
        }
        if (equals == NULL) {
            return schsm_fail(err, SCHSM_REASON_URI, "attribute '%s' has no value",
                              attributes[i].name);
        }
        if ((*seen & (1u << i)) != 0) {
            return schsm_fail(err, SCHSM_REASON_URI, "attribute '%s' is given twice",
                              attributes[i].name);
        }
        *seen |= 1u << i;
        if (attributes[i].query && uri->pin_source != NULL) {
            return schsm_fail(err, SCHSM_REASON_URI, "give pin-source or pin-value, not both");
        }
        if (!set_attribute(uri, &attributes[i], equals + 1, (size_t)(stop - equals - 1), err)) {
            return 0;
        }
        text = next != NULL ? next + 1 : end;
    }
    return 1;
}

int schsm_uri_parse(struct schsm_uri *uri, const char *text, struct schsm_error *err)
{
    static const char scheme[] = SCHSM_URI_SCHEME ":";
    size_t len = strlen(text);
    unsigned int seen = 0;

    schsm_uri_init(uri);
    if (len > SCHSM_URI_MAX) {
        return schsm_fail(err, SCHSM_REASON_URI, "the sc-hsm: URI is longer than %d characters",
                          SCHSM_URI_MAX);
    }
    if (OPENSSL_strncasecmp(text, scheme, sizeof(scheme) - 1) != 0) {
        return schsm_fail(err, SCHSM_REASON_URI, "the URI does not begin with 'sc-hsm:'");
    }
    const char *path = text + sizeof(scheme) - 1;
    const char *query = strchr(path, '?');
    const char *path_end = query != NULL ? query : text + len;

    if (!parse_pairs(uri, path, path_end, false, &seen, err) ||
        (query != NULL && !parse_pairs(uri, query + 1, text + len, true, &seen, err))) {
        return schsm_fail_context(err, "bad sc-hsm: URI");
    }
    return 1;
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

char *schsm_uri_of_object(const char *serial, const char *token, const struct schsm_object *object,
                          unsigned int details)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *data = NULL;
    char *uri = NULL;

    if (out == NULL) {
        return NULL;
    }
    if (serial[0] != '\0') {
        put_encoded(out, "serial", serial);
    }
    if (token != NULL && token[0] != '\0') {
        put_encoded(out, "token", token);
    }
    if (object->key_ref >= 0) {
        BIO_printf(out, ";key-ref=%d", object->key_ref);
    }
    if (object->id_len > 0) {
        BIO_puts(out, ";id=");
        for (size_t i = 0; i < object->id_len; i++) {
            BIO_printf(out, "%02x", object->id[i]);
        }
    }
    if (object->label[0] != '\0') {
        put_encoded(out, "label", object->label);
    }
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
