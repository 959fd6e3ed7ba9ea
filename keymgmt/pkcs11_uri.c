/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11_uri.h"

#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>

#include "uri_attributes.h"

/* What OpenSC's module says of a SmartCard-HSM and of a Pico HSM. */
#define MANUFACTURER "www.CardContact.de"
#define PICO_MANUFACTURER "Pol Henarejos"
#define MODEL "PKCS#15 emulated"

struct reading {
    struct schsm_uri *uri;
    bool of_another_make; /* manufacturer or model is not what a SmartCard-HSM has */
};

static int set_object(void *arg, const char *value, size_t len, struct schsm_error *err)
{
    struct reading *reading = arg;

    (void)len;
    return schsm_uri_set_text(&reading->uri->label, value, err);
}

static int set_id(void *arg, const char *value, size_t len, struct schsm_error *err)
{
    struct reading *reading = arg;

    if (len == 0 || len > SCHSM_ID_MAX) {
        return schsm_fail(err, SCHSM_REASON_URI, "id: 1 to %d bytes are needed, as in id=%%10",
                          SCHSM_ID_MAX);
    }
    memcpy(reading->uri->id, value, len);
    reading->uri->id_len = len;
    reading->uri->has_id = true;
    return 1;
}

static int set_type(void *arg, const char *value, size_t len, struct schsm_error *err)
{
    static const struct {
        const char *name;
        enum schsm_object_type type;
    } types[] = {
        { "private", SCHSM_OBJECT_PRIVATE },   { "public", SCHSM_OBJECT_PUBLIC },
        { "cert", SCHSM_OBJECT_CERTIFICATE },  { "data", SCHSM_OBJECT_DATA },
        { "secret-key", SCHSM_OBJECT_SECRET },
    };
    struct reading *reading = arg;

    (void)len;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(types[i].name, value) == 0) {
            reading->uri->types = types[i].type;
            return 1;
        }
    }
    return schsm_fail(err, SCHSM_REASON_URI,
                      "type: '%s' is none of private, public, cert, data, secret-key", value);
}

static int set_serial(void *arg, const char *value, size_t len, struct schsm_error *err)
{
    struct reading *reading = arg;

    (void)len;
    return schsm_uri_set_text(&reading->uri->serial, value, err);
}

static int set_token(void *arg, const char *value, size_t len, struct schsm_error *err)
{
    struct reading *reading = arg;

    (void)len;
    return schsm_uri_set_text(&reading->uri->shown, value, err);
}

static int set_slot_description(void *arg, const char *value, size_t len, struct schsm_error *err)
{
    struct reading *reading = arg;

    (void)len;
    return schsm_uri_set_text(&reading->uri->reader, value, err);
}

static int set_manufacturer(void *arg, const char *value, size_t len, struct schsm_error *err)
{
    struct reading *reading = arg;

    (void)len;
    (void)err;
    if (strcmp(value, MANUFACTURER) != 0 && strcmp(value, PICO_MANUFACTURER) != 0) {
        reading->of_another_make = true;
    }
    return 1;
}

static int set_model(void *arg, const char *value, size_t len, struct schsm_error *err)
{
    struct reading *reading = arg;

    (void)len;
    (void)err;
    if (strcmp(value, MODEL) != 0) {
        reading->of_another_make = true;
    }
    return 1;
}

static int refuse_slot(void *arg, const char *value, size_t len, struct schsm_error *err)
{
    (void)arg;
    (void)value;
    (void)len;
    return schsm_fail(
        err, SCHSM_REASON_URI,
        "slot-id and slot-manufacturer are those of a PKCS#11 module's slot, and here "
        "is no module: name the device by serial or token");
}

static int ignore(void *arg, const char *value, size_t len, struct schsm_error *err)
{
    (void)arg;
    (void)value;
    (void)len;
    (void)err;
    return 1;
}

