/* SPDX-License-Identifier: Apache-2.0 */
#include "hsm_unwrap.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

void schsm_hsm_wrapped_clear(struct schsm_hsm_wrapped *wrapped)
{
    OPENSSL_free(wrapped->blob);
    OPENSSL_free(wrapped->description);
    OPENSSL_free(wrapped->certificate);
    memset(wrapped, 0, sizeof(*wrapped));
}

/* --- out ----------------------------------------------------------------------------------- */

struct wrapping {
    unsigned int key_ref;
    struct schsm_hsm_wrapped *wrapped;
};

/* The description that waits beside a secret key whose unwrap was interrupted is no certificate of
 * it. */
static void drop_waiting_description(struct schsm_hsm_wrapped *wrapped)
{
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    struct schsm_pkcs15_key waiting;

    if (wrapped->certificate != NULL &&
        schsm_pkcs15_decode_key(wrapped->certificate, wrapped->certificate_len, &waiting,
                                &ignored) &&
        waiting.type == SCHSM_KEY_AES) {
        OPENSSL_free(wrapped->certificate);
        wrapped->certificate = NULL;
        wrapped->certificate_len = 0;
    }
}

static int read_companions(struct schsm_session *session, const struct wrapping *wrapping,
                           struct schsm_error *err)
{
    struct schsm_hsm_wrapped *wrapped = wrapping->wrapped;
    unsigned int ref = wrapping->key_ref;

    if (!schsm_card_read_optional(session, SCHSM_FILE_KEY_DESCRIPTION | ref, SCHSM_FORM_TLV,
                                  &wrapped->description, &wrapped->description_len, err) ||
        !schsm_card_read_optional(session, SCHSM_FILE_CERTIFICATE | ref, SCHSM_FORM_TLV,
                                  &wrapped->certificate, &wrapped->certificate_len, err)) {
        return 0;
    }
    drop_waiting_description(wrapped);
    return 1;
}

static int run_read_companions(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    const struct wrapping *wrapping = arg;

    schsm_hsm_wrapped_clear(wrapping->wrapped);
    return schsm_session_confirm_applet(session, err) && read_companions(session, wrapping, err);
}

int schsm_hsm_read_companions(struct schsm_device *dev, int key_ref,
                              struct schsm_hsm_wrapped *companions, struct schsm_error *err)
{
    struct schsm_session *session = schsm_card_session_for(dev, SCHSM_UNWRAP_PURPOSE, err);
    struct wrapping wrapping = { (unsigned int)key_ref, companions };
    const struct schsm_job job = { .run = run_read_companions,
                                   .arg = &wrapping,
                                   .transaction = true };

    memset(companions, 0, sizeof(*companions));
    if (session == NULL || !schsm_hsm_check_key_ref(key_ref, err)) {
        return 0;
    }
    if (!schsm_session_run(session, &job, err)) {
        schsm_hsm_wrapped_clear(companions);
        return 0;
    }
    return 1;
}

static int run_key_wrap(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    const struct wrapping *wrapping = arg;
    struct schsm_hsm_wrapped *wrapped = wrapping->wrapped;
    unsigned int ref = wrapping->key_ref;

    schsm_hsm_wrapped_clear(wrapped);
    wrapped->blob = OPENSSL_malloc(SCHSM_WRAPPED_MAX);
    if (wrapped->blob == NULL) {
        return schsm_fail_memory(err);
    }
    wrapped->blob_len = SCHSM_WRAPPED_MAX;
    /* WRAP comes last: what a use was paid for is not lost with the answer to something else. It
     * also shows that it was our applet who said that a file is absent. */
    return read_companions(session, wrapping, err) &&
           schsm_card_wrap_key(&session->card, ref, wrapped->blob, &wrapped->blob_len, err);
}

int schsm_hsm_wraps_keys(struct schsm_device *dev, struct schsm_error *err)
{
    return schsm_card_session_for(dev, SCHSM_UNWRAP_PURPOSE, err) != NULL;
}

