/* SPDX-License-Identifier: Apache-2.0 */
/* Which of several devices, and what a search for devices tells of what it saw. */
#ifndef SCHSM_MODEL_SELECTOR_H
#define SCHSM_MODEL_SELECTOR_H

#include "device.h"

/*
 * Which device: NULL members fit all. reader: the PC/SC reader's whole name, or a part of it, which
 * no token fits; a bare number is never a part; token: the label of a PKCS#11 token, which nothing
 * behind PC/SC fits; shown: the label as PKCS#11 programs show it, of a token or of a card, see
 * schsm_shown_label_fits.
 */
struct schsm_device_selector {
    const char *serial;
    const char *reader;
    const char *token;
    const char *shown;
    bool hurried; /* a device that was there before and is missed is not waited for */
};

/* One PC/SC reader, or one PKCS#11 token, for `sc-hsm readers`. */
struct schsm_reader {
    char name[SCHSM_READER_MAX + 1];   /* the reader's, or the token's label */
    char serial[SCHSM_SERIAL_MAX + 1]; /* of a token */
    int card_present;
    int is_hsm;   /* 1: a SmartCard-HSM is in it, 0: another card or none */
    int is_token; /* 1: it is no reader */
};

#endif
