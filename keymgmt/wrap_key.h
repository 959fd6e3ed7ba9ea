/* SPDX-License-Identifier: Apache-2.0 */
/* A key of a SmartCard-HSM in a file and back, encrypted under its DKEK (key_container.h). */
#ifndef SCHSM_KEYMGMT_WRAP_KEY_H
#define SCHSM_KEYMGMT_WRAP_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/device.h"
#include "base/error.h"
#include "format/pkcs15.h"
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

/* Reads a container, or a bare blob as WRAP KEY answers it, and what it tells of its key; views
 * point into the file. */
int schsm_wrapped_file_read(const uint8_t *file, size_t len, struct schsm_wrapped_file *wrapped,
                            struct schsm_error *err);

/*
 * The description for the key: the file's own where it decodes, is one of such a key and has an id;
 * else a new one with the id and label of `otherwise`, whose bits count where the file tells none.
 * *description points into the file or into buffer.
 */
int schsm_wrapped_file_describe(const struct schsm_wrapped_file *wrapped,
                                const struct schsm_pkcs15_key *otherwise,
                                uint8_t buffer[SCHSM_PKCS15_MAX], struct schsm_view *description,
                                struct schsm_error *err);

/*
 * Makes the file out of a blob and what stands beside it on the device, with a description as
 * schsm_wrapped_file_describe gives it: the one road to such files, so that each has one. *file is
 * OPENSSL_malloc'ed, the caller's.
 */
int schsm_wrapped_file_build(const struct schsm_key_container *parts,
                             const struct schsm_pkcs15_key *otherwise, uint8_t **file, size_t *len,
                             struct schsm_error *err);

/* How a key is to be on the device; what is not set stays as in the container. */
struct schsm_unwrap {
    int key_ref;       /* -1: the next free one; with replace: that of the key with the same id */
    const uint8_t *id; /* NULL: the container's, else a free one */
    size_t id_len;
    const char *label;               /* NULL: the container's */
    bool replace;                    /* the key that is there already goes */
    const struct schsm_secret *dkek; /* for the public part of a pair whose file has neither
                                      * certificate nor request; NULL: it stays untold */
    OSSL_LIB_CTX *libctx;            /* where that is computed */
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
