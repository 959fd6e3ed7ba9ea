/* SPDX-License-Identifier: Apache-2.0 */
/* What a device tells of itself when the steps are done, without a PIN. */
#include "tool/ceremony.h"

#include <string.h>

/* A device that is not there, or of another kind, has a word less to say; that is no failure. */
static int ask(const struct schsm_plan_device *device, const char *command, const char *word,
               struct schsm_outcome *outcome, struct schsm_error *err)
{
    const char *const words[] = { "--serial", device->serial, command, word };

    return schsm_outcome_of(words, word != NULL ? 4 : 3, outcome, err);
}

/* Sets a member to what may be recorded of a value. */
static int set_facts(json_t *object, const char *name, const json_t *value)
{
    json_t *facts = value != NULL ? schsm_ceremony_facts(value) : json_null();

    return json_is_null(facts) ? 1 : json_object_set_new(object, name, facts) == 0;
}

/* What the device proves of itself, or with a URI of a key. */
static int add_attestation(const struct schsm_plan_device *device, const char *uri, json_t *object,
                           struct schsm_error *err)
{
    struct schsm_outcome outcome;
    int ok = ask(device, "attest", uri, &outcome, err);

    if (ok && outcome.told == NULL && outcome.error != NULL) {
        ok = json_object_set_new(object, "attestation",
                                 json_pack("{s:s}", "why_not", outcome.error)) == 0 ||
             schsm_fail_memory(err);
    } else if (ok && outcome.told != NULL) {
        if (uri != NULL) {
            (void)json_object_del(outcome.told, "device"); /* which is told once */
        }
        ok = set_facts(object, "attestation", outcome.told) || schsm_fail_memory(err);
    }
    schsm_outcome_clear(&outcome);
    return ok;
}

static int add_key_facts(OSSL_LIB_CTX *libctx, const struct schsm_plan_device *device,
                         const char *uri, json_t *object, struct schsm_error *err)
{
    char digest[SCHSM_DIGEST_TEXT_MAX];

    if (!schsm_ceremony_fingerprint(libctx, uri, digest, err)) {
        return 0;
    }
    if (digest[0] != '\0' &&
        json_object_set_new(object, "public_key_sha256", json_string(digest)) != 0) {
        return schsm_fail_memory(err);
    }
    return add_attestation(device, uri, object, err);
}

/* All objects, private keys with their public key's digest and what proves them. */
static int add_objects(OSSL_LIB_CTX *libctx, const struct schsm_plan_device *device, json_t *state,
                       struct schsm_error *err)
{
    struct schsm_outcome outcome;
    json_t *objects = NULL;
    int ok = ask(device, "list", NULL, &outcome, err);

    if (ok && json_object_get(outcome.told, "objects") != NULL) {
        objects = schsm_ceremony_facts(json_object_get(outcome.told, "objects"));
        ok = objects != NULL || schsm_fail_memory(err);
    }
    for (size_t i = 0; ok && i < json_array_size(objects); i++) {
        json_t *object = json_array_get(objects, i);
        const char *type = json_string_value(json_object_get(object, "type"));
        const char *uri = json_string_value(json_object_get(object, "uri"));

        if (type != NULL && uri != NULL && strcmp(type, "private") == 0) {
            ok = add_key_facts(libctx, device, uri, object, err);
        }
    }
    if (ok && json_array_size(objects) > 0) {
        ok = json_object_set(state, "objects", objects) == 0 || schsm_fail_memory(err);
    }
    json_decref(objects);
    schsm_outcome_clear(&outcome);
    return ok;
}

json_t *schsm_ceremony_device_state(OSSL_LIB_CTX *libctx, const struct schsm_plan_device *device,
                                    struct schsm_error *err)
{
    struct schsm_outcome outcome;
    json_t *state = NULL, *told;
    /* a device that is logged in does not tell everything, and is not to be put away like that */
    int ok = ask(device, "status", "--log-out", &outcome, err);

    if (ok) {
        told = json_array_get(json_object_get(outcome.told, "devices"), 0);
        state = told != NULL
                    ? schsm_ceremony_facts(told)
                    : json_pack("{s:s, s:s}", "serial", device->serial, "absent",
                                outcome.error != NULL ? outcome.error : "it tells nothing");
        ok = state != NULL || schsm_fail_memory(err);
        if (ok && told != NULL) {
            ok = add_attestation(device, NULL, state, err) &&
                 add_objects(libctx, device, state, err);
        }
    }
    schsm_outcome_clear(&outcome);
    if (!ok) {
        json_decref(state);
        state = NULL;
    }
    return state;
}
