/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kinds of card that speak the protocol, and what each does otherwise: one table (protocol
 * reference sections 19.1 and 19.5). What status words mean is in format/status_word.c, for all
 * kinds together: no word means one thing on one kind and the opposite on another.
 */
#ifndef SCHSM_CARD_CARD_KIND_H
#define SCHSM_CARD_CARD_KIND_H

#include <stdbool.h>
#include <stddef.h>

struct schsm_card_kind {
    const char *name;             /* for people */
    const char *prefix;           /* of the device's name (section 12); "": any */
    int fci_type;                 /* type byte in the FCI (3.3) */
    size_t file_max;              /* bytes of a file */
    bool label_built_in;          /* EF 2F03 is no file: never written or deleted */
    bool transport_pin_stays;     /* a transport PIN opens nothing, even after it was changed */
    bool keys_need_pin;           /* its keys are under the PIN: public keys alone open none */
    unsigned int key_domains_max; /* more are taken for so many */
    unsigned int public_keys_max; /* likewise, of those that have to authenticate */
    bool exponent_fixed;          /* its RSA keys have the public exponent 65537 and no other */
    unsigned int crt_bits_max;    /* of an RSA key that it unwraps in form 06; 0: as long as any */
    bool describes_keys;          /* it writes a description of its own with each key that it
                                   * makes or unwraps; with the latter a request, too */
    bool hides_kcv;               /* key check values are zero until somebody logs in */
    bool ecx;                     /* it has Edwards and Montgomery keys */
    bool shares_names;            /* several devices may have one serial number */
};

/* The kind that this type byte of the FCI tells. */
const struct schsm_card_kind *schsm_card_kind_of_fci(unsigned int type);

/* The kind that a serial number tells; "", a device without one, is a Pico HSM's: genuine cards are
 * made with their certificate. */
const struct schsm_card_kind *schsm_card_kind_of_serial(const char *serial);

/*
 * Whether a device of this serial number is meant by `wanted`: it is the same, or, of a Pico HSM,
 * the same but for the last five characters of the device's name, with which it was called once or
 * is called elsewhere.
 */
bool schsm_card_serial_fits(const char *serial, const char *wanted);

/* The smallest file_max of the table: a shorter file need not ask for the kind. */
#define SCHSM_FILE_MAX_ANYWHERE 4032

#endif
