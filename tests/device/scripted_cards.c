/* SPDX-License-Identifier: Apache-2.0 */
/* Cards that go away, come back elsewhere or are exchanged, and readers with small limits. */
#include "world.h"

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
    world.lost = 2;
    world.loss = SCHSM_TRANSPORT_RESET; /* again and again: one repetition only */
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

int main(void)
{
    test_exchanged_card();
    test_renumbered_token();
    test_unknown_serial_is_learned();
    test_reset_and_select();
    test_small_reader();
    test_pieces();
    return 0;
}
