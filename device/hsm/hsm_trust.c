/* SPDX-License-Identifier: Apache-2.0 */
#include "hsm_trust.h"

#include "base/log.h"

static struct schsm_view content(struct schsm_view whole)
{
    struct schsm_tlv tlv;

    if (!schsm_tlv_first(whole.data, whole.len, &tlv)) {
        return (struct schsm_view){ NULL, 0 };
    }
    return tlv.value;
}

struct schsm_view schsm_request_content(const struct schsm_cvc_request *request)
{
    return content(request->whole);
}

/* A certificate that the card does not know is verified with the key that issued it. */
static int show_certificate(struct schsm_session *session, const struct schsm_cvc *cvc,
                            struct schsm_error *err)
{
    struct schsm_view bytes = content(cvc->whole);
    bool known = false;

    if (!schsm_card_select_verifier(&session->card, cvc->chr.data, cvc->chr.len, &known, err)) {
        return 0;
    }
    if (known) {
        return 1;
    }
    if (!schsm_card_select_verifier(&session->card, cvc->car.data, cvc->car.len, &known, err)) {
        return 0;
    }
    if (!known) {
        return schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                          "the device does not know %.*s, who issued the certificate of %.*s: it "
                          "trusts devices of its own maker only",
                          (int)cvc->car.len, (const char *)cvc->car.data, (int)cvc->chr.len,
                          (const char *)cvc->chr.data);
    }
    schsm_log(SCHSM_LOG_DEBUG, "showing device %s the certificate of %.*s",
              schsm_session_name(session), (int)cvc->chr.len, (const char *)cvc->chr.data);
    if (!schsm_card_verify_certificate(&session->card, bytes.data, bytes.len, err)) {
        return session->card.result != SCHSM_TRANSPORT_OK
                   ? 0
                   : schsm_fail_context(err, "certificate of %.*s", (int)cvc->chr.len,
                                        (const char *)cvc->chr.data);
    }
    return 1;
}

int schsm_session_trust(struct schsm_session *session, const struct schsm_container *container,
                        struct schsm_error *err)
{
    const struct schsm_view signer = container->request.outer_car;

    if (container->issuer.whole.len > 0 && !show_certificate(session, &container->issuer, err)) {
        return 0;
    }
    return show_certificate(session, &container->device, err) &&
           schsm_card_select_verifier(&session->card, signer.data, signer.len, NULL, err);
}
