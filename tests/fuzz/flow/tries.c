/* SPDX-License-Identifier: Apache-2.0 */
#include "tries.h"

#include <string.h>

#include "fuzz.h"

enum { USER_PIN = 0x81, SO_PIN = 0x88 };

void flow_tries_start(struct flow_tries *tries)
{
    memset(tries, 0, sizeof(*tries));
    tries->left = tries->so_left = -1;
}

void flow_tries_next_command(struct flow_tries *tries)
{
    tries->so_refused = tries->so_lost = false;
    for (size_t i = 0; i < tries->count; i++) {
        tries->pins[i].now = false;
    }
}

/* 63Cx, blocked; -1: it tells no number. */
static int number_left(int status_word)
{
    if ((status_word & 0xFFF0) == 0x63C0) {
        return status_word & 0x000F;
    }
    return status_word == 0x6983 ? 0 : -1;
}

static bool is_question(const struct schsm_apdu *apdu)
{
    return apdu->ins == SCHSM_INS_VERIFY && apdu->data_len == 0;
}

static bool carries_so_pin(const struct schsm_apdu *apdu)
{
    return apdu->data_len > 0 &&
           (apdu->ins == SCHSM_INS_INITIALIZE_DEVICE ||
            apdu->ins == SCHSM_INS_RESET_RETRY_COUNTER ||
            (apdu->ins == SCHSM_INS_CHANGE_REFERENCE_DATA && apdu->p2 == SO_PIN));
}

/* The PIN in this command; NULL: none. */
static struct flow_pin *find_pin(struct flow_tries *tries, const struct schsm_apdu *apdu,
                                 size_t old_len)
{
    bool changes = apdu->ins == SCHSM_INS_CHANGE_REFERENCE_DATA;
    size_t len = changes && old_len < apdu->data_len ? old_len : apdu->data_len;
    struct flow_pin *pin;

    if (apdu->p2 != USER_PIN || (apdu->ins != SCHSM_INS_VERIFY && !changes) || len == 0 ||
        len > sizeof(pin->value)) {
        return NULL;
    }
    for (size_t i = 0; i < tries->count; i++) {
        pin = &tries->pins[i];
        if (pin->len == len && memcmp(pin->value, apdu->data, len) == 0) {
            return pin;
        }
    }
    REQUIRE(tries->count < FLOW_PINS_MAX);
    pin = &tries->pins[tries->count++];
    memcpy(pin->value, apdu->data, len);
    pin->len = len;
    return pin;
}

static void check_user_pin(const struct flow_tries *tries, struct flow_pin *pin)
{
    if (tries->transport && !pin->now) {
        pin->refused = pin->lost = false;
    }
    if (pin->refused) {
        REQUIRE(pin->asked && tries->left > pin->tries);
        pin->refused = false; /* what the card says now counts */
    }
    if (pin->lost) {
        REQUIRE(pin->asked && (tries->left < 0 || tries->left >= pin->tries));
    }
}

void flow_tries_command(struct flow_tries *tries, const struct schsm_apdu *apdu, size_t old_len)
{
    struct flow_pin *pin;

    if ((apdu->cla & SCHSM_CLA_SECURE) != 0) {
        return;
    }
    if (carries_so_pin(apdu)) {
        REQUIRE(!tries->so_refused);
        REQUIRE(!tries->so_lost ||
                (tries->so_asked && (tries->so_left < 0 || tries->so_left >= tries->so_tries)));
    }
    pin = find_pin(tries, apdu, old_len);
    if (pin != NULL) {
        check_user_pin(tries, pin);
    }
}

static void note_state(struct flow_tries *tries, uint8_t reference, int status_word)
{
    if (reference == SO_PIN) {
        tries->so_left = number_left(status_word);
        tries->so_asked = true;
    } else if (reference == USER_PIN) {
        tries->left = number_left(status_word);
        tries->transport = status_word == 0x6984;
        for (size_t i = 0; i < tries->count; i++) {
            tries->pins[i].asked = true;
        }
    }
}

static void note_user_pin(struct flow_tries *tries, struct flow_pin *pin, int status_word)
{
    if (status_word == 0) {
        pin->lost = pin->now = true;
        pin->asked = false;
        pin->tries = tries->left;
    } else if (status_word == 0x9000) {
        pin->refused = pin->lost = false;
    } else if (number_left(status_word) > 0) { /* of what is blocked nothing can be spent */
        pin->refused = pin->now = true;
        pin->asked = false;
        pin->tries = number_left(status_word);
    }
}

static void note_so_pin(struct flow_tries *tries, int status_word)
{
    if (status_word == 0) {
        tries->so_lost = true;
        tries->so_asked = false;
        tries->so_tries = tries->so_left;
    } else if (number_left(status_word) > 0) {
        tries->so_refused = true;
    }
}

void flow_tries_answer(struct flow_tries *tries, const struct schsm_apdu *apdu, size_t old_len,
                       int status_word)
{
    struct flow_pin *pin;

    if ((apdu->cla & SCHSM_CLA_SECURE) != 0 || status_word < 0) {
        return;
    }
    if (is_question(apdu)) {
        if (status_word != 0) {
            note_state(tries, apdu->p2, status_word);
        }
        return;
    }
    if (carries_so_pin(apdu)) {
        note_so_pin(tries, status_word);
    }
    pin = find_pin(tries, apdu, old_len);
    if (pin != NULL) {
        note_user_pin(tries, pin, status_word);
    }
}
