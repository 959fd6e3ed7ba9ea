/* SPDX-License-Identifier: Apache-2.0 */
#include "status_word.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "apdu.h"

#define SW_TRIES 0x63C0u /* 63Cx: x tries left */
#define SW_TRIES_MASK 0xFFF0u

#define VERIFY SCHSM_INS_VERIFY
#define CHANGE SCHSM_INS_CHANGE_REFERENCE_DATA
#define RESET SCHSM_INS_RESET_RETRY_COUNTER
#define READ SCHSM_INS_READ_BINARY
#define UPDATE SCHSM_INS_UPDATE_BINARY
#define DELETE SCHSM_INS_DELETE_FILE
#define SELECT SCHSM_INS_SELECT
#define GENERATE SCHSM_INS_GENERATE_KEY_PAIR
#define SYMMETRIC SCHSM_INS_GENERATE_SYMMETRIC_KEY
#define SIGN SCHSM_INS_SIGN
#define DECIPHER SCHSM_INS_DECIPHER
#define CIPHER SCHSM_INS_SYMMETRIC_CIPHER
#define DERIVE SCHSM_INS_DERIVE_KEY
#define INITIALIZE SCHSM_INS_INITIALIZE_DEVICE
#define DOMAIN SCHSM_INS_KEY_DOMAIN
#define WRAP SCHSM_INS_WRAP_KEY
#define UNWRAP SCHSM_INS_UNWRAP_KEY
#define REGISTER SCHSM_INS_MANAGE_PUBLIC_KEY_AUTHENTICATION
#define MANAGE_SE SCHSM_INS_MANAGE_SECURITY_ENVIRONMENT
#define PSO SCHSM_INS_PERFORM_SECURITY_OPERATION
#define AUTHENTICATE SCHSM_INS_EXTERNAL_AUTHENTICATE

/*
 * The first row that fits counts; rows without instructions fit all. A status word 63C0 stands for
 * 63C1 to 63CF as well, where no row before has the very one.
 */
