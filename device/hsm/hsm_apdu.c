/* SPDX-License-Identifier: Apache-2.0 */
#include "hsm_apdu.h"

#include <string.h>

#include <openssl/crypto.h>

#include "hsm_private.h"

#define ANY (-1)

/* What is known not to change anything, and to spend neither a try of a PIN nor a use of a key.
 * data: 0 without, 1 with, ANY; p1 likewise. */
static const struct harmless {
    uint8_t ins;
    int p1, data;
} harmless[] = {
    { SCHSM_INS_SELECT, ANY, ANY },
    { SCHSM_INS_VERIFY, ANY, 0 },
    { SCHSM_INS_READ_BINARY, ANY, ANY },
    { SCHSM_INS_ENUMERATE_OBJECTS, ANY, ANY },
    { SCHSM_INS_GET_CHALLENGE, ANY, ANY },
    { SCHSM_INS_GET_RESPONSE, ANY, ANY },
    { SCHSM_INS_INITIALIZE_DEVICE, ANY, 0 },
    { SCHSM_INS_KEY_DOMAIN, 0, 0 },
    { SCHSM_INS_MANAGE_PUBLIC_KEY_AUTHENTICATION, ANY, 0 },
    { SCHSM_INS_MANAGE_SECURITY_ENVIRONMENT, ANY, ANY },
    { SCHSM_INS_PERFORM_SECURITY_OPERATION, ANY, ANY },
    { SCHSM_INS_EXTERNAL_AUTHENTICATE, ANY, ANY },
    { SCHSM_INS_GENERAL_AUTHENTICATE, ANY, ANY },
};

static bool is_harmless(const struct schsm_apdu *apdu)
{
    for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
        if (harmless[i].ins == apdu->ins && (harmless[i].p1 == ANY || harmless[i].p1 == apdu->p1) &&
            (harmless[i].data == ANY || harmless[i].data == (apdu->data_len > 0))) {
            return true;
        }
    }
    return false;
}

int schsm_hsm_apdu_traits(const uint8_t *command, size_t len, struct schsm_hsm_apdu_traits *traits,
                          struct schsm_error *err)
{
    struct schsm_apdu apdu;

    if (!schsm_apdu_parse(command, len, &apdu)) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "%zu %s no command APDU: CLA INS P1 P2, then Lc and data if there are "
                          "any, then Le if an answer is wanted",
                          len, len == 1 ? "byte is" : "bytes are");
    }
    traits->name = schsm_apdu_name(apdu.ins);
    traits->changes = !is_harmless(&apdu);
    traits->carries_share = schsm_apdu_content(&apdu) == SCHSM_APDU_SHARE;
    traits->carries_secret = traits->carries_share || schsm_apdu_content(&apdu) == SCHSM_APDU_PIN;
    return 1;
}

struct transmission {
    struct schsm_hsm_exchange *exchanges;
    size_t count;
};

static int transmit_one(struct schsm_session *session, struct schsm_hsm_exchange *exchange,
                        struct schsm_error *err)
{
    uint8_t *response = NULL;
    size_t len = SCHSM_RESPONSE_MAX;
    struct schsm_apdu apdu;
    int ok = 0;

    if (!schsm_apdu_parse(exchange->command, exchange->command_len, &apdu)) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "this is no command APDU");
    }
    response = OPENSSL_malloc(len);
    if (response == NULL) {
        return schsm_fail_memory(err);
    }
    if (!schsm_card_exchange(&session->card, &apdu, response, &len, err)) {
        goto done;
    }
    exchange->status_word = session->card.status_word;
    exchange->meaning = schsm_status_word_text(apdu.ins, exchange->status_word);
    if (len > 0) {
        exchange->response = response;
        exchange->response_len = len;
        response = NULL;
    }
    ok = 1;

done:
    OPENSSL_clear_free(response, SCHSM_RESPONSE_MAX);
    return ok;
}

static int transmit_all(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    const struct transmission *transmission = arg;
    int ok = 1;

    if (!schsm_session_confirm_applet(session, err)) {
        return 0;
    }
    for (size_t i = 0; ok && i < transmission->count; i++) {
        ok = transmit_one(session, &transmission->exchanges[i], err);
    }
    if (!ok) {
        /* What was sent may have had its effect: nothing is sent twice. */
        schsm_fail_context(err, "device %s", schsm_session_name(session));
        session->job.refused = true;
    }
    /* PINs, applets, options: anything may have changed. */
    schsm_session_pin_changed(session, NULL);
    session->connection.selected = session->process.fci_known = false;
    return ok;
}

int schsm_hsm_transmit(struct schsm_device *dev, struct schsm_hsm_exchange *exchanges, size_t count,
                       const struct schsm_login *login, struct schsm_error *err)
{
    struct transmission transmission = { exchanges, count };
    const struct schsm_job job = {
        .run = transmit_all, .arg = &transmission, .login = login, .transaction = true
    };

    for (size_t i = 0; i < count; i++) {
        exchanges[i].response = NULL;
        exchanges[i].response_len = 0;
        exchanges[i].status_word = 0;
        exchanges[i].meaning = "not sent";
    }
    return schsm_card_run(dev, "commands that can be sent one by one", &job, err);
}

void schsm_hsm_exchanges_clear(struct schsm_hsm_exchange *exchanges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        OPENSSL_clear_free(exchanges[i].response, exchanges[i].response_len);
        exchanges[i].response = NULL;
        exchanges[i].response_len = 0;
    }
}
