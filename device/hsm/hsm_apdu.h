/* SPDX-License-Identifier: Apache-2.0 */
/* Commands to a SmartCard-HSM as a user wrote them, byte by byte. */
#ifndef SCHSM_HSM_HSM_APDU_H
#define SCHSM_HSM_HSM_APDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/device.h"
#include "base/error.h"

struct schsm_hsm_apdu_traits {
    const char *name;    /* static text: "SIGN"; "command" for one that is not known */
    bool changes;        /* something on the device may be changed, erased or used up */
    bool carries_secret; /* a PIN, or a share of a key */
    bool carries_share;
};

/* Of an encoded command. Fails with ARGUMENT where it is none (ISO/IEC 7816-4). */
int schsm_hsm_apdu_traits(const uint8_t *command, size_t len, struct schsm_hsm_apdu_traits *traits,
                          struct schsm_error *err);

struct schsm_hsm_exchange {
    const uint8_t *command; /* as above */
    size_t command_len;
    uint8_t *response; /* data without status word, OPENSSL_malloc'ed; NULL where there is none */
    size_t response_len;
    unsigned int status_word; /* 0: it was not sent */
    const char *meaning;      /* of the status word, static text */
};

/*
 * Sends commands one after the other, while no other program gets at the device, and whatever the
 * device answers; the applet is selected before. 61xx and 6Cxx are followed (2.1). login: NULL for
 * none. Only where the way to the device fails this does. schsm_hsm_exchanges_clear in both cases.
 */
int schsm_hsm_transmit(struct schsm_device *dev, struct schsm_hsm_exchange *exchanges, size_t count,
                       const struct schsm_login *login, struct schsm_error *err);
void schsm_hsm_exchanges_clear(struct schsm_hsm_exchange *exchanges, size_t count);

#endif
