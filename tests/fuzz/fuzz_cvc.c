/* SPDX-License-Identifier: Apache-2.0 */
/* The input as file 2F02 and as an authenticated request, up to public key and signatures. */
#include "fuzz.h"

#include <openssl/crypto.h>

#include "format/cvc.h"

static void use_certificate(const struct schsm_cvc *cvc)
{
    const struct schsm_curve *curve = schsm_curve_by_name("brainpoolP256r1"), *own;
    char name[SCHSM_CVC_NAME_MAX + 1];
    uint8_t *spki = NULL;
    size_t spki_len;

    (void)schsm_cvc_holder(cvc, name, sizeof(name), NULL);
    if (cvc->key.type == SCHSM_KEY_EC) {
        (void)schsm_cvc_curve(&cvc->key, curve, &own, NULL);
    }
    if (schsm_cvc_public_key(&cvc->key, curve, &spki, &spki_len, NULL)) {
        REQUIRE(spki != NULL && spki_len > 0);
        OPENSSL_free(spki);
    }
    (void)schsm_cvc_verify(&cvc->key, curve, cvc->body.data, cvc->body.len, cvc->signature.data,
                           cvc->signature.len, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_cvc_request request;
    struct schsm_cvc cvc, device;
    const struct schsm_curve *curve;
    char serial[SCHSM_SERIAL_MAX + 1];

    (void)schsm_cvc_serial(data, len, serial, sizeof(serial), &err);
    if (schsm_cvc_parse(data, len, &cvc, &err)) {
        REQUIRE(cvc.whole.len <= len && cvc.body.len < cvc.whole.len);
        use_certificate(&cvc);
        (void)schsm_cvc_verify_device(&cvc, data, len, &device, &curve, &err);
    }
    if (schsm_cvc_parse_request(data, len, &request, &err)) {
        REQUIRE(request.outer_signed.len < request.whole.len);
        use_certificate(&request.cvc);
        (void)schsm_cvc_verify_request(&request, &request.cvc, NULL, &err);
    }
    return 0;
}