static const struct meaning {
    uint8_t ins[4];
    uint16_t status_word;
    enum schsm_reason reason;
    const char *text;
} meanings[] = {
    /* Section 5: PINs */
    { { VERIFY }, 0x6300, SCHSM_REASON_PIN_INCORRECT, "the PIN is wrong" },
    { { CHANGE }, 0x6300, SCHSM_REASON_PIN_INCORRECT, "the old PIN is wrong" },
    { { VERIFY }, 0x63C0, SCHSM_REASON_PIN_INCORRECT, "the PIN is wrong" },
    { { CHANGE }, 0x63C0, SCHSM_REASON_PIN_INCORRECT, "the old PIN is wrong" },
    { { RESET, INITIALIZE }, 0x63C0, SCHSM_REASON_PIN_INCORRECT, "the SO-PIN is wrong" },
    { { VERIFY, CHANGE }, 0x6983, SCHSM_REASON_PIN_BLOCKED, "the PIN is blocked" },
    { { RESET, INITIALIZE }, 0x6983, SCHSM_REASON_PIN_BLOCKED, "the SO-PIN is blocked" },
    { { VERIFY },
      0x6984,
      SCHSM_REASON_PIN_MUST_CHANGE,
      "the transport PIN must be changed before use" },
    { { VERIFY, CHANGE }, 0x6A80, SCHSM_REASON_PIN_LENGTH, "the PIN must have 6 to 16 characters" },
    { { VERIFY, CHANGE }, 0x6700, SCHSM_REASON_PIN_LENGTH, "the PIN must have 6 to 16 characters" },
    { { RESET },
      0x6A80,
      SCHSM_REASON_PIN_LENGTH,
      "the PIN must have 6 to 16 characters and the SO-PIN 8 bytes" },
    { { RESET },
      0x6700,
      SCHSM_REASON_PIN_LENGTH,
      "the PIN must have 6 to 16 characters and the SO-PIN 8 bytes" },
    { { VERIFY, CHANGE, RESET },
      0x6A88,
      SCHSM_REASON_NOT_INITIALISED,
      "the device is not initialised" },
    { { RESET },
      0x6985,
      SCHSM_REASON_UNSUPPORTED,
      "the device was initialised without permission to reset the PIN" },
    { { RESET },
      0x6986,
      SCHSM_REASON_UNSUPPORTED,
      "the device was initialised without permission to reset the PIN" },
    { { VERIFY, CHANGE },
      0x6985,
      SCHSM_REASON_ACCESS_DENIED,
      "the PIN cannot be used in this state" },
    { { VERIFY, CHANGE },
      0x6982,
      SCHSM_REASON_ACCESS_DENIED,
      "the PIN cannot be used in this state" },

    /* Sections 3 and 4: files */
    { { READ }, 0x6B00, SCHSM_REASON_DEVICE, "the offset is beyond the end of the file" },
    { { UPDATE }, 0x6B00, SCHSM_REASON_DEVICE, "the offset is beyond the end of the file" },
    { { SELECT }, 0x6A82, SCHSM_REASON_NOT_FOUND, "there is no such application or file" },
    { { SELECT }, 0x6A86, SCHSM_REASON_NOT_FOUND, "there is no such application or file" },
    { { UPDATE },
      0x6A82,
      SCHSM_REASON_UNSUPPORTED,
      "the device does not take a file of this name" },
    { { READ, DELETE }, 0x6A82, SCHSM_REASON_NOT_FOUND, "there is no such file" },

    /* Section 6.2 and 6.3: generation */
    { { GENERATE, SYMMETRIC },
      0x6A80,
      SCHSM_REASON_BAD_INPUT,
      "the device refuses the key's parameters" },
    { { GENERATE, SYMMETRIC },
      0x6A81,
      SCHSM_REASON_UNSUPPORTED,
      "the device does not support this type, size, curve or policy of key" },
    { { GENERATE, SYMMETRIC },
      0x6985,
      SCHSM_REASON_EXISTS,
      "the key reference is taken, or the device cannot make a key in this state" },
    { { UPDATE }, 0x6700, SCHSM_REASON_UNSUPPORTED, "the file is longer than the device takes" },
    { { GENERATE, SYMMETRIC, UNWRAP, DERIVE },
      0x6A89,
      SCHSM_REASON_EXISTS,
      "the key reference is taken" },

    /* Sections 6.4 to 6.6 and 6.11: use of a key; the Pico HSM answers 6985 and 6A84 */
    { { SIGN, DECIPHER, CIPHER, DERIVE },
      0x6A81,
      SCHSM_REASON_NOT_PERMITTED,
      "the key's policy does not permit this algorithm" },
    { { SIGN, DECIPHER, CIPHER, DERIVE },
      0x6985,
      SCHSM_REASON_NOT_PERMITTED,
      "the key's policy does not permit this algorithm" },
    { { SIGN, DECIPHER, CIPHER, DERIVE },
      0x6984,
      SCHSM_REASON_USE_COUNTER,
      "the key's use counter is exhausted" },
    { { SIGN, DECIPHER, CIPHER },
      0x6A84,
      SCHSM_REASON_USE_COUNTER,
      "the key's use counter is exhausted" },
    { { SIGN, DECIPHER, CIPHER, DERIVE }, 0x6A82, SCHSM_REASON_NOT_FOUND, "there is no such key" },
    { { SIGN, DECIPHER, CIPHER, DERIVE }, 0x6A88, SCHSM_REASON_NOT_FOUND, "there is no such key" },
    { { DECIPHER },
      0x6A80,
      SCHSM_REASON_BAD_INPUT,
      "the device refuses the ciphertext or the peer's point" },
    { { DECIPHER },
      0x6400,
      SCHSM_REASON_BAD_INPUT,
      "the device could not compute with the ciphertext or the peer's point" },
    { { SIGN, CIPHER, DERIVE },
      0x6400,
      SCHSM_REASON_BAD_INPUT,
      "the device could not compute with this input" },

    /* Section 6.7 */
    { { INITIALIZE }, 0x6900, SCHSM_REASON_PIN_INCORRECT, "the SO-PIN is wrong" },
    { { INITIALIZE }, 0x6985, SCHSM_REASON_PIN_INCORRECT, "the SO-PIN is wrong" },
    { { INITIALIZE }, 0x6986, SCHSM_REASON_PIN_INCORRECT, "the SO-PIN is wrong" },
    { { INITIALIZE },
      0x6A80,
      SCHSM_REASON_BAD_INPUT,
      "the device refuses these options, or this PIN with so many tries" },

    /* Section 6.8 */
    { { DOMAIN }, 0x6A88, SCHSM_REASON_NOT_FOUND, "the key domain has not been created" },
    { { DOMAIN }, 0x6A86, SCHSM_REASON_NOT_FOUND, "there is no key domain of this number" },
    { { DOMAIN },
      0x6985,
      SCHSM_REASON_ACCESS_DENIED,
      "not logged in, or the key domain has its key already or expects none" },
    { { DOMAIN },
      0x6986,
      SCHSM_REASON_BAD_INPUT,
      "the key domain has its key already or expects none" },
    { { DOMAIN }, 0x6A89, SCHSM_REASON_EXISTS, "the key domain still holds keys" },
    { { DOMAIN, WRAP, UNWRAP },
      0x6D00,
      SCHSM_REASON_UNSUPPORTED,
      "the device was initialised without key encryption keys" },

    /* Sections 6.9 and 6.10: wrapped keys */
    /* 19.6: genuine cards say so of the key, the Pico HSM of the key encryption key */
    { { WRAP },
      0x6A88,
      SCHSM_REASON_NOT_FOUND,
      "there is no such key, or no key encryption key to wrap it under" },
    { { WRAP }, 0x6A81, SCHSM_REASON_NOT_PERMITTED, "the key's policy does not permit export" },
    { { WRAP }, 0x6985, SCHSM_REASON_NOT_PERMITTED, "the key's policy does not permit export" },
    { { WRAP }, 0x6984, SCHSM_REASON_USE_COUNTER, "the key's use counter is exhausted" },
    { { WRAP }, 0x6A82, SCHSM_REASON_NOT_FOUND, "there is no such key" },
#define UNWRAP_MISMATCH "the wrapped key does not match the device's key encryption key"
    { { UNWRAP }, 0x6A80, SCHSM_REASON_BAD_INPUT, UNWRAP_MISMATCH },
    { { UNWRAP }, 0x6A85, SCHSM_REASON_BAD_INPUT, UNWRAP_MISMATCH },
    { { UNWRAP }, 0x6A86, SCHSM_REASON_BAD_INPUT, UNWRAP_MISMATCH },
    { { UNWRAP }, 0x6A88, SCHSM_REASON_BAD_INPUT, UNWRAP_MISMATCH }, /* 19.6 */
    { { UNWRAP }, 0x6B00, SCHSM_REASON_BAD_INPUT, UNWRAP_MISMATCH },
    { { UNWRAP }, 0x6400, SCHSM_REASON_BAD_INPUT, UNWRAP_MISMATCH },
    { { UNWRAP }, 0x6984, SCHSM_REASON_BAD_INPUT, UNWRAP_MISMATCH },
    { { UNWRAP },
      0x6F00,
      SCHSM_REASON_DEVICE,
      "the device failed, as version 3.1 does for keys with a list of algorithms" },

    /* Sections 6.12 to 6.15: public key authentication */
    { { REGISTER },
      0x6985,
      SCHSM_REASON_BAD_INPUT,
      "the key's certificates do not verify, or replacing keys is not enabled" },
    { { REGISTER }, 0x6A84, SCHSM_REASON_DEVICE_FULL, "all places for public keys are taken" },
    { { REGISTER }, 0x6A88, SCHSM_REASON_NOT_FOUND, "no public key is registered at this place" },
    { { REGISTER },
      0x6D00,
      SCHSM_REASON_UNSUPPORTED,
      "the device was initialised without public key authentication" },
    { { REGISTER },
      0x6A86,
      SCHSM_REASON_UNSUPPORTED,
      "the device was initialised without public key authentication" },
    { { REGISTER },
      0x6A82,
      SCHSM_REASON_UNSUPPORTED,
      "the device was initialised without public key authentication" },
    { { MANAGE_SE }, 0x6A88, SCHSM_REASON_NOT_FOUND, "the device does not know this public key" },
    { { MANAGE_SE }, 0x6985, SCHSM_REASON_EXISTS, "this key has authenticated already" },
    { { PSO, AUTHENTICATE }, 0x6985, SCHSM_REASON_BAD_INPUT, "the signature does not verify" },
    { { PSO }, 0x6984, SCHSM_REASON_BAD_INPUT, "the certificate is malformed" },
    { { PSO, AUTHENTICATE }, 0x6A88, SCHSM_REASON_NOT_FOUND, "no public key is selected" },

    /* Section 7: all others */
    { { 0 }, 0x9000, SCHSM_REASON_NONE, "success" },
    { { 0 }, 0x6282, SCHSM_REASON_DEVICE, "the file ended early" },
    { { 0 }, 0x6285, SCHSM_REASON_DEVICE, "the device was terminated" },
    { { 0 }, 0x6300, SCHSM_REASON_ACCESS_DENIED, "authentication failed" },
    { { 0 }, 0x63C0, SCHSM_REASON_PIN_INCORRECT, "the PIN is wrong" },
    { { 0 }, 0x6400, SCHSM_REASON_DEVICE, "the device could not execute the command" },
    { { 0 }, 0x6581, SCHSM_REASON_DEVICE, "the device's memory failed" },
    { { 0 }, 0x6600, SCHSM_REASON_CANCELLED, "the device's button was not pressed" },
    { { 0 }, 0x6700, SCHSM_REASON_BAD_INPUT, "the data has a wrong length" },
    { { 0 }, 0x6881, SCHSM_REASON_UNSUPPORTED, "logical channels are not supported" },
    { { 0 }, 0x6882, SCHSM_REASON_UNSUPPORTED, "secure messaging is not supported" },
    { { 0 }, 0x6883, SCHSM_REASON_DEVICE, "a chain of commands was interrupted" },
    { { 0 }, 0x6884, SCHSM_REASON_UNSUPPORTED, "command chaining is not supported" },
    { { 0 }, 0x6982, SCHSM_REASON_ACCESS_DENIED, "not logged in" },
    { { 0 }, 0x6983, SCHSM_REASON_PIN_BLOCKED, "the PIN is blocked" },
    { { 0 }, 0x6984, SCHSM_REASON_BAD_INPUT, "the device refuses the data" },
    { { 0 }, 0x6985, SCHSM_REASON_DEVICE, "the conditions of use are not satisfied" },
    { { 0 }, 0x6986, SCHSM_REASON_DEVICE, "not allowed in this state" },
    { { 0 }, 0x6987, SCHSM_REASON_DEVICE, "secure messaging objects are missing" },
    { { 0 }, 0x6988, SCHSM_REASON_DEVICE, "secure messaging objects are wrong" },
    { { 0 }, 0x6A80, SCHSM_REASON_BAD_INPUT, "the device refuses the data" },
    { { 0 }, 0x6A81, SCHSM_REASON_UNSUPPORTED, "the device does not support this" },
    { { 0 }, 0x6A82, SCHSM_REASON_NOT_FOUND, "there is no such object" },
    { { 0 }, 0x6A84, SCHSM_REASON_DEVICE_FULL, "the device has no memory left" },
    { { 0 }, 0x6A86, SCHSM_REASON_UNSUPPORTED, "the device does not know these parameters" },
    { { 0 }, 0x6A88, SCHSM_REASON_NOT_FOUND, "there is no such object" },
    { { 0 }, 0x6A89, SCHSM_REASON_EXISTS, "the object exists already" },
    { { 0 }, 0x6B00, SCHSM_REASON_UNSUPPORTED, "the device does not know these parameters" },
    { { 0 }, 0x6D00, SCHSM_REASON_UNSUPPORTED, "the device does not know this command" },
    { { 0 },
      0x6E00,
      SCHSM_REASON_UNSUPPORTED,
      "the device does not know this class of command, or its application is not selected" },
    { { 0 }, 0x6F00, SCHSM_REASON_DEVICE, "the device had an internal error" },
};

