/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device layer over a transport of our own: cards that go away, come back elsewhere or are
 * exchanged, readers with small limits, PIN pads, and cards that answer nonsense to everything.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/objects.h>

#include "../../device/apdu.h"
#include "../../device/card_device.h"
#include "../../device/device.h"
#include "../../device/hsm_apdu.h"
#include "../../device/hsm_file.h"
#include "../../device/hsm_initialise.h"
#include "../../device/hsm_label.h"
#include "../../device/hsm_pin.h"
#include "../../device/hsm_status.h"
#include "../../device/registry.h"
#include "../../device/tlv.h"
#include "../../device/transport.h"

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "line %d: expected: %s (last error: %s)\n", __LINE__,            \
                          #condition, err.text);                                                   \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

#define READERS 3

/* A world of readers and cards, and what happens in it. */
static struct {
    const char *reader[READERS]; /* NULL: not connected */
    const char *serial[READERS]; /* of the card in it, NULL: none */
    int open_in;                 /* reader that is connected to, -1: none */
    bool verified;
    bool other_applet;
    int lost; /* so many next commands fail with this result */
    enum schsm_transport_result loss;
    enum schsm_transport_result next_loss; /* if not OK: that of all but the first of them */
    size_t short_limit;                    /* responses and commands beyond it fail; 0: none */
    bool pieces;                           /* private operations answer in pieces, 61xx */
    bool wrong_le;                         /* reads answer 6Cxx first */
    bool pad;
    const char *pin;
    int tries;
    char new_pin[17];        /* what pin points to once it was changed */
    unsigned int so_answers; /* status word to commands with an SO-PIN; 0: success */
    unsigned int full;       /* so many times INITIALIZE finds the memory full */
    unsigned int changes, initialisations;
    uint8_t break_at; /* the answer to this instruction is lost once */
    unsigned int commands, pins, pads, transactions, pending_at;
    bool in_transaction;
    uint8_t pending[600];
    size_t pending_len;
    uint32_t noise; /* not 0: every answer is random, from this seed */
} world;

static const uint8_t hsm_atr[] = { 0x3B, 0xFE, 0x18, 0x00, 0x00, 0x81, 0x31, 0xFE,
                                   0x45, 0x80, 0x31, 0x81, 0x54, 0x48, 0x53, 0x4D,
                                   0x31, 0x73, 0x80, 0x21, 0x40, 0x81, 0x07, 0xFA };

static struct schsm_error err;

static uint32_t random_number(void)
{
    world.noise = world.noise * 1664525u + 1013904223u;
    return world.noise >> 8;
}

static void set_atr(struct schsm_atr *atr)
{
    memcpy(atr->bytes, hsm_atr, sizeof(hsm_atr));
    atr->len = sizeof(hsm_atr);
}

static enum schsm_transport_result world_list(void *arg, struct schsm_slot *slots, size_t *count,
                                              struct schsm_error *error)
{
    size_t n = 0;

    (void)arg;
    (void)error;
    for (int i = 0; i < READERS && n < *count; i++) {
        if (world.reader[i] == NULL) {
            continue;
        }
        memset(&slots[n], 0, sizeof(slots[n]));
        (void)snprintf(slots[n].reader, sizeof(slots[n].reader), "%s", world.reader[i]);
        slots[n].card_present = world.serial[i] != NULL;
        if (slots[n].card_present) {
            set_atr(&slots[n].atr);
        }
        n++;
    }
    *count = n;
    return SCHSM_TRANSPORT_OK;
}

static enum schsm_transport_result world_open(void *arg, const char *reader, void **handle,
                                              struct schsm_atr *atr, struct schsm_error *error)
{
    (void)arg;
    for (int i = 0; i < READERS; i++) {
        if (world.reader[i] == NULL || strcmp(world.reader[i], reader) != 0 ||
            world.serial[i] == NULL) {
            continue;
        }
        world.open_in = i;
        world.verified = false;
        set_atr(atr);
        *handle = &world;
        return SCHSM_TRANSPORT_OK;
    }
    schsm_fail(error, SCHSM_REASON_DEVICE_REMOVED, "no card in %s", reader);
    return SCHSM_TRANSPORT_REMOVED;
}

