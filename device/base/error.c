/* SPDX-License-Identifier: Apache-2.0 */
#include "error.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const char *const reason_texts[SCHSM_REASON_COUNT] = {
    [SCHSM_REASON_NONE] = "no error",
    [SCHSM_REASON_NO_SERVICE] = "PC/SC service not available",
    [SCHSM_REASON_NO_READER] = "no reader",
    [SCHSM_REASON_NO_DEVICE] = "no device",
    [SCHSM_REASON_DEVICE_AMBIGUOUS] = "several devices fit",
    [SCHSM_REASON_DEVICE_REMOVED] = "device removed",
    [SCHSM_REASON_TRANSPORT] = "communication with the reader failed",
    [SCHSM_REASON_NOT_INITIALISED] = "device not initialised",
    [SCHSM_REASON_PIN_INCORRECT] = "PIN incorrect",
    [SCHSM_REASON_PIN_BLOCKED] = "PIN blocked",
    [SCHSM_REASON_PIN_MISSING] = "PIN missing",
    [SCHSM_REASON_PIN_TRIES_LOW] = "too few PIN tries left",
    [SCHSM_REASON_PIN_KNOWN_WRONG] = "PIN known to be wrong",
    [SCHSM_REASON_PIN_LENGTH] = "PIN length out of range",
    [SCHSM_REASON_PIN_MUST_CHANGE] = "PIN must be changed first",
    [SCHSM_REASON_PIN_SOURCE] = "PIN source unreadable",
    [SCHSM_REASON_CANCELLED] = "cancelled",
    [SCHSM_REASON_NOT_FOUND] = "not found",
    [SCHSM_REASON_AMBIGUOUS] = "several objects fit",
    [SCHSM_REASON_EXISTS] = "already exists",
    [SCHSM_REASON_URI] = "malformed URI",
    [SCHSM_REASON_CONFIG] = "bad configuration value",
    [SCHSM_REASON_REFERENCE_FILE] = "malformed key reference file",
    [SCHSM_REASON_WRONG_KEY] = "wrong key",
    [SCHSM_REASON_NO_PUBLIC_KEY] = "no public key on the device",
    [SCHSM_REASON_NOT_PERMITTED] = "not permitted by the key's policy",
    [SCHSM_REASON_USE_COUNTER] = "key's use counter exhausted",
    [SCHSM_REASON_ACCESS_DENIED] = "access denied",
    [SCHSM_REASON_UNSUPPORTED] = "not supported",
    [SCHSM_REASON_DEVICE_FULL] = "device full",
    [SCHSM_REASON_BAD_INPUT] = "input refused by the device",
    [SCHSM_REASON_DEVICE_DATA] = "malformed data on the device",
    [SCHSM_REASON_DEVICE] = "device error",
    [SCHSM_REASON_ARGUMENT] = "invalid argument",
    [SCHSM_REASON_CRYPTO] = "cryptographic library error",
    [SCHSM_REASON_OUT_OF_MEMORY] = "out of memory",
    [SCHSM_REASON_FILE] = "malformed file or wrong password",
};

/* U+200B to U+200F, U+2028 to U+202E, U+2060 to U+206F: what is not seen, and what turns the
 * direction or the line of what follows, of three bytes. */
static bool steers(const unsigned char *text)
{
    return text[0] == 0xE2 && ((text[1] == 0x80 && ((text[2] >= 0x8B && text[2] <= 0x8F) ||
                                                    (text[2] >= 0xA8 && text[2] <= 0xAE))) ||
                               (text[1] == 0x81 && text[2] >= 0xA0 && text[2] <= 0xAF));
}

/* The length of the printable UTF-8 character at text, 0 if there is none (RFC 3629). */
static size_t printable(const unsigned char *text)
{
    static const struct {
        unsigned char first_low, first_high, second_low, second_high;
        size_t len;
    } forms[] = {
        { 0x20, 0x7E, 0x00, 0xFF, 1 }, /* ASCII */
        { 0xC2, 0xC2, 0xA0, 0xBF, 2 }, /* above the C1 controls */
        { 0xC3, 0xDF, 0x80, 0xBF, 2 }, { 0xE0, 0xE0, 0xA0, 0xBF, 3 },
        { 0xE1, 0xEC, 0x80, 0xBF, 3 }, { 0xED, 0xED, 0x80, 0x9F, 3 }, /* no surrogates */
        { 0xEE, 0xEF, 0x80, 0xBF, 3 }, { 0xF0, 0xF0, 0x90, 0xBF, 4 },
        { 0xF1, 0xF3, 0x80, 0xBF, 4 }, { 0xF4, 0xF4, 0x80, 0x8F, 4 },
    };

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (text[0] < forms[i].first_low || text[0] > forms[i].first_high) {
            continue;
        }
        if (forms[i].len > 1 && (text[1] < forms[i].second_low || text[1] > forms[i].second_high)) {
            continue;
        }
        for (size_t k = 2; k < forms[i].len; k++) {
            if ((text[k] & 0xC0) != 0x80) {
                return 0;
            }
        }
        return steers(text) ? 0 : forms[i].len;
    }
    return 0;
}

void schsm_copy_printable(char *out, size_t size, const char *text)
{
    const unsigned char *from = (const unsigned char *)text;
    size_t used = 0;

    while (*from != '\0') {
        size_t len = printable(from);
        bool bad = len == 0;

        if (bad) {
            len = 1;
        }
        if (used + len >= size) {
            break;
        }
        if (bad) {
            out[used] = '?';
        } else {
            memcpy(out + used, from, len);
        }
        used += len;
        from += len;
    }
    out[used] = '\0';
}

int schsm_fail(struct schsm_error *err, enum schsm_reason reason, const char *format, ...)
{
    char text[2 * sizeof(err->text)];
    va_list args;

    if (err == NULL) {
        return 0;
    }
    va_start(args, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): clang-tidy 14 misses the va_start */
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    schsm_copy_printable(err->text, sizeof(err->text), text);
    err->reason = reason;
    err->status_word = 0;
    err->tries_left = -1;
    return 0;
}

int schsm_fail_context(struct schsm_error *err, const char *format, ...)
{
    char text[3 * sizeof(err->text)];
    va_list args;
    int len;

    if (err == NULL) {
        return 0;
    }
    va_start(args, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): as above */
    len = vsnprintf(text, sizeof(err->text), format, args);
    va_end(args);
    if (len < 0) {
        return 0;
    }
    len = (size_t)len < sizeof(err->text) ? len : (int)sizeof(err->text) - 1;
    (void)snprintf(text + len, sizeof(text) - (size_t)len, ": %s", err->text);
    schsm_copy_printable(err->text, sizeof(err->text), text);
    return 0;
}

int schsm_fail_malformed(struct schsm_error *err, const char *what)
{
    return schsm_fail(err, SCHSM_REASON_DEVICE_DATA, "%s is malformed", what);
}

int schsm_fail_as(struct schsm_error *err, const struct schsm_error *found)
{
    if (err != NULL) {
        *err = *found;
    }
    return 0;
}

int schsm_fail_memory(struct schsm_error *err)
{
    return schsm_fail(err, SCHSM_REASON_OUT_OF_MEMORY, "out of memory");
}

const char *schsm_reason_text(enum schsm_reason reason)
{
    if ((int)reason < 0 || reason >= SCHSM_REASON_COUNT || reason_texts[reason] == NULL) {
        return "unknown error";
    }
    return reason_texts[reason];
}
