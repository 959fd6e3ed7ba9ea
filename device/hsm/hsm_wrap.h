/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that leave a SmartCard-HSM and come to it, encrypted under the key encryption key of their
 * domain (protocol reference sections 6.9, 6.10 and 14). Another kind of device is UNSUPPORTED.
 */
#ifndef SCHSM_HSM_HSM_WRAP_H
#define SCHSM_HSM_HSM_WRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/device.h"
#include "base/error.h"
#include "base/tlv.h"

/* A wrapped key and what the device says of it. Allocated with OPENSSL_malloc. */
struct schsm_hsm_wrapped {
    uint8_t *blob; /* wrapped_key.h */
    size_t blob_len;
    uint8_t *description; /* file C4xx; NULL: the device has none */
    size_t description_len;
    uint8_t *certificate; /* file CExx, likewise */
    size_t certificate_len;
};

void schsm_hsm_wrapped_clear(struct schsm_hsm_wrapped *wrapped);

/* Fails with UNSUPPORTED where the device is of a kind that wraps no keys. Asks nobody. */
int schsm_hsm_wraps_keys(struct schsm_device *dev, struct schsm_error *err);

/* Wraps a key, and reads its description and certificate. Fails with NOT_PERMITTED where the key's
 * policy keeps it on the device, UNSUPPORTED where the device has no key encryption key. */
int schsm_hsm_wrap_key(struct schsm_device *dev, int key_ref, const struct schsm_login *login,
                       struct schsm_hsm_wrapped *wrapped, struct schsm_error *err);

/* Reads what lies beside a key, without wrapping it and without a login; the blob stays NULL. */
int schsm_hsm_read_companions(struct schsm_device *dev, int key_ref,
                              struct schsm_hsm_wrapped *companions, struct schsm_error *err);

/* Where a key that comes to the device is to be. */
struct schsm_hsm_place {
    int key_ref;       /* -1: the next free one */
    const uint8_t *id; /* NULL: a free one of a byte, like the key reference if that is free */
    size_t id_len;
    bool id_is_free; /* the caller knows that no key has the id: the device is not asked for all */
    bool replace;    /* with key_ref: what is there may be replaced */
};

/*
 * Chooses key reference and id; id has room for SCHSM_ID_MAX bytes. Nothing is written. A key
 * reference or id that is taken is EXISTS; description and certificate without a key, which an
 * interrupted unwrap leaves, take no place.
 */
int schsm_hsm_place_key(struct schsm_device *dev, const struct schsm_hsm_place *place,
                        unsigned int *key_ref, uint8_t *id, size_t *id_len,
                        struct schsm_error *err);

/* What a device does with keys that come to it wrapped. */
struct schsm_hsm_unwrap_traits {
    bool exponent_fixed;       /* an RSA key's public exponent is 65537 and no other */
    unsigned int crt_bits_max; /* the longest RSA key in the form RSA_CRT; 0: any */
    bool describes_keys;       /* it writes a description of its own over ours */
};

/* At most one device command; no login. */
int schsm_hsm_unwrap_traits(struct schsm_device *dev, struct schsm_hsm_unwrap_traits *traits,
                            struct schsm_error *err);

struct schsm_hsm_unwrap {
    unsigned int key_ref;          /* 1..255 */
    struct schsm_view blob;        /* as parsed by schsm_wrapped_key_parse */
    struct schsm_view description; /* for C4xx; required: no program shows a key without */
    struct schsm_view certificate; /* for CExx; len 0: none */
    bool replace;    /* a key that is there under this reference goes; false: EXISTS */
    bool unfinished; /* what is there is perhaps what an interruption left of this */
};

/*
 * Unwraps a key. Its description and certificate are written first and the key comes last, so that
 * at no moment there is a key without them; a failure removes what was written. Before anything is
 * changed the device is asked whether it has the key encryption key (WRONG_KEY); before a key is
 * replaced, whether it takes the new one. A device that describes keys itself gets the key first,
 * in one step with the end of the old one, and what an interruption leaves is told by
 * schsm_hsm_is_unfinished; called with `unfinished` then, this does the rest.
 */
int schsm_hsm_unwrap_key(struct schsm_device *dev, const struct schsm_hsm_unwrap *spec,
                         const struct schsm_login *login, struct schsm_error *err);

/* Whether the device itself has described this key of a list, which has a key reference. Says
 * nothing on a device that describes no keys. */
bool schsm_hsm_has_own_description(const struct schsm_object *key);

/*
 * Whether an unwrap with this reference, blob, description and certificate was interrupted when the
 * key had come and was not described yet. Always false for a pair without certificate or request,
 * and on a device that describes no keys itself. No login.
 */
int schsm_hsm_is_unfinished(struct schsm_device *dev, const struct schsm_hsm_unwrap *spec,
                            bool *unfinished, struct schsm_error *err);

#endif
