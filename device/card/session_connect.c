/* SPDX-License-Identifier: Apache-2.0 */
/* The connection: finding the card the first time, and again after it went away. */
#include "session.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>

#include "format/cvc.h"
#include "base/log.h"

#define SLOTS_MAX 64

/* 1.2: cards whose ATR is theirs alone; the applet is selected by default. */
static const struct {
    uint8_t len;
    uint8_t bytes[SCHSM_ATR_MAX];
} known_atrs[] = {
    { 24, { 0x3B, 0xFE, 0x18, 0x00, 0x00, 0x81, 0x31, 0xFE, 0x45, 0x80, 0x31, 0x81,
            0x54, 0x48, 0x53, 0x4D, 0x31, 0x73, 0x80, 0x21, 0x40, 0x81, 0x07, 0xFA } },
    { 19,
      { 0x3B, 0x8E, 0x80, 0x01, 0x80, 0x31, 0x81, 0x54, 0x48, 0x53, 0x4D, 0x31, 0x73, 0x80, 0x21,
        0x40, 0x81, 0x07, 0x18 } },
    { 24, { 0x3B, 0xDE, 0x18, 0xFF, 0x81, 0x91, 0xFE, 0x1F, 0xC3, 0x80, 0x31, 0x81,
            0x54, 0x48, 0x53, 0x4D, 0x31, 0x73, 0x80, 0x21, 0x40, 0x81, 0x07, 0x1C } },
    { 24, { 0x3B, 0xDE, 0x96, 0xFF, 0x81, 0x91, 0xFE, 0x1F, 0xC3, 0x80, 0x31, 0x81,
            0x54, 0x48, 0x53, 0x4D, 0x31, 0x73, 0x80, 0x21, 0x40, 0x81, 0x07, 0x92 } },
};

/* GoID: the number of historical bytes is in the low half of the second byte. */
static bool is_goid(const struct schsm_atr *atr)
{
    static const uint8_t fixed[] = { 0x80, 0x01, 0x47, 0x6F, 0x49, 0x44 };

    return atr->len >= 8 && atr->bytes[0] == 0x3B && atr->bytes[1] >= 0x84 &&
           atr->bytes[1] <= 0x8F && memcmp(atr->bytes + 2, fixed, sizeof(fixed)) == 0;
}

enum schsm_atr_kind schsm_atr_kind(const struct schsm_atr *atr)
{
    for (size_t i = 0; i < sizeof(known_atrs) / sizeof(known_atrs[0]); i++) {
        if (atr->len == known_atrs[i].len &&
            memcmp(atr->bytes, known_atrs[i].bytes, known_atrs[i].len) == 0) {
            return SCHSM_ATR_HSM;
        }
    }
    return is_goid(atr) ? SCHSM_ATR_HSM : SCHSM_ATR_UNKNOWN;
}

/* USB serial numbers of these tokens are the device's name, eleven letters and digits of which two
 * letters come first, with the first four digits of its sequence number, 0000. Anything else is
 * not taken for one. */
#define SERIAL_LEN 11
#define SEQUENCE "0000"

static bool is_letter(char c)
{
    return c >= 'A' && c <= 'Z';
}

bool schsm_reader_serial(const char *reader, char *serial, size_t size)
{
    const char *at = strrchr(reader, '(');
    size_t n = 0;

    serial[0] = 0;
    if (at == NULL || size <= SERIAL_LEN) {
        return false;
    }
    at++;
    while (n < SERIAL_LEN && (is_letter(at[n]) || (n >= 2 && at[n] >= '0' && at[n] <= '9'))) {
        n++;
    }
    if (n != SERIAL_LEN || strncmp(at + n, SEQUENCE, strlen(SEQUENCE)) != 0) {
        return false;
    }
    at += n + strlen(SEQUENCE);
    if (at[strspn(at, " ")] != ')') {
        return false;
    }
    memcpy(serial, at - n - strlen(SEQUENCE), n);
    serial[n] = 0;
    return true;
}

const char *schsm_session_name(const struct schsm_session *session)
{
    return session->process.serial[0] != 0 ? session->process.serial : session->process.reader;
}

