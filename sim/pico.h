/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Pico HSM, firmware v6.6 (protocol section 19): the commands that it does otherwise than a
 * SmartCard-HSM, and what they have in common. What it does by a fault of its firmware, this card
 * does as well, down to the end of the firmware (sim_card_die()).
 */
#ifndef SIM_PICO_H
#define SIM_PICO_H

#include "commands.h"
#include "cvc.h"
#include "keys.h"

enum {
    SIM_PICO_DOMAINS = 16,
    SIM_PICO_PKA_KEYS = 8,
    SIM_PICO_MAX_FILE = 4032,
    SIM_PREFIX_DESCRIPTION = 0xC4,
    /* status words that the page has other reasons for */
    SIM_PICO_FAILED = 0x6400,
    SIM_PICO_INVALID = 0x6984,
    SIM_PICO_NOT_ALLOWED = 0x6986,
};

sim_handler sim_pico_change_reference_data;
sim_handler sim_pico_decipher;
sim_handler sim_pico_delete_file;
sim_handler sim_pico_derive_key;
sim_handler sim_pico_enumerate_objects;
sim_handler sim_pico_extras; /* 64, section 19.3 */
sim_handler sim_pico_general_authenticate;
sim_handler sim_pico_generate_key_pair;
sim_handler sim_pico_generate_symmetric_key;
sim_handler sim_pico_initialize_device;
sim_handler sim_pico_key_domain;
sim_handler sim_pico_manage_public_key_authentication;
sim_handler sim_pico_manage_security_environment;
sim_handler sim_pico_read_binary;
sim_handler sim_pico_reset_retry_counter;
sim_handler sim_pico_select;
sim_handler sim_pico_sign;
sim_handler sim_pico_symmetric_cipher;
sim_handler sim_pico_unwrap_key;
sim_handler sim_pico_update_binary;
sim_handler sim_pico_verify;
sim_handler sim_pico_wrap_key;

/*
 * Make an empty `state` a new Pico: nothing but a name and an empty EF 2F02, for its keys are made
 * by INITIALIZE DEVICE. `serial` is not used: until a Pico is provisioned all have one name.
 */
bool sim_pico_personalise(struct sim_state *state, const char *serial);

/*
 * The same after the maker's online step: a device key of its own, certified by the issuer of all
 * virtual cards, and a name that ends in the last five characters of `serial`.
 */
bool sim_pico_personalise_provisioned(struct sim_state *state, const char *serial);

/* The key CC<id>, where 00 is the device key; NULL when there is none. */
struct sim_key *sim_pico_find_key(struct sim_state *state, uint8_t id);

/*
 * The key for an operation. Status word: 9000; 6A82 no such key; 6A84 its counter began at zero;
 * 6985 the algorithm is not in its list.
 */
uint16_t sim_pico_begin(struct sim_card *card, uint8_t id, uint8_t algorithm, struct sim_key **key);

/*
 * Put a key on the card, whatever stood there, with the description that the device writes and,
 * where `request` is not NULL, the request. Takes over the key's content. Status word.
 */
uint16_t sim_pico_store_key(struct sim_card *card, struct sim_key *key,
                            const struct sim_buf *request);

/*
 * Append the request for a key, signed by the key itself and by the device. `names` gives inner
 * CAR, CHR and extensions; names that are empty are the device's. False when libcrypto fails.
 */
bool sim_pico_put_request(struct sim_buf *out, const struct sim_state *state,
                          const struct sim_key *key, struct sim_cvc_request names);

/* Write C400, the description of the device key; false without memory. */
bool sim_pico_describe_device(struct sim_state *state);

/*
 * Make a key what it becomes when it is stored: of RSA keys it keeps the primes and computes with
 * 65537 from then on, whatever exponent was asked for. False when libcrypto fails.
 */
bool sim_pico_settle_key(struct sim_key *key);

/* The curve of this firmware whose prime this is; NULL when there is none. */
const struct sim_curve *sim_pico_curve_by_prime(struct sim_slice prime);

/* Append the content of a public key template 7F49 as this firmware writes it. */
bool sim_pico_put_public_key(struct sim_buf *out, const struct sim_key *key);

/* The object with this tag in a series of objects, at its first place; false when there is none. */
bool sim_pico_find_object(struct sim_slice in, uint32_t tag, struct sim_slice *value);

/* A file that is built into the firmware (EF.DIR, EF.ATR, TokenInfo); false when it is none. */
bool sim_pico_built_in(uint16_t fid, struct sim_buf *content);

#endif
