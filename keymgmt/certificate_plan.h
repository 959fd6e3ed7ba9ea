/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates onto a device, each to its key, the others beside them. All is looked at before the
 * first one is stored.
 */
#ifndef SCHSM_KEYMGMT_CERTIFICATE_PLAN_H
#define SCHSM_KEYMGMT_CERTIFICATE_PLAN_H

#include <stdbool.h>

#include <openssl/x509.h>

#include "context.h"
#include "find.h"

/* What is to be stored and how; all of it outlives the plan. */
struct schsm_certificate_wishes {
    struct schsm_context *context;
    const char *path; /* the file they came from, for sentences */
    X509 *const *certificates;
    size_t count;
    struct schsm_device *device;
    const char *serial;                  /* the device's */
    struct schsm_match *key;             /* of the first one; NULL: the one that fits */
    const struct schsm_login *key_login; /* for that key to show that it is the one */
    bool keyless;                        /* although none of them fits a key */
    bool replace;                        /* also where their keys have others */
    const uint8_t *id;                   /* of the one without a key; id_len 0: its own */
    size_t id_len;
    const char *label; /* likewise; NULL: its subject */
};

struct schsm_certificate_item {
    X509 *certificate; /* the wishes' */
    uint8_t *der;
    size_t der_len;
    bool has_key;
    struct schsm_object key; /* its key, without a value, if has_key */
    bool present;            /* the device has it already: there is nothing to store */
    char label[SCHSM_LABEL_MAX + 1];
    uint8_t id[SCHSM_ID_MAX];
    size_t id_len;
};

struct schsm_certificate_plan {
    struct schsm_certificate_wishes wishes;
    struct schsm_certificate_item *items;
    size_t count;
    struct schsm_object_list there; /* the device's certificates */
    bool replaces;                  /* a certificate that is none of these goes */
};

/*
 * Finds the key of each and what is there already. *plan is overwritten, and to be cleared also
 * after failure. Fails with WRONG_KEY where none has a key, or the named one not this, BAD_INPUT
 * for two of one key, EXISTS where a key has another, ARGUMENT where a name fits none or several.
 */
int schsm_certificates_plan(const struct schsm_certificate_wishes *wishes,
                            struct schsm_certificate_plan *plan, struct schsm_error *err);
void schsm_certificate_plan_clear(struct schsm_certificate_plan *plan);

/* Stores one that is not present. */
int schsm_certificate_store(const struct schsm_certificate_plan *plan,
                            const struct schsm_certificate_item *item,
                            const struct schsm_login *login, struct schsm_error *err);

/* Which key, as briefly as can be; text has room for SCHSM_OBJECT_NAME_MAX. */
void schsm_certificate_key_name(const struct schsm_object *key, char *text, size_t size);

#endif
