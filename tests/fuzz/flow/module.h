/* SPDX-License-Identifier: Apache-2.0 */
/* The hostile module in this process, and the world of its tokens. */
#ifndef FLOW_MODULE_H
#define FLOW_MODULE_H

#include "flow.h"
#include "pkcs11/cryptoki.h"

/* Loads the module with these functions; once. */
void flow_module_load(struct ck_function_list *functions);

/* It has these functions from here on; it is not initialised. */
void flow_module_be(struct ck_function_list *functions);

/* For struct flow_world: a registry without readers and with this module. */
struct schsm_registry *flow_module_open(void *arg, struct schsm_error *err);

/* After a run: the next one finds a module that is not initialised. */
void flow_module_forget(void);

#endif
