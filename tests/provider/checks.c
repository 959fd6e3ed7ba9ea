/* SPDX-License-Identifier: Apache-2.0 */
#include "checks.h"

#include <string.h>

#include "stand_in.h"

struct keys make_keys(OSSL_LIB_CTX *libctx, EVP_PKEY *key)
{
    struct keys keys = { key, NULL, NULL };

    assert_non_null(key);
    keys.software = stand_in_key(libctx, key, false);
    keys.device = stand_in_key(libctx, key, true);
    assert_non_null(keys.software);
    assert_non_null(keys.device);
    ERR_clear_error();
    return keys;
}

void free_keys(struct keys *keys)
{
    EVP_PKEY_free(keys->theirs);
    EVP_PKEY_free(keys->software);
    EVP_PKEY_free(keys->device);
}

void assert_error_says(const char *text)
{
    const char *data = "";
    int flags, said = 0;

    while (ERR_get_error_all(NULL, NULL, NULL, &data, &flags) != 0) {
        said |= (flags & ERR_TXT_STRING) != 0 && strstr(data, text) != NULL;
    }
    assert_true(said);
}
