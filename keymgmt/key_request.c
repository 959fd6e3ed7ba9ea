/* SPDX-License-Identifier: Apache-2.0 */
#include "key_request.h"

#include <stdio.h>
#include <string.h>

#include "format/cvc_request.h"
#include "format/types.h"

#define KEY_SEQUENCE "00001" /* behind the serial number, as in keys that the device makes */

int schsm_key_request(OSSL_LIB_CTX *libctx, EVP_PKEY *pair, const char *serial, uint8_t **out,
                      size_t *len, struct schsm_error *err)
{
    char chr[SCHSM_SERIAL_MAX + sizeof(KEY_SEQUENCE)];

    (void)snprintf(chr, sizeof(chr), "%s" KEY_SEQUENCE, serial);
    return schsm_cvc_build_request(
        libctx, pair,
        serial[0] != '\0' && strlen(chr) <= SCHSM_CVC_NAME_MAX ? chr : SCHSM_CVC_IMPORTED, out, len,
        err);
}
