/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of what a key may be used for: the ids of a device's list of algorithms (protocol
 * reference section 8.1), one table for reading, printing and the documentation.
 */
#ifndef SCHSM_KEYMGMT_ALGORITHM_H
#define SCHSM_KEYMGMT_ALGORITHM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/device.h"
#include "base/error.h"

/*
 * Parses a list such as "ecdsa,ecdh" or "20:21:30", names and ids in hex mixed as one likes, with
 * `,` or `:` between them or, for ids, nothing. *len becomes the number of ids, 1 to
 * SCHSM_ALGORITHMS_MAX. type: of the key, whose algorithms alone may have their names here; NONE:
 * any. Fails with ARGUMENT.
 */
int schsm_algorithms_parse(const char *text, enum schsm_key_type type,
                           uint8_t ids[SCHSM_ALGORITHMS_MAX], size_t *len, struct schsm_error *err);

/* The names of the table; NULL beyond its end. */
const char *schsm_algorithm_at(size_t index);

#define SCHSM_ALGORITHM_NAME_MAX 24

/* The name of an id, or the id in hex where it has none; name is NUL terminated. */
void schsm_algorithm_name(uint8_t id, char name[SCHSM_ALGORITHM_NAME_MAX]);

/* Whether a list says no more than that everything is allowed: an empty one, or for an AES key,
 * which always has one, all that genuine devices know. */
bool schsm_algorithms_are_all(enum schsm_key_type type, const uint8_t *ids, size_t len);

/* What a user wants for a key, "rsa:2048", "ec:P-256" or "aes:256", into spec. Fails with ARGUMENT
 * and what there is. */
int schsm_key_type_parse(const char *text, struct schsm_generate *spec, struct schsm_error *err);

#endif
