/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands about key domains share. */
#ifndef SCHSM_TOOL_DOMAIN_H
#define SCHSM_TOOL_DOMAIN_H

#include <jansson.h>

#include "keymgmt/key_domain.h"
#include "tool.h"

/* A key domain's number from the command line, 0 to 255. Fails with ARGUMENT. */
int schsm_domain_parse(const char *text, unsigned int *number, struct schsm_error *err);

/* What stands for a key check value that the device does not tell yet. */
#define SCHSM_TOLD_AFTER_LOGIN "told after a login"

/* Whether the domain has its key for certain; its check value may be sealed. */
bool schsm_domain_has_key(const struct schsm_hsm_domain *domain);

/* The state in words, such as "2 of 3 key shares outstanding"; static text or in the buffer. */
const char *schsm_domain_state(const struct schsm_hsm_domain *domain, char *text, size_t size);

/* A key domain for programs; NULL where memory runs out. */
json_t *schsm_domain_json(const struct schsm_hsm_domain *domain);

/* One line, or with --json a document, about a domain's state after something was done to it. */
int schsm_domain_report(const struct schsm_tool *tool, const char *done,
                        const struct schsm_hsm_domain *domain, struct schsm_error *err);

#endif
