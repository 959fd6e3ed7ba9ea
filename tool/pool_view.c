/* SPDX-License-Identifier: Apache-2.0 */
#include "pool_view.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "format/ecx.h"
#include "format/same_key.h"
#include "hsm/hsm_wrap.h"

/* --- asking a device ------------------------------------------------------------------------- */

static int ask_device(struct schsm_pool_view_device *device, struct schsm_object_list *list,
                      struct schsm_error *err)
{
    const struct schsm_object_filter keys = { .types = (unsigned int)SCHSM_OBJECT_PRIVATE |
                                                       (unsigned int)SCHSM_OBJECT_PUBLIC,
                                              .key_ref = -1 };

    device->wraps = schsm_hsm_wraps_keys(device->device, NULL) != 0;
    if (!schsm_device_info(device->device, &device->info, err) ||
        !schsm_device_hides_objects(device->device, &device->hides, err)) {
        return 0;
    }
    device->domain_count = SCHSM_HSM_DOMAINS_MAX;
    if (!device->wraps ||
        !schsm_hsm_domains(device->device, device->domains, &device->domain_count, NULL)) {
        device->domain_count = 0;
    }
    return schsm_device_find(device->device, &keys, list, err);
}

/* By its serial number, as far as that says which it is. */
static void name_devices(struct schsm_pool_view *view)
{
    for (size_t i = 0; i < view->device_count; i++) {
        struct schsm_pool_view_device *device = &view->devices[i];
        bool alone = device->wraps && device->info.serial[0] != '\0';

        for (size_t k = 0; k < view->device_count && alone; k++) {
            alone = k == i || strcmp(view->devices[k].info.serial, device->info.serial) != 0;
        }
        if (alone) {
            (void)snprintf(device->name, sizeof(device->name), "%s", device->info.serial);
        } else {
            schsm_device_name(device->device, device->name);
        }
    }
}

/* --- keys ------------------------------------------------------------------------------------ */

static EVP_PKEY *read_public(OSSL_LIB_CTX *libctx, const struct schsm_object *object)
{
    const uint8_t *at = object->value;
    EVP_PKEY *key = NULL;

    if (object->value_len > 0) {
        (void)ERR_set_mark();
        key = d2i_PUBKEY_ex(NULL, &at, (long)object->value_len, libctx, NULL);
        (void)ERR_pop_to_mark();
    }
    return key;
}

static int digest_public(OSSL_LIB_CTX *libctx, EVP_PKEY *key, uint8_t digest[SCHSM_POOL_DIGEST_LEN],
                         struct schsm_error *err)
{
    uint8_t *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    int ok = len > 0 && EVP_Q_digest(libctx, "SHA256", NULL, der, (size_t)len, digest, NULL) == 1;

    OPENSSL_free(der);
    return ok ? 1 : schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto cannot do SHA-256");
}

/* The key of this public part, a new one where there is none yet. */
static struct schsm_pool_key *find_or_add_key(OSSL_LIB_CTX *libctx, struct schsm_pool_view *view,
                                              const struct schsm_object *object,
                                              struct schsm_error *err)
{
    struct schsm_pool_key *grown, *key;

    for (size_t i = 0; i < view->key_count; i++) {
        if (view->keys[i].public_key != NULL && object->value_len > 0 &&
            schsm_public_key_is(libctx, object->value, object->value_len,
                                view->keys[i].public_key)) {
            return &view->keys[i];
        }
    }
    grown = OPENSSL_realloc(view->keys, (view->key_count + 1) * sizeof(*grown));
    if (grown == NULL) {
        schsm_fail_memory(err);
        return NULL;
    }
    view->keys = grown;
    key = &grown[view->key_count++];
    memset(key, 0, sizeof(*key));
    key->public_key = read_public(libctx, object);
    if (key->public_key != NULL && !digest_public(libctx, key->public_key, key->digest, err)) {
        return NULL;
    }
    return key;
}

