/* SPDX-License-Identifier: Apache-2.0 */
/* Objects as the command line names them, and as people and programs are told of them. */
#ifndef SCHSM_TOOL_OBJECT_H
#define SCHSM_TOOL_OBJECT_H

#include <jansson.h>

#include "keymgmt/find.h"
#include "keymgmt/uri.h"
#include "tool.h"

/*
 * Parses the name of an object: a URI, or what stands behind its sc-hsm: ("id=10", "label=web").
 * A PIN source in it takes the place of --pin-source. *uri is to be cleared, also after failure.
 */
int schsm_tool_uri(struct schsm_tool *tool, const char *text, struct schsm_uri *uri,
                   struct schsm_error *err);

/*
 * The one object of the wanted types (or-ed) that the name fits; a type in the name narrows them.
 * Where nothing fits, and a device hides objects of these types until a login, that login comes
 * first. *match is the caller's, to be cleared; serial is its device's. Fails with NOT_FOUND or
 * AMBIGUOUS.
 */
int schsm_tool_object(struct schsm_tool *tool, const char *text, unsigned int wanted,
                      struct schsm_match *match, char serial[SCHSM_SERIAL_MAX + 1],
                      struct schsm_error *err);

/*
 * The one object of the wanted types (or-ed) that is to be deleted, likewise; or what an
 * interrupted deletion left of it, or an orphan by its handle (schsm_remove_find).
 */
int schsm_tool_removable(struct schsm_tool *tool, const char *text, unsigned int wanted,
                         struct schsm_match *match, char serial[SCHSM_SERIAL_MAX + 1],
                         struct schsm_error *err);

/*
 * Logs in to the devices that the URI may mean and that show some of their objects only then; a
 * stored PIN is used where there is one device alone. *revealed: whether that was done, so that it
 * is worth to look again.
 */
int schsm_tool_reveal(struct schsm_tool *tool, const struct schsm_uri *uri, bool *revealed,
                      struct schsm_error *err);

/* "private key", "certificate"; of an orphan what it is: "description of a key" */
const char *schsm_object_type_text(const struct schsm_object *object);

/* A key, not a certificate that shares its type and size. */
bool schsm_object_is_key(const struct schsm_object *object);

/* "RSA", "EC", "AES", or "" */
const char *schsm_object_algorithm(const struct schsm_object *object);

/* Bytes of a content that was read; -1: unknown, or a key. */
int schsm_object_bytes(const struct schsm_object *object);

/* The object for programs; policy may be NULL. NULL where memory runs out. */
json_t *schsm_object_json(const struct schsm_tool *tool, const struct schsm_object *object,
                          const struct schsm_key_policy *policy, const char *uri);

/* One sentence, or with --json a document, about what was done to an object: "Stored", the object,
 * its URI. file: what was written for it; NULL: nothing. */
int schsm_object_report(const struct schsm_tool *tool, const char *done,
                        const struct schsm_match *match, const char *file, struct schsm_error *err);

/* Says on standard error where others of its kind have the label of what was made just now. */
void schsm_object_note_label(const struct schsm_tool *tool, struct schsm_device *device,
                             const char *serial, const struct schsm_object *made);

/* What is lost with a key's certificate. */
#define SCHSM_CERTIFICATE_LOSS                                                                     \
    "The key stays, but the device knows its public part from this certificate alone: without a "  \
    "key reference file or the certificate elsewhere the key is of little use afterwards"

/*
 * Deletes an object once the user has confirmed it, and says so. what: the object's name for the
 * sentences, as from schsm_object_name; consequences, which may be "", go with the question.
 */
int schsm_object_delete(struct schsm_tool *tool, struct schsm_match *match, const char *serial,
                        const char *consequences, struct schsm_error *err);

/* Options that name a new object: --id and --label. id has room for SCHSM_ID_MAX bytes; *len is 0
 * where none was given, *label NULL. */
int schsm_tool_new_name(const struct schsm_tool *tool, uint8_t *id, size_t *len, const char **label,
                        struct schsm_error *err);

#endif
