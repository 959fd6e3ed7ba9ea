/* SPDX-License-Identifier: Apache-2.0 */
/* A key of a SmartCard-HSM in a file and back, encrypted under its DKEK (key_container.h). */
#ifndef SCHSM_KEYMGMT_WRAP_KEY_H
#define SCHSM_KEYMGMT_WRAP_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/device.h"
#include "base/error.h"
#include "format/wrapped_key.h"
#include "key_container.h"

/* Wraps a key with its description and its certificate or request. *file is OPENSSL_malloc'ed, the
 * caller's. */
int schsm_wrap_key(struct schsm_device *device, int key_ref, const struct schsm_login *login,
                   uint8_t **file, size_t *len, struct schsm_error *err);

/* What is inside a container, as far as it tells without any key. */
struct schsm_wrapped_file {
    struct schsm_key_container container;
    struct schsm_wrapped_key key;
    bool described;
    uint8_t id[SCHSM_ID_MAX];
    size_t id_len; /* 0: none */
    char label[SCHSM_LABEL_MAX + 1];
    unsigned int usage; /* enum schsm_pkcs15_usage; 0: not told */
    unsigned int bits;  /* 0: unknown */
};

/* Reads a container and what it tells of its key; views point into the file. */
int schsm_wrapped_file_read(const uint8_t *file, size_t len, struct schsm_wrapped_file *wrapped,
                            struct schsm_error *err);

/* How a key is to be on the device; what is not set stays as in the container. */
struct schsm_unwrap {
    int key_ref;       /* -1: the next free one; with replace: that of the key with the same id */
    const uint8_t *id; /* NULL: the container's, else a free one */
    size_t id_len;
    const char *label; /* NULL: the container's */
    bool replace;      /* the key that is there already goes */
};

/*
 * Brings a key from a container to the device, with its certificate or request and its description,
 * a new one where the container has none. Fails before anything is changed where the device has
 * another DKEK (WRONG_KEY), or the key reference or id is taken (EXISTS). *made is filled (value:
 * the public key where the container has it), to be cleared with schsm_object_clear.
 */
int schsm_unwrap_key(struct schsm_device *device, const struct schsm_wrapped_file *wrapped,
                     const struct schsm_unwrap *wishes, const struct schsm_login *login,
                     struct schsm_object *made, struct schsm_error *err);

#endif
