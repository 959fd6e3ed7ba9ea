/* SPDX-License-Identifier: Apache-2.0 */
/* Cards that go away, come back elsewhere or are exchanged, and readers with small limits. */
#include "world.h"

#include "format/apdu.h"

static void test_exchanged_card(void)
{
    const struct schsm_device_selector any = { .serial = NULL };
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_device *other;

    start("123456", "UTCC0000001");
    EXPECT(world.commands == 1); /* the serial number, proven by one read */
    EXPECT(sign(256));
    EXPECT(world.pins == 1 && world.commands == 4);
    /* another card in the reader gets no PIN, nor anything to sign */
    world.serial[0] = "UTCC0000002";
    world.lost = 1;
    world.loss = SCHSM_TRANSPORT_REMOVED;
    EXPECT(!sign(256));
    EXPECT(err.reason == SCHSM_REASON_DEVICE_REMOVED);
    EXPECT(strstr(err.text, "UTCC0000001") != NULL && strstr(err.text, "UTCC0000002") != NULL);
    EXPECT(world.pins == 1);
    /* who asked for any device gets that one now */
    EXPECT(schsm_registry_device(registry, &any, &other, &err));
    EXPECT(other != device);
    EXPECT(schsm_device_serial(other, serial, &err) && strcmp(serial, "UTCC0000002") == 0);
    /* ours is found in another reader */
    world.reader[2] = "Another Reader 00 00";
    world.serial[2] = "UTCC0000001";
    EXPECT(sign(256));
    EXPECT(world.pins == 2 && world.open_in == 2);
    finish();
}

static void test_renumbered_token(void)
{
    start("123456", "UTCC0000001");
    EXPECT(sign(256));
    world.serial[0] = NULL;
    world.reader[0] = NULL;
    world.reader[1] = "Token (UTCC00000020000         ) 00 00";
    world.serial[1] = "UTCC0000002";
    world.reader[2] = "Token (UTCC00000010000         ) 01 00";
    world.serial[2] = "UTCC0000001";
    world.commands = 0;
    EXPECT(sign(256));
    EXPECT(world.open_in == 2);
    EXPECT(world.commands == 1 + 3); /* the one that broke; status, VERIFY, SIGN */
    finish();
}

static void test_unknown_serial_is_learned(void)
{
    start("123456", NULL);
    EXPECT(world.commands == 0);
    EXPECT(sign(256));
    EXPECT(world.commands == 3);
    EXPECT(sign(256));
    EXPECT(world.commands == 5); /* once, at the second operation */
    EXPECT(sign(256) && sign(256));
    EXPECT(world.commands == 7);
    finish();
}

static void test_reset_and_select(void)
{
    start("123456", NULL);
    EXPECT(sign(256) && sign(256));
    world.lost = 1;
    world.loss = SCHSM_TRANSPORT_RESET;
    EXPECT(sign(256));
    EXPECT(world.pins == 2);
    world.other_applet = true;
    world.verified = false;
    EXPECT(sign(256));
    EXPECT(world.pins == 3);
    world.verified = false; /* another program's SELECT of ours */
    EXPECT(sign(256));
    EXPECT(world.pins == 4);
    world.lost = 3;
    world.loss = SCHSM_TRANSPORT_BUSY;
    EXPECT(sign(256));
    EXPECT(world.pins == 4);
    world.loss = SCHSM_TRANSPORT_RESET;
    world.lost = 4; /* under the operation, and three times before it comes to that again */
    EXPECT(sign(256));
    world.lost = 5; /* again and again: not for ever */
    EXPECT(!sign(256));
    EXPECT(sign(256));
    finish();
}

static void test_small_reader(void)
{
    struct schsm_object_filter filter = { .types = SCHSM_OBJECT_CERTIFICATE, .key_ref = -1 };
    struct schsm_object_list list = { 0 };

    start("123456", NULL);
    world.short_limit = 261;
    EXPECT(schsm_device_find(device, &filter, &list, &err));
    EXPECT(list.count == 1 && list.objects[0].value_len == 1204);
    schsm_object_list_clear(&list);
    EXPECT(sign(128)); /* RSA-1024 fits a short APDU */
    EXPECT(!sign(256));
    EXPECT(err.reason == SCHSM_REASON_UNSUPPORTED && strstr(err.text, "extended") != NULL);
    finish();
    /* a card that dies under its first long command is no small reader */
    start("123456", NULL);
    EXPECT(sign(128));
    world.lost = 2;
    world.loss = SCHSM_TRANSPORT_TOO_LONG;
    world.next_loss = SCHSM_TRANSPORT_REMOVED;
    EXPECT(sign(256));
    EXPECT(sign(256));
    finish();
}

