/* SPDX-License-Identifier: Apache-2.0 */
/* The label of a SmartCard-HSM, by which PKCS#11 programs show and choose it. */
#ifndef SCHSM_HSM_HSM_LABEL_H
#define SCHSM_HSM_HSM_LABEL_H

#include "model/device.h"
#include "base/error.h"

#define SCHSM_HSM_LABEL_MAX 32 /* bytes: what PKCS#11 has room for (10.6) */

/* Whether this can be a label: UTF-8 of 1 to SCHSM_HSM_LABEL_MAX bytes without control characters.
 * Fails with ARGUMENT. */
int schsm_hsm_check_label(const char *label, struct schsm_error *err);

/* Fails with UNSUPPORTED where the device's label is built in, as a Pico HSM's is. No login. */
int schsm_hsm_check_labels(struct schsm_device *dev, struct schsm_error *err);

/* Sets the label, which was checked. */
int schsm_hsm_set_label(struct schsm_device *dev, const char *label,
                        const struct schsm_login *login, struct schsm_error *err);

#endif