int schsm_session_select(struct schsm_session *session, struct schsm_error *err)
{
    if (!schsm_card_select(&session->card, &session->process.fci, err)) {
        return 0;
    }
    session->process.fci_known = true;
    session->connection.selected = true;
    session->connection.pin = (struct schsm_pin_connection){ .login = SCHSM_LOGIN_OUT };
    return 1;
}

int schsm_session_confirm_applet(struct schsm_session *session, struct schsm_error *err)
{
    struct schsm_pin_status status;

    return schsm_card_pin_status(&session->card, SCHSM_PIN_USER, &status, err);
}

int schsm_session_begin(struct schsm_session *session, struct schsm_error *err)
{
    if (session->connection.in_transaction) {
        return 1;
    }
    session->card.status_word = 0;
    session->card.result = session->transport->begin(session->card.handle, err);
    session->connection.in_transaction = session->card.result == SCHSM_TRANSPORT_OK;
    return session->connection.in_transaction;
}

void schsm_session_end(struct schsm_session *session)
{
    if (session->connection.in_transaction && session->card.handle != NULL) {
        session->transport->end(session->card.handle);
    }
    session->connection.in_transaction = false;
}

/* FNV-1a, 64 bits; never 0. For telling devices apart, not for trusting one. */
static uint64_t fingerprint(const uint8_t *bytes, size_t len)
{
    uint64_t hash = 0xCBF29CE484222325u;

    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ bytes[i]) * 0x100000001B3u;
    }
    return hash != 0 ? hash : 1;
}

/* What file 2F02 tells of the card. */
struct identity {
    char serial[SCHSM_SERIAL_MAX + 1]; /* "": none */
    uint64_t certificate;              /* 0: none */
};

/* A file that is not there, is empty or cannot be understood tells nothing; that it was our applet
 * who said so costs a command then. */
static int read_identity(struct schsm_session *session, struct identity *identity,
                         struct schsm_error *err)
{
    struct schsm_error malformed = SCHSM_ERROR_INIT;
    struct schsm_cvc device, issuer;
    uint8_t *file = NULL;
    size_t len = 0;
    int ok;

    memset(identity, 0, sizeof(*identity));
    ok = schsm_card_read_file(&session->card, SCHSM_FILE_DEVICE_CERTIFICATES, SCHSM_FORM_TLV, &file,
                              &len, err);
    if (ok && !schsm_cvc_parse_chain(file, len, &device, &issuer, &malformed)) {
        /* 19.5: the certificate may come behind a request; a small reader gave no more than that */
        OPENSSL_free(file);
        file = NULL;
        ok = schsm_card_read_file(&session->card, SCHSM_FILE_DEVICE_CERTIFICATES, SCHSM_FORM_BYTES,
                                  &file, &len, err);
    }
    if (ok && schsm_cvc_parse_chain(file, len, &device, &issuer, &malformed) &&
        schsm_cvc_serial(file, len, identity->serial, sizeof(identity->serial), &malformed)) {
        identity->certificate = fingerprint(device.whole.data, device.whole.len);
    } else if (ok || (session->card.result == SCHSM_TRANSPORT_OK &&
                      session->card.status_word == SCHSM_SW_FILE_NOT_FOUND)) {
        identity->serial[0] = 0;
        ok = schsm_session_confirm_applet(session, err);
    }
    OPENSSL_free(file);
    return ok;
}

static void set_guarded_text(char *to, size_t size, const char *text)
{
    schsm_guard_lock();
    (void)snprintf(to, size, "%s", text);
    schsm_guard_unlock();
}

static void set_identity(struct schsm_session *session, const struct identity *identity)
{
    schsm_guard_lock();
    memcpy(session->process.serial, identity->serial, sizeof(session->process.serial));
    session->process.serial_absent = identity->serial[0] == 0;
    session->process.certificate = identity->certificate;
    schsm_guard_unlock();
}

int schsm_session_learn_serial(struct schsm_session *session, struct schsm_error *err)
{
    struct identity identity;

    if (session->process.serial[0] != 0 || session->process.serial_absent) {
        return 1;
    }
    if (!read_identity(session, &identity, err)) {
        return 0;
    }
    set_identity(session, &identity);
    if (identity.serial[0] == 0) {
        schsm_log(SCHSM_LOG_INFO,
                  "the device in reader %s has no certificate that tells its serial "
                  "number",
                  session->process.reader);
    }
    session->connection.same_card = true;
    return 1;
}

