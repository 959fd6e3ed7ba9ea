/* SPDX-License-Identifier: Apache-2.0 */
/* Command APDUs, short and extended (protocol section 2.1), and status words (section 7). */
#ifndef SIM_APDU_H
#define SIM_APDU_H

#include "buf.h"

enum {
    SIM_SW_OK = 0x9000,
    SIM_SW_KEY_AUTHENTICATED = 0x9001, /* section 6.12 */
    SIM_SW_MORE_DATA = 0x6100,         /* low byte: bytes still to fetch, 00 for 256 or more */
    SIM_SW_END_OF_FILE = 0x6282,       /* fewer bytes than asked for */
    SIM_SW_NO_COUNTER = 0x6300,        /* not verified, and there is no counter to tell */
    SIM_SW_WRONG_PIN = 0x63C0,         /* low nibble: tries left */
    SIM_SW_MEMORY_FAILURE = 0x6581,
    SIM_SW_WRONG_LENGTH = 0x6700,
    SIM_SW_NO_CHANNELS = 0x6881,
    SIM_SW_NO_SECURE_MESSAGING = 0x6882,
    SIM_SW_NO_CHAINING = 0x6884,
    SIM_SW_NOT_AUTHENTICATED = 0x6982,
    SIM_SW_BLOCKED = 0x6983,
    SIM_SW_NOT_USABLE = 0x6984, /* transport PIN; use counter expired */
    SIM_SW_CONDITIONS = 0x6985,
    SIM_SW_NO_CURRENT_FILE = 0x6986,
    SIM_SW_SM_MISSING = 0x6987, /* secure messaging: objects missing, and wrong ones */
    SIM_SW_SM_WRONG = 0x6988,
    SIM_SW_WRONG_DATA = 0x6A80,
    SIM_SW_NOT_SUPPORTED = 0x6A81,
    SIM_SW_FILE_NOT_FOUND = 0x6A82,
    SIM_SW_NO_SPACE = 0x6A84,
    SIM_SW_WRONG_P1P2 = 0x6A86,
    SIM_SW_REFERENCE_NOT_FOUND = 0x6A88,
    SIM_SW_EXISTS = 0x6A89,
    SIM_SW_WRONG_OFFSET = 0x6B00,
    SIM_SW_UNKNOWN_INS = 0x6D00,
    SIM_SW_UNKNOWN_CLA = 0x6E00,
    SIM_SW_INTERNAL = 0x6F00,
};

struct sim_apdu {
    uint8_t cla, ins, p1, p2;
    struct sim_slice data; /* empty in cases 1 and 2 */
    bool extended;
    size_t le; /* bytes the host has room for, 1..65536; 0: no Le, no response data wanted */
};

/*
 * Split `len` bytes into a command APDU; `apdu->data` borrows from `bytes`. False when the
 * lengths do not fit together; header fields are valid then too if `len` >= 4.
 */
bool sim_apdu_parse(struct sim_apdu *apdu, const uint8_t *bytes, size_t len);

/* P1 and P2 as one number, where they carry a file id. */
uint16_t sim_apdu_p1p2(const struct sim_apdu *apdu);

#endif
