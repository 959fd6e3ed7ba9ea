/* SPDX-License-Identifier: Apache-2.0 */
/* PINs and PIN pads: what is asked, tried, kept and remembered, and what ends a change half-way. */
#include "world.h"

#include "format/apdu.h"

static void test_pin_pad(void)
{
    start("pinpad", NULL);
    EXPECT(!sign(256));
    EXPECT(err.reason == SCHSM_REASON_PIN_SOURCE);
    world.pad = true;
    EXPECT(!sign(256)); /* cancelled */
    EXPECT(err.reason == SCHSM_REASON_CANCELLED);
    EXPECT(sign(256));
    EXPECT(world.pads == 2 && world.pins == 0);
    finish();
}

/* Without any source: the reader's PIN pad, where the login permits it. */
static void test_pin_pad_unasked(void)
{
    start(NULL, NULL);
    login.pin_pad = true;
    EXPECT(!sign(256));
    EXPECT(err.reason == SCHSM_REASON_PIN_MISSING); /* the reader has none */
    world.pad = true;
    world.pads = 1; /* nobody cancels */
    EXPECT(sign(256));
    EXPECT(world.pads == 2 && world.pins == 0);
    finish();
    start(NULL, NULL);
    world.pad = true;
    EXPECT(!sign(256));
    EXPECT(err.reason == SCHSM_REASON_PIN_MISSING && world.pads == 0);
    finish();
}

/* Before somebody is asked: one status. The login asks again, as others may have spent tries. */
static void test_prepared_login(void)
{
    struct schsm_pin_prospect state;

    start("123456", NULL);
    world.pad = true;
    EXPECT(schsm_device_prepare_login(device, &login, &state, &err));
    EXPECT(world.commands == 1 && world.pins == 0);
    EXPECT(!state.proven && state.tries_left == 3 && state.pin_pad && state.device[0] != 0);
    EXPECT(schsm_device_login(device, &login, &err));
    EXPECT(world.commands == 3 && world.pins == 1);
    EXPECT(schsm_device_prepare_login(device, &login, &state, &err));
    EXPECT(world.commands == 3 && state.proven);
    finish();
    start("123456", NULL);
    world.tries = 1;
    EXPECT(!schsm_device_prepare_login(device, &login, &state, &err));
    EXPECT(err.reason == SCHSM_REASON_PIN_TRIES_LOW && err.tries_left == 1);
    EXPECT(strstr(err.text, "so the application was not asked for the PIN:") != NULL);
    finish();
}

/* The last tries are for a person who types: each PIN that stays away from them is named. */
static void test_few_tries(void)
{
    struct schsm_pin_source *source;

    start("123456", NULL);
    world.tries = 1;
    EXPECT(!sign(256));
    EXPECT(err.reason == SCHSM_REASON_PIN_TRIES_LOW && world.pins == 0);
    EXPECT(strstr(err.text, "so the stored PIN was not tried:") != NULL);
    finish();
    start("123456", NULL);
    login.keep_pin = true;
    EXPECT(sign(256));
    EXPECT(world.pins == 1);
    source = login.source;
    login.source = NULL;
    world.tries = 1;
    world.lost = 1;
    world.loss = SCHSM_TRANSPORT_RESET;
    EXPECT(!sign(256));
    EXPECT(err.reason == SCHSM_REASON_PIN_TRIES_LOW && world.pins == 1);
    EXPECT(strstr(err.text, "so the kept PIN was not tried again:") != NULL);
    login.source = source;
    finish();
}

static void test_known_wrong(void)
{
    start("654321", NULL);
    EXPECT(!schsm_device_login(device, &login, &err));
    EXPECT(err.reason == SCHSM_REASON_PIN_INCORRECT && err.tries_left == 2);
    finish();
    /* another registry, another source, the same process and device */
    start("654321", NULL);
    world.tries = 2;
    EXPECT(!schsm_device_login(device, &login, &err));
    EXPECT(err.reason == SCHSM_REASON_PIN_KNOWN_WRONG && err.tries_left == 2 && world.pins == 0);
    finish();
    /* another device may have that PIN */
    start("654321", NULL);
    world.serial[0] = "UTCC0000009";
    world.pin = "654321";
    EXPECT(schsm_device_login(device, &login, &err));
    world.commands = 0;
    EXPECT(schsm_device_login(device, &login, &err));
    EXPECT(world.commands == 0); /* proven already */
    finish();
}

/* The session goes on with the new PIN where it kept the old one. */
static void test_changed_pin_is_kept(void)
{
    start("123456", NULL);
    login.keep_pin = true;
    EXPECT(sign(256));
    EXPECT(change_pin("123456", "87654321"));
    world.verified = false;
    EXPECT(sign(256));
    EXPECT(world.tries == 3 && world.changes == 1);
    finish();
}

/* A PIN that was refused once is a good one after it was set. */
static void test_refused_pin_is_set(void)
{
    start("24680246", NULL);
    EXPECT(!schsm_device_login(device, &login, &err) && err.reason == SCHSM_REASON_PIN_INCORRECT);
    EXPECT(!schsm_device_login(device, &login, &err) && err.reason == SCHSM_REASON_PIN_KNOWN_WRONG);
    EXPECT(change_pin("123456", "24680246"));
    world.verified = false;
    EXPECT(schsm_device_login(device, &login, &err));
    finish();
}