/* An absolute path, be it in a file: URI whose host, if it has one, is this one; NULL: no such. */
static const char *absolute_path(const char *value)
{
    static const char here[] = "//localhost/";
    const char *rest = value + strlen("file:");

    if (strncmp(value, "file:", strlen("file:")) != 0) {
        return value[0] == '/' ? value : NULL;
    }
    if (OPENSSL_strncasecmp(rest, here, sizeof(here) - 1) == 0) {
        return rest + sizeof(here) - 2;
    }
    if (strncmp(rest, "///", 3) == 0) {
        return rest + 2;
    }
    return rest[0] == '/' && rest[1] != '/' ? rest : NULL;
}

/* What RFC 7512 lets stand here: a path, a URI, or a program behind a bar, which is not run. */
static int set_pin_source(void *arg, const char *value, size_t len, struct schsm_error *err)
{
    struct reading *reading = arg;
    const char *path = absolute_path(value);
    char source[SCHSM_URI_MAX + sizeof("file:")];

    if (value[0] == '|') {
        return schsm_fail(err, SCHSM_REASON_URI, "pin-source: no program is run for a PIN");
    }
    if (path == NULL && strncmp(value, "file://", strlen("file://")) == 0) {
        return schsm_fail(err, SCHSM_REASON_URI, "pin-source: that file is another machine's");
    }
    if (path == NULL || len >= SCHSM_URI_MAX) {
        return schsm_uri_set_pin_source(reading->uri, value, err);
    }
    BIO_snprintf(source, sizeof(source), "file:%s", path);
    return schsm_uri_set_pin_source(reading->uri, source, err);
}

static int set_pin_value(void *arg, const char *value, size_t len, struct schsm_error *err)
{
    struct reading *reading = arg;

    return schsm_uri_set_pin_value(reading->uri, value, len, err);
}

static const struct schsm_uri_attribute attributes[] = {
    { "object", false, SCHSM_URI_TEXT, set_object },
    { "id", false, SCHSM_URI_BYTES, set_id },
    { "type", false, SCHSM_URI_TEXT, set_type },
    { "serial", false, SCHSM_URI_TEXT, set_serial },
    { "token", false, SCHSM_URI_TEXT, set_token },
    { "slot-description", false, SCHSM_URI_TEXT, set_slot_description },
    { "manufacturer", false, SCHSM_URI_TEXT, set_manufacturer },
    { "model", false, SCHSM_URI_TEXT, set_model },
    { "slot-id", false, SCHSM_URI_TEXT, refuse_slot },
    { "slot-manufacturer", false, SCHSM_URI_TEXT, refuse_slot },
    { "library-manufacturer", false, SCHSM_URI_TEXT, ignore },
    { "library-description", false, SCHSM_URI_TEXT, ignore },
    { "library-version", false, SCHSM_URI_TEXT, ignore },
    { "pin-source", true, SCHSM_URI_TEXT, set_pin_source },
    { "pin-value", true, SCHSM_URI_BYTES, set_pin_value },
    { "module-name", true, SCHSM_URI_TEXT, ignore },
    { "module-path", true, SCHSM_URI_TEXT, ignore },
};

int schsm_pkcs11_uri_parse(struct schsm_uri *uri, const char *text, struct schsm_error *err)
{
    static const struct schsm_uri_grammar grammar = { SCHSM_PKCS11_URI_SCHEME, "object", NULL,
                                                      attributes,
                                                      sizeof(attributes) / sizeof(attributes[0]) };
    struct reading reading = { .uri = uri };

    schsm_uri_init(uri);
    if (!schsm_uri_read(&grammar, text, &reading, err)) {
        return 0;
    }
    if (reading.of_another_make && uri->serial == NULL && uri->shown == NULL) {
        return schsm_fail(
            err, SCHSM_REASON_URI,
            "bad pkcs11: URI: manufacturer or model is not a SmartCard-HSM's ('" MANUFACTURER
            "', '" MODEL "'); for another token add serial or token");
    }
    return 1;
}

int schsm_uri_parse_any(struct schsm_uri *uri, const char *text, struct schsm_error *err)
{
    static const char scheme[] = SCHSM_PKCS11_URI_SCHEME ":";
    bool is_pkcs11 = OPENSSL_strncasecmp(text, scheme, sizeof(scheme) - 1) == 0;

    return is_pkcs11 ? schsm_pkcs11_uri_parse(uri, text, err) : schsm_uri_parse(uri, text, err);
}