int schsm_hsm_wrap_key(struct schsm_device *dev, int key_ref, const struct schsm_login *login,
                       struct schsm_hsm_wrapped *wrapped, struct schsm_error *err)
{
    struct schsm_session *session = schsm_card_session_for(dev, SCHSM_UNWRAP_PURPOSE, err);
    struct wrapping wrapping = { (unsigned int)key_ref, wrapped };
    struct schsm_job job = { .run = run_key_wrap,
                             .arg = &wrapping,
                             .login = login,
                             .transaction = true,
                             .key_ref = wrapping.key_ref,
                             .object = login->object };

    memset(wrapped, 0, sizeof(*wrapped));
    if (session == NULL || !schsm_hsm_check_key_ref(key_ref, err)) {
        return 0;
    }
    if (!schsm_session_run(session, &job, err)) {
        schsm_hsm_wrapped_clear(wrapped);
        return 0;
    }
    return 1;
}

static int run_traits(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    const struct schsm_card_kind *kind = schsm_session_kind(session, err);
    struct schsm_hsm_unwrap_traits *traits = arg;

    if (kind != NULL) {
        traits->exponent_fixed = kind->exponent_fixed;
        traits->crt_bits_max = kind->crt_bits_max;
        traits->describes_keys = kind->describes_keys;
    }
    return kind != NULL;
}

int schsm_hsm_unwrap_traits(struct schsm_device *dev, struct schsm_hsm_unwrap_traits *traits,
                            struct schsm_error *err)
{
    const struct schsm_job job = { .run = run_traits, .arg = traits };

    return schsm_card_run(dev, SCHSM_UNWRAP_PURPOSE, &job, err);
}

/* --- a place ------------------------------------------------------------------------------- */

void schsm_card_strike_key(struct schsm_card_files *files, unsigned int ref)
{
    size_t kept = 0;

    for (size_t i = 0; i < files->count; i++) {
        if (files->ids[i] != (SCHSM_FILE_KEY | ref)) {
            files->ids[kept++] = files->ids[i];
        }
    }
    files->count = kept;
}

struct placing {
    const struct schsm_hsm_place *place;
    struct schsm_card_files files;
    unsigned int *key_ref;
    uint8_t *id;
    size_t *id_len;
};

static int run_place(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    struct placing *placing = arg;
    const struct schsm_hsm_place *place = placing->place;

    if (!schsm_card_list_files(session, &placing->files, err)) {
        return 0;
    }
    if (place->replace && place->key_ref >= 0) {
        schsm_card_strike_key(&placing->files, (unsigned int)place->key_ref);
    }
    if (!schsm_card_choose_key_ref(&placing->files, place->key_ref, placing->key_ref, err)) {
        return 0;
    }
    if (place->id != NULL && place->id_is_free) {
        memcpy(placing->id, place->id, place->id_len);
        *placing->id_len = place->id_len;
        return 1;
    }
    return schsm_card_choose_id(session, &placing->files, place->id, place->id_len,
                                *placing->key_ref, placing->id, placing->id_len, err);
}

int schsm_hsm_place_key(struct schsm_device *dev, const struct schsm_hsm_place *place,
                        unsigned int *key_ref, uint8_t *id, size_t *id_len, struct schsm_error *err)
{
    struct schsm_session *session = schsm_card_session_for(dev, SCHSM_UNWRAP_PURPOSE, err);
    struct placing placing = { .place = place, .key_ref = key_ref, .id = id, .id_len = id_len };
    struct schsm_job job = { .run = run_place, .arg = &placing, .transaction = true };

    if (session == NULL || (place->key_ref >= 0 && !schsm_hsm_check_key_ref(place->key_ref, err))) {
        return 0;
    }
    if (place->id != NULL && (place->id_len == 0 || place->id_len > SCHSM_ID_MAX)) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "an id has 1 to %d bytes", SCHSM_ID_MAX);
    }
    return schsm_session_run(session, &job, err);
}
