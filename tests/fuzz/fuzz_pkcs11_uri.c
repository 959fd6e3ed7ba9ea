/* SPDX-License-Identifier: Apache-2.0 */
/* Parses a pkcs11: URI; what it becomes is a URI of ours, within its bounds. */
#include "fuzz.h"

#include <string.h>

#include "keymgmt/pkcs11_uri.h"
#include "registry/shown_label.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char *text = malloc(len + 1);
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_uri uri;

    REQUIRE(text != NULL);
    memcpy(text, data, len);
    text[len] = '\0';
    if (schsm_pkcs11_uri_parse(&uri, text, &err)) {
        REQUIRE(uri.key_ref == -1 && uri.handle == 0 && uri.token == NULL);
        REQUIRE(uri.id_len <= SCHSM_ID_MAX && uri.has_id == (uri.id_len > 0));
        REQUIRE(uri.label == NULL || uri.label[0] != '\0');
        REQUIRE(uri.serial == NULL || uri.serial[0] != '\0');
        REQUIRE((uri.types & (uri.types - 1)) == 0 && uri.types <= SCHSM_OBJECT_SECRET);
        if (uri.shown != NULL) {
            REQUIRE(schsm_shown_label_fits(uri.shown, uri.shown));
            (void)schsm_shown_label_fits(uri.shown, uri.label != NULL ? uri.label : "");
        }
    } else {
        REQUIRE(err.reason == SCHSM_REASON_URI && err.text[0] != '\0');
    }
    schsm_uri_clear(&uri);
    free(text);
    return 0;
}
