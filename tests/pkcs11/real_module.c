/* SPDX-License-Identifier: Apache-2.0 */
#include "real_module.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

struct ck_function_list *real_module(void)
{
    const char *path = getenv("SC_HSM_REAL_MODULE"); /* NOLINT(concurrency-mt-unsafe) */
    void *library = path != NULL ? dlopen(path, RTLD_NOW) : NULL;
    void *symbol = library != NULL ? dlsym(library, "C_GetFunctionList") : NULL;
    struct ck_function_list *found = NULL;
    ck_get_function_list *get = NULL;

    memcpy(&get, &symbol, sizeof(get));
    return symbol != NULL && get(&found) == CKR_OK ? found : NULL;
}
