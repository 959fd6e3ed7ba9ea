/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include "format/apdu.h"
#include "card/card_device.h"
#include "hsm/hsm_initialise.h"
#include "base/tlv.h"

#define USES_UNLIMITED 0xFFFFFFFFu

struct world world;
struct schsm_error err;
struct schsm_registry *registry;
struct schsm_device *device;
struct schsm_login login;

static const uint8_t hsm_atr[] = { 0x3B, 0xFE, 0x18, 0x00, 0x00, 0x81, 0x31, 0xFE,
                                   0x45, 0x80, 0x31, 0x81, 0x54, 0x48, 0x53, 0x4D,
                                   0x31, 0x73, 0x80, 0x21, 0x40, 0x81, 0x07, 0xFA };

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
        return 0x63C0u + world.so_tries;
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
            world.so_tries--;
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

/* SELECT of a file, of the key's alone something is told. */
static unsigned int select_file(const struct schsm_apdu *apdu, uint8_t *out, size_t *len)
{
    const uint8_t fci[] = { 0x62,
                            0x08,
                            0xA5,
                            0x06,
                            0x90,
                            0x04,
                            (uint8_t)(world.uses >> 24),
                            (uint8_t)(world.uses >> 16),
                            (uint8_t)(world.uses >> 8),
                            (uint8_t)world.uses };

    if (world.other_applet || apdu->data_len != 2 || apdu->data[0] != 0xCC ||
        apdu->data[1] != 0x01) {
        return 0x6A82;
    }
    if (world.tells_uses) {
        memcpy(out, fci, sizeof(fci));
        *len = sizeof(fci);
    }
    return 0x9000;
}

static unsigned int answer(const struct schsm_apdu *apdu, uint8_t *out, size_t *len)
{
    static const uint8_t list[] = { 0x2F, 0x02, 0xCA, 0x00, 0xCC, 0x00, 0xCC, 0x01 };

    *len = 0;
    if (apdu->ins == SCHSM_INS_SELECT && apdu->p1 == 0) {
        return select_file(apdu, out, len);
    }
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
        if (world.uses == 0) {
            return 0x6984;
        }
        world.uses -= world.uses != USES_UNLIMITED ? 1 : 0;
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
            return (enum schsm_transport_result)(SCHSM_TRANSPORT_RESET + random_number() % 7);
        }
        *response_len = noise(response, *response_len);
        return SCHSM_TRANSPORT_OK;
    }
    if (world.open_in < 0 || world.reader[world.open_in] == NULL ||
        world.serial[world.open_in] == NULL) {
        schsm_fail(error, SCHSM_REASON_DEVICE_REMOVED, "removed");
        return SCHSM_TRANSPORT_GONE;
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
    if (world.break_before && world.break_at == apdu.ins) {
        world.break_at = 0;
        schsm_fail(error, SCHSM_REASON_TRANSPORT, "broken");
        return world.break_result;
    }
    status_word = answer(&apdu, response, &len);
    if ((world.break_at != 0 && world.break_at == apdu.ins) ||
        (world.break_pin && apdu.ins == SCHSM_INS_VERIFY && apdu.data_len > 0)) {
        world.break_at = 0;
        world.break_pin = world.verified = false;
        schsm_fail(error, SCHSM_REASON_TRANSPORT, "broken");
        return world.break_result;
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
    .list = world_list,
    .open = world_open,
    .close = world_close,
    .abandon = world_close,
    .reconnect = world_reconnect,
    .transmit = world_transmit,
    .begin = world_begin,
    .end = world_end,
    .has_pin_pad = world_has_pin_pad,
    .verify_on_pad = world_verify_on_pad,
};

/* --- for the tests -------------------------------------------------------------------------- */

void start(const char *pin, const char *serial)
{
    struct schsm_device_selector selector = { .serial = serial };

    memset(&world, 0, sizeof(world));
    world.open_in = -1;
    world.reader[0] = "Plain Reader 00 00";
    world.serial[0] = "UTCC0000001";
    world.pin = "123456";
    world.tries = 3;
    world.so_tries = 15;
    world.uses = USES_UNLIMITED;
    world.break_result = SCHSM_TRANSPORT_REMOVED;
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

void finish(void)
{
    EXPECT(!world.in_transaction);
    schsm_pin_source_free(login.source);
    schsm_registry_free(registry);
    EXPECT(world.open_in == -1);
}

int sign(size_t size)
{
    const struct schsm_object key = { .type = SCHSM_OBJECT_PRIVATE, .key_ref = 1 };
    uint8_t in[512], out[512];
    size_t len = sizeof(out);

    memset(in, 0x17, sizeof(in));
    return schsm_device_operate(device, SCHSM_OP_RSA_SIGN, &key, &login, in, size, out, &len,
                                &err) &&
           len == size && memcmp(in, out, size) == 0;
}

struct schsm_secret *secret(const char *text)
{
    struct schsm_secret *made = schsm_secret_new(text, strlen(text), &err);

    EXPECT(made != NULL);
    return made;
}

int change_pin(const char *before, const char *after)
{
    struct schsm_secret *old_pin = secret(before), *new_pin = secret(after);
    int ok = schsm_device_change_pin(device, old_pin, new_pin, 2, &err);

    schsm_secret_free(old_pin);
    schsm_secret_free(new_pin);
    return ok;
}

int initialise_device(void)
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
