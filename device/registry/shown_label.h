/* SPDX-License-Identifier: Apache-2.0 */
/* A device's label as PKCS#11 programs show it, which is what a pkcs11: URI has. */
#ifndef SCHSM_REGISTRY_SHOWN_LABEL_H
#define SCHSM_REGISTRY_SHOWN_LABEL_H

#include <stdbool.h>
#include <stddef.h>

#include "model/device.h"

/*
 * Whether OpenSC's module shows a device with this label ("" where it has none) under that name:
 * the label with " (UserPIN)" behind it, where the two have room in 32 characters, and else cut
 * and with "..." in between. The label itself is good as well. (Seen with OpenSC 0.23.)
 */
bool schsm_shown_label_fits(const char *shown, const char *label);

/*
 * Keeps the devices whose label is shown so; asks each card for its label. NO_DEVICE where none is
 * left, with the labels that there are. A device that does not answer is passed over as long as
 * another one fits.
 */
int schsm_shown_label_filter(const char *shown, struct schsm_device **devices, size_t *count,
                             struct schsm_error *err);

#endif
