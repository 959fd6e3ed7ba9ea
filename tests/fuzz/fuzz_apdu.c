/* SPDX-License-Identifier: Apache-2.0 */
/* The input as a response and as a command; a command that was read is built again the same. */
#include "fuzz.h"

#include <string.h>

#include "format/apdu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct schsm_apdu_response response;
    struct schsm_apdu apdu, again;

    if (schsm_apdu_parse_response(data, len, &response, NULL)) {
        REQUIRE(response.data_len + 2 == len && response.status_word <= 0xFFFF);
    }
    (void)schsm_apdu_secrecy(data, len);
    if (schsm_apdu_parse(data, len, &apdu)) {
        size_t out_len = len;
        uint8_t *out = malloc(len);

        REQUIRE(out != NULL);
        REQUIRE(apdu.data_len == 0 ||
                (apdu.data > data && apdu.data + apdu.data_len <= data + len));
        REQUIRE(schsm_apdu_build(&apdu, out, &out_len, NULL));
        REQUIRE(out_len == len && memcmp(out, data, len) == 0);
        REQUIRE(schsm_apdu_parse(out, out_len, &again) && again.le == apdu.le);
        free(out);
    }
    return 0;
}