/* The check value of the key encryption key that a key is wrapped under. */
static void find_kcv(const struct schsm_pool_view_device *device,
                     const struct schsm_key_policy *policy, struct schsm_pool_holder *holder)
{
    unsigned int number =
        policy->known && policy->key_domain > 0 ? (unsigned int)policy->key_domain : 0;

    for (size_t i = 0; i < device->domain_count; i++) {
        const struct schsm_hsm_domain *domain = &device->domains[i];

        if (domain->number == number && domain->complete && !domain->sealed) {
            memcpy(holder->kcv, domain->kcv, sizeof(holder->kcv));
            holder->has_kcv = true;
        }
    }
}

static enum schsm_pool_state state_of(const struct schsm_pool_view_device *device, int min_tries,
                                      const struct schsm_key_policy *policy,
                                      const struct schsm_object *object)
{
    if (object->type == SCHSM_OBJECT_PUBLIC) {
        return SCHSM_POOL_HIDDEN;
    }
    if (object->value_len == 0) {
        return SCHSM_POOL_UNKNOWN;
    }
    if (policy->known && policy->limited) {
        return SCHSM_POOL_COUNTED;
    }
    if (device->info.pin_must_change) {
        return SCHSM_POOL_PIN_MUST_CHANGE;
    }
    if (device->info.pin_tries == 0) {
        return SCHSM_POOL_PIN_BLOCKED;
    }
    return device->info.pin_tries > 0 && device->info.pin_tries < min_tries
               ? SCHSM_POOL_PIN_TRIES_LOW
               : SCHSM_POOL_USABLE;
}

/* Takes the object over; it is empty afterwards. */
static int add_holder(struct schsm_context *context, struct schsm_pool_view *view, size_t at,
                      struct schsm_object *object, struct schsm_error *err)
{
    const struct schsm_pool_view_device *device = &view->devices[at];
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    struct schsm_key_policy policy = { .key_domain = -1 };
    struct schsm_pool_holder holder = { .device = at }, *grown;
    struct schsm_pool_key *key;

    if (object->value == NULL) {
        (void)schsm_device_read(device->device, object, NULL, &ignored);
    }
    if (object->type == SCHSM_OBJECT_PRIVATE) {
        (void)schsm_device_key_policy(device->device, object, &policy, &ignored);
    }
    key = find_or_add_key(context->libctx, view, object, err);
    if (key == NULL) {
        return 0;
    }
    grown = OPENSSL_realloc(key->holders, (key->holder_count + 1) * sizeof(*grown));
    if (grown == NULL) {
        return schsm_fail_memory(err);
    }
    key->holders = grown;
    holder.match.device = device->device;
    holder.match.object = *object;
    holder.state = state_of(device, context->config.min_pin_tries, &policy, object);
    holder.uses_left = policy.uses_left;
    find_kcv(device, &policy, &holder);
    grown[key->holder_count++] = holder;
    memset(object, 0, sizeof(*object)); /* its value has moved */
    return 1;
}

/* Public keys stand for private ones that hide, unless that one is seen as well. */
static bool is_holder(const struct schsm_pool_view_device *device,
                      const struct schsm_object_list *list, const struct schsm_object *object)
{
    bool counts = object->type == SCHSM_OBJECT_PRIVATE || device->hides;

    for (size_t i = 0; i < list->count && counts && object->type == SCHSM_OBJECT_PUBLIC; i++) {
        counts = list->objects[i].type != SCHSM_OBJECT_PRIVATE ||
                 !schsm_object_same_key(&list->objects[i], object);
    }
    return counts;
}

static int add_keys(struct schsm_context *context, struct schsm_pool_view *view, size_t at,
                    struct schsm_object_list *list, struct schsm_error *err)
{
    bool *holds = OPENSSL_zalloc(list->count + 1);
    int ok = holds != NULL || schsm_fail_memory(err);

    for (size_t i = 0; ok && i < list->count; i++) {
        holds[i] = is_holder(&view->devices[at], list, &list->objects[i]);
    }
    for (size_t i = 0; ok && i < list->count; i++) {
        ok = !holds[i] || add_holder(context, view, at, &list->objects[i], err);
    }
    OPENSSL_free(holds);
    return ok;
}

