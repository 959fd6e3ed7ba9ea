/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UNWRAP KEY of a device that writes files of its own beside the key, over ours, as the Pico HSM
 * does (protocol reference sections 6.10 and 19.5): a description without a label, whose id is the
 * key reference in decimal digits, and, for a pair, a request. Ours follow, the description last.
 * So a key with the device's own description is one that was not finished, and what stands beside
 * it tells whose: the request or a part of the certificate. A secret key has no public part; beside
 * it the device writes nothing, so that the description that it is to have waits there.
 */
#include "hsm_unwrap.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/log.h"
#include "format/public_key.h"

static bool is_own_id(const uint8_t *id, size_t id_len, int key_ref)
{
    char digits[12];
    int len = snprintf(digits, sizeof(digits), "%d", key_ref);

    return id_len == (size_t)len && memcmp(id, digits, id_len) == 0;
}

bool schsm_hsm_has_own_description(const struct schsm_object *key)
{
    return key->label[0] == '\0' && is_own_id(key->id, key->id_len, key->key_ref);
}

/* Whether a file CE is of the key that this certificate or request belongs to: it has its public
 * key, or is what an interruption left of the certificate. */
static bool is_of_same_key(struct schsm_view file, struct schsm_view certificate)
{
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    uint8_t *wanted = NULL, *found = NULL;
    size_t wanted_len = 0, found_len = 0;
    bool same = file.len >= SCHSM_APDU_SHORT_CHUNK && file.len <= certificate.len &&
                memcmp(file.data, certificate.data, file.len) == 0;

    if (!same &&
        schsm_public_key_from_ce(certificate.data, certificate.len, &wanted, &wanted_len,
                                 &ignored) &&
        schsm_public_key_from_ce(file.data, file.len, &found, &found_len, &ignored)) {
        same = schsm_view_equal((struct schsm_view){ wanted, wanted_len },
                                (struct schsm_view){ found, found_len });
    }
    OPENSSL_free(found);
    OPENSSL_free(wanted);
    return same;
}

/* Whether the key under this reference is the one of the job, as an interruption left it. */
static int look_for_unfinished(struct schsm_session *session,
                               const struct schsm_unwrapping *unwrapping, bool *unfinished,
                               struct schsm_error *err)
{
    const struct schsm_hsm_unwrap *spec = unwrapping->spec;
    struct schsm_pkcs15_key description;
    struct schsm_view beside;
    uint8_t *file = NULL;
    size_t len = 0;
    bool exists = false, secret = unwrapping->type == SCHSM_KEY_AES, ours = false;

    *unfinished = false;
    if (!schsm_card_read_description(session, (int)spec->key_ref, &description, &exists, err)) {
        return 0;
    }
    if (description.label[0] != '\0' ||
        !is_own_id(description.id, description.id_len, (int)spec->key_ref)) {
        /* a secret key's may be the one that waited */
        if (!secret || !schsm_card_file_holds(session, SCHSM_FILE_KEY_DESCRIPTION | spec->key_ref,
                                              spec->description, &ours, err)) {
            return !secret;
        }
        if (!ours) {
            return 1;
        }
    }
    if (!schsm_card_read_optional(session, SCHSM_FILE_CERTIFICATE | spec->key_ref, SCHSM_FORM_BYTES,
                                  &file, &len, err)) {
        return 0;
    }
    beside = (struct schsm_view){ file, len };
    *unfinished = secret ? len > 0 && schsm_view_equal(beside, spec->description)
                         : is_of_same_key(beside, spec->certificate);
    OPENSSL_free(file);
    return 1;
}

/* Lets the description wait beside a secret key that is to come. Where a pair is still in the place
 * what stands there is left to it: the device may refuse the key. */
static int announce(struct schsm_session *session, const struct schsm_unwrapping *unwrapping,
                    struct schsm_error *err)
{
    const struct schsm_hsm_unwrap *spec = unwrapping->spec;
    unsigned int file = SCHSM_FILE_CERTIFICATE | spec->key_ref;
    bool taken = false;

    if (unwrapping->type != SCHSM_KEY_AES) {
        return 1;
    }
    if (schsm_card_has_key(&unwrapping->files, spec->key_ref) &&
        !schsm_card_look_for_file(session, &unwrapping->files, file, &taken, err)) {
        return 0;
    }
    return taken || schsm_card_write_file(&session->card, file, spec->description.data,
                                          spec->description.len, err);
}

