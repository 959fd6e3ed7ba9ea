/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transport over PC/SC. Each connection has a PC/SC context of its own: libpcsclite serialises
 * the calls of one context, and a context that broke is replaced without touching the others.
 */
#include "transport.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <winscard.h>
#include <reader.h>

#include "base/descriptor.h"
#include "base/fork_gate.h"
#include "base/log.h"
#include "pcsc_patience.h"
#include "pcsc_service.h"

/* PC/SC part 10 (protocol section 18) */
#define IOCTL_GET_FEATURES SCARD_CTL_CODE(3400)
#define FEATURE_VERIFY_PIN_DIRECT 0x06
#define FEATURES_MAX 256

#define READER_NAMES_MAX (16 * (SCHSM_READER_MAX + 1) + 1) /* PC/SC has at most 16 readers */
#define LIST_ATTEMPTS 5  /* looks at readers that change all the time */
#define CONNECT_TRIES 40 /* while another program is exclusive, or has just been killed */
#define CONNECT_PAUSE_US 50000
#define CONNECT_LEAST 1 /* seconds: the service may have to give the card power first */

struct pcsc_connection {
    SCARDCONTEXT context;
    SCARDHANDLE card;
    DWORD protocol;
    DWORD verify_control; /* control code of FEATURE_VERIFY_PIN_DIRECT, 0: none */
    bool features_read;
    bool begun; /* our transaction: nobody else can be in one */
    struct schsm_pcsc_settings *settings;
    char reader[SCHSM_READER_MAX + 1];
};

/* The sentence for a service that does not answer. */
static enum schsm_transport_result fail_service(struct schsm_error *err, LONG code)
{
    (void)schsm_pcsc_fail_service(err,
                                  code == SCARD_F_COMM_ERROR || code == SCARD_W_SECURITY_VIOLATION);
    return SCHSM_TRANSPORT_NO_SERVICE;
}

/* What each PC/SC code means to a session, and in words; %s is the reader. pcscd tells of a reset,
 * of a removal and of a handle that it does not know before it hands anything to the reader's
 * driver. */
static const struct {
    LONG code;
    enum schsm_transport_result result;
    enum schsm_reason reason;
    const char *text;
} meanings[] = {
    { SCARD_W_RESET_CARD, SCHSM_TRANSPORT_RESET, SCHSM_REASON_TRANSPORT,
      "the card in reader %s was reset by another program" },
    { SCARD_W_REMOVED_CARD, SCHSM_TRANSPORT_GONE, SCHSM_REASON_DEVICE_REMOVED,
      "the card was removed from reader %s: insert it again" },
    { SCARD_E_NO_SMARTCARD, SCHSM_TRANSPORT_REMOVED, SCHSM_REASON_DEVICE_REMOVED,
      "there is no card in reader %s: insert it" },
    { SCARD_W_UNPOWERED_CARD, SCHSM_TRANSPORT_REMOVED, SCHSM_REASON_DEVICE_REMOVED,
      "the card in reader %s has no power: take it out and insert it again" },
    { SCARD_W_UNRESPONSIVE_CARD, SCHSM_TRANSPORT_REMOVED, SCHSM_REASON_TRANSPORT,
      "the card in reader %s does not answer: is it inserted the right way round?" },
    { SCARD_W_UNSUPPORTED_CARD, SCHSM_TRANSPORT_FAILED, SCHSM_REASON_TRANSPORT,
      "reader %s cannot talk to this card" },
    { SCARD_E_UNKNOWN_READER, SCHSM_TRANSPORT_REMOVED, SCHSM_REASON_DEVICE_REMOVED,
      "reader %s is gone: plug it in again" },
    { SCARD_E_READER_UNAVAILABLE, SCHSM_TRANSPORT_REMOVED, SCHSM_REASON_DEVICE_REMOVED,
      "reader %s is gone: plug it in again" },
    { SCARD_E_NO_READERS_AVAILABLE, SCHSM_TRANSPORT_REMOVED, SCHSM_REASON_NO_READER,
      "no reader is connected, %s neither: plug it in" },
    { SCARD_E_INVALID_HANDLE, SCHSM_TRANSPORT_GONE, SCHSM_REASON_NO_SERVICE,
      "the PC/SC service forgot the connection to reader %s: it was probably restarted" },
    /* Whoever is connected was let in; a service that was restarted knows him no more. */
    { SCARD_W_SECURITY_VIOLATION, SCHSM_TRANSPORT_GONE, SCHSM_REASON_NO_SERVICE,
      "the PC/SC service forgot the connection to reader %s: it was probably restarted" },
    { SCARD_E_SERVICE_STOPPED, SCHSM_TRANSPORT_NO_SERVICE, SCHSM_REASON_NO_SERVICE,
      "the PC/SC service stopped while reader %s was in use: start pcscd again" },
    { SCARD_E_SHARING_VIOLATION, SCHSM_TRANSPORT_BUSY, SCHSM_REASON_TRANSPORT,
      "another program holds the card in reader %s for itself: close it, or try again later" },
    { SCARD_E_INSUFFICIENT_BUFFER, SCHSM_TRANSPORT_TOO_LONG, SCHSM_REASON_TRANSPORT,
      "reader %s cannot carry a command or response of this length" },
    { SCARD_E_INVALID_PARAMETER, SCHSM_TRANSPORT_TOO_LONG, SCHSM_REASON_TRANSPORT,
      "reader %s does not take a command of this length" },
    { SCARD_E_NOT_TRANSACTED, SCHSM_TRANSPORT_REMOVED, SCHSM_REASON_TRANSPORT,
      "the card in reader %s stopped answering: take it out and insert it again" },
    { SCARD_E_PROTO_MISMATCH, SCHSM_TRANSPORT_GONE, SCHSM_REASON_TRANSPORT,
      "reader %s and another program agreed on a protocol that we do not speak, or the PC/SC "
      "service was just restarted: try again" },
};