/* --- the whole ------------------------------------------------------------------------------- */

int schsm_pool_view_fill(struct schsm_context *context, struct schsm_pool_view *view,
                         struct schsm_error *err)
{
    const struct schsm_device_selector selector = { .serial = context->config.serial,
                                                    .reader = context->config.reader,
                                                    .token = context->config.token };
    struct schsm_device *devices[SCHSM_TOOL_DEVICES_MAX];
    size_t count = SCHSM_TOOL_DEVICES_MAX;
    int ok = 1;

    memset(view, 0, sizeof(*view));
    if (!schsm_registry_devices(context->registry, &selector, devices, &count, err)) {
        return 0;
    }
    view->devices = OPENSSL_zalloc((count + 1) * sizeof(*view->devices));
    if (view->devices == NULL) {
        return schsm_fail_memory(err);
    }
    for (size_t i = 0; ok && i < count; i++) {
        struct schsm_pool_view_device *device = &view->devices[view->device_count++];
        struct schsm_object_list list = { NULL, 0 };

        device->device = devices[i];
        if (ask_device(device, &list, &device->why)) {
            ok = add_keys(context, view, i, &list, err);
        }
        schsm_object_list_clear(&list);
    }
    name_devices(view);
    return ok;
}

void schsm_pool_view_clear(struct schsm_pool_view *view)
{
    for (size_t i = 0; i < view->key_count; i++) {
        for (size_t k = 0; k < view->keys[i].holder_count; k++) {
            schsm_match_clear(&view->keys[i].holders[k].match);
        }
        OPENSSL_free(view->keys[i].holders);
        EVP_PKEY_free(view->keys[i].public_key);
    }
    OPENSSL_free(view->keys);
    OPENSSL_free(view->devices);
    memset(view, 0, sizeof(*view));
}

/* --- in words -------------------------------------------------------------------------------- */

static const struct {
    const char *name, *text;
} states[] = {
    [SCHSM_POOL_USABLE] = { "usable", "usable" },
    [SCHSM_POOL_COUNTED] = { "counted", "use counter: on one device alone" },
    [SCHSM_POOL_PIN_BLOCKED] = { "pin-blocked", "PIN blocked" },
    [SCHSM_POOL_PIN_MUST_CHANGE] = { "pin-must-change", "transport PIN, must be changed" },
    [SCHSM_POOL_PIN_TRIES_LOW] = { "pin-tries-low", "too few PIN tries for a stored PIN" },
    [SCHSM_POOL_HIDDEN] = { "hidden", "public key seen, private keys hide until a login" },
    [SCHSM_POOL_UNKNOWN] = { "unknown", "takes no part: public key unknown" },
};

const char *schsm_pool_state_name(enum schsm_pool_state state)
{
    return states[state].name;
}

void schsm_pool_holder_text(const struct schsm_pool_holder *holder, char *text, size_t size)
{
    int len = snprintf(text, size, "%s", states[holder->state].text);

    if (holder->state == SCHSM_POOL_COUNTED && len > 0 && (size_t)len < size) {
        (void)snprintf(text + len, size - (size_t)len, ", %u left", holder->uses_left);
    }
}

/* --- what is missing ------------------------------------------------------------------------- */

bool schsm_pool_key_missing(const struct schsm_pool_view *view, const struct schsm_pool_key *key,
                            size_t device)
{
    bool shared = false; /* a key that somebody might want elsewhere */

    for (size_t i = 0; i < key->holder_count; i++) {
        if (key->holders[i].device == device) {
            return false;
        }
        shared = shared || (key->holders[i].state != SCHSM_POOL_COUNTED &&
                            key->holders[i].state != SCHSM_POOL_UNKNOWN);
    }
    return shared && view->devices[device].why.reason == SCHSM_REASON_NONE;
}

