/* SPDX-License-Identifier: Apache-2.0 */
/* What programs share that load a key and may be asked for its PIN. */
#ifndef SC_HSM_TESTS_ASKED_H
#define SC_HSM_TESTS_ASKED_H

#include <openssl/evp.h>

extern int asked; /* how often */

/* A pem_password_cb that gives the PIN it has for its argument. */
int give_pin(char *buffer, int size, int writing, void *pin);

/* Whether the key signs. */
int key_signs(EVP_PKEY *key);

#endif
