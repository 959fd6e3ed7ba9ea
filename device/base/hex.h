/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as hexadecimal digits. */
#ifndef SCHSM_BASE_HEX_H
#define SCHSM_BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The value of a digit of either case; -1: it is none. */
int schsm_hex_digit(char c);

/* Reads `len` bytes from 2 * len digits; false, and bytes undefined, where one is none. */
bool schsm_hex_parse(const char *digits, uint8_t *bytes, size_t len);

/* Bytes as lower case digits; out has room for 2 * len + 1 characters. */
void schsm_hex(const uint8_t *bytes, size_t len, char *out);

#endif
