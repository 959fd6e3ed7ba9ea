/* SPDX-License-Identifier: Apache-2.0 */
#include "error.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "utf8.h"

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

void schsm_copy_printable(char *out, size_t size, const char *text)
{
    size_t used = 0;

    while (*text != '\0') {
        uint32_t character = 0;
        size_t len = schsm_utf8_decode(text, &character);
        bool shown = len > 0 && schsm_utf8_printable(character);
        size_t room = shown ? len : 1;

        if (used + room >= size) {
            break;
        }
        memcpy(out + used, shown ? text : "?", room);
        used += room;
        text += len > 0 ? len : 1;
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
