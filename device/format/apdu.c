/* SPDX-License-Identifier: Apache-2.0 */
#include "apdu.h"

#include <string.h>

#include "algorithm_id.h"

#define HEADER 4 /* CLA INS P1 P2 */

/* How the secrecy of a command depends on the file that P1 P2 name. */
enum file_rule { NO_FILE, READS_FILE, WRITES_FILE };

static const struct instruction {
    uint8_t ins;
    uint8_t secrecy; /* enum schsm_apdu_secrecy */
    uint8_t rule;    /* enum file_rule */
    const char *name;
} instructions[] = {
    { SCHSM_INS_VERIFY, SCHSM_APDU_SECRET_DATA | SCHSM_APDU_SECRET_LENGTH, NO_FILE, "VERIFY" },
    { SCHSM_INS_MANAGE_SECURITY_ENVIRONMENT, SCHSM_APDU_OPEN, NO_FILE,
      "MANAGE SECURITY ENVIRONMENT" },
    { SCHSM_INS_CHANGE_REFERENCE_DATA, SCHSM_APDU_SECRET_DATA | SCHSM_APDU_SECRET_LENGTH, NO_FILE,
      "CHANGE REFERENCE DATA" },
    { SCHSM_INS_PERFORM_SECURITY_OPERATION, SCHSM_APDU_OPEN, NO_FILE,
      "PERFORM SECURITY OPERATION" },
    { SCHSM_INS_RESET_RETRY_COUNTER, SCHSM_APDU_SECRET_DATA | SCHSM_APDU_SECRET_LENGTH, NO_FILE,
      "RESET RETRY COUNTER" },
    { SCHSM_INS_GENERATE_KEY_PAIR, SCHSM_APDU_OPEN, NO_FILE, "GENERATE ASYMMETRIC KEY PAIR" },
    { SCHSM_INS_GENERATE_SYMMETRIC_KEY, SCHSM_APDU_OPEN, NO_FILE, "GENERATE SYMMETRIC KEY" },
    { SCHSM_INS_INITIALIZE_DEVICE, SCHSM_APDU_SECRET_DATA | SCHSM_APDU_SECRET_LENGTH, NO_FILE,
      "INITIALIZE DEVICE" },
    { SCHSM_INS_KEY_DOMAIN, SCHSM_APDU_SECRET_DATA, NO_FILE, "KEY DOMAIN" },
    { SCHSM_INS_MANAGE_PUBLIC_KEY_AUTHENTICATION, SCHSM_APDU_OPEN, NO_FILE,
      "MANAGE PUBLIC KEY AUTHENTICATION" },
    { SCHSM_INS_ENUMERATE_OBJECTS, SCHSM_APDU_OPEN, NO_FILE, "ENUMERATE OBJECTS" },
    { SCHSM_INS_GENERATE_SESSION_PIN,
      SCHSM_APDU_SECRET_DATA | SCHSM_APDU_SECRET_RESPONSE | SCHSM_APDU_SECRET_LENGTH, NO_FILE,
      "GENERATE SESSION PIN" },
    { SCHSM_INS_DECIPHER, SCHSM_APDU_SECRET_RESPONSE, NO_FILE, "DECIPHER" },
    { SCHSM_INS_SIGN, SCHSM_APDU_OPEN, NO_FILE, "SIGN" },
    { SCHSM_INS_WRAP_KEY, SCHSM_APDU_SECRET_RESPONSE, NO_FILE, "WRAP KEY" },
    { SCHSM_INS_UNWRAP_KEY, SCHSM_APDU_SECRET_DATA, NO_FILE, "UNWRAP KEY" },
    { SCHSM_INS_DERIVE_KEY, SCHSM_APDU_SECRET_DATA, NO_FILE, "DERIVE KEY" },
    { SCHSM_INS_SYMMETRIC_CIPHER, SCHSM_APDU_SECRET_DATA | SCHSM_APDU_SECRET_RESPONSE, NO_FILE,
      "SYMMETRIC CIPHER" },
    { SCHSM_INS_EXTERNAL_AUTHENTICATE, SCHSM_APDU_OPEN, NO_FILE, "EXTERNAL AUTHENTICATE" },
    { SCHSM_INS_GET_CHALLENGE, SCHSM_APDU_SECRET_RESPONSE, NO_FILE, "GET CHALLENGE" },
    { SCHSM_INS_GENERAL_AUTHENTICATE, SCHSM_APDU_OPEN, NO_FILE, "GENERAL AUTHENTICATE" },
    { SCHSM_INS_SELECT, SCHSM_APDU_OPEN, NO_FILE, "SELECT" },
    { SCHSM_INS_READ_BINARY, SCHSM_APDU_OPEN, READS_FILE, "READ BINARY" },
    { SCHSM_INS_GET_RESPONSE, SCHSM_APDU_SECRET_RESPONSE, NO_FILE, "GET RESPONSE" },
    { SCHSM_INS_UPDATE_BINARY, SCHSM_APDU_OPEN, WRITES_FILE, "UPDATE BINARY" },
    { SCHSM_INS_DELETE_FILE, SCHSM_APDU_OPEN, NO_FILE, "DELETE FILE" },
};