static void world_close(void *handle)
{
    (void)handle;
    world.open_in = -1;
    world.in_transaction = false;
}

static enum schsm_transport_result world_reconnect(void *handle, struct schsm_atr *atr,
                                                   struct schsm_error *error)
{
    (void)handle;
    (void)error;
    world.verified = false;
    set_atr(atr);
    return SCHSM_TRANSPORT_OK;
}

/* 2F02 as short as it can be: one certificate with this serial number in its name. */
static size_t device_certificate(const char *serial, uint8_t *out, size_t size)
{
    static const uint8_t oid[] = { 0x04, 0x00, 0x7F, 0x00, 0x07, 0x02, 0x02, 0x02, 0x02, 0x03 };
    static const uint8_t point[65] = { 0x04 }, signature[64] = { 1 };
    char holder[32];
    struct schsm_tlv_writer writer;
    size_t certificate, body, key;

    (void)snprintf(holder, sizeof(holder), "%s00000", serial);
    schsm_tlv_write(&writer, out, size);
    certificate = schsm_tlv_begin(&writer, 0x7F21);
    body = schsm_tlv_begin(&writer, 0x7F4E);
    schsm_tlv_put_byte(&writer, 0x5F29, 0);
    schsm_tlv_put(&writer, 0x42, (const uint8_t *)"UTDICA00001", 11);
    key = schsm_tlv_begin(&writer, 0x7F49);
    schsm_tlv_put(&writer, 0x06, oid, sizeof(oid));
    schsm_tlv_put(&writer, 0x86, point, sizeof(point));
    schsm_tlv_end(&writer, key);
    schsm_tlv_put(&writer, 0x5F20, (const uint8_t *)holder, strlen(holder));
    schsm_tlv_end(&writer, body);
    schsm_tlv_put(&writer, 0x5F37, signature, sizeof(signature));
    schsm_tlv_end(&writer, certificate);
    return writer.len;
}

static unsigned int read_file(const struct schsm_apdu *apdu, uint8_t *out, size_t *len)
{
    unsigned int file = (unsigned int)apdu->p1 << 8 | apdu->p2;
    uint8_t content[1500];
    size_t size = 0, offset;

    if (apdu->data_len != 4) {
        return 0x6700;
    }
    offset = (size_t)apdu->data[2] << 8 | apdu->data[3];
    if (file == 0x2F02) {
        size = device_certificate(world.serial[world.open_in], content, sizeof(content));
    } else if (file == 0xCA00) { /* a certificate of 1,204 bytes; only its form matters */
        const uint8_t head[] = { 0x30, 0x82, 0x04, 0xB0 };

        memset(content, 0x5A, sizeof(content));
        memcpy(content, head, sizeof(head));
        size = 1204;
    } else {
        return 0x6A82;
    }
    if (offset >= size) {
        return 0x6282;
    }
    *len = size - offset < apdu->le ? size - offset : apdu->le;
    memcpy(out, content + offset, *len);
    return offset + *len < size || *len == apdu->le ? 0x9000 : 0x6282;
}

static unsigned int verify(const struct schsm_apdu *apdu)
{
    if (apdu->p2 != 0x81) {
        return 0x63CF;
    }
    if (apdu->data_len == 0) {
        return world.verified     ? 0x9000
               : world.tries == 0 ? 0x6983
                                  : 0x63C0u + (unsigned)world.tries;
    }
    world.pins++;
    world.verified =
        strlen(world.pin) == apdu->data_len && memcmp(world.pin, apdu->data, apdu->data_len) == 0;
    if (world.verified) {
        return 0x9000;
    }
    world.tries--;
    return 0x63C0u + (unsigned)world.tries;
}

