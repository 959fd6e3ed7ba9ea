/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a PIN comes from: `file:PATH`, `credential:NAME` (of systemd's), `env:NAME`, `fd:N`, a
 * person who is asked by us (`prompt`) or by another program (`pinentry`, `systemd-ask-password` or
 * `systemd` for short), `pinpad`, a value given in a configuration or URI, or an application's
 * passphrase callback whose answer was captured.
 *
 * `{serial}` in PATH or NAME stands for the serial number of the device whose PIN is read, so that
 * each of several devices can have a PIN of its own.
 *
 * A source is read only when a device really needs the PIN. Sources are reference counted and may
 * be shared by threads; fd: is read once and its PIN kept, because it cannot be read again.
 */
#ifndef SCHSM_PIN_SOURCE_H
#define SCHSM_PIN_SOURCE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/secret.h"
#include "prompt.h"

struct schsm_pin_source;

/*
 * Parses one of these. Nothing is opened. NULL with a
 * sentence that names the bad word (never more than the part before the colon, the rest may be a
 * PIN typed in the wrong place): SCHSM_REASON_CONFIG.
 */
struct schsm_pin_source *schsm_pin_source_parse(const char *text, struct schsm_error *err);

/* A source that holds the PIN itself; the source takes a reference of its own. */
struct schsm_pin_source *schsm_pin_source_from_secret(struct schsm_secret *pin,
                                                      struct schsm_error *err);

struct schsm_pin_source *schsm_pin_source_ref(struct schsm_pin_source *source);
void schsm_pin_source_free(struct schsm_pin_source *source);

/* False where a person types the PIN each time (prompt, pinentry, pinpad, ...): only then may the
 * last tries be spent. */
bool schsm_pin_source_is_stored(const struct schsm_pin_source *source);

/* True where reading it again may give another PIN: a file or credential. */
bool schsm_pin_source_may_change(const struct schsm_pin_source *source);

/* True where reading it takes the device's serial number: `{serial}` is in it. */
bool schsm_pin_source_takes_serial(const struct schsm_pin_source *source);

/* True where the reader's own PIN pad is to be used; such a source is never read. */
bool schsm_pin_source_is_pinpad(const struct schsm_pin_source *source);

/*
 * Reads the PIN; one trailing newline (LF or CRLF) of a file or descriptor is dropped. Fails with
 * SCHSM_REASON_PIN_SOURCE (unreadable, readable by others too, empty, longer than 256 bytes, no
 * such program; `{serial}`, and prompt->serial is NULL or no part of a file's name),
 * SCHSM_REASON_CANCELLED (the user left the prompt), SCHSM_REASON_PIN_MISSING (prompt without a
 * controlling terminal). On success *pin is the caller's to free.
 */
int schsm_pin_source_read(struct schsm_pin_source *source, const struct schsm_pin_prompt *prompt,
                          struct schsm_secret **pin, struct schsm_error *err);

#endif