static const struct instruction *find_instruction(uint8_t ins)
{
    for (size_t i = 0; i < sizeof(instructions) / sizeof(instructions[0]); i++) {
        if (instructions[i].ins == ins) {
            return &instructions[i];
        }
    }
    return NULL;
}

#define WRAPPED_KEY_FILE 0x2F /* high byte of 2F10 */

/* Section 4.1: the files whose content anybody may read. 2F10 (a wrapped key) is left out. */
static bool file_is_open(uint8_t high, uint8_t low)
{
    static const uint8_t open[] = { 0xC4, 0xC8, 0xC9, 0xCA, 0xCE, 0xCF };

    if (high == 0x2F) {
        return low <= 0x03;
    }
    return memchr(open, high, sizeof(open)) != NULL;
}

bool schsm_apdu_is_extended(const struct schsm_apdu *apdu)
{
    if (apdu->data_len == 0 && apdu->le == 0) {
        return false;
    }
    return apdu->extended || apdu->data_len > SCHSM_APDU_SHORT_DATA_MAX ||
           apdu->le > SCHSM_APDU_SHORT_LE_MAX;
}

int schsm_apdu_build(const struct schsm_apdu *apdu, uint8_t *out, size_t *out_len,
                     struct schsm_error *err)
{
    bool extended = schsm_apdu_is_extended(apdu);
    size_t capacity = *out_len;
    size_t lc_len = apdu->data_len == 0 ? 0 : extended ? 3 : 1;
    size_t le_len = apdu->le == 0 ? 0 : !extended ? 1 : lc_len == 0 ? 3 : 2;
    uint8_t *at = out;

    if (apdu->data_len > SCHSM_APDU_DATA_MAX || apdu->le > SCHSM_APDU_LE_MAX ||
        HEADER + lc_len + apdu->data_len + le_len > capacity) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "a command with %zu bytes of data and %zu bytes of response does not fit",
                          apdu->data_len, apdu->le);
    }
    *at++ = apdu->cla;
    *at++ = apdu->ins;
    *at++ = apdu->p1;
    *at++ = apdu->p2;
    if (lc_len > 0) {
        if (extended) {
            *at++ = 0;
            *at++ = (uint8_t)(apdu->data_len >> 8);
        }
        *at++ = (uint8_t)apdu->data_len;
        memcpy(at, apdu->data, apdu->data_len);
        at += apdu->data_len;
    }
    if (le_len == 3) {
        *at++ = 0;
    }
    if (le_len >= 2) {
        *at++ = (uint8_t)(apdu->le >> 8); /* 65536 becomes 0000 */
    }
    if (le_len > 0) {
        *at++ = (uint8_t)apdu->le; /* 256 becomes 00 */
    }
    *out_len = (size_t)(at - out);
    return 1;
}

/* Le of one (short) or two bytes; zero stands for the maximum. */
static size_t decode_le(const uint8_t *bytes, size_t len)
{
    if (len == 1) {
        return bytes[0] == 0 ? SCHSM_APDU_SHORT_LE_MAX : bytes[0];
    }
    return bytes[0] == 0 && bytes[1] == 0 ? SCHSM_APDU_LE_MAX : (size_t)(bytes[0] << 8 | bytes[1]);
}

