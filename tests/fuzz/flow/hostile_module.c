/* SPDX-License-Identifier: Apache-2.0 */
/* A PKCS#11 module whose functions are the program's that loads it. */
#include "hostile_module.h"

#include <stddef.h>

static struct ck_function_list *functions;

void hostile_module_be(struct ck_function_list *list)
{
    functions = list;
}

ck_rv C_GetFunctionList(struct ck_function_list **list)
{
    *list = functions;
    return functions != NULL ? CKR_OK : CKR_GENERAL_ERROR;
}