/* CHANGE REFERENCE DATA, RESET RETRY COUNTER: the new PIN follows the old one or the SO-PIN. */
static unsigned int set_pin(const struct schsm_apdu *apdu)
{
    size_t before = apdu->ins == SCHSM_INS_RESET_RETRY_COUNTER ? 8 : strlen(world.pin);

    world.changes++;
    if (apdu->p2 == 0x88 || apdu->ins == SCHSM_INS_RESET_RETRY_COUNTER) {
        if (world.so_answers != 0) {
            return world.so_answers;
        }
    } else if (apdu->data_len < before || memcmp(apdu->data, world.pin, before) != 0) {
        return 0x63C0u + (unsigned)--world.tries;
    }
    if (apdu->p2 == 0x81 && apdu->data_len > before) {
        EXPECT(apdu->data_len - before < sizeof(world.new_pin));
        memset(world.new_pin, 0, sizeof(world.new_pin));
        memcpy(world.new_pin, apdu->data + before, apdu->data_len - before);
        world.pin = world.new_pin;
    }
    world.tries = 3;
    return 0x9000;
}

static unsigned int initialise(void)
{
    world.initialisations++;
    if (world.full > 0) {
        world.full--;
        return 0x6A84;
    }
    return world.so_answers != 0 ? world.so_answers : 0x9000;
}

static unsigned int answer(const struct schsm_apdu *apdu, uint8_t *out, size_t *len)
{
    static const uint8_t list[] = { 0x2F, 0x02, 0xCA, 0x00, 0xCC, 0x00, 0xCC, 0x01 };

    *len = 0;
    if (apdu->ins == SCHSM_INS_SELECT) {
        world.other_applet = world.verified = false;
        return 0x9000;
    }
    if (world.other_applet) {
        return 0x6D00;
    }
    switch (apdu->ins) {
    case SCHSM_INS_VERIFY:
        return verify(apdu);
    case SCHSM_INS_READ_BINARY:
        if (world.wrong_le && apdu->le != 100) {
            return 0x6C64;
        }
        return read_file(apdu, out, len);
    case SCHSM_INS_CHANGE_REFERENCE_DATA:
    case SCHSM_INS_RESET_RETRY_COUNTER:
        return set_pin(apdu);
    case SCHSM_INS_INITIALIZE_DEVICE:
        return apdu->data_len > 0 ? initialise() : 0x6D00;
    case SCHSM_INS_ENUMERATE_OBJECTS:
        memcpy(out, list, sizeof(list));
        *len = sizeof(list);
        return 0x9000;
    case SCHSM_INS_GET_RESPONSE:
        *len = world.pending_len < 100 ? world.pending_len : 100;
        memcpy(out, world.pending + world.pending_at, *len);
        world.pending_at += (unsigned int)*len;
        world.pending_len -= *len;
        return world.pending_len > 0 ? 0x6100u + (unsigned)(world.pending_len & 0xFF) : 0x9000;
    case SCHSM_INS_SIGN:
        if (!world.verified) {
            return 0x6982;
        }
        memcpy(out, apdu->data, apdu->data_len);
        *len = apdu->data_len;
        if (world.pieces) {
            memcpy(world.pending, out, *len);
            world.pending_len = *len;
            world.pending_at = 0;
            *len = 0;
            return 0x6100u + (unsigned)(world.pending_len & 0xFF);
        }
        return 0x9000;
    default:
        return 0x6D00;
    }
}

