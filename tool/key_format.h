/* SPDX-License-Identifier: Apache-2.0 */
/* The forms in which a public key, and the file that stands for its private key, are written. */
#ifndef SCHSM_TOOL_KEY_FORMAT_H
#define SCHSM_TOOL_KEY_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "keymgmt/find.h"
#include "tool.h"

/* Whether there is a format of that name: 1, or 0 with ARGUMENT. */
int schsm_key_format_check(const char *format, struct schsm_error *err);

/*
 * Writes the object's public key, which it holds as its value, in the format of that name: "pem"
 * and "der" (RFC 5280 SubjectPublicKeyInfo), "ssh" (RFC 4253, RFC 5656; one line, with the label as
 * comment), "jwk" (RFC 7517, 7518, 8812), "reference" (the key reference file). *text is
 * OPENSSL_malloc'ed for the caller. Fails with ARGUMENT for an unknown format, UNSUPPORTED for a
 * curve that the format has no name for.
 */
int schsm_key_format(struct schsm_tool *tool, const struct schsm_match *match, const char *format,
                     uint8_t **text, size_t *len, struct schsm_error *err);

#endif