static const struct meaning unknown = { { 0 }, 0, SCHSM_REASON_DEVICE, "unknown status word" };

static bool meaning_fits(const struct meaning *meaning, uint8_t ins, unsigned int status_word)
{
    unsigned int mask = meaning->status_word == SW_TRIES ? SW_TRIES_MASK : 0xFFFFu;

    return (status_word & mask) == meaning->status_word &&
           (meaning->ins[0] == 0 ||
            (ins != 0 && memchr(meaning->ins, ins, sizeof(meaning->ins)) != NULL));
}

static const struct meaning *find_meaning(uint8_t ins, unsigned int status_word)
{
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (meaning_fits(&meanings[i], ins, status_word)) {
            return &meanings[i];
        }
    }
    return &unknown;
}

int schsm_status_word_tries(unsigned int status_word)
{
    return (status_word & SW_TRIES_MASK) == SW_TRIES ? (int)(status_word & 0x0F) : -1;
}

enum schsm_reason schsm_status_word_reason(uint8_t ins, unsigned int status_word)
{
    return find_meaning(ins, status_word)->reason;
}

const char *schsm_status_word_text(uint8_t ins, unsigned int status_word)
{
    return find_meaning(ins, status_word)->text;
}

int schsm_fail_status_word(struct schsm_error *err, uint8_t ins, unsigned int status_word)
{
    const struct meaning *meaning = find_meaning(ins, status_word);
    int tries = schsm_status_word_tries(status_word);
    enum schsm_reason reason =
        meaning->reason == SCHSM_REASON_NONE ? SCHSM_REASON_DEVICE : meaning->reason;

    if (tries == 0) {
        schsm_fail(err, reason, "%s failed: %s, and is now blocked (status word %04X)",
                   schsm_apdu_name(ins), meaning->text, status_word);
    } else if (tries > 0) {
        schsm_fail(err, reason, "%s failed: %s, %d %s left (status word %04X)",
                   schsm_apdu_name(ins), meaning->text, tries, tries == 1 ? "try is" : "tries are",
                   status_word);
    } else {
        schsm_fail(err, reason, "%s failed: %s (status word %04X)", schsm_apdu_name(ins),
                   meaning->text, status_word);
    }
    if (err != NULL) {
        err->status_word = status_word;
        err->tries_left = tries;
    }
    return 0;
}