/* Sets the sentence for a PC/SC code and returns its class. */
static enum schsm_transport_result fail_code(struct schsm_error *err, LONG code, const char *reader)
{
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (meanings[i].code != code) {
            continue;
        }
/* The formats are the literals of the table above, each with one %s. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        schsm_fail(err, meanings[i].reason, meanings[i].text, reader);
#pragma GCC diagnostic pop
        return meanings[i].result;
    }
    if (code == SCARD_E_NO_SERVICE || code == SCARD_F_COMM_ERROR) {
        return fail_service(err, SCARD_E_NO_SERVICE);
    }
    schsm_fail(err, SCHSM_REASON_TRANSPORT, "reader %s failed: %s", reader,
               pcsc_stringify_error(code));
    return SCHSM_TRANSPORT_FAILED;
}

/* What SCardConnect says may mean something else than the same code in a connection. */
static enum schsm_transport_result fail_connect(struct schsm_error *err, LONG code,
                                                const char *reader)
{
    char user[64];

    if (code != SCARD_W_SECURITY_VIOLATION) {
        return fail_code(err, code, reader);
    }
    schsm_pcsc_user_name(user, sizeof(user));
    schsm_fail(err, SCHSM_REASON_TRANSPORT,
               "user %s may not use the card in reader %s: a polkit rule has to give the right "
               "org.debian.pcsc-lite.access_card",
               user, reader);
    return SCHSM_TRANSPORT_FAILED;
}

/* For how long to wait for others: not at all, or nearly so, where somebody has just done so in
 * vain, lest a queue of threads waits for that time one after another. */
static unsigned int patience(const struct schsm_pcsc_settings *settings, unsigned int least)
{
    unsigned int seconds = atomic_load(&settings->held) ? 0 : schsm_pcsc_limit(settings->wait);

    return seconds > least ? seconds : least;
}

static enum schsm_transport_result fail_held(struct schsm_error *err,
                                             const struct pcsc_connection *connection)
{
    unsigned int seconds = schsm_pcsc_limit(connection->settings->wait);

    atomic_store(&connection->settings->held, true);
    schsm_fail(err, SCHSM_REASON_TRANSPORT,
               "another program has kept the card in reader %s for itself, in a transaction, for "
               "%u second%s (setting 'wait'): end that program, or try again later",
               connection->reader, seconds, seconds == 1 ? "" : "s");
    return SCHSM_TRANSPORT_BUSY;
}

/* Around a call that may wait for another program's transaction; begins: see the watch. */
static void start_watch(struct schsm_pcsc_watch *watch, const struct pcsc_connection *connection,
                        bool begins)
{
    schsm_pcsc_watch_start(watch, connection->card, patience(connection->settings, 0), begins);
    schsm_gate_enter();
}

/* What the call's code means, the watch's end included. */
static enum schsm_transport_result end_watch(struct schsm_pcsc_watch *watch,
                                             struct pcsc_connection *connection, LONG code,
                                             struct schsm_error *err)
{
    bool ended;

