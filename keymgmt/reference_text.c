/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key reference file in PEM, with text before it (RFC 7468 section 2) for people who open it.
 * Label and serial number are the device's, and whoever wrote them there may have meant to deceive:
 * nothing of them may be a line of its own, or look like the beginning of a block.
 */
#include "reference.h"

#include <string.h>

#include <openssl/pem.h>

#include "base/hex.h"
#include "uri.h"

/* Bytes; libcrypto reads lines of at most 254 and takes what follows for another line. */
#define VALUE_MAX 120
#define DASHES "-----"

static void write_line(BIO *out, const char *name, const char *text)
{
    char value[VALUE_MAX];
    char *dashes = NULL;

    if (text == NULL || text[0] == '\0') {
        return;
    }
    schsm_copy_printable(value, sizeof(value), text);
    while ((dashes = strstr(value, DASHES)) != NULL) {
        *dashes = '?';
    }
    BIO_printf(out, "  %-10s %s\n", name, value);
}

static const char *algorithm_of(enum schsm_key_type type)
{
    switch (type) {
    case SCHSM_KEY_RSA:
        return "RSA";
    case SCHSM_KEY_EC:
        return "EC";
    case SCHSM_KEY_ED25519:
        return "Ed25519";
    case SCHSM_KEY_ED448:
        return "Ed448";
    case SCHSM_KEY_X25519:
        return "X25519";
    case SCHSM_KEY_X448:
        return "X448";
    default:
        return "";
    }
}

static void write_algorithm(BIO *out, const struct schsm_object *object)
{
    char text[64];

    if (object->key_type == SCHSM_KEY_RSA || object->key_type == SCHSM_KEY_EC) {
        BIO_snprintf(text, sizeof(text), "%s, %u bits", algorithm_of(object->key_type),
                     object->bits);
        write_line(out, "algorithm:", object->bits != 0 ? text : algorithm_of(object->key_type));
    } else {
        write_line(out, "algorithm:", algorithm_of(object->key_type));
    }
}

int schsm_reference_write(const char *uri, const struct schsm_object *object, BIO *out,
                          struct schsm_error *err)
{
    char id[2 * SCHSM_ID_MAX + 1] = "";
    struct schsm_uri parsed;
    uint8_t *der = NULL;
    size_t len = 0;
    int ok = 0;

    schsm_uri_init(&parsed);
    if (!schsm_uri_parse(&parsed, uri, err) ||
        !schsm_reference_encode(uri, object->value, object->value_len, &der, &len, err)) {
        goto done;
    }
    schsm_hex(parsed.id, parsed.id_len, id);
    BIO_puts(out, "This stands for a private key on a device, and is no secret itself:\n");
    write_line(out, "label:", parsed.label != NULL ? parsed.label : object->label);
    write_line(out, "id:", id);
    write_line(out, "device:", parsed.serial != NULL ? parsed.serial : parsed.token);
    write_algorithm(out, object);
    BIO_puts(out, "OpenSSL reads it where the provider sc-hsm is active, in openssl.cnf or by\n"
                  "'-provider sc-hsm -provider default'.\n");
    ok = PEM_write_bio(out, SCHSM_REFERENCE_PEM_NAME, "", der, (long)len) > 0 ||
         schsm_fail(err, SCHSM_REASON_CRYPTO, "the key reference cannot be written");

done:
    schsm_uri_clear(&parsed);
    OPENSSL_free(der);
    return ok;
}
