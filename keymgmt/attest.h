/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be proven of a device and of a key on it (protocol reference section 12): who made the
 * device, and whether it made the key.
 *
 * A request that the device signed proves that the key was made inside it, except on a Pico HSM,
 * which signs one for imported keys as well. Nothing proves that a key was not exported under a key
 * encryption key afterwards: that is its policy's and its key domain's matter.
 */
#ifndef SCHSM_KEYMGMT_ATTEST_H
#define SCHSM_KEYMGMT_ATTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/roots.h"
#include "model/device.h"
#include "context.h"

#define SCHSM_KEY_HASH_LEN 32 /* bytes of SHA-256 */

/* What is judged. Starts as all zeros; always to be cleared. */
struct schsm_evidence {
    struct schsm_device *device; /* the registry's; NULL: files alone */
    uint8_t *device_id;          /* the device's certificates; NULL: not there yet */
    size_t device_id_len;
    uint8_t *file;                  /* what the request is in */
    struct schsm_view request;      /* of a key; len 0: the device alone is judged */
    struct schsm_key_policy policy; /* of a key on the device */
};

/*
 * Takes a key's request from a file: a request by itself, or what brings the certificates of its
 * device along. Those come from the file of device_id_path where that is not NULL; where neither
 * has them the device is still to be asked. Fails with BAD_INPUT.
 */
int schsm_evidence_read(struct schsm_evidence *evidence, const char *path,
                        const char *device_id_path, struct schsm_error *err);

/* Asks a device for its certificates, and for the request and policy of a key; NULL: of none. */
int schsm_evidence_ask(struct schsm_evidence *evidence, struct schsm_device *device,
                       const struct schsm_object *key, struct schsm_error *err);
void schsm_evidence_clear(struct schsm_evidence *evidence);

enum schsm_presence { SCHSM_PRESENCE_NOT_ASKED, SCHSM_PRESENCE_NOT_OFFERED, SCHSM_PRESENCE_PROVEN };

enum schsm_export { SCHSM_EXPORT_UNKNOWN, SCHSM_EXPORT_PERMITTED, SCHSM_EXPORT_FORBIDDEN };

struct schsm_attestation {
    /* The device. */
    struct schsm_device_identity identity; /* views into the device id */
    char serial[SCHSM_SERIAL_MAX + 1];
    char name[SCHSM_CVC_NAME_MAX + 1];
    bool pico;                    /* of a kind that certifies imported keys as well */
    bool verified;                /* its certificates lead to a root that is trusted */
    char why[768];                /* it is not */
    char expired[64];             /* which of its certificates are past their date; "" none */
    enum schsm_presence presence; /* of the device key in the device */

    /* The key, where a request was given. */
    bool has_key;
    bool certified; /* by the device, and by the key itself */
    char key_why[768];
    char key_name[SCHSM_CVC_NAME_MAX + 1];
    char made_by[SCHSM_CVC_NAME_MAX + 1]; /* the device that certified it, by its own word */
    uint8_t key_hash[SCHSM_KEY_HASH_LEN]; /* of its public key as SubjectPublicKeyInfo */
    enum schsm_export may_be_exported;    /* under a key encryption key, by its policy */
};

/*
 * Judges evidence that has a device id, under the built-in roots and the user's. What does not
 * verify is told in the attestation; failure is for bytes that are no such thing (DEVICE_DATA), and
 * for a device whose proof of its key is wrong (WRONG_KEY). The attestation's views end with the
 * evidence.
 */
int schsm_attest(const struct schsm_context *context, const struct schsm_evidence *evidence,
                 struct schsm_attestation *attestation, struct schsm_error *err);

#endif
