/* SPDX-License-Identifier: Apache-2.0 */
/* Private keys as OpenSSH writes them: a key comes out whole, or a sentence. */
#include "fuzz.h"

#include "format/openssh_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    EVP_PKEY *key = schsm_openssh_key_read(NULL, data, len, &err);

    REQUIRE(key == NULL || schsm_openssh_key_is(data, len));
    REQUIRE((key != NULL) == (err.reason == SCHSM_REASON_NONE));
    EVP_PKEY_free(key);
    return 0;
}
