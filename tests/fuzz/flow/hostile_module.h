/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_HOSTILE_MODULE_H
#define FLOW_HOSTILE_MODULE_H

#include "pkcs11/cryptoki.h"

/* To be called before the module is used. */
__attribute__((visibility("default"))) void hostile_module_be(struct ck_function_list *list);

__attribute__((visibility("default"))) ck_rv C_GetFunctionList(struct ck_function_list **list);

#endif
