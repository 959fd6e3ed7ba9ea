/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How commands reach a card: a handle and a small table of functions. The one in use is PC/SC
 * (transport_pcsc.c, the only file that knows winscard.h); tests and fuzzers bring their own.
 *
 * A transport knows readers, connections, resets and removals; what the bytes mean is none of its
 * business. It keeps no locks of its own: the session serialises the calls on one handle.
 */
#ifndef SCHSM_CARD_TRANSPORT_H
#define SCHSM_CARD_TRANSPORT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/device.h"
#include "base/error.h"

#define SCHSM_ATR_MAX 33 /* ISO 7816-3 */

/* Room for the longest response: 1,792 file ids of ENUMERATE are 3,584 bytes, plus SW1 SW2. */
#define SCHSM_RESPONSE_MAX 4100

/* The classes of outcome that a session tells apart; the sentence is in the error. */
enum schsm_transport_result {
    SCHSM_TRANSPORT_OK = 0,
    SCHSM_TRANSPORT_RESET,   /* the card was reset by somebody before this call, and nothing was
                              * sent: reconnect, then go on */
    SCHSM_TRANSPORT_GONE,    /* card, reader or service went away before this call, and nothing
                              * was sent: close, open again */
    SCHSM_TRANSPORT_REMOVED, /* card or reader went away, perhaps in the middle of it: likewise */
    SCHSM_TRANSPORT_BUSY,    /* another program holds the card: try again soon */
    SCHSM_TRANSPORT_NO_SERVICE, /* the PC/SC service went away, perhaps in the middle: likewise */
    SCHSM_TRANSPORT_TOO_LONG,   /* the reader cannot carry an APDU of this length */
    SCHSM_TRANSPORT_FAILED
};

struct schsm_atr {
    uint8_t bytes[SCHSM_ATR_MAX];
    size_t len;
};

/* One reader as seen without connecting to its card. */
struct schsm_slot {
    char reader[SCHSM_READER_MAX + 1];
    bool card_present;
    struct schsm_atr atr; /* len 0 where no card answered */
};

struct schsm_transport {
    /* Fills slots[] (room for *count, which becomes their number). No reader at all is OK and 0. */
    enum schsm_transport_result (*list)(void *arg, struct schsm_slot *slots, size_t *count,
                                        struct schsm_error *err);
    /* Connects, shared, to the card in the reader of that name. *handle is closed with close. */
    enum schsm_transport_result (*open)(void *arg, const char *reader, void **handle,
                                        struct schsm_atr *atr, struct schsm_error *err);
    /* Ends the connection and leaves the card as it is. */
    void (*close)(void *handle);
    /* In a forked child: frees memory and touches nothing that is shared with the parent. */
    void (*abandon)(void *handle);
    /* After RESET: makes the same handle usable again. */
    enum schsm_transport_result (*reconnect)(void *handle, struct schsm_atr *atr,
                                             struct schsm_error *err);
    /* *response_len is the capacity (at least 2) and becomes the length, SW1 SW2 included. */
    enum schsm_transport_result (*transmit)(void *handle, const uint8_t *command,
                                            size_t command_len, uint8_t *response,
                                            size_t *response_len, struct schsm_error *err);
    /* Keeps other programs away from the card until end. Waits while another one does, as open,
     * reconnect and transmit do, for a bounded time. */
    enum schsm_transport_result (*begin)(void *handle, struct schsm_error *err);
    void (*end)(void *handle);
    /* Whether this thread's calls wait for other programs for a few seconds at most, however long
     * they may: another device can do the work. NULL where no call waits. */
    void (*hurry)(bool hurried);
    /* True where the reader has a PIN pad that verifies (protocol section 18). */
    bool (*has_pin_pad)(void *handle);
    /* Runs a PIN_VERIFY_STRUCTURE on the reader; the response is the card's, or 64xx. */
    enum schsm_transport_result (*verify_on_pad)(void *handle, const uint8_t *structure, size_t len,
                                                 uint8_t *response, size_t *response_len,
                                                 struct schsm_error *err);
};

/* The argument of the transport over PC/SC. */
struct schsm_pcsc_settings {
    unsigned int wait; /* seconds, for another program's transaction; then what was asked is BUSY */
    atomic_bool held;  /* somebody has just waited for that long in vain; false at first */
};

/* PC/SC. arg is a struct schsm_pcsc_settings; nothing is asked of the service before list or open.
 */
extern const struct schsm_transport schsm_transport_pcsc;

#endif
