/* SPDX-License-Identifier: Apache-2.0 */
/* Names for requests and certificates, as users write them. */
#ifndef SCHSM_TOOL_SUBJECT_H
#define SCHSM_TOOL_SUBJECT_H

#include <openssl/x509v3.h>

#include "tool.h"

/*
 * The distinguished name of --subject, as openssl's -subj has it: "/C=DE/O=Example/CN=web", with \
 * before a / or + that belongs to a value, and + between what is one part; "/" is an empty one. The
 * caller's to free; NULL with ARGUMENT.
 */
X509_NAME *schsm_subject_parse(const char *text, struct schsm_error *err);

/* All of --san as names; *names is the caller's to free, and NULL where there are none. Each is
 * DNS:NAME, IP:ADDRESS, email:ADDRESS or URI:URI. Fails with ARGUMENT. */
int schsm_subject_names(const struct schsm_tool *tool, GENERAL_NAMES **names,
                        struct schsm_error *err);

#endif
