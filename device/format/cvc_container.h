/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files in which devices show each other certified keys (protocol reference sections 11.3, 15.3
 * and 16.2). Each holds the device's chain, device certificate and issuer's, and
 *
 *   device id    nothing more: the content of file 2F02, whom a membership is issued for
 *   public key   a key's request, signed by that device: what a custodian's device proves itself
 *                with (public-key authentication), or what devices exchange a domain's key with
 *   membership   the request of a key domain's signer and its signature over the member's key
 *
 * Pure functions on buffers; all views point into the buffer that was parsed.
 */
#ifndef SCHSM_FORMAT_CVC_CONTAINER_H
#define SCHSM_FORMAT_CVC_CONTAINER_H

#include <stddef.h>
#include <stdint.h>

#include "cvc.h"
#include "base/error.h"

#define SCHSM_CONTAINER_MAX 8192 /* bytes of a file that is worth reading */
#define SCHSM_DEVICE_ID_MAX 2048 /* bytes of device certificate and issuer's */

enum schsm_container_kind {
    SCHSM_CONTAINER_DEVICE_ID,
    SCHSM_CONTAINER_PUBLIC_KEY,
    SCHSM_CONTAINER_MEMBERSHIP
};

struct schsm_container {
    enum schsm_container_kind kind;
    struct schsm_cvc device;
    struct schsm_cvc issuer;          /* whole.len 0: there is none */
    struct schsm_cvc_request request; /* whole.len 0: device id */
    struct schsm_view signature;      /* membership: r || s */
};

/*
 * Reads any of the three. A public key in the old form, as OpenSC's sc-hsm-tool writes it, and in
 * CardContact's newer one. What is malformed, or none of the three, fails with DEVICE_DATA.
 */
int schsm_container_parse(const uint8_t *data, size_t len, struct schsm_container *container,
                          struct schsm_error *err);

/* "a device id", "a key with its certificates", "a membership": for sentences. */
const char *schsm_container_text(enum schsm_container_kind kind);

/*
 * The device's chain as file 2F02 has it, device certificate first. *out_len is the capacity of out
 * and becomes the length; SCHSM_DEVICE_ID_MAX suffices, more fails with DEVICE_DATA.
 */
int schsm_container_device_id(const struct schsm_container *container, uint8_t *out,
                              size_t *out_len, struct schsm_error *err);

/*
 * Builds a public key file in the old form, which every program reads, from a request 67 and file
 * 2F02, which must hold two certificates. *out_len is the capacity and becomes the length.
 */
int schsm_container_build_public_key(const uint8_t *request, size_t request_len,
                                     const uint8_t *device_id, size_t device_id_len, uint8_t *out,
                                     size_t *out_len, struct schsm_error *err);

/* Builds a membership likewise; signature is r || s. */
int schsm_container_build_membership(const uint8_t *request, size_t request_len,
                                     const uint8_t *device_id, size_t device_id_len,
                                     const uint8_t *signature, size_t signature_len, uint8_t *out,
                                     size_t *out_len, struct schsm_error *err);

/*
 * Whether what the file claims of itself is true: the issuer signed the device certificate, the
 * device the request, and the key itself. Who signed the issuer's certificate is not looked at.
 * Fails with WRONG_KEY and a sentence that names the part.
 */
int schsm_container_verify(const struct schsm_container *container, struct schsm_error *err);

/*
 * The bytes that a key domain's signer signs to make a device a member (section 15.3): 54 and the x
 * coordinate of the device's public key. *out_len as above; 1 + SCHSM_FIELD_MAX suffices.
 */
int schsm_membership_message(const struct schsm_cvc *device, uint8_t *out, size_t *out_len,
                             struct schsm_error *err);

#endif