    schsm_gate_leave();
    ended = schsm_pcsc_watch_end(watch);
    if (ended) {
        connection->card = 0;
    }
    if (code == SCARD_S_SUCCESS) {
        atomic_store(&connection->settings->held, false);
        return SCHSM_TRANSPORT_OK;
    }
    /* any other code tells what came of a call that was let in at the last moment */
    return ended && code == SCARD_E_INVALID_HANDLE ? fail_held(err, connection)
                                                   : fail_code(err, code, connection->reader);
}

static enum schsm_transport_result establish(SCARDCONTEXT *context, struct schsm_error *err)
{
    LONG code;

    schsm_descriptor_hold(); /* it makes the socket to the service */
    schsm_gate_enter();
    code = SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, context);
    schsm_gate_leave();
    schsm_descriptor_release();
    return code == SCARD_S_SUCCESS ? SCHSM_TRANSPORT_OK : fail_service(err, code);
}

static void release(SCARDCONTEXT context)
{
    schsm_gate_enter();
    (void)SCardReleaseContext(context);
    schsm_gate_leave();
}

/* One name of the list into slots[n]; a name that does not fit is left out. */
static size_t add_slot(struct schsm_slot *slots, size_t n, const char *name)
{
    size_t len = strlen(name);

    if (len > SCHSM_READER_MAX) {
        return n;
    }
    memset(&slots[n], 0, sizeof(slots[n]));
    memcpy(slots[n].reader, name, len + 1);
    return n + 1;
}

/* One look at the readers. Sets *again where they changed under it, with the error of that. */
static enum schsm_transport_result list_once(struct schsm_slot *slots, size_t *count, bool *again,
                                             struct schsm_error *err)
{
    enum schsm_transport_result result;
    SCARD_READERSTATE *states = NULL;
    char names[READER_NAMES_MAX];
    DWORD names_len = sizeof(names);
    SCARDCONTEXT context = 0;
    size_t found = 0;
    LONG code;

    *again = false;
    result = establish(&context, err);
    if (result != SCHSM_TRANSPORT_OK) {
        return result;
    }
    schsm_gate_enter();
    code = SCardListReaders(context, NULL, names, &names_len);
    schsm_gate_leave();
    if (code == SCARD_E_NO_READERS_AVAILABLE) {
        goto done;
    }
    if (code != SCARD_S_SUCCESS) {
        result = fail_code(err, code, "list");
        goto done;
    }
    names[sizeof(names) - 1] = 0;
    for (const char *name = names; *name != 0 && found < *count; name += strlen(name) + 1) {
        found = add_slot(slots, found, name);
    }
    if (found == 0) {
        goto done;
    }
    states = calloc(found, sizeof(*states));
    if (states == NULL) {
        schsm_fail_memory(err);
        result = SCHSM_TRANSPORT_FAILED;
        goto done;
    }
    for (size_t i = 0; i < found; i++) {
        states[i].szReader = slots[i].reader;
        states[i].dwCurrentState = SCARD_STATE_UNAWARE;
    }
    schsm_gate_enter();
    code = SCardGetStatusChange(context, 0, states, (DWORD)found);
    schsm_gate_leave();
    if (code != SCARD_S_SUCCESS && code != SCARD_E_TIMEOUT) {
        schsm_log(SCHSM_LOG_INFO, "readers changed while listing: %s", pcsc_stringify_error(code));
        *again = true;
        result = fail_code(err, code, "list");
        goto done;
    }
    for (size_t i = 0; i < found; i++) {
        size_t len = states[i].cbAtr < SCHSM_ATR_MAX ? states[i].cbAtr : SCHSM_ATR_MAX;

        slots[i].card_present = (states[i].dwEventState & SCARD_STATE_PRESENT) != 0;
        if (slots[i].card_present && (states[i].dwEventState & SCARD_STATE_MUTE) == 0) {
            memcpy(slots[i].atr.bytes, states[i].rgbAtr, len);
            slots[i].atr.len = len;
        }
    }

done:
    release(context);
    free(states);
    *count = result == SCHSM_TRANSPORT_OK ? found : 0;
    return result;
}