/* An answer out of thin air: sometimes plausible, mostly not. */
static size_t noise(uint8_t *out, size_t capacity)
{
    static const uint16_t words[] = { 0x9000, 0x9000, 0x9000, 0x9000, 0x6282, 0x6A82, 0x6982,
                                      0x63C3, 0x6110, 0x6100, 0x6C20, 0x6D00, 0x6A88, 0x6700,
                                      0x6984, 0x6F00, 0x6B00, 0x63C0, 0x6A81, 0x6300 };
    static const uint8_t tags[] = { 0x30, 0x67, 0x7F, 0xA0, 0xA8, 0x62, 0x6F, 0x04, 0xCC };
    size_t len = random_number() % 6 == 0 ? random_number() % 1100 : random_number() % 60;
    uint16_t word = words[random_number() % (sizeof(words) / sizeof(words[0]))];

    if (random_number() % 40 == 0) {
        word = (uint16_t)random_number();
    }
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)(random_number() % 3 == 0 ? random_number() : random_number() % 8);
    }
    if (len > 4) {
        out[0] = tags[random_number() % sizeof(tags)];
        if (random_number() % 2 == 0) {
            out[1] = (uint8_t)(len - 2);
        }
    }
    (void)capacity;
    out[len] = (uint8_t)(word >> 8);
    out[len + 1] = (uint8_t)word;
    return random_number() % 50 == 0 ? random_number() % 3 : len + 2;
}

static enum schsm_transport_result world_transmit(void *handle, const uint8_t *command,
                                                  size_t command_len, uint8_t *response,
                                                  size_t *response_len, struct schsm_error *error)
{
    enum schsm_transport_result result;
    struct schsm_apdu apdu;
    unsigned int status_word;
    size_t len = 0;

    (void)handle;
    world.commands++;
    if (world.noise != 0) {
        if (random_number() % 30 == 0) {
            schsm_fail(error, SCHSM_REASON_TRANSPORT, "noise");
            return (enum schsm_transport_result)(SCHSM_TRANSPORT_RESET + random_number() % 6);
        }
        *response_len = noise(response, *response_len);
        return SCHSM_TRANSPORT_OK;
    }
    if (world.open_in < 0 || world.reader[world.open_in] == NULL ||
        world.serial[world.open_in] == NULL) {
        schsm_fail(error, SCHSM_REASON_DEVICE_REMOVED, "removed");
        return SCHSM_TRANSPORT_REMOVED;
    }
    if (world.lost > 0) {
        world.lost--;
        schsm_fail(error, SCHSM_REASON_TRANSPORT, "lost");
        result = world.loss;
        if (world.next_loss != SCHSM_TRANSPORT_OK) {
            world.loss = world.next_loss;
        }
        return result;
    }
    if (!schsm_apdu_parse(command, command_len, &apdu)) {
        abort();
    }
    if (world.short_limit != 0 &&
        (command_len > world.short_limit || schsm_apdu_is_extended(&apdu))) {
        schsm_fail(error, SCHSM_REASON_TRANSPORT, "too long");
        return SCHSM_TRANSPORT_TOO_LONG;
    }
    status_word = answer(&apdu, response, &len);
    if (world.break_at != 0 && world.break_at == apdu.ins) {
        world.break_at = 0;
        schsm_fail(error, SCHSM_REASON_TRANSPORT, "broken");
        return SCHSM_TRANSPORT_RESET;
    }
    response[len] = (uint8_t)(status_word >> 8);
    response[len + 1] = (uint8_t)status_word;
    *response_len = len + 2;
    return SCHSM_TRANSPORT_OK;
}

static enum schsm_transport_result world_begin(void *handle, struct schsm_error *error)
{
    (void)handle;
    (void)error;
    if (world.in_transaction) {
        abort();
    }
    world.in_transaction = true;
    world.transactions++;
    return SCHSM_TRANSPORT_OK;
}

static void world_end(void *handle)
{
    (void)handle;
    world.in_transaction = false;
}

static bool world_has_pin_pad(void *handle)
{
    (void)handle;
    return world.pad;
}

static enum schsm_transport_result world_verify_on_pad(void *handle, const uint8_t *structure,
                                                       size_t len, uint8_t *response,
                                                       size_t *response_len,
                                                       struct schsm_error *error)
{
    static const uint8_t template[] = { 0x00, 0x20, 0x00, 0x81 };

