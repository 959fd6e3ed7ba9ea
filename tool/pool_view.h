/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices have which private keys; a key is its public key. */
#ifndef SCHSM_TOOL_POOL_VIEW_H
#define SCHSM_TOOL_POOL_VIEW_H

#include "hsm/hsm_key_domain.h"
#include "keymgmt/find.h"
#include "tool.h"

#define SCHSM_POOL_DIGEST_LEN 32  /* SHA-256 */
#define SCHSM_POOL_REASON_MAX 256 /* see schsm_pool_key_command */

/* What a key on a device is good for. */
enum schsm_pool_state {
    SCHSM_POOL_USABLE,
    SCHSM_POOL_COUNTED,     /* is used on one device alone */
    SCHSM_POOL_PIN_BLOCKED, /* so do the next ones, until somebody does something */
    SCHSM_POOL_PIN_MUST_CHANGE,
    SCHSM_POOL_PIN_TRIES_LOW, /* a stored PIN is not tried */
    SCHSM_POOL_HIDDEN,        /* its public key is seen, private ones only after a login */
    SCHSM_POOL_UNKNOWN        /* the device does not tell its public key */
};

/* A device as it was asked once. */
struct schsm_pool_view_device {
    struct schsm_device *device; /* the registry's */
    char name[SCHSM_DEVICE_NAME_MAX];
    struct schsm_device_info info;
    struct schsm_error why; /* it could not be asked; NONE: it could */
    bool wraps;             /* keys come to it and leave it wrapped */
    bool hides;             /* it shows private keys only after a login */
    struct schsm_hsm_domain domains[SCHSM_HSM_DOMAINS_MAX];
    size_t domain_count;
};

/* A key on a device. */
struct schsm_pool_holder {
    size_t device; /* its place in the list of devices */
    struct schsm_match match;
    enum schsm_pool_state state;
    uint32_t uses_left;         /* COUNTED */
    bool has_kcv;               /* the next one is known */
    uint8_t kcv[SCHSM_KCV_LEN]; /* of the key encryption key under which it can be wrapped */
};

struct schsm_pool_key {
    EVP_PKEY *public_key;                  /* NULL: unknown, and the key stands alone */
    uint8_t digest[SCHSM_POOL_DIGEST_LEN]; /* of its SubjectPublicKeyInfo */
    struct schsm_pool_holder *holders;     /* at least one */
    size_t holder_count;
};

struct schsm_pool_view {
    struct schsm_pool_view_device *devices;
    size_t device_count;
    struct schsm_pool_key *keys;
    size_t key_count;
};

/* Asks all devices that the options leave; nobody is logged in or out. What one of them does not
 * tell is in its `why`. To be cleared, also after failure. */
int schsm_pool_view_fill(struct schsm_context *context, struct schsm_pool_view *view,
                         struct schsm_error *err);
void schsm_pool_view_clear(struct schsm_pool_view *view);

/* The state for programs, and in words. */
const char *schsm_pool_state_name(enum schsm_pool_state state);
void schsm_pool_holder_text(const struct schsm_pool_holder *holder, char *text, size_t size);

/* Whether the key is to be told as missing on this device. */
bool schsm_pool_key_missing(const struct schsm_pool_view *view, const struct schsm_pool_key *key,
                            size_t device);

/* The command that copies the key to that device, the caller's to free with OPENSSL_free; NULL
 * where none can, and then reason says why, else it is "". */
int schsm_pool_key_command(const struct schsm_pool_view *view, const struct schsm_pool_key *key,
                           size_t device, char **command, char reason[SCHSM_POOL_REASON_MAX],
                           struct schsm_error *err);

#endif