/*
 * A reader that is unplugged between two calls makes the second one fail; so does any event then
 * with pcscd 2.5, which answers "unknown reader" although nothing is unknown. Neither must hide
 * what is there, so there is another look, with a context of its own.
 */
static enum schsm_transport_result pcsc_list(void *arg, struct schsm_slot *slots, size_t *count,
                                             struct schsm_error *err)
{
    enum schsm_transport_result result = SCHSM_TRANSPORT_FAILED;
    struct schsm_error found = SCHSM_ERROR_INIT;
    size_t room = *count;
    bool again = true;

    (void)arg;
    for (int i = 0; i < LIST_ATTEMPTS && again; i++) {
        *count = room;
        result = list_once(slots, count, &again, &found);
    }
    if (result != SCHSM_TRANSPORT_OK && err != NULL) {
        *err = found;
    }
    return result;
}

static enum schsm_transport_result read_atr(struct pcsc_connection *connection,
                                            struct schsm_atr *atr, struct schsm_error *err)
{
    uint8_t bytes[MAX_ATR_SIZE];
    DWORD len = sizeof(bytes), state = 0, protocol = 0, name_len = 0;
    enum schsm_transport_result result;
    struct schsm_pcsc_watch watch;
    LONG code;

    start_watch(&watch, connection, false);
    code = SCardStatus(connection->card, NULL, &name_len, &state, &protocol, bytes, &len);
    if (code == SCARD_E_INSUFFICIENT_BUFFER) {
        code = SCARD_S_SUCCESS;
        len = 0;
    }
    result = end_watch(&watch, connection, code, err);
    atr->len = result == SCHSM_TRANSPORT_OK && len <= SCHSM_ATR_MAX ? len : 0;
    memcpy(atr->bytes, bytes, atr->len);
    return result;
}

static void pcsc_close(void *handle)
{
    struct pcsc_connection *connection = handle;

    if (connection->card != 0) {
        schsm_gate_enter();
        (void)SCardDisconnect(connection->card, SCARD_LEAVE_CARD);
        schsm_gate_leave();
    }
    if (connection->context != 0) {
        release(connection->context);
    }
    free(connection);
}