    (void)handle;
    (void)error;
    if (len < sizeof(template) ||
        memcmp(structure + len - sizeof(template), template, sizeof(template)) != 0) {
        abort();
    }
    world.pads++;
    world.verified = world.pads > 1;
    response[0] = world.verified ? 0x90 : 0x64;
    response[1] = world.verified ? 0x00 : 0x01;
    *response_len = 2;
    return SCHSM_TRANSPORT_OK;
}

static const struct schsm_transport transport = {
    world_list,     world_open,  world_close, world_close,       world_reconnect,
    world_transmit, world_begin, world_end,   world_has_pin_pad, world_verify_on_pad
};

/* --- the tests ---------------------------------------------------------------------------- */

static struct schsm_registry *registry;
static struct schsm_device *device;
static struct schsm_login login;

/* One card in a plain reader, its PIN 123456, and a source that holds `pin`. */
static void begin(const char *pin, const char *serial)
{
    struct schsm_device_selector selector = { .serial = serial };

    memset(&world, 0, sizeof(world));
    world.open_in = -1;
    world.reader[0] = "Plain Reader 00 00";
    world.serial[0] = "UTCC0000001";
    world.pin = "123456";
    world.tries = 3;
    EXPECT((registry = schsm_registry_new_on(&transport, NULL, &err)) != NULL);
    EXPECT(schsm_registry_device(registry, &selector, &device, &err));
    memset(&login, 0, sizeof(login));
    login.min_pin_tries = 2;
    if (pin != NULL && strcmp(pin, "pinpad") == 0) {
        EXPECT((login.source = schsm_pin_source_parse(pin, &err)) != NULL);
    } else if (pin != NULL) {
        struct schsm_secret *secret = schsm_secret_new(pin, strlen(pin), &err);

        EXPECT((login.source = schsm_pin_source_from_secret(secret, &err)) != NULL);
        schsm_secret_free(secret);
    }
}

static void end(void)
{
    EXPECT(!world.in_transaction);
    schsm_pin_source_free(login.source);
    schsm_registry_free(registry);
    EXPECT(world.open_in == -1);
}

static int sign(size_t size)
{
    const struct schsm_object key = { .type = SCHSM_OBJECT_PRIVATE, .key_ref = 1 };
    uint8_t in[512], out[512];
    size_t len = sizeof(out);

    memset(in, 0x17, sizeof(in));
    return schsm_device_operate(device, SCHSM_OP_RSA_SIGN, &key, &login, in, size, out, &len,
                                &err) &&
           len == size && memcmp(in, out, size) == 0;
}

static void test_exchanged_card(void)
{
    const struct schsm_device_selector any = { .serial = NULL };
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_device *other;

    begin("123456", "UTCC0000001");
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
    end();
}

static void test_renumbered_token(void)
{
    begin("123456", "UTCC0000001");
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
    end();
}

static void test_unknown_serial_is_learned(void)
{
    begin("123456", NULL);
    EXPECT(world.commands == 0);
    EXPECT(sign(256));
    EXPECT(world.commands == 3);
    EXPECT(sign(256));
    EXPECT(world.commands == 5); /* once, at the second operation */
    EXPECT(sign(256) && sign(256));
    EXPECT(world.commands == 7);
    end();
}

static void test_reset_and_select(void)
{
    begin("123456", NULL);
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
    end();
}

