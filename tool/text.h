/* SPDX-License-Identifier: Apache-2.0 */
/* Text from a device on its way to a terminal or into JSON. */
#ifndef SCHSM_TOOL_TEXT_H
#define SCHSM_TOOL_TEXT_H

#include <stddef.h>

/*
 * Copies of a text that may hold anything; OPENSSL_malloc'ed for the caller, NULL when memory runs
 * out. printable: every byte that is not UTF-8, and every character that could steer a terminal or
 * reorder what it shows, becomes U+FFFD. valid: only what is not UTF-8 does.
 */
char *schsm_text_printable(const char *text);
char *schsm_text_valid(const char *text);

#endif
