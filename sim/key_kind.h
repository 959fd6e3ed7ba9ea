/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of keys, with the numbers that they have in the state file. */
#ifndef SIM_KEY_KIND_H
#define SIM_KEY_KIND_H

enum sim_key_kind {
    SIM_KEY_NONE = 0,
    SIM_KEY_RSA = 1,
    SIM_KEY_EC = 2,
    SIM_KEY_AES = 3,
    SIM_KEY_MONTGOMERY = 4, /* X25519, X448: on a Pico HSM only, as the next */
    SIM_KEY_EDWARDS = 5,    /* Ed25519, Ed448 */
};

#endif
