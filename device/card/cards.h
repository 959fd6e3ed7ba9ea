/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The devices behind PC/SC, as pkcs11_device.h has those behind PKCS#11. Whoever calls holds the
 * registry's lock.
 */
#ifndef SCHSM_CARD_CARDS_H
#define SCHSM_CARD_CARDS_H

#include "model/channel_policy.h"
#include "model/selector.h"
#include "model/survey.h"
#include "transport.h"

struct schsm_cards {
    const struct schsm_transport *transport;
    void *transport_arg;
    struct schsm_channel_policy policy; /* of devices that are met from now on */
    struct schsm_card_entry *entries;   /* grows at its head, under the guard; never shrinks */
};

/*
 * The devices that fit serial and reader of the selector; several Pico HSMs may have one serial
 * number. *count is the room and becomes the number. They belong to cards. What did not fit is
 * noted in survey. Fails with NO_SERVICE, NO_READER or NO_DEVICE where there is none, and with what
 * kept a card from being looked at.
 */
int schsm_cards_find(struct schsm_cards *cards, const struct schsm_device_selector *selector,
                     struct schsm_survey *survey, struct schsm_device **devices, size_t *count,
                     struct schsm_error *err);

/* The readers and what is in them, without a serial number. *count is the room and becomes the
 * number. Fails with NO_SERVICE, or NO_READER where there is none. */
int schsm_cards_readers(struct schsm_cards *cards, struct schsm_reader *readers, size_t *count,
                        struct schsm_error *err);

/* Frees the devices. */
void schsm_cards_clear(struct schsm_cards *cards);

#endif