static void test_pieces(void)
{
    char serial[SCHSM_SERIAL_MAX + 1];

    start("123456", NULL);
    world.pieces = true;
    EXPECT(sign(256));
    world.transactions = 0;
    EXPECT(sign(256)); /* now known: kept together by a transaction */
    EXPECT(world.transactions == 1);
    world.wrong_le = true;
    EXPECT(schsm_device_serial(device, serial, &err));
    EXPECT(strcmp(serial, "UTCC0000001") == 0);
    finish();
}

static void test_use_counter(void)
{
    static const struct {
        enum schsm_transport_result result;
        bool before; /* the command did not arrive; some results say so */
        bool sure;
    } breaks[] = {
        { SCHSM_TRANSPORT_RESET, true, true },       { SCHSM_TRANSPORT_GONE, true, true },
        { SCHSM_TRANSPORT_REMOVED, true, false },    { SCHSM_TRANSPORT_REMOVED, false, false },
        { SCHSM_TRANSPORT_NO_SERVICE, true, false }, { SCHSM_TRANSPORT_NO_SERVICE, false, false },
    };
    static const struct {
        bool counts, told;
    } keys[] = { { true, true }, { false, true }, { false, false } };

    for (size_t i = 0; i < 2 * sizeof(breaks) / sizeof(breaks[0]); i++) {
        for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
            bool warm = i % 2 != 0; /* not the first operation of its connection */
            uint32_t before;

            start("123456", NULL);
            world.tells_uses = keys[k].told;
            world.uses = keys[k].counts ? 9 : world.uses;
            EXPECT(!warm || sign(256));
            before = world.uses;
            world.break_at = SCHSM_INS_SIGN;
            world.break_result = breaks[i / 2].result;
            world.break_before = breaks[i / 2].before;
            world.commands = 0;
            if (!keys[k].counts || breaks[i / 2].sure) {
                EXPECT(sign(256));
                EXPECT(world.uses == before - (keys[k].counts ? 1 : 0));
            } else {
                EXPECT(!sign(256));
                EXPECT(err.reason == SCHSM_REASON_TRANSPORT);
                EXPECT(strstr(err.text, ", key reference 1: the device's answer was lost") != NULL);
                EXPECT(strstr(err.text, "may have spent one use") != NULL);
                EXPECT(world.uses == before - (breaks[i / 2].before ? 0 : 1));
                before = world.uses;
                EXPECT(sign(256)); /* somebody asked again */
                EXPECT(world.uses == before - 1);
            }
            finish();
        }
    }
}

/* The answer to the signature came, but for its last piece. */
static void test_use_counter_and_pieces(void)
{
    start("123456", NULL);
    world.tells_uses = world.pieces = true;
    world.uses = 9;
    world.break_at = SCHSM_INS_GET_RESPONSE;
    world.break_before = true;
    world.break_result = SCHSM_TRANSPORT_RESET;
    EXPECT(!sign(256) && strstr(err.text, "may have spent one use") != NULL);
    EXPECT(world.uses == 8);
    EXPECT(sign(256) && world.uses == 7);
    finish();
}

/* What the card refuses was not done: logged out by another program, its applet selected. */
static void test_use_counter_and_refusals(void)
{
    start("123456", NULL);
    world.tells_uses = true;
    world.uses = 9;
    EXPECT(sign(256) && world.uses == 8);
    world.verified = false;
    EXPECT(sign(256) && world.uses == 7);
    world.other_applet = true;
    world.verified = false;
    EXPECT(sign(256) && world.uses == 6);
    world.commands = 0;
    EXPECT(sign(256) && world.commands == 1); /* the steady state asks for no counter */
    finish();
}

int main(void)
{
    test_exchanged_card();
    test_renumbered_token();
    test_unknown_serial_is_learned();
    test_reset_and_select();
    test_small_reader();
    test_pieces();
    test_use_counter();
    test_use_counter_and_pieces();
    test_use_counter_and_refusals();
    return 0;
}