static void pcsc_abandon(void *handle)
{
    /* libpcsclite still holds the parent's context, which a child cannot release without talking
     * to the parent's socket. So the library stays even if we are unloaded. */
    (void)dlopen("libpcsclite.so.1", RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
    free(handle);
}

/*
 * pcscd resets the card of a program that died, and negotiates the protocol anew at the next
 * connection; while that is under way it answers "protocol mismatch", which passes as well.
 */
static bool is_passing(LONG code)
{
    return code == SCARD_E_SHARING_VIOLATION || code == SCARD_E_PROTO_MISMATCH;
}

static enum schsm_transport_result pcsc_open(void *arg, const char *reader, void **handle,
                                             struct schsm_atr *atr, struct schsm_error *err)
{
    enum schsm_transport_result result;
    struct pcsc_connection *connection;
    LONG code;

    *handle = NULL;
    connection = calloc(1, sizeof(*connection));
    if (connection == NULL) {
        schsm_fail_memory(err);
        return SCHSM_TRANSPORT_FAILED;
    }
    connection->settings = arg;
    (void)snprintf(connection->reader, sizeof(connection->reader), "%s", reader);
    result = establish(&connection->context, err);
    if (result != SCHSM_TRANSPORT_OK) {
        free(connection);
        return result;
    }
    for (int tries = 0;; tries++) {
        code = schsm_pcsc_connect(&connection->context, connection->reader,
                                  patience(connection->settings, CONNECT_LEAST), &connection->card,
                                  &connection->protocol);
        if (!is_passing(code) || tries == CONNECT_TRIES) {
            break;
        }
        (void)usleep(CONNECT_PAUSE_US);
    }
    if (code == SCARD_E_TIMEOUT) {
        result = fail_held(err, connection);
    } else if (code != SCARD_S_SUCCESS) {
        connection->card = 0;
        result = fail_connect(err, code, connection->reader);
    } else {
        result = read_atr(connection, atr, err);
    }
    if (result != SCHSM_TRANSPORT_OK) {
        pcsc_close(connection);
        return result;
    }
    schsm_log(SCHSM_LOG_DEBUG, "connected to the card in reader %s", connection->reader);
    *handle = connection;
    return SCHSM_TRANSPORT_OK;
}

static enum schsm_transport_result pcsc_reconnect(void *handle, struct schsm_atr *atr,
                                                  struct schsm_error *err)
{
    struct pcsc_connection *connection = handle;
    enum schsm_transport_result result;
    struct schsm_pcsc_watch watch;
    LONG code;

    connection->begun = false;
    start_watch(&watch, connection, false);
    for (int tries = 0;; tries++) {
        code = SCardReconnect(connection->card, SCARD_SHARE_SHARED,
                              SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, SCARD_LEAVE_CARD,
                              &connection->protocol);
        if (code != SCARD_E_PROTO_MISMATCH || tries == CONNECT_TRIES) {
            break;
        }
        (void)usleep(CONNECT_PAUSE_US);
    }
    result = end_watch(&watch, connection, code, err);
    return result == SCHSM_TRANSPORT_OK ? read_atr(connection, atr, err) : result;
}

/*
 * Codes that a reader gives for an extended APDU that it cannot carry: there is no code of its own,
 * drivers answer with whatever they have. Only for commands longer than a short APDU allows, or
 * that ask for more than one can return, is such a code taken for "too long".
 */
static bool means_too_long(LONG code)
{
    return code == SCARD_E_NOT_TRANSACTED || code == SCARD_E_INVALID_PARAMETER ||
           code == SCARD_E_INSUFFICIENT_BUFFER || code == SCARD_E_UNSUPPORTED_FEATURE;
}

static bool is_extended(const uint8_t *command, size_t len)
{
    return len > 5 && command[4] == 0;
}

/* SCardTransmit. *code is what it said. */
static enum schsm_transport_result send_command(struct pcsc_connection *connection,
                                                const uint8_t *command, size_t command_len,
                                                uint8_t *response, DWORD *len, LONG *code,
                                                struct schsm_error *err)
{
    const SCARD_IO_REQUEST *protocol =
        connection->protocol == SCARD_PROTOCOL_T0 ? SCARD_PCI_T0 : SCARD_PCI_T1;
    struct schsm_pcsc_watch watch = { .running = false };

    if (connection->begun) {
        schsm_gate_enter();
    } else {
        start_watch(&watch, connection, false);
    }
    *code = SCardTransmit(connection->card, protocol, command, command_len, NULL, response, len);
    /* Some drivers report a card that dies under a command as success with nothing in it. */
    if (*code == SCARD_S_SUCCESS && *len == 0) {
        *code = SCARD_E_NOT_TRANSACTED;
    }
    return end_watch(&watch, connection, *code, err);
}

static enum schsm_transport_result pcsc_transmit(void *handle, const uint8_t *command,
                                                 size_t command_len, uint8_t *response,
                                                 size_t *response_len, struct schsm_error *err)
{
    struct pcsc_connection *connection = handle;
    enum schsm_transport_result result;
    DWORD len = *response_len;
    LONG code;

    result = send_command(connection, command, command_len, response, &len, &code, err);
    *response_len = result == SCHSM_TRANSPORT_OK ? len : 0;
    if (result != SCHSM_TRANSPORT_OK && is_extended(command, command_len) && means_too_long(code)) {
        return SCHSM_TRANSPORT_TOO_LONG;
    }
    /* libpcsclite's word for a command that it could not write to pcscd as a whole; an answer that
     * did not come is SCARD_F_COMM_ERROR. */
    if (code == SCARD_E_NO_SERVICE) {
        return SCHSM_TRANSPORT_GONE;
    }
    return result == SCHSM_TRANSPORT_TOO_LONG ? SCHSM_TRANSPORT_FAILED : result;
}

static enum schsm_transport_result pcsc_begin(void *handle, struct schsm_error *err)
{
    struct pcsc_connection *connection = handle;
    enum schsm_transport_result result;
    struct schsm_pcsc_watch watch;
    LONG code;

    start_watch(&watch, connection, true);
    code = SCardBeginTransaction(connection->card);
    result = end_watch(&watch, connection, code, err);
    connection->begun = result == SCHSM_TRANSPORT_OK;
    return result;
}

static void pcsc_end(void *handle)
{
    struct pcsc_connection *connection = handle;

    connection->begun = false;
    schsm_gate_enter();
    (void)SCardEndTransaction(connection->card, SCARD_LEAVE_CARD);
    schsm_gate_leave();
}

static bool pcsc_has_pin_pad(void *handle)
{
    struct pcsc_connection *connection = handle;
    uint8_t features[FEATURES_MAX];
    DWORD len = 0;
    LONG code;

    if (connection->features_read) {
        return connection->verify_control != 0;
    }
    schsm_gate_enter();
    code = SCardControl(connection->card, IOCTL_GET_FEATURES, NULL, 0, features, sizeof(features),
                        &len);
    schsm_gate_leave();
    connection->features_read = true;
    if (code != SCARD_S_SUCCESS || len > sizeof(features)) {
        return false;
    }
    /* TLV: tag, length 4, control code big endian */
    for (size_t at = 0; at + 6 <= len && features[at + 1] == 4; at += 6) {
        if (features[at] == FEATURE_VERIFY_PIN_DIRECT) {
            connection->verify_control = (DWORD)features[at + 2] << 24 |
                                         (DWORD)features[at + 3] << 16 |
                                         (DWORD)features[at + 4] << 8 | (DWORD)features[at + 5];
        }
    }
    return connection->verify_control != 0;
}

static enum schsm_transport_result pcsc_verify_on_pad(void *handle, const uint8_t *structure,
                                                      size_t len, uint8_t *response,
                                                      size_t *response_len, struct schsm_error *err)
{
    struct pcsc_connection *connection = handle;
    DWORD got = 0;
    LONG code;

    schsm_gate_enter();
    code = SCardControl(connection->card, connection->verify_control, structure, len, response,
                        *response_len, &got);
    schsm_gate_leave();
    *response_len = 0;
    if (code != SCARD_S_SUCCESS) {
        return fail_code(err, code, connection->reader);
    }
    *response_len = got;
    return SCHSM_TRANSPORT_OK;
}

const struct schsm_transport schsm_transport_pcsc = {
    .list = pcsc_list,
    .open = pcsc_open,
    .close = pcsc_close,
    .abandon = pcsc_abandon,
    .reconnect = pcsc_reconnect,
    .transmit = pcsc_transmit,
    .begin = pcsc_begin,
    .end = pcsc_end,
    .hurry = schsm_pcsc_hurry,
    .has_pin_pad = pcsc_has_pin_pad,
    .verify_on_pad = pcsc_verify_on_pad,
};
