/* SPDX-License-Identifier: Apache-2.0 */
/* Files that other tools wrote: a wrapped key's container, which built again must read the same,
 * and a DKEK share. */
#include "fuzz.h"

#include <openssl/crypto.h>

#include "keymgmt/dkek_share.h"
#include "keymgmt/key_container.h"
#include "format/wrapped_key.h"

static void build_and_parse(const struct schsm_key_container *container)
{
    struct schsm_key_container again;
    uint8_t *file = NULL;
    size_t len = 0;

    REQUIRE(schsm_key_container_build(container, &file, &len, NULL));
    REQUIRE(schsm_key_container_parse(file, len, &again, NULL));
    REQUIRE(schsm_view_equal(again.blob, container->blob));
    REQUIRE(schsm_view_equal(again.description, container->description));
    REQUIRE(schsm_view_equal(again.certificate, container->certificate));
    OPENSSL_free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_key_container container;
    struct schsm_wrapped_key wrapped;
    uint8_t share[SCHSM_SHARE_FILE_LEN];

    if (schsm_key_container_parse(data, len, &container, &err)) {
        (void)schsm_wrapped_key_parse(container.blob.data, container.blob.len, &wrapped, NULL);
        build_and_parse(&container);
    } else {
        REQUIRE(err.reason == SCHSM_REASON_FILE && container.blob.len == 0);
    }
    if (schsm_dkek_share_check(data, len, &err)) {
        REQUIRE(len == SCHSM_SHARE_FILE_LEN);
    } else {
        REQUIRE(err.reason == SCHSM_REASON_FILE);
    }
    if (schsm_dkek_share_extract(data, len, share, &err)) {
        REQUIRE(schsm_dkek_share_check(share, sizeof(share), &err));
    }
    return 0;
}
