/* SPDX-License-Identifier: Apache-2.0 */
/* From a URI to the objects it names, over all devices that it may mean. */
#ifndef SCHSM_KEYMGMT_FIND_H
#define SCHSM_KEYMGMT_FIND_H

#include <stdbool.h>
#include <stddef.h>

#include "model/device.h"
#include "context.h"
#include "uri.h"

struct schsm_match {
    struct schsm_device *device; /* the registry's */
    struct schsm_object object;
    bool shares_name;   /* what identifies it fits another object of its type as well */
    bool shares_serial; /* so does its serial number, another device's object of that name */
    bool unfinished;    /* it was half deleted; see schsm_remove_find */
};

struct schsm_match_list {
    struct schsm_match *matches;
    size_t count;
};

void schsm_match_list_clear(struct schsm_match_list *list);

/*
 * Appends what the URI names, restricted to types (enum schsm_object_type, or-ed). Serial and
 * reader of the configuration apply where the URI gives none. Finding no object on the devices is
 * success with nothing appended; finding no device is failure.
 */
int schsm_find(struct schsm_context *context, const struct schsm_uri *uri, unsigned int types,
               struct schsm_match_list *list, struct schsm_error *err);

/* The same with fewer card commands: where the URI has a key reference and neither id nor label,
 * the objects may come without theirs. For whoever wants the key itself. */
int schsm_find_quick(struct schsm_context *context, const struct schsm_uri *uri, unsigned int types,
                     struct schsm_match_list *list, struct schsm_error *err);

/*
 * The one object of that type, found quickly; none is NOT_FOUND, several are AMBIGUOUS with the
 * candidates' URIs in the sentence. *match is the caller's, to be cleared with schsm_match_clear.
 */
int schsm_find_one(struct schsm_context *context, const struct schsm_uri *uri,
                   enum schsm_object_type type, struct schsm_match *match, struct schsm_error *err);

void schsm_match_clear(struct schsm_match *match);

/*
 * Says why the list is not the one object of these types (or-ed) that was needed: NOT_FOUND or
 * AMBIGUOUS, as schsm_find_one does. Returns 0.
 */
int schsm_find_fail(const struct schsm_uri *uri, const struct schsm_match_list *list,
                    unsigned int types, struct schsm_error *err);

/* What was looked for, in words: "private key with id 10"; OPENSSL_malloc'ed for the caller, NULL
 * where memory runs out. */
char *schsm_find_sought(const struct schsm_uri *uri, unsigned int types);

/* Moves the list's one object to *match; the list is empty then. Where it is not one, fails like
 * that. */
int schsm_match_list_take(struct schsm_match_list *list, const struct schsm_uri *uri,
                          unsigned int types, struct schsm_match *match, struct schsm_error *err);

/* Keeps what fits: 1 keep, 0 drop, -1 stop with *err set, which fails the whole. */
int schsm_match_list_filter(struct schsm_match_list *list,
                            int (*fits)(void *arg, struct schsm_match *match,
                                        struct schsm_error *err),
                            void *arg, struct schsm_error *err);

/* "private key, RSA 2048" into text, at most size bytes with terminator. */
void schsm_object_describe(const struct schsm_object *object, char *text, size_t size);

#define SCHSM_OBJECT_NAME_MAX (SCHSM_LABEL_MAX + 32)

/* What a user recognises the object by, for prompts and sentences: "key 'web'", "key-ref 3", "key
 * with id 10". */
void schsm_object_name(const struct schsm_object *object, char *text, size_t size);

/*
 * The URI that names the match, and with its type nothing else; OPENSSL_malloc'ed for the caller,
 * NULL on failure.
 */
char *schsm_match_uri(const struct schsm_match *match, bool with_type, struct schsm_error *err);

/* The selector of devices: the URI's serial, reader and token, else the configuration's. */
struct schsm_device_selector schsm_find_selector(const struct schsm_context *context,
                                                 const struct schsm_uri *uri);

/*
 * How many others of its kind on the device have the label of an object that was just made: names
 * that tell nobody which. Reads a description for each of them; 0 as well where that fails, or on a
 * card with more than some nine keys, where it would take too long.
 */
size_t schsm_same_label(struct schsm_device *device, const struct schsm_object *made);

#endif