/* The card changed its PIN, and its answer was lost: to do it again would cost a try. */
static void test_change_breaks(void)
{
    struct schsm_secret *so_pin = secret("12345678"), *new_so_pin = secret("87654321");

    start(NULL, NULL);
    world.break_at = SCHSM_INS_CHANGE_REFERENCE_DATA;
    EXPECT(!change_pin("123456", "654321"));
    EXPECT(strstr(err.text, "UTCC0000001") != NULL && strstr(err.text, "may count now") != NULL);
    EXPECT(world.changes == 1 && world.tries == 3);
    world.break_at = SCHSM_INS_CHANGE_REFERENCE_DATA;
    EXPECT(!schsm_device_change_so_pin(device, so_pin, new_so_pin, 0, &err));
    EXPECT(strstr(err.text, "may count now") != NULL && world.changes == 2);
    /* to unblock twice does no harm */
    world.break_at = SCHSM_INS_RESET_RETRY_COUNTER;
    EXPECT(schsm_device_unblock_pin(device, so_pin, NULL, 0, &err) && world.changes == 4);
    schsm_secret_free(so_pin);
    schsm_secret_free(new_so_pin);
    finish();
}

/* The card refused the PIN, and its answer was lost: its tries tell that, and it gets no second. */
static void test_refusal_is_lost(void)
{
    start("999999", NULL);
    world.break_pin = true;
    EXPECT(!sign(256) && err.reason == SCHSM_REASON_PIN_INCORRECT && err.tries_left == 2);
    EXPECT(world.pins == 1 && world.tries == 2);
    finish();
    start("123456", NULL); /* it took the PIN */
    world.break_pin = true;
    EXPECT(sign(256) && world.pins == 2);
    finish();
}

/* Likewise where the failure ended the command: the next one does not send that PIN again, but
 * another one. */
static void test_refusal_is_lost_for_good(void)
{
    start("999998", NULL);
    world.break_pin = true;
    world.break_result = SCHSM_TRANSPORT_FAILED;
    EXPECT(!sign(256) && err.reason == SCHSM_REASON_TRANSPORT && world.pins == 1);
    EXPECT(!sign(256) && err.reason == SCHSM_REASON_PIN_INCORRECT && err.tries_left == 2);
    EXPECT(!sign(256) && err.reason == SCHSM_REASON_PIN_KNOWN_WRONG && world.pins == 1);
    EXPECT(change_pin("123456", "654321") && world.tries == 3);
    finish();
    start("123456", NULL); /* it took the PIN */
    world.break_pin = true;
    world.break_result = SCHSM_TRANSPORT_FAILED;
    EXPECT(!sign(256) && sign(256) && world.pins == 2);
    finish();
}

static void test_refusal_of_so_pin_is_lost(void)
{
    struct schsm_secret *so_pin = secret("12345678"), *pin = secret("123456");

    start(NULL, NULL);
    world.so_answers = 0x63CE;
    world.break_at = SCHSM_INS_RESET_RETRY_COUNTER;
    EXPECT(!schsm_device_unblock_pin(device, so_pin, pin, 0, &err));
    EXPECT(err.reason == SCHSM_REASON_PIN_INCORRECT && err.tries_left == 14);
    EXPECT(world.changes == 1 && world.so_tries == 14);
    world.so_answers = 0;
    world.break_at = SCHSM_INS_RESET_RETRY_COUNTER;
    EXPECT(schsm_device_unblock_pin(device, so_pin, pin, 0, &err) && world.changes == 3);
    finish();
    schsm_secret_free(so_pin);
    schsm_secret_free(pin);
}

static void test_initialise(void)
{
    start(NULL, NULL);
    world.full = 1; /* the memory has to be tidied first */
    EXPECT(initialise_device() && world.initialisations == 2);
    world.full = 2;
    EXPECT(!initialise_device() && err.reason == SCHSM_REASON_DEVICE_FULL);
    EXPECT(world.initialisations == 4);
    world.full = 0;
    world.other_applet = true; /* which must not get the SO-PIN */
    EXPECT(initialise_device() && world.initialisations == 5 && !world.other_applet);
    /* however a card says that the SO-PIN is wrong, it is said once */
    for (size_t i = 0; i < 4; i++) {
        world.so_answers = ((const unsigned int[]){ 0x63C5, 0x6985, 0x6986, 0x6900 })[i];
        EXPECT(!initialise_device() && err.reason == SCHSM_REASON_PIN_INCORRECT);
        EXPECT(world.initialisations == 6 + i);
        EXPECT(strstr(err.text, "UTCC0000001") != NULL && strstr(err.text, "SO-PIN") != NULL);
        EXPECT(err.tries_left == (i == 0 ? 5 : -1));
    }
    world.so_answers = 0x6983; /* it had tries: the last one was spent (19.6) */
    EXPECT(!initialise_device() && err.reason == SCHSM_REASON_PIN_INCORRECT);
    EXPECT(err.tries_left == 0 && strstr(err.text, "now blocked") != NULL);
    finish();
}

int main(void)
{
    test_pin_pad();
    test_pin_pad_unasked();
    test_prepared_login();
    test_few_tries();
    test_known_wrong();
    test_changed_pin_is_kept();
    test_refused_pin_is_set();
    test_change_breaks();
    test_refusal_is_lost();
    test_refusal_is_lost_for_good();
    test_refusal_of_so_pin_is_lost();
    test_initialise();
    return 0;
}