void schsm_session_forget_serial(struct schsm_session *session)
{
    struct identity identity = { .serial = "" };

    (void)schsm_reader_serial(session->process.reader, identity.serial, sizeof(identity.serial));
    set_identity(session, &identity);
    schsm_guard_lock();
    session->process.serial_absent = false;
    schsm_guard_unlock();
}

const struct schsm_card_kind *schsm_session_kind(struct schsm_session *session,
                                                 struct schsm_error *err)
{
    if (session->process.fci_known && session->process.fci.type >= 0) {
        return schsm_card_kind_of_fci((unsigned int)session->process.fci.type);
    }
    return schsm_session_learn_serial(session, err)
               ? schsm_card_kind_of_serial(session->process.serial)
               : NULL;
}

int schsm_session_check_file(struct schsm_session *session, size_t len, struct schsm_error *err)
{
    const struct schsm_card_kind *kind;

    if (len <= SCHSM_FILE_MAX_ANYWHERE) {
        return 1;
    }
    kind = schsm_session_kind(session, err);
    if (kind == NULL) {
        return 0;
    }
    if (len <= kind->file_max) {
        return 1;
    }
    session->card.result = SCHSM_TRANSPORT_OK;
    session->card.status_word = 0;
    return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                      "%zu bytes do not fit: a file on a %s has at most %zu; nothing was written",
                      len, kind->name, kind->file_max);
}

/*
 * Whether the card just connected is the one this session is about. True as well where that was
 * never known: then any card in this reader is meant. The reader's name is enough where it tells
 * the serial number, as those of devices do that have one each.
 */
static int is_same_card(struct schsm_session *session, struct schsm_error *err)
{
    struct identity identity = { .serial = "" };
    bool same_serial;

    if (session->process.serial[0] == 0 || session->connection.same_card) {
        return 1;
    }
    if (!schsm_reader_serial(session->process.reader, identity.serial, sizeof(identity.serial)) &&
        !read_identity(session, &identity, err)) {
        return 0;
    }
    same_serial = strcmp(identity.serial, session->process.serial) == 0;
    session->connection.same_card =
        same_serial && (identity.certificate == 0 || session->process.certificate == 0 ||
                        identity.certificate == session->process.certificate);
    schsm_guard_lock();
    session->process.exchanged = !session->connection.same_card;
    schsm_guard_unlock();
    if (!session->connection.same_card) {
        schsm_fail(err, SCHSM_REASON_DEVICE_REMOVED,
                   "device %s was removed, in reader %s is now %s %s: insert %s again",
                   session->process.serial, session->process.reader,
                   same_serial               ? "another device of the same serial number"
                   : identity.serial[0] != 0 ? "device"
                                             : "a device without a serial number",
                   same_serial ? "(or the same, initialised anew)" : identity.serial,
                   session->process.serial);
    }
    return session->connection.same_card;
}

/* What the connection told is void; in a child, or after it ended. */
static void forget_connection(struct schsm_session *session)
{
    session->card =
        (struct schsm_card){ .transport = session->transport,
                             .long_works = session->card.long_works, /* the reader's: it stays */
                             .policy = session->card.policy };       /* the user's, likewise */
    session->connection = (struct schsm_session_connection){ 0 };
}

void schsm_session_disconnect(struct schsm_session *session)
{
    void *handle = session->card.handle;

    schsm_guard_lock();
    session->card.handle = NULL;
    schsm_guard_unlock();
    if (handle != NULL) {
        session->transport->close(handle);
    }
    forget_connection(session);
}

void schsm_session_abandon(struct schsm_session *session)
{
    if (session->card.handle != NULL) {
        session->transport->abandon(session->card.handle);
    }
    forget_connection(session);
}