/* Whether the device may have the key encryption key of the holder. */
static bool may_take_from(const struct schsm_pool_view_device *device,
                          const struct schsm_pool_view_device *holders,
                          const struct schsm_pool_holder *holder)
{
    if (!holders->wraps) {
        return false;
    }
    for (size_t i = 0; i < device->domain_count; i++) {
        const struct schsm_hsm_domain *domain = &device->domains[i];

        if (domain->sealed || (domain->complete && !holder->has_kcv)) {
            return true; /* told only after a login: copying will say */
        }
        if (domain->complete && holder->has_kcv &&
            memcmp(domain->kcv, holder->kcv, sizeof(holder->kcv)) == 0) {
            return true;
        }
    }
    return false;
}

/* Why a key can go to no device of the kind or in the state of this one; NULL: it may. */
static const char *refusal(const struct schsm_pool_view_device *device,
                           const struct schsm_pool_key *key)
{
    if (schsm_ecx_by_type(key->holders[0].match.object.key_type) != NULL) {
        return SCHSM_ECX_STAYS;
    }
    if (!device->wraps) {
        return device->hides ? "it shows private keys only after a login; keys are copied between "
                               "SmartCard-HSMs alone"
                             : "keys are copied between SmartCard-HSMs alone";
    }
    if (!device->info.initialised) {
        return "it was never initialised";
    }
    if (strcmp(device->name, device->info.serial) != 0) {
        return "its serial number does not tell it from others";
    }
    return NULL;
}

/* Which check value it has instead. */
static void tell_other_kek(const struct schsm_pool_view_device *device,
                           const struct schsm_pool_key *key, char reason[SCHSM_POOL_REASON_MAX])
{
    char theirs[SCHSM_KCV_TEXT_MAX], ours[SCHSM_KCV_TEXT_MAX];
    const struct schsm_hsm_domain *has = NULL;
    const struct schsm_pool_holder *wanted = NULL;

    for (size_t i = 0; i < device->domain_count && has == NULL; i++) {
        has = device->domains[i].complete ? &device->domains[i] : NULL;
    }
    for (size_t i = 0; i < key->holder_count && wanted == NULL; i++) {
        wanted = key->holders[i].has_kcv ? &key->holders[i] : NULL;
    }
    if (wanted == NULL) {
        (void)snprintf(reason, SCHSM_POOL_REASON_MAX,
                       "no device that has the key has a key encryption key (DKEK)");
        return;
    }
    schsm_kcv_text(wanted->kcv, ours);
    if (has == NULL) {
        (void)snprintf(reason, SCHSM_POOL_REASON_MAX,
                       "it has no key encryption key (DKEK); the one with check value %s is wanted",
                       ours);
        return;
    }
    schsm_kcv_text(has->kcv, theirs);
    (void)snprintf(reason, SCHSM_POOL_REASON_MAX,
                   "its key encryption key (DKEK) has the check value %s, and %s is wanted", theirs,
                   ours);
}

int schsm_pool_key_command(const struct schsm_pool_view *view, const struct schsm_pool_key *key,
                           size_t device, char **command, char reason[SCHSM_POOL_REASON_MAX],
                           struct schsm_error *err)
{
    static const char form[] = SCHSM_TOOL_NAME " copy '%s' --to %s";
    const struct schsm_pool_view_device *target = &view->devices[device];
    const char *why = refusal(target, key);
    char *uri;
    size_t size;

    *command = NULL;
    reason[0] = '\0';
    if (why != NULL) {
        (void)snprintf(reason, SCHSM_POOL_REASON_MAX, "%s", why);
        return 1;
    }
    for (size_t i = 0; i < key->holder_count; i++) {
        const struct schsm_pool_holder *holder = &key->holders[i];

        if (!may_take_from(target, &view->devices[holder->device], holder)) {
            continue;
        }
        uri = schsm_match_uri(&holder->match, true, err);
        if (uri == NULL) {
            return 0;
        }
        size = strlen(uri) + strlen(target->info.serial) + sizeof(form);
        *command = OPENSSL_malloc(size);
        if (*command != NULL) {
            (void)snprintf(*command, size, form, uri, target->info.serial);
        }
        OPENSSL_free(uri);
        return *command != NULL || schsm_fail_memory(err);
    }
    tell_other_kek(target, key, reason);
    return 1;
}
