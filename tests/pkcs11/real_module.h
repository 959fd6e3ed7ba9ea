/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_REAL_MODULE_H
#define TEST_REAL_MODULE_H

#include "pkcs11/cryptoki.h"

/* The functions of the PKCS#11 module in SC_HSM_REAL_MODULE, for a module that stands before it;
 * they stay as long as the process. NULL where there is none. */
struct ck_function_list *real_module(void);

#endif