/* One attempt to connect to the card in session->process.reader. */
static int open_reader(struct schsm_session *session, struct schsm_error *err)
{
    struct schsm_atr atr = { 0 };
    void *handle = NULL;
    int ok;

    session->card.result = session->transport->open(session->transport_arg, session->process.reader,
                                                    &handle, &atr, err);
    if (session->card.result != SCHSM_TRANSPORT_OK) {
        return 0;
    }
    schsm_guard_lock();
    session->card.handle = handle;
    schsm_guard_unlock();
    /* The SELECT is also what tells whether this is a SmartCard-HSM at all. A card with a known ATR
     * has its applet selected already, and to select it again would log out everybody. */
    ok = schsm_atr_kind(&atr) == SCHSM_ATR_HSM || schsm_session_select(session, err);
    if (ok && !is_same_card(session, err)) {
        /* It may be the other applet's answer rather than another card. */
        ok = session->card.result == SCHSM_TRANSPORT_OK && session->card.status_word != 0 &&
             session->card.status_word != SCHSM_SW_OK && !session->connection.selected &&
             schsm_session_select(session, err) && is_same_card(session, err);
    }
    if (!ok) {
        enum schsm_transport_result result = session->card.result;

        schsm_session_disconnect(session);
        session->card.result = result;
    }
    return ok;
}

/* Looks for the card with our serial number in the other readers. */
static int open_other_reader(struct schsm_session *session)
{
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    char usual[SCHSM_READER_MAX + 1], serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_slot *slots;
    size_t count = SLOTS_MAX;
    int ok = 0;

    slots = OPENSSL_malloc(SLOTS_MAX * sizeof(*slots));
    if (slots == NULL) {
        return 0;
    }
    if (session->transport->list(session->transport_arg, slots, &count, &ignored) !=
        SCHSM_TRANSPORT_OK) {
        count = 0;
    }
    memcpy(usual, session->process.reader, sizeof(usual));
    for (size_t i = 0; i < count && !ok; i++) {
        if (!slots[i].card_present || strcmp(slots[i].reader, usual) == 0 ||
            schsm_atr_kind(&slots[i].atr) != SCHSM_ATR_HSM) {
            continue;
        }
        if (schsm_reader_serial(slots[i].reader, serial, sizeof(serial)) &&
            strcmp(serial, session->process.serial) != 0) {
            continue;
        }
        set_guarded_text(session->process.reader, sizeof(session->process.reader), slots[i].reader);
        session->card.long_works = false;
        ok = open_reader(session, &ignored);
        if (!ok) {
            set_guarded_text(session->process.reader, sizeof(session->process.reader), usual);
        }
    }
    OPENSSL_free(slots);
    return ok;
}

/* Whether a card that is not there now may be there soon. */
static bool may_return(const struct schsm_session *session)
{
    return session->card.result == SCHSM_TRANSPORT_GONE ||
           session->card.result == SCHSM_TRANSPORT_REMOVED ||
           session->card.result == SCHSM_TRANSPORT_NO_SERVICE ||
           session->card.result == SCHSM_TRANSPORT_RESET;
}

/* After a removal: whether a card answers, with our applet. The service goes on showing one that
 * has just been pulled for a moment, and connects to it without asking it anything. A Pico HSM that
 * was plugged in has no applet selected, and nobody looks for a serial number where none was known.
 */
static bool has_live_card(struct schsm_session *session, struct schsm_error *err)
{
    enum schsm_transport_result result;

    session->card.result = SCHSM_TRANSPORT_OK;
    if (!schsm_session_confirm_applet(session, err) && session->card.result == SCHSM_TRANSPORT_OK &&
        !session->connection.selected) {
        (void)schsm_session_select(session, err);
    }
    result = session->card.result;
    if (!may_return(session)) {
        session->card.result = SCHSM_TRANSPORT_OK;
        session->card.status_word = 0;
        return true;
    }
    schsm_session_disconnect(session);
    session->card.result = result;
    return false;
}

int schsm_session_connect(struct schsm_session *session, bool patient, struct schsm_error *err)
{
    const struct timespec pause = { 0, SCHSM_RETURN_PAUSE_MS * 1000000L };

    if (session->card.handle != NULL) {
        return 1;
    }
    for (int waited = 0;; waited += SCHSM_RETURN_PAUSE_MS) {
        struct schsm_error first = SCHSM_ERROR_INIT;

        if (open_reader(session, &first) && (!patient || has_live_card(session, &first))) {
            return 1;
        }
        if (session->process.serial[0] != 0 &&
            (may_return(session) || first.reason == SCHSM_REASON_DEVICE_REMOVED) &&
            open_other_reader(session)) {
            return 1;
        }
        if (!patient || waited >= SCHSM_RETURN_LIMIT_MS || !may_return(session)) {
            *err = first;
            return 0;
        }
        (void)nanosleep(&pause, NULL);
    }
}
