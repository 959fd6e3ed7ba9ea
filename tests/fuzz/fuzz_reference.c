/* SPDX-License-Identifier: Apache-2.0 */
/* Decodes a key reference; what was decoded is encoded again and must decode the same. */
#include "fuzz.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "keymgmt/reference.h"

static void encode_and_decode(const struct schsm_reference *reference)
{
    struct schsm_reference again;
    uint8_t *der = NULL;
    size_t len = 0;

    REQUIRE(schsm_reference_encode(reference->uri, reference->spki, reference->spki_len, &der, &len,
                                   NULL));
    REQUIRE(schsm_reference_decode(der, len, &again, NULL) == SCHSM_REFERENCE_OK);
    REQUIRE(strcmp(again.uri, reference->uri) == 0);
    REQUIRE((again.spki == NULL) == (reference->spki == NULL));
    REQUIRE(again.spki_len == reference->spki_len &&
            (again.spki == NULL || memcmp(again.spki, reference->spki, again.spki_len) == 0));
    schsm_reference_clear(&again);
    OPENSSL_free(der);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_reference reference;

    switch (schsm_reference_decode(data, len, &reference, &err)) {
    case SCHSM_REFERENCE_OK:
        encode_and_decode(&reference);
        break;
    case SCHSM_REFERENCE_MALFORMED:
        REQUIRE(err.reason == SCHSM_REASON_REFERENCE_FILE && reference.uri == NULL);
        break;
    case SCHSM_REFERENCE_NONE:
        REQUIRE(err.reason == SCHSM_REASON_NONE && reference.uri == NULL);
        break;
    }
    REQUIRE(ERR_peek_error() == 0);
    schsm_reference_clear(&reference);
    return 0;
}
