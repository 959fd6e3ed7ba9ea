/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key domains whose key encryption key devices agree on among themselves (XKEK; protocol reference
 * section 15). Only a SmartCard-HSM has them; another device is UNSUPPORTED.
 */
#ifndef SCHSM_HSM_HSM_XKEK_H
#define SCHSM_HSM_HSM_XKEK_H

#include "format/cvc_container.h"
#include "model/device.h"

/*
 * Creates an XKEK domain under this number with a membership, which must have been issued for this
 * very device (else WRONG_KEY, and nothing is sent).
 */
int schsm_xkek_create_domain(struct schsm_device *dev, unsigned int domain,
                             const struct schsm_container *membership,
                             const struct schsm_login *login, struct schsm_error *err);

/*
 * Agrees on the key encryption key of a domain: key_ref is this device's exchange key, peer the
 * other device's, with its certificates.
 */
int schsm_xkek_derive(struct schsm_device *dev, int key_ref, const struct schsm_container *peer,
                      const struct schsm_login *login, struct schsm_error *err);

#endif