static void test_small_reader(void)
{
    struct schsm_object_filter filter = { .types = SCHSM_OBJECT_CERTIFICATE, .key_ref = -1 };
    struct schsm_object_list list = { 0 };

    begin("123456", NULL);
    world.short_limit = 261;
    EXPECT(schsm_device_find(device, &filter, &list, &err));
    EXPECT(list.count == 1 && list.objects[0].value_len == 1204);
    schsm_object_list_clear(&list);
    EXPECT(sign(128)); /* RSA-1024 fits a short APDU */
    EXPECT(!sign(256));
    EXPECT(err.reason == SCHSM_REASON_UNSUPPORTED && strstr(err.text, "extended") != NULL);
    end();
    /* a card that dies under its first long command is no small reader */
    begin("123456", NULL);
    EXPECT(sign(128));
    world.lost = 2;
    world.loss = SCHSM_TRANSPORT_TOO_LONG;
    world.next_loss = SCHSM_TRANSPORT_REMOVED;
    EXPECT(sign(256));
    EXPECT(sign(256));
    end();
}

static void test_pieces(void)
{
    char serial[SCHSM_SERIAL_MAX + 1];

    begin("123456", NULL);
    world.pieces = true;
    EXPECT(sign(256));
    world.transactions = 0;
    EXPECT(sign(256)); /* now known: kept together by a transaction */
    EXPECT(world.transactions == 1);
    world.wrong_le = true;
    EXPECT(schsm_device_serial(device, serial, &err));
    EXPECT(strcmp(serial, "UTCC0000001") == 0);
    end();
}

static void test_pin_pad(void)
{
    begin("pinpad", NULL);
    EXPECT(!sign(256));
    EXPECT(err.reason == SCHSM_REASON_PIN_SOURCE);
    world.pad = true;
    EXPECT(!sign(256)); /* cancelled */
    EXPECT(err.reason == SCHSM_REASON_CANCELLED);
    EXPECT(sign(256));
    EXPECT(world.pads == 2 && world.pins == 0);
    end();
}

/* Without any source: the reader's PIN pad, where the login permits it. */
static void test_pin_pad_unasked(void)
{
    begin(NULL, NULL);
    login.pin_pad = true;
    EXPECT(!sign(256));
    EXPECT(err.reason == SCHSM_REASON_PIN_MISSING); /* the reader has none */
    world.pad = true;
    world.pads = 1; /* nobody cancels */
    EXPECT(sign(256));
    EXPECT(world.pads == 2 && world.pins == 0);
    end();
    begin(NULL, NULL);
    world.pad = true;
    EXPECT(!sign(256));
    EXPECT(err.reason == SCHSM_REASON_PIN_MISSING && world.pads == 0);
    end();
}

/* Before somebody is asked: one status, which the login does not repeat. */
static void test_prepared_login(void)
{
    struct schsm_pin_prospect state;

    begin("123456", NULL);
    world.pad = true;
    EXPECT(schsm_device_prepare_login(device, &login, &state, &err));
    EXPECT(world.commands == 1 && world.pins == 0);
    EXPECT(!state.proven && state.tries_left == 3 && state.pin_pad && state.device[0] != 0);
    EXPECT(schsm_device_login(device, &login, &err));
    EXPECT(world.commands == 2 && world.pins == 1);
    EXPECT(schsm_device_prepare_login(device, &login, &state, &err));
    EXPECT(world.commands == 2 && state.proven);
    end();
    begin("123456", NULL);
    world.tries = 1;
    EXPECT(!schsm_device_prepare_login(device, &login, &state, &err));
    EXPECT(err.reason == SCHSM_REASON_PIN_TRIES_LOW && err.tries_left == 1);
    EXPECT(strstr(err.text, "so the application was not asked for the PIN:") != NULL);
    end();
}

/* The last tries are for a person who types: each PIN that stays away from them is named. */
static void test_few_tries(void)
{
    struct schsm_pin_source *source;

    begin("123456", NULL);
    world.tries = 1;
    EXPECT(!sign(256));
    EXPECT(err.reason == SCHSM_REASON_PIN_TRIES_LOW && world.pins == 0);
    EXPECT(strstr(err.text, "so the stored PIN was not tried:") != NULL);
    end();
    begin("123456", NULL);
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
    end();
}

