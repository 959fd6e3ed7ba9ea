/* SPDX-License-Identifier: Apache-2.0 */
/* The input as a device id, a public key or a membership; what was read is written again. */
#include "fuzz.h"

#include "format/cvc_container.h"
#include "format/ecdsa.h"
#include "format/roots.h"

static void write_again(const struct schsm_container *container, const uint8_t *id, size_t id_len)
{
    uint8_t out[SCHSM_CONTAINER_MAX];
    struct schsm_container again;
    size_t len = sizeof(out);

    if (container->request.whole.len > 0 &&
        schsm_container_build_membership(
            container->request.whole.data, container->request.whole.len, id, id_len,
            container->signature.data, container->signature.len, out, &len, NULL) &&
        container->signature.len > 0) {
        REQUIRE(schsm_container_parse(out, len, &again, NULL));
        REQUIRE(schsm_view_equal(again.request.whole, container->request.whole));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct schsm_container container;
    struct schsm_device_identity identity;
    struct schsm_view uid;
    uint8_t id[SCHSM_DEVICE_ID_MAX], message[1 + SCHSM_FIELD_MAX], raw[2 * SCHSM_FIELD_MAX];
    size_t id_len = sizeof(id), message_len = sizeof(message), raw_len = sizeof(raw);

    (void)schsm_ecdsa_raw(data, len, SCHSM_FIELD_MAX, raw, &raw_len, NULL);
    (void)schsm_roots_verify_device(NULL, data, len, &identity, NULL);
    if (!schsm_container_parse(data, len, &container, NULL)) {
        return 0;
    }
    REQUIRE(container.device.whole.len > 0 && container.device.whole.len <= len);
    (void)schsm_container_verify(&container, NULL);
    (void)schsm_membership_message(&container.device, message, &message_len, NULL);
    if (container.request.whole.len > 0) {
        schsm_cvc_domain_uid(&container.request.cvc, &uid);
        REQUIRE(uid.len <= SCHSM_DOMAIN_UID_MAX);
    }
    if (schsm_container_device_id(&container, id, &id_len, NULL)) {
        REQUIRE(id_len <= sizeof(id));
        write_again(&container, id, id_len);
    }
    return 0;
}
