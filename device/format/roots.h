/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom to believe that a device is one: the published root certificates of the makers, built in,
 * and those that the user trusts besides (protocol reference section 12).
 */
#ifndef SCHSM_FORMAT_ROOTS_H
#define SCHSM_FORMAT_ROOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cvc.h"
#include "base/error.h"

/* A built-in root. */
struct schsm_scheme_root {
    const char *maker;  /* "CardContact, production" */
    bool test;          /* anybody can have a device under it: says nothing about protection */
    const uint8_t *der; /* 7F21 */
    size_t len;
};

/* The rows of the table; NULL beyond the end. */
const struct schsm_scheme_root *schsm_scheme_root_at(size_t index);

/* The roots that the user added; the built-in ones come before them. */
struct schsm_roots;

/* NULL where memory runs out. */
struct schsm_roots *schsm_roots_new(struct schsm_error *err);
void schsm_roots_free(struct schsm_roots *roots);

/*
 * Adds the self-signed certificates in data, at least one, one after the other. name: where they
 * come from, copied. Fails with DEVICE_DATA where they are malformed, WRONG_KEY where one is no
 * self-signed root.
 */
int schsm_roots_add(struct schsm_roots *roots, const char *name, const uint8_t *data, size_t len,
                    struct schsm_error *err);

/* What a device is, once its chain was verified. All views point into the file. */
struct schsm_device_identity {
    struct schsm_cvc device;
    struct schsm_cvc issuer;           /* whole.len 0: the root signed the device's itself */
    const struct schsm_curve *curve;   /* of the device key */
    char root[SCHSM_CVC_NAME_MAX + 1]; /* the root's name */
    const char *maker;                 /* the built-in root's; the file's name for a user's own */
    bool built_in, test;
};

/*
 * Verifies file 2F02 up to one of the roots; roots may be NULL: the built-in ones alone. Dates are
 * not looked at. Fails with WRONG_KEY: no root of that name is known, or a signature does not
 * verify; identity's certificates are filled in nevertheless if they could be read.
 */
int schsm_roots_verify_device(const struct schsm_roots *roots, const uint8_t *file, size_t len,
                              struct schsm_device_identity *identity, struct schsm_error *err);

#endif