static void test_known_wrong(void)
{
    begin("654321", NULL);
    EXPECT(!schsm_device_login(device, &login, &err));
    EXPECT(err.reason == SCHSM_REASON_PIN_INCORRECT && err.tries_left == 2);
    end();
    /* another registry, another source, the same process and device */
    begin("654321", NULL);
    EXPECT(!schsm_device_login(device, &login, &err));
    EXPECT(err.reason == SCHSM_REASON_PIN_KNOWN_WRONG && err.tries_left == 2 && world.pins == 0);
    end();
    /* another device may have that PIN */
    begin("654321", NULL);
    world.serial[0] = "UTCC0000009";
    world.pin = "654321";
    EXPECT(schsm_device_login(device, &login, &err));
    world.commands = 0;
    EXPECT(schsm_device_login(device, &login, &err));
    EXPECT(world.commands == 0); /* proven already */
    end();
}

static struct schsm_secret *secret(const char *text)
{
    struct schsm_secret *made = schsm_secret_new(text, strlen(text), &err);

    EXPECT(made != NULL);
    return made;
}

static int change_pin(const char *before, const char *after)
{
    struct schsm_secret *old_pin = secret(before), *new_pin = secret(after);
    int ok = schsm_hsm_change_pin(device, old_pin, new_pin, 2, &err);

    schsm_secret_free(old_pin);
    schsm_secret_free(new_pin);
    return ok;
}

/* The session goes on with the new PIN where it kept the old one. */
static void test_changed_pin_is_kept(void)
{
    begin("123456", NULL);
    login.keep_pin = true;
    EXPECT(sign(256));
    EXPECT(change_pin("123456", "87654321"));
    world.verified = false;
    EXPECT(sign(256));
    EXPECT(world.tries == 3 && world.changes == 1);
    end();
}

/* A PIN that was refused once is a good one after it was set. */
static void test_refused_pin_is_set(void)
{
    begin("24680246", NULL);
    EXPECT(!schsm_device_login(device, &login, &err) && err.reason == SCHSM_REASON_PIN_INCORRECT);
    EXPECT(!schsm_device_login(device, &login, &err) && err.reason == SCHSM_REASON_PIN_KNOWN_WRONG);
    EXPECT(change_pin("123456", "24680246"));
    world.verified = false;
    EXPECT(schsm_device_login(device, &login, &err));
    end();
}

/* The card changed its PIN, and its answer was lost: to do it again would cost a try. */
static void test_change_breaks(void)
{
    struct schsm_secret *so_pin = secret("12345678"), *new_so_pin = secret("87654321");

    begin(NULL, NULL);
    world.break_at = SCHSM_INS_CHANGE_REFERENCE_DATA;
    EXPECT(!change_pin("123456", "654321"));
    EXPECT(strstr(err.text, "UTCC0000001") != NULL && strstr(err.text, "may count now") != NULL);
    EXPECT(world.changes == 1 && world.tries == 3);
    world.break_at = SCHSM_INS_CHANGE_REFERENCE_DATA;
    EXPECT(!schsm_hsm_change_so_pin(device, so_pin, new_so_pin, 0, &err));
    EXPECT(strstr(err.text, "may count now") != NULL && world.changes == 2);
    /* to unblock twice does no harm */
    world.break_at = SCHSM_INS_RESET_RETRY_COUNTER;
    EXPECT(schsm_hsm_unblock_pin(device, so_pin, NULL, 0, &err) && world.changes == 4);
    schsm_secret_free(so_pin);
    schsm_secret_free(new_so_pin);
    end();
}

static int initialise_device(void)
{
    const struct schsm_hsm_rules rules = { .options = SCHSM_HSM_RESET_RETRY_COUNTER,
                                           .pin_tries = 3,
                                           .dkek_shares = SCHSM_HSM_NO_DKEK };
    struct schsm_secret *so_pin = secret("12345678"), *pin = secret("123456");
    int ok = schsm_hsm_initialise(device, &rules, so_pin, pin, 0, &err);

    schsm_secret_free(so_pin);
    schsm_secret_free(pin);
    return ok;
}

