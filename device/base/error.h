/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why something failed, and the one sentence that tells the user.
 *
 * Every function that can fail takes a `struct schsm_error *` as its last argument and returns 1 on
 * success, 0 on failure. On failure the error holds a reason, for programs, and a sentence, for
 * people: it names the device, the object, the status word in words, and what to do next. It never
 * holds a PIN or key material. On success the error is left as it was.
 */
#ifndef SCHSM_BASE_ERROR_H
#define SCHSM_BASE_ERROR_H

#include <stddef.h>

enum schsm_reason {
    SCHSM_REASON_NONE = 0,
    SCHSM_REASON_NO_SERVICE,       /* the PC/SC service cannot be reached */
    SCHSM_REASON_NO_READER,        /* no reader, or none of that name */
    SCHSM_REASON_NO_DEVICE,        /* no SmartCard-HSM, or none with that serial number */
    SCHSM_REASON_DEVICE_AMBIGUOUS, /* several devices fit */
    SCHSM_REASON_DEVICE_REMOVED,   /* the card went away and did not come back */
    SCHSM_REASON_TRANSPORT,        /* PC/SC failed in another way */
    SCHSM_REASON_NOT_INITIALISED,  /* the device has no user PIN yet */
    SCHSM_REASON_PIN_INCORRECT,    /* one try was spent; tries_left says what remains */
    SCHSM_REASON_PIN_BLOCKED,
    SCHSM_REASON_PIN_MISSING,     /* a PIN is needed and no source gave one */
    SCHSM_REASON_PIN_TRIES_LOW,   /* a stored PIN was not tried: too few tries are left */
    SCHSM_REASON_PIN_KNOWN_WRONG, /* this PIN failed before and was not sent again */
    SCHSM_REASON_PIN_LENGTH,      /* outside 6..16 characters, not sent */
    SCHSM_REASON_PIN_MUST_CHANGE, /* transport PIN */
    SCHSM_REASON_PIN_SOURCE,      /* the source could not be read */
    SCHSM_REASON_CANCELLED,       /* the user gave up at a prompt */
    SCHSM_REASON_NOT_FOUND,       /* no such object */
    SCHSM_REASON_AMBIGUOUS,       /* several objects fit; the sentence lists them */
    SCHSM_REASON_EXISTS,          /* id or key reference is taken */
    SCHSM_REASON_URI,             /* malformed sc-hsm: URI */
    SCHSM_REASON_CONFIG,          /* bad value in the configuration */
    SCHSM_REASON_REFERENCE_FILE,  /* malformed key reference file */
    SCHSM_REASON_WRONG_KEY,       /* the key on the device is not the one that was named */
    SCHSM_REASON_NO_PUBLIC_KEY,   /* the device does not hold the key's public part */
    SCHSM_REASON_NOT_PERMITTED,   /* the key's policy forbids the algorithm */
    SCHSM_REASON_USE_COUNTER,     /* the key's use counter is exhausted */
    SCHSM_REASON_ACCESS_DENIED,   /* security status not satisfied although logged in */
    SCHSM_REASON_UNSUPPORTED,     /* the device or we cannot do this */
    SCHSM_REASON_DEVICE_FULL,     /* no memory on the device */
    SCHSM_REASON_BAD_INPUT,       /* the device refused the data */
    SCHSM_REASON_DEVICE_DATA,     /* a file on the device is malformed */
    SCHSM_REASON_DEVICE,          /* any other status word */
    SCHSM_REASON_ARGUMENT,        /* wrong use of a function or parameter */
    SCHSM_REASON_CRYPTO,          /* libcrypto failed */
    SCHSM_REASON_OUT_OF_MEMORY,
    SCHSM_REASON_FILE, /* a file of the user's is malformed, or its password is wrong */
    SCHSM_REASON_COUNT
};

struct schsm_error {
    enum schsm_reason reason;
    unsigned int status_word; /* ISO 7816-4 SW1SW2 where one was the cause, else 0 */
    int tries_left;           /* for PIN errors; -1 where unknown */
    char text[768];           /* UTF-8, one sentence, no newline, always terminated */
};

#define SCHSM_ERROR_INIT                                                                           \
    {                                                                                              \
        SCHSM_REASON_NONE, 0, -1, ""                                                               \
    }

/*
 * Sets reason and sentence (printf style; bytes that are not printable are replaced by `?`, a
 * sentence too long is cut), clears status_word and sets tries_left to -1. err may be NULL.
 * Always returns 0, so that a caller can `return schsm_fail(...)`.
 */
int schsm_fail(struct schsm_error *err, enum schsm_reason reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts `prefix: ` before the sentence that is already there; returns 0. */
int schsm_fail_context(struct schsm_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* schsm_fail for exhausted memory; returns 0. */
int schsm_fail_memory(struct schsm_error *err);

/* schsm_fail with DEVICE_DATA: what ("a key's description") is malformed; returns 0. */
int schsm_fail_malformed(struct schsm_error *err, const char *what);

/* Fails as something else did; returns 0. For what uses an error as scratch paper. */
int schsm_fail_as(struct schsm_error *err, const struct schsm_error *found);

/* Copies a string so that out is printable UTF-8: what is not becomes `?`, and where out's size in
 * bytes does not suffice it is cut between characters. */
void schsm_copy_printable(char *out, size_t size, const char *text);

/* A short fixed text for a reason, for error tables ("PIN incorrect"); never NULL. */
const char *schsm_reason_text(enum schsm_reason reason);

#endif
