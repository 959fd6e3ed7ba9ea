/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of a real PKCS#11 module, whose answers are written down as token.h has them. */
#ifndef FLOW_RECORD_CALLS_H
#define FLOW_RECORD_CALLS_H

#include "pkcs11/cryptoki.h"
#include "script.h"

void record_calls_load(const char *path);

/* A token of this label and PIN, in place of the one before. The module is not initialised then. */
void record_calls_new_token(const char *label, const char *pin);

/* From here on answers are written into the script; NULL: no more. */
void record_calls_into(struct flow_script *script);

struct ck_function_list *record_calls_functions(void);

#endif
