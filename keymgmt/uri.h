/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sc-hsm: URI, which names a key or object:
 *
 *     sc-hsm:[ATTR=VALUE[;ATTR=VALUE]...][?QATTR=VALUE[&QATTR=VALUE]...]
 *
 * in the shape and with the percent-encoding of RFC 7512.
 */
#ifndef SCHSM_KEYMGMT_URI_H
#define SCHSM_KEYMGMT_URI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/device.h"
#include "base/error.h"
#include "pin/source.h"

#define SCHSM_URI_SCHEME "sc-hsm"
#define SCHSM_URI_MAX 4096 /* characters */

struct schsm_uri {
    int key_ref;         /* 1..255, -1: not given */
    unsigned int handle; /* the device's own name for the object, 0: not given */
    bool has_id;
    uint8_t id[SCHSM_ID_MAX];
    size_t id_len;
    char *label;                         /* NULL: not given */
    char *serial;                        /* NULL: not given */
    char *reader;                        /* NULL: not given */
    char *token;                         /* the label of a PKCS#11 token; NULL: not given */
    char *shown;                         /* the device's label as PKCS#11 programs show it; NULL */
    unsigned int types;                  /* enum schsm_object_type, or-ed; 0: not given */
    struct schsm_pin_source *pin_source; /* from the query, NULL: not given */
};

/* An empty URI, naming everything. */
void schsm_uri_init(struct schsm_uri *uri);
void schsm_uri_clear(struct schsm_uri *uri);

/*
 * Parses text into *uri (overwritten, to be cleared by the caller also after failure). Unknown and
 * repeated attributes and bad values fail with SCHSM_REASON_URI and a sentence that names the
 * attribute. The value of pin-value never shows up in a sentence.
 */
int schsm_uri_parse(struct schsm_uri *uri, const char *text, struct schsm_error *err);

/* True if the path names an object by key-ref, id, label or handle, not just a device or a type. */
bool schsm_uri_names_object(const struct schsm_uri *uri);

/* Parses an id as users write it, hex digits (`10`) or percent-encoded bytes (`%10`), into id[]. */
int schsm_id_parse(const char *text, uint8_t id[SCHSM_ID_MAX], size_t *len,
                   struct schsm_error *err);

/* Parses a key reference, decimal or 0x.., 1..255. */
int schsm_key_ref_parse(const char *text, int *key_ref, struct schsm_error *err);

/* What a URI says besides serial, token, key-ref, id and label. */
enum schsm_uri_detail {
    SCHSM_URI_TYPE = 1,
    SCHSM_URI_HANDLE = 2 /* for an object that all the rest does not tell from another */
};

/* What a URI says of the device; each NULL or "" where it says nothing of it. */
struct schsm_uri_device {
    const char *serial, *token;
    const char *reader; /* where the serial number does not tell it from another one */
};

/*
 * The URI of an object on that device. details: enum schsm_uri_detail, or-ed. Never a PIN.
 * OPENSSL_malloc'ed string for the caller; NULL when memory runs out.
 */
char *schsm_uri_of_object(const struct schsm_uri_device *device, const struct schsm_object *object,
                          unsigned int details);

#endif
