/* SPDX-License-Identifier: Apache-2.0 */
/* What the unit tests share: bytes, files from real devices, and hostile variants of an input. */
#ifndef SCHSM_TEST_SUPPORT_H
#define SCHSM_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct bytes {
    uint8_t *data;
    size_t len;
};

/* A heap block of exactly the size, so that a sanitizer sees the first byte read beyond. */
struct bytes copy_bytes(const uint8_t *data, size_t len);
struct bytes from_hex(const char *hex);
void free_bytes(struct bytes *bytes);

void assert_bytes_equal(const uint8_t *actual, size_t actual_len, const uint8_t *expected,
                        size_t expected_len);
void assert_bytes_are_hex(const uint8_t *actual, size_t actual_len, const char *hex);

/* Whether the files from real devices are there: SC_HSM_VECTORS, or shared/vectors beside the
 * source tree. Says so on standard error if not. */
bool vectors_present(void);

/* Reads one of them; skips the test if they are not there, fails it if only this one is missing. */
struct bytes read_vector(const char *name);

/* The bytes that the protocol reference beside them prints in hexadecimal lines under this heading
 * ("### 23.9"); skips and fails likewise. */
struct bytes read_reference_vector(const char *heading);

/* Each shorter length of the input must be refused (return 0). */
void assert_truncations_fail(const struct bytes *input, int (*parse)(const uint8_t *, size_t));

/* Each single bit turned; whatever the parser says, it must come back. */
void survive_bit_flips(const struct bytes *input, int (*parse)(const uint8_t *, size_t));

/* The exit status of a test program that needs vectors: 77, ctest's "skipped", without them. */
int vectors_status(int failed);

#endif
