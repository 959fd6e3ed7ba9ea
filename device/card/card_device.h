/* SPDX-License-Identifier: Apache-2.0 */
/* A SmartCard-HSM (or Pico HSM) as a device. */
#ifndef SCHSM_CARD_CARD_DEVICE_H
#define SCHSM_CARD_CARD_DEVICE_H

#include "model/device.h"
#include "base/error.h"
#include "model/channel_policy.h"
#include "model/selector.h"
#include "transport.h"

/*
 * The device in this reader of this transport; nothing is sent to it before it is used. NULL where
 * memory runs out. Freed with dev->ops->free.
 */
struct schsm_device *schsm_card_device_new(const struct schsm_transport *transport, void *arg,
                                           const char *reader, struct schsm_error *err);

/* The secure channel that the device's session is to use; policy outlives the device. */
void schsm_card_device_protect(struct schsm_device *dev, const struct schsm_channel_policy *policy);

/* What is known of a card device without asking it: the serial number ("" if unknown) and the
 * reader's name. */
void schsm_card_device_known(struct schsm_device *dev, char serial[SCHSM_SERIAL_MAX + 1],
                             char reader[SCHSM_READER_MAX + 1]);

/* Whether another card was last seen in this device's place. */
bool schsm_card_device_exchanged(struct schsm_device *dev);

/* Connects, and with a card of unknown ATR lets SELECT tell what it is; NO_DEVICE for another. */
int schsm_card_device_probe(struct schsm_device *dev, struct schsm_error *err);

#endif
