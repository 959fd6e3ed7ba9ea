/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Public-key authentication (protocol reference section 16): a device that opens when m of n
 * registered keys, held by custodians on devices of their own, have signed its challenge. Only a
 * SmartCard-HSM has it; another device, and one that was initialised without it, is UNSUPPORTED.
 *
 * The device stays open until its applet is selected or it loses power: as long as somebody keeps a
 * connection to it.
 */
#ifndef SCHSM_HSM_HSM_PUBLIC_KEY_AUTHENTICATION_H
#define SCHSM_HSM_HSM_PUBLIC_KEY_AUTHENTICATION_H

#include "format/cvc_container.h"
#include "model/device.h"

#define SCHSM_PKA_CHALLENGE_LEN 8 /* bytes, section 6.1 */

/* A place for a key. */
struct schsm_pka_key {
    char name[SCHSM_CVC_NAME_MAX + 1]; /* "" where no key is registered yet */
    bool authenticated;
};

struct schsm_pka {
    struct schsm_public_key_status status;
    struct schsm_pka_key keys[SCHSM_PKA_KEYS_MAX];
    size_t count; /* of keys: status.total, as far as there is room */
};

/* The state and the keys' names. No login. */
int schsm_pka_read(struct schsm_device *dev, struct schsm_pka *pka, struct schsm_error *err);

/*
 * Registers a custodian's key. login: for devices that want one; a device whose places are not all
 * taken yet does not. *status is the state afterwards.
 */
int schsm_pka_register(struct schsm_device *dev, const struct schsm_container *key,
                       const struct schsm_login *login, struct schsm_public_key_status *status,
                       struct schsm_error *err);

/* What custodians sign, ECDSA with SHA-256: the device's name, then the challenge (16.4). */
struct schsm_pka_challenge {
    uint8_t message[SCHSM_CVC_NAME_MAX + SCHSM_PKA_CHALLENGE_LEN];
    size_t len;
};

/* Asks for a new challenge, which may undo the authentications that there were (16.5). */
int schsm_pka_challenge(struct schsm_device *dev, struct schsm_pka_challenge *challenge,
                        struct schsm_error *err);

/*
 * Shows the device the signature (r || s) of a registered key. A key that has authenticated before
 * is success. Fails with NOT_FOUND for a name that is not registered, BAD_INPUT for a signature
 * that the device does not accept or a challenge that it does not take again.
 */
int schsm_pka_authenticate(struct schsm_device *dev, const char *name, const uint8_t *signature,
                           size_t signature_len, struct schsm_error *err);

/* Ends what was opened, by a PIN or by keys: nobody is logged in to the device any more. */
int schsm_pka_close(struct schsm_device *dev, struct schsm_error *err);

#endif
