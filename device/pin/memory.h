/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process and its children know of PINs without keeping them: fingerprints, made with a key
 * that exists only in their memory. A PIN that a device refused is remembered for the life of all
 * of them, whichever sent it: so a server that tries a wrong password for each of its keys, that
 * has many workers, or respawns them, spends one try and not all.
 */
#ifndef SCHSM_PIN_MEMORY_H
#define SCHSM_PIN_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/secret.h"

#define SCHSM_PIN_FINGERPRINT 32

/* To be called before the fork whose children are to share what is known: what they learn is in
 * memory that all of them have. Without it each process knows what it saw and inherited. */
void schsm_pin_memory_share(void);

/* HMAC-SHA-256 of device and PIN under the process's key. Fails with CRYPTO. Uses a library
 * context of its own: the program's may be in the middle of loading us. */
int schsm_pin_fingerprint(const char *device, const struct schsm_secret *pin,
                          uint8_t fingerprint[SCHSM_PIN_FINGERPRINT], struct schsm_error *err);

/* True as soon as any PIN of any device was refused: before, there is no need to ask. */
bool schsm_pin_memory_in_use(void);

/* Remembers a refused PIN and the tries that were left then, SCHSM_TRIES_... (refusal.h) among
 * them. */
void schsm_pin_memory_add(const uint8_t fingerprint[SCHSM_PIN_FINGERPRINT], int tries_left);

/* Whether that PIN was refused before; *tries_left becomes what was left then. */
bool schsm_pin_memory_knows(const uint8_t fingerprint[SCHSM_PIN_FINGERPRINT], int *tries_left);

/* This PIN is the device's right one now. */
void schsm_pin_memory_forget(const uint8_t fingerprint[SCHSM_PIN_FINGERPRINT]);

#endif
