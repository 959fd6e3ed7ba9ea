/* SPDX-License-Identifier: Apache-2.0 */
#include "opening.h"

#include <string.h>

#include "format/curve.h"
#include "base/log.h"

int schsm_opening_begin(struct schsm_device *device, struct schsm_opening *opening,
                        struct schsm_error *err)
{
    const struct schsm_public_key_status *status = &opening->pka.status;

    memset(opening, 0, sizeof(*opening));
    opening->device = device;
    if (!schsm_pka_read(device, &opening->pka, err)) {
        return 0;
    }
    if (status->total - status->missing < status->required) {
        return schsm_fail(err, SCHSM_REASON_NOT_PERMITTED,
                          "%u of the %u keys that have to authenticate are registered: register "
                          "the others first (sc-hsm pka register)",
                          status->total - status->missing, status->required);
    }
    return 1;
}

bool schsm_opening_done(const struct schsm_opening *opening)
{
    return opening->pka.status.authenticated >= opening->pka.status.required;
}

bool schsm_opening_wants(const struct schsm_opening *opening, const char *name)
{
    for (size_t i = 0; i < opening->pka.count; i++) {
        const struct schsm_pka_key *key = &opening->pka.keys[i];

        if (key->name[0] != '\0' && !key->authenticated && strcmp(key->name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* One key: 1 wanted, 0 not; a key without a request, or with one that is not its device's, is none
 * that could be registered. */
static bool opening_wants_object(const struct schsm_opening *opening,
                                 struct schsm_device *custodian, const struct schsm_object *object,
                                 struct schsm_certified_key *key)
{
    struct schsm_error why = SCHSM_ERROR_INIT;

    if (object->type != SCHSM_OBJECT_PRIVATE || object->key_ref < 1) {
        return false;
    }
    if (!schsm_certified_key_load(custodian, object->key_ref, key, &why)) {
        schsm_log(SCHSM_LOG_DEBUG, "key reference %d is no custodian's key: %s", object->key_ref,
                  why.text);
        return false;
    }
    return schsm_opening_wants(opening, key->name);
}

int schsm_opening_find_key(const struct schsm_opening *opening, struct schsm_device *custodian,
                           struct schsm_certified_key *key, struct schsm_error *err)
{
    const struct schsm_object_filter filter = { .types = SCHSM_OBJECT_PRIVATE, .key_ref = -1 };
    struct schsm_object_list list = { NULL, 0 };
    bool found = false;
    int ok;

    memset(key, 0, sizeof(*key));
    ok = schsm_device_find(custodian, &filter, &list, err);
    for (size_t i = 0; ok && !found && i < list.count; i++) {
        found = opening_wants_object(opening, custodian, &list.objects[i], key);
        if (!found) {
            schsm_certified_key_clear(key);
        }
    }
    schsm_object_list_clear(&list);
    return ok;
}

static int get_challenge(struct schsm_opening *opening, struct schsm_error *err)
{
    if (opening->challenged) {
        return 1;
    }
    if (!schsm_pka_challenge(opening->device, &opening->challenge, err)) {
        return 0;
    }
    opening->challenged = true;
    opening->answered = false;
    return 1;
}

/* The state after a step. A device may forget who authenticated when it gives a new challenge. */
static int look_who_opened(struct schsm_opening *opening, struct schsm_error *err)
{
    unsigned int before = opening->pka.status.authenticated;

    if (!schsm_pka_read(opening->device, &opening->pka, err)) {
        return 0;
    }
    if (opening->pka.status.authenticated <= before) {
        return schsm_fail(err, SCHSM_REASON_DEVICE,
                          "the device has forgotten custodians that had authenticated, since it "
                          "was pulled out or reset, another program selected its applet, or it "
                          "gave a new challenge: begin again");
    }
    return 1;
}

static int sign_and_show(OSSL_LIB_CTX *libctx, struct schsm_opening *opening,
                         const struct schsm_certified_key *key, const struct schsm_login *login,
                         struct schsm_error *err)
{
    uint8_t signature[SCHSM_ECDSA_RAW_MAX];
    size_t len = sizeof(signature);

    if (!get_challenge(opening, err) ||
        !schsm_certified_key_sign(libctx, key, login, opening->challenge.message,
                                  opening->challenge.len, signature, &len, err) ||
        !schsm_pka_authenticate(opening->device, key->name, signature, len, err)) {
        return 0;
    }
    opening->answered = true;
    return look_who_opened(opening, err);
}

int schsm_opening_sign(OSSL_LIB_CTX *libctx, struct schsm_opening *opening,
                       const struct schsm_certified_key *key, const struct schsm_login *login,
                       struct schsm_error *err)
{
    struct schsm_error found = SCHSM_ERROR_INIT;

    if (sign_and_show(libctx, opening, key, login, &found)) {
        return 1;
    }
    /* 16.5: the signature is good, for we have verified it. So the challenge has served already. */
    if (opening->answered && found.reason == SCHSM_REASON_BAD_INPUT) {
        schsm_log(SCHSM_LOG_DEBUG, "the device takes a challenge once only: asking for another");
        opening->challenged = false;
        return sign_and_show(libctx, opening, key, login, err);
    }
    return schsm_fail_as(err, &found);
}