static void test_initialise(void)
{
    begin(NULL, NULL);
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
    world.so_answers = 0x6983;
    EXPECT(!initialise_device() && err.reason == SCHSM_REASON_PIN_BLOCKED);
    end();
}

static void administer(void)
{
    static const uint8_t command[] = { 0x00, 0x84, 0x00, 0x00, 0x08 };
    struct schsm_hsm_exchange exchange = { .command = command, .command_len = sizeof(command) };
    struct schsm_hsm_file_list files;
    struct schsm_hsm_status status;
    struct schsm_secret *so_pin = secret("12345678");
    uint8_t *content = NULL, random[300];
    size_t len = 0;

    (void)initialise_device();
    (void)change_pin("123456", "654321");
    (void)schsm_hsm_change_so_pin(device, so_pin, so_pin, 0, &err);
    (void)schsm_hsm_unblock_pin(device, so_pin, NULL, 0, &err);
    (void)schsm_hsm_set_label(device, "noise", &login, &err);
    (void)schsm_hsm_status(device, &status, &err);
    (void)schsm_hsm_random(device, random, sizeof(random), &err);
    if (schsm_hsm_files(device, &files, &err)) {
        OPENSSL_free(files.files);
    }
    if (schsm_hsm_file_read(device, 0x2F03, &login, &content, &len, &err)) {
        OPENSSL_free(content);
    }
    (void)schsm_hsm_transmit(device, &exchange, 1, NULL, &err);
    schsm_hsm_exchanges_clear(&exchange, 1);
    schsm_secret_free(so_pin);
}

/* Every operation against a card that answers nonsense: it ends, and says something. */
static void test_noise(unsigned int rounds)
{
    for (unsigned int seed = 1; seed <= rounds; seed++) {
        struct schsm_object_filter filter = { .types = SCHSM_OBJECT_ANY,
                                              .key_ref = seed % 3 == 0 ? 5 : -1 };
        struct schsm_generate spec = {
            .type = SCHSM_KEY_EC, .curve_nid = NID_X9_62_prime256v1, .key_ref = -1, .label = "noise"
        };
        struct schsm_object_list list = { 0 };
        struct schsm_device_info info;
        struct schsm_object made;
        int tries;
        bool in;

        begin("123456", NULL);
        login.min_pin_tries = 0;
        world.noise = seed;
        err.text[0] = 0;
        if (schsm_device_find(device, &filter, &list, &err)) {
            for (size_t i = 0; i < list.count && i < 8; i++) {
                (void)schsm_device_read(device, &list.objects[i], &login, &err);
            }
            if (list.count > 0) {
                (void)schsm_device_remove(device, &list.objects[0], &login, &err);
            }
        }
        schsm_object_list_clear(&list);
        (void)schsm_device_info(device, &info, &err);
        (void)schsm_device_pin_tries(device, &in, &tries, &err);
        (void)sign(256);
        (void)sign(128);
        if (schsm_device_generate(device, &spec, &login, &made, &err)) {
            EXPECT(false); /* no noise is a request with a valid signature */
        }
        EXPECT(err.text[0] != 0 && err.reason != SCHSM_REASON_NONE);
        administer();
        world.noise = 0;
        end();
    }
}

int main(int argc, char **argv)
{
    test_exchanged_card();
    test_renumbered_token();
    test_unknown_serial_is_learned();
    test_reset_and_select();
    test_small_reader();
    test_pieces();
    test_pin_pad();
    test_pin_pad_unasked();
    test_prepared_login();
    test_few_tries();
    test_known_wrong();
    test_changed_pin_is_kept();
    test_refused_pin_is_set();
    test_change_breaks();
    test_initialise();
    test_noise(argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 200);
    return 0;
}