/* The files of a key that has come; a write at the beginning replaces what was there (4.4). */
static int finish(struct schsm_session *session, const struct schsm_unwrapping *unwrapping,
                  struct schsm_error *err)
{
    const struct schsm_hsm_unwrap *spec = unwrapping->spec;
    unsigned int ref = spec->key_ref;

    return (spec->certificate.len == 0 ||
            schsm_card_write_file(&session->card, SCHSM_FILE_CERTIFICATE | ref,
                                  spec->certificate.data, spec->certificate.len, err)) &&
           schsm_card_write_file(&session->card, SCHSM_FILE_KEY_DESCRIPTION | ref,
                                 spec->description.data, spec->description.len, err) &&
           (unwrapping->type != SCHSM_KEY_AES ||
            schsm_card_delete_optional(session, SCHSM_FILE_CERTIFICATE | ref, err));
}

int schsm_card_unwrap_described(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    struct schsm_unwrapping *unwrapping = arg;
    const struct schsm_hsm_unwrap *spec = unwrapping->spec;
    unsigned int ref = spec->key_ref;
    bool there = false, had_key;

    if (!schsm_session_check_file(session, spec->certificate.len, err) ||
        !schsm_card_list_files(session, &unwrapping->files, err)) {
        return 0;
    }
    had_key = schsm_card_has_key(&unwrapping->files, ref);
    if (had_key && unwrapping->started &&
        !schsm_card_file_holds(session, SCHSM_FILE_KEY_DESCRIPTION | ref, spec->description, &there,
                               err)) {
        return 0;
    }
    if (had_key && !there && (unwrapping->started || spec->unfinished) &&
        !look_for_unfinished(session, unwrapping, &there, err)) {
        return 0;
    }
    if (!there && !spec->replace &&
        !schsm_card_choose_key_ref(&unwrapping->files, (int)ref, &ref, err)) {
        return 0;
    }
    schsm_log(SCHSM_LOG_INFO, "device %s %s as key reference %u", schsm_session_name(session),
              there ? "has taken a wrapped key" : "takes a wrapped key", ref);
    unwrapping->started = true;
    /* a key that is in the place stays where this one is refused */
    if (!there && (!announce(session, unwrapping, err) ||
                   !schsm_card_unwrap_as(session, ref, unwrapping, err))) {
        if (!had_key && schsm_card_clean_up_unwrap(session, ref)) {
            unwrapping->started = false;
        }
        return 0;
    }
    if (finish(session, unwrapping, err)) {
        return 1;
    }
    if (schsm_card_clean_up_unwrap(session, ref)) {
        unwrapping->started = false;
    }
    return 0;
}

/* --- what an interruption left -------------------------------------------------------------- */

struct looking {
    struct schsm_unwrapping unwrapping;
    bool unfinished;
};

static int run_look(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    const struct schsm_card_kind *kind = schsm_session_kind(session, err);
    struct looking *looking = arg;

    looking->unfinished = false;
    return kind != NULL &&
           (!kind->describes_keys ||
            (schsm_session_confirm_applet(session, err) &&
             look_for_unfinished(session, &looking->unwrapping, &looking->unfinished, err)));
}

int schsm_hsm_is_unfinished(struct schsm_device *dev, const struct schsm_hsm_unwrap *spec,
                            bool *unfinished, struct schsm_error *err)
{
    struct looking *looking = OPENSSL_zalloc(sizeof(*looking));
    const struct schsm_job job = { .run = run_look, .arg = looking, .transaction = true };
    struct schsm_wrapped_key wrapped;
    int ok;

    *unfinished = false;
    if (looking == NULL) {
        return schsm_fail_memory(err);
    }
    ok = schsm_hsm_check_key_ref((int)spec->key_ref, err) &&
         schsm_wrapped_key_parse(spec->blob.data, spec->blob.len, &wrapped, err);
    if (ok) {
        looking->unwrapping.spec = spec;
        looking->unwrapping.type = wrapped.type;
        ok = schsm_card_run(dev, SCHSM_UNWRAP_PURPOSE, &job, err);
        *unfinished = ok && looking->unfinished;
    }
    OPENSSL_free(looking);
    return ok;
}
