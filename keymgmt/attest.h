/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be proven of a device and of a key on it (protocol reference section 12), from bytes
 * alone: who made the device, and whether it made the key.
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

struct schsm_attestation {
    /* The device. */
    struct schsm_device_identity identity; /* views into the device id */
    char serial[SCHSM_SERIAL_MAX + 1];
    char name[SCHSM_CVC_NAME_MAX + 1];
    bool pico;        /* of a kind that certifies imported keys as well */
    bool verified;    /* its certificates lead to a root that is trusted */
    char why[768];    /* it is not */
    char expired[64]; /* which of its certificates are past their date today; "" none */

    /* The key, where a request was given. */
    bool has_key;
    bool certified; /* by the device, and by the key itself */
    char key_why[768];
    char key_name[SCHSM_CVC_NAME_MAX + 1];
    char made_by[SCHSM_CVC_NAME_MAX + 1]; /* the device that certified it, by its own word */
    uint8_t *spki;                        /* its public key; NULL: could not be read */
    size_t spki_len;
};

/*
 * Judges. roots: the user's, may be NULL; request may be NULL. What does not verify is told in the
 * attestation; failure is for bytes that are no such thing (DEVICE_DATA). today: YYMMDD, from
 * schsm_attest_today. Always to be cleared.
 */
int schsm_attest(const struct schsm_roots *roots, unsigned int today, const uint8_t *device_id,
                 size_t device_id_len, const uint8_t *request, size_t request_len,
                 struct schsm_attestation *attestation, struct schsm_error *err);
void schsm_attestation_clear(struct schsm_attestation *attestation);

/* Today's date, UTC. */
unsigned int schsm_attest_today(void);

#endif
