/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening a device by public-key authentication (protocol reference section 16): its custodians
 * sign its challenge, one after the other, until enough have.
 */
#ifndef SCHSM_KEYMGMT_OPENING_H
#define SCHSM_KEYMGMT_OPENING_H

#include "hsm/hsm_public_key_authentication.h"
#include "certified_key.h"
#include "context.h"

struct schsm_opening {
    struct schsm_device *device; /* to be opened; the registry's */
    struct schsm_pka pka;        /* its state after the last step */
    struct schsm_pka_challenge challenge;
    bool challenged; /* the challenge was asked for */
    bool answered;   /* the device accepted a signature of it */
};

/* Asks for the state; the challenge comes later. UNSUPPORTED without public-key authentication, and
 * NOT_PERMITTED where fewer keys are registered than have to authenticate. */
int schsm_opening_begin(struct schsm_device *device, struct schsm_opening *opening,
                        struct schsm_error *err);

/* Whether enough keys have authenticated. */
bool schsm_opening_done(const struct schsm_opening *opening);

/* Whether a key of this name is registered and has not authenticated yet. */
bool schsm_opening_wants(const struct schsm_opening *opening, const char *name);

/*
 * Finds a key on a custodian's device that the opening wants. 1 with key->device NULL: there is
 * none. *key is to be cleared.
 */
int schsm_opening_find_key(const struct schsm_opening *opening, struct schsm_device *custodian,
                           struct schsm_certified_key *key, struct schsm_error *err);

/*
 * Has a custodian's key sign, and shows the signature to the device. One challenge serves all
 * custodians where the device permits it, else each gets one.
 */
int schsm_opening_sign(OSSL_LIB_CTX *libctx, struct schsm_opening *opening,
                       const struct schsm_certified_key *key, const struct schsm_login *login,
                       struct schsm_error *err);

#endif
