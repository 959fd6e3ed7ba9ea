/* SPDX-License-Identifier: Apache-2.0 */
/* The input as a file CExx; a key that comes out of a request or CV certificate must be one. */
#include "fuzz.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "format/public_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    uint8_t *spki = NULL;
    const uint8_t *at;
    size_t spki_len = 0;
    EVP_PKEY *key;

    if (!schsm_public_key_from_ce(data, len, &spki, &spki_len, &err)) {
        REQUIRE(spki == NULL && err.reason != SCHSM_REASON_NONE && err.text[0] != '\0');
        return 0;
    }
    at = spki;
    key = d2i_PUBKEY(NULL, &at, (long)spki_len);
    REQUIRE(key != NULL || data[0] == 0x30); /* X.509 is handed on as it is */
    EVP_PKEY_free(key);
    OPENSSL_free(spki);
    return 0;
}
