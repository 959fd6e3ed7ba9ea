/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command and response APDUs as bytes (ISO/IEC 7816-4:2020 clause 5; protocol reference sections 2
 * and 6). No chaining: no SmartCard-HSM client uses it. Secure messaging is secure_channel.h's.
 */
#ifndef SCHSM_FORMAT_APDU_H
#define SCHSM_FORMAT_APDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* ISO/IEC 7816-4 5.1: bytes of data and of expected response. */
#define SCHSM_APDU_SHORT_DATA_MAX 255
#define SCHSM_APDU_SHORT_LE_MAX 256
#define SCHSM_APDU_DATA_MAX 65535
#define SCHSM_APDU_LE_MAX 65536

/* The largest encodings: of a command, header, extended Lc, data, Le; of a short response. */
#define SCHSM_APDU_COMMAND_MAX (4 + 3 + SCHSM_APDU_DATA_MAX + 2)
#define SCHSM_APDU_SHORT_RESPONSE_MAX (SCHSM_APDU_SHORT_LE_MAX + 2)

/* Section 2.3: file content that one READ or UPDATE BINARY should carry on any device, and where
 * the reader cannot do extended APDUs. */
#define SCHSM_APDU_READ_CHUNK 1000
#define SCHSM_APDU_WRITE_CHUNK 980
#define SCHSM_APDU_SHORT_CHUNK 216 /* and what protects it in a secure channel */

/* Section 6: the instruction bytes. */
enum schsm_ins {
    SCHSM_INS_VERIFY = 0x20,
    SCHSM_INS_MANAGE_SECURITY_ENVIRONMENT = 0x22,
    SCHSM_INS_CHANGE_REFERENCE_DATA = 0x24,
    SCHSM_INS_PERFORM_SECURITY_OPERATION = 0x2A,
    SCHSM_INS_RESET_RETRY_COUNTER = 0x2C,
    SCHSM_INS_GENERATE_KEY_PAIR = 0x46,
    SCHSM_INS_GENERATE_SYMMETRIC_KEY = 0x48,
    SCHSM_INS_INITIALIZE_DEVICE = 0x50,
    SCHSM_INS_KEY_DOMAIN = 0x52,
    SCHSM_INS_MANAGE_PUBLIC_KEY_AUTHENTICATION = 0x54,
    SCHSM_INS_ENUMERATE_OBJECTS = 0x58,
    SCHSM_INS_GENERATE_SESSION_PIN = 0x5A,
    SCHSM_INS_DECIPHER = 0x62,
    SCHSM_INS_SIGN = 0x68,
    SCHSM_INS_WRAP_KEY = 0x72,
    SCHSM_INS_UNWRAP_KEY = 0x74,
    SCHSM_INS_DERIVE_KEY = 0x76,
    SCHSM_INS_SYMMETRIC_CIPHER = 0x78,
    SCHSM_INS_EXTERNAL_AUTHENTICATE = 0x82,
    SCHSM_INS_GET_CHALLENGE = 0x84,
    SCHSM_INS_GENERAL_AUTHENTICATE = 0x86,
    SCHSM_INS_SELECT = 0xA4,
    SCHSM_INS_READ_BINARY = 0xB1,
    SCHSM_INS_GET_RESPONSE = 0xC0,
    SCHSM_INS_UPDATE_BINARY = 0xD7,
    SCHSM_INS_DELETE_FILE = 0xE4
};

#define SCHSM_CLA_SECURE 0x0C /* bits of the class: secure messaging, header authenticated */

struct schsm_apdu {
    uint8_t cla, ins, p1, p2;
    const uint8_t *data; /* the caller's; NULL where data_len is 0 */
    size_t data_len;     /* 0..65535 */
    size_t le;           /* 0: no response data wanted; 1..65536, 256 and 65536 being "all" */
    bool extended;       /* use the extended form even where the short form would do */
};

/* Whether this command needs or asks for the extended form: data > 255, le > 256 or `extended`. A
 * command without data and le has no extended form. */
bool schsm_apdu_is_extended(const struct schsm_apdu *apdu);

/*
 * Encodes a command; the short form unless schsm_apdu_is_extended. *out_len is the capacity of out
 * and becomes the length, at most SCHSM_APDU_COMMAND_MAX. Fails with ARGUMENT where data, le or the
 * capacity are out of range.
 */
int schsm_apdu_build(const struct schsm_apdu *apdu, uint8_t *out, size_t *out_len,
                     struct schsm_error *err);

/* Decodes a command of any of the seven forms; apdu->data points into bytes. False if the length
 * fields do not fit the length. */
bool schsm_apdu_parse(const uint8_t *bytes, size_t len, struct schsm_apdu *apdu);

/* What a command or its answer carries in clear that others must not learn. A wrapped key is
 * encrypted, so it is no such thing. */
enum schsm_apdu_content {
    SCHSM_APDU_NO_SECRET,
    SCHSM_APDU_PIN,    /* or SO-PIN, with data (5.1 to 5.4, 6.7) */
    SCHSM_APDU_SHARE,  /* of a key encryption key (6.8) */
    SCHSM_APDU_PRIVATE /* what a key decrypts or agrees on, private data, random numbers */
};
enum schsm_apdu_content schsm_apdu_content(const struct schsm_apdu *apdu);

struct schsm_apdu_response {
    const uint8_t *data; /* into the bytes that were parsed */
    size_t data_len;
    unsigned int status_word; /* SW1SW2 */
};

/* Splits a response into data and status word. Fails with TRANSPORT under two bytes, since then the
 * reader and not the card is at fault. */
int schsm_apdu_parse_response(const uint8_t *bytes, size_t len,
                              struct schsm_apdu_response *response, struct schsm_error *err);

/* The command's name of section 6 ("SIGN"); "command" for one that is not there. */
const char *schsm_apdu_name(uint8_t ins);

/* What must not be shown of a command and its response. */
enum schsm_apdu_secrecy {
    SCHSM_APDU_OPEN = 0,
    SCHSM_APDU_SECRET_DATA = 1,     /* the command's data: PINs, key shares, wrapped keys */
    SCHSM_APDU_SECRET_RESPONSE = 2, /* the response's data: plaintext, shared secrets, random */
    SCHSM_APDU_SECRET_LENGTH = 4    /* the length of the data too: PINs */
};

/*
 * The secrecy of an encoded command, or-ed. Everything that is not known to be open is secret: a
 * command without a header, an unknown instruction, GET RESPONSE (it may continue any command), and
 * READ and UPDATE BINARY except of a file that is named in P1 P2 and known to be readable without a
 * PIN.
 */
unsigned int schsm_apdu_secrecy(const uint8_t *command, size_t len);

#endif