bool schsm_apdu_parse(const uint8_t *bytes, size_t len, struct schsm_apdu *apdu)
{
    const uint8_t *body;
    size_t lc_len = 1, le_len = 1, rest;

    memset(apdu, 0, sizeof(*apdu));
    if (len < HEADER) {
        return false;
    }
    apdu->cla = bytes[0];
    apdu->ins = bytes[1];
    apdu->p1 = bytes[2];
    apdu->p2 = bytes[3];
    body = bytes + HEADER;
    rest = len - HEADER;
    if (rest == 0) { /* case 1 */
        return true;
    }
    if (rest == 1) { /* case 2, short */
        apdu->le = decode_le(body, 1);
        return true;
    }
    if (body[0] == 0) {
        apdu->extended = true;
        if (rest == 3) { /* case 2, extended */
            apdu->le = decode_le(body + 1, 2);
            return true;
        }
        if (rest < 3) {
            return false;
        }
        apdu->data_len = (size_t)(body[1] << 8 | body[2]);
        lc_len = 3;
        le_len = 2;
    } else {
        apdu->data_len = body[0];
    }
    if (apdu->data_len == 0 || rest - lc_len < apdu->data_len) {
        return false;
    }
    apdu->data = body + lc_len;
    rest -= lc_len + apdu->data_len;
    if (rest == 0) { /* case 3 */
        return true;
    }
    if (rest != le_len) {
        return false;
    }
    apdu->le = decode_le(apdu->data + apdu->data_len, le_len); /* case 4 */
    return true;
}

enum schsm_apdu_content schsm_apdu_content(const struct schsm_apdu *apdu)
{
    switch (apdu->ins) {
    case SCHSM_INS_VERIFY:
    case SCHSM_INS_CHANGE_REFERENCE_DATA:
    case SCHSM_INS_RESET_RETRY_COUNTER:
    case SCHSM_INS_INITIALIZE_DEVICE:
        return apdu->data_len > 0 ? SCHSM_APDU_PIN : SCHSM_APDU_NO_SECRET;
    case SCHSM_INS_KEY_DOMAIN:
        return apdu->p1 == 0 && apdu->data_len > 0 ? SCHSM_APDU_SHARE : SCHSM_APDU_NO_SECRET;
    case SCHSM_INS_GENERATE_SESSION_PIN:
    case SCHSM_INS_DERIVE_KEY:
    case SCHSM_INS_SYMMETRIC_CIPHER:
    case SCHSM_INS_GET_CHALLENGE:
        return SCHSM_APDU_PRIVATE;
    case SCHSM_INS_DECIPHER:
        return apdu->p2 == SCHSM_ALGORITHM_ECDH_XKEK ? SCHSM_APDU_NO_SECRET : SCHSM_APDU_PRIVATE;
    case SCHSM_INS_READ_BINARY:
    case SCHSM_INS_UPDATE_BINARY:
        return file_is_open(apdu->p1, apdu->p2) || apdu->p1 == WRAPPED_KEY_FILE
                   ? SCHSM_APDU_NO_SECRET
                   : SCHSM_APDU_PRIVATE;
    default:
        return SCHSM_APDU_NO_SECRET;
    }
}

int schsm_apdu_parse_response(const uint8_t *bytes, size_t len,
                              struct schsm_apdu_response *response, struct schsm_error *err)
{
    memset(response, 0, sizeof(*response));
    if (len < 2) {
        return schsm_fail(err, SCHSM_REASON_TRANSPORT,
                          "the reader returned %zu bytes instead of a response", len);
    }
    response->data = bytes;
    response->data_len = len - 2;
    response->status_word = (unsigned int)(bytes[len - 2] << 8 | bytes[len - 1]);
    return 1;
}

const char *schsm_apdu_name(uint8_t ins)
{
    const struct instruction *instruction = find_instruction(ins);

    return instruction == NULL ? "command" : instruction->name;
}

unsigned int schsm_apdu_secrecy(const uint8_t *command, size_t len)
{
    const struct instruction *instruction = len < HEADER ? NULL : find_instruction(command[1]);

    if (instruction == NULL) {
        return SCHSM_APDU_SECRET_DATA | SCHSM_APDU_SECRET_RESPONSE | SCHSM_APDU_SECRET_LENGTH;
    }
    if (instruction->rule != NO_FILE && !file_is_open(command[2], command[3])) {
        return instruction->rule == READS_FILE ? SCHSM_APDU_SECRET_RESPONSE
                                               : SCHSM_APDU_SECRET_DATA;
    }
    return instruction->secrecy;
}
