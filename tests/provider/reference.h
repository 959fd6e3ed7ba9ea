/* SPDX-License-Identifier: Apache-2.0 */
/* Key reference files, written by the tests themselves. */
#ifndef SCHSM_TESTS_REFERENCE_H
#define SCHSM_TESTS_REFERENCE_H

#include "module.h"

/*
 * SEQUENCE { UTF8String "sc-hsm key v1", UTF8String uri, [0] SubjectPublicKeyInfo }, written from
 * its end to its beginning; *reference is where it begins in the buffer.
 */
size_t make_reference(EVP_PKEY *key, unsigned char buffer[1000], unsigned char **reference);

#endif
