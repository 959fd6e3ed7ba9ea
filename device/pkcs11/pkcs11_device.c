/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11_device.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>

#include "base/log.h"
#include "pkcs11_private.h"

#define SLOTS_MAX 64
#define LOOKS 3 /* more, while there is nothing to be found */
#define LOOK_PAUSE_MS 30
#define PIN_MAX 256u       /* bytes, where the token does not tell, or tells nonsense */
#define RANDOM_CHUNK 1024u /* bytes that every module makes at once */

struct schsm_pkcs11_tokens {
    char *path;
    struct schsm_pkcs11_module *module; /* NULL: not asked yet */
    struct entry {
        struct schsm_pkcs11_token *token;
        struct entry *next;
    } * entries; /* never shrinks */
};

/* --- the small operations of the interface -------------------------------------------------- */

static int token_device_serial(struct schsm_device *dev, char serial[SCHSM_SERIAL_MAX + 1],
                               struct schsm_error *err)
{
    (void)err;
    memcpy(serial, schsm_pkcs11_token(dev)->serial, SCHSM_SERIAL_MAX + 1);
    return 1;
}

static void token_device_token(struct schsm_device *dev, char label[SCHSM_TOKEN_LABEL_MAX + 1])
{
    memcpy(label, schsm_pkcs11_token(dev)->label, SCHSM_TOKEN_LABEL_MAX + 1);
}

static void token_device_name(struct schsm_device *dev, char name[SCHSM_DEVICE_NAME_MAX])
{
    memcpy(name, schsm_pkcs11_token(dev)->name, SCHSM_DEVICE_NAME_MAX);
}

static int token_device_login(struct schsm_device *dev, const struct schsm_login *login,
                              struct schsm_error *err)
{
    const struct schsm_pkcs11_job job = { .login = login, .prove = true, .object = login->object };

    return schsm_pkcs11_run(schsm_pkcs11_token(dev), &job, err);
}

struct state {
    bool logged_in;
    struct ck_token_info info;
    struct ck_version module; /* 0.0: not told */
};

static int read_state(struct schsm_pkcs11_token *token, void *arg, struct schsm_error *err)
{
    struct state *state = arg;
    struct ck_session_info session;
    struct ck_info module;
    ck_rv rv = SCHSM_PKCS11(token, get_session_info, &session);

    if (rv != CKR_OK) {
        return schsm_pkcs11_fail(token, rv, err);
    }
    state->logged_in =
        session.state == CKS_RO_USER_FUNCTIONS || session.state == CKS_RW_USER_FUNCTIONS;
    memset(&module, 0, sizeof(module));
    (void)SCHSM_PKCS11_CALL(token->module, get_info, (&module)); /* only its version is wanted */
    state->module = module.library;
    return schsm_pkcs11_token_info(token, &state->info, err);
}

/* The standard's text without its blanks. */
static void copy_padded(char *out, const unsigned char *text, size_t len)
{
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == 0)) {
        len--;
    }
    memcpy(out, text, len);
    out[len] = 0;
}

static struct schsm_version version(struct ck_version version)
{
    return (struct schsm_version){ version.major, version.minor };
}

static struct schsm_pin_form pin_form(const struct ck_token_info *info)
{
    bool told = info->max_pin_len >= info->min_pin_len && info->max_pin_len > 0 &&
                info->max_pin_len < PIN_MAX;

    return (struct schsm_pin_form){ told ? info->min_pin_len : 1,
                                    told ? info->max_pin_len : PIN_MAX, false };
}

/* The interface's number; few is not known exactly. */
static int exact(int tries)
{
    return tries >= 0 ? tries : -1;
}

static int token_device_info(struct schsm_device *dev, struct schsm_device_info *info,
                             struct schsm_error *err)
{
    struct schsm_pkcs11_token *token = schsm_pkcs11_token(dev);
    struct state state;
    const struct schsm_pkcs11_job job = { .run = read_state, .arg = &state };
    unsigned long flags;

    if (!schsm_pkcs11_run(token, &job, err)) {
        return 0;
    }
    flags = state.info.flags;
    memset(info, 0, sizeof(*info));
    info->kind = "PKCS#11 token";
    memcpy(info->serial, token->serial, sizeof(info->serial));
    (void)snprintf(info->label, sizeof(info->label), "%s", token->label);
    (void)snprintf(info->reader, sizeof(info->reader), "%.*s", SCHSM_READER_MAX,
                   token->module->path);
    info->version_major = state.info.firmware_version.major;
    info->version_minor = state.info.firmware_version.minor;
    info->hardware = version(state.info.hardware_version);
    info->module = version(state.module);
    copy_padded(info->manufacturer, state.info.manufacturer, sizeof(state.info.manufacturer));
    copy_padded(info->model, state.info.model, sizeof(state.info.model));
    info->pin = pin_form(&state.info);
    info->so_pin = (struct schsm_pin_form){ 1, PIN_MAX, false }; /* modules tell of users' PINs */
    info->so_pin_set = true;                                     /* an initialised token has one */
    info->so_pin_blocked = (flags & CKF_SO_PIN_LOCKED) != 0;
    info->unblocking = SCHSM_UNBLOCK_SETS;
    info->initialised = (flags & CKF_USER_PIN_INITIALIZED) != 0;
    info->pin_must_change = (flags & CKF_USER_PIN_TO_BE_CHANGED) != 0;
    info->logged_in = state.logged_in;
    info->pin_tries = exact(schsm_pkcs11_tries(flags));
    info->so_pin_tries = (flags & CKF_SO_PIN_LOCKED) != 0      ? 0
                         : (flags & CKF_SO_PIN_FINAL_TRY) != 0 ? 1
                                                               : -1;
    return 1;
}

static int token_device_prepare_login(struct schsm_device *dev, const struct schsm_login *login,
                                      struct schsm_pin_prospect *state, struct schsm_error *err)
{
    const struct schsm_pkcs11_job job = { .login = login,
                                          .prospect = state,
                                          .object = login->object };

    return schsm_pkcs11_run(schsm_pkcs11_token(dev), &job, err);
}

/* PKCS#11 tells nothing of algorithms, counters and domains as the interface knows them. */
static int token_device_key_policy(struct schsm_device *dev, const struct schsm_object *key,
                                   struct schsm_key_policy *policy, struct schsm_error *err)
{
    (void)dev;
    (void)key;
    (void)policy;
    (void)err;
    return 1;
}

static void token_device_free(struct schsm_device *dev)
{
    struct schsm_pkcs11_token *token = schsm_pkcs11_token(dev);
    struct schsm_error ignored = SCHSM_ERROR_INIT;

    if (schsm_pkcs11_usable() && schsm_pkcs11_lock(token->module, &ignored)) {
        if (token->module->initialised) {
            schsm_pkcs11_close(token);
        }
        schsm_pkcs11_unlock(token->module);
    }
    schsm_secret_free(token->kept_pin);
    schsm_secret_free(token->wrong_pin.pin);
    schsm_secret_free(token->typed);
    OPENSSL_free(token);
}

struct drawing {
    uint8_t *out;
    size_t len;
};

static int draw_from_token(struct schsm_pkcs11_token *token, void *arg, struct schsm_error *err)
{
    const struct drawing *drawing = arg;

    for (size_t done = 0, chunk; done < drawing->len; done += chunk) {
        ck_rv rv;

        chunk = drawing->len - done < RANDOM_CHUNK ? drawing->len - done : RANDOM_CHUNK;
        rv = SCHSM_PKCS11(token, generate_random, drawing->out + done, chunk);
        if (rv != CKR_OK) {
            return schsm_pkcs11_fail_to(token, rv, "make random bytes", err);
        }
    }
    return 1;
}

static int token_device_random(struct schsm_device *dev, uint8_t *out, size_t len,
                               struct schsm_error *err)
{
    struct drawing drawing = { out, len };
    const struct schsm_pkcs11_job job = { .run = draw_from_token, .arg = &drawing };

    return schsm_pkcs11_run(schsm_pkcs11_token(dev), &job, err);
}

static unsigned long token_device_connection(struct schsm_device *dev)
{
    return atomic_load(&((struct schsm_pkcs11_token *)(void *)dev)->connections);
}

static int token_device_rename(struct schsm_device *dev, struct schsm_object *object,
                               const struct schsm_rename *spec, const struct schsm_login *login,
                               struct schsm_error *err)
{
    (void)dev;
    (void)object;
    (void)spec;
    (void)login;
    return schsm_fail(
        err, SCHSM_REASON_UNSUPPORTED,
        "the objects of a PKCS#11 token are renamed by the token's own tools; nothing "
        "was changed");
}

/* A token knows by program who is logged in, and forgets this one as it ends. */
static int token_device_logout(struct schsm_device *dev, struct schsm_error *err)
{
    (void)dev;
    (void)err;
    return 1;
}

static const struct schsm_device_ops token_ops = {
    .info = token_device_info,
    .serial = token_device_serial,
    .token = token_device_token,
    .name = token_device_name,
    .place = token_device_name,
    .find = schsm_pkcs11_device_find,
    .connection = token_device_connection,
    .hides_objects = schsm_pkcs11_device_hides,
    .read = schsm_pkcs11_device_read,
    .login = token_device_login,
    .prepare_login = token_device_prepare_login,
    .operate = schsm_pkcs11_device_operate,
    .generate = schsm_pkcs11_device_generate,
    .store = schsm_pkcs11_device_store,
    .key_policy = token_device_key_policy,
    .remove = schsm_pkcs11_device_remove,
    .rename = token_device_rename,
    .logout = token_device_logout,
    .change_pin = schsm_pkcs11_device_change_pin,
    .change_so_pin = schsm_pkcs11_device_change_so_pin,
    .unblock_pin = schsm_pkcs11_device_unblock_pin,
    .random = token_device_random,
    .free = token_device_free,
};

/* --- for the registry ---------------------------------------------------------------------- */

struct schsm_pkcs11_tokens *schsm_pkcs11_tokens_new(const char *path, struct schsm_error *err)
{
    struct schsm_pkcs11_tokens *tokens = OPENSSL_zalloc(sizeof(*tokens));

    if (tokens == NULL || (tokens->path = OPENSSL_strdup(path)) == NULL) {
        OPENSSL_free(tokens);
        schsm_fail_memory(err);
        return NULL;
    }
    return tokens;
}

void schsm_pkcs11_tokens_free(struct schsm_pkcs11_tokens *tokens)
{
    if (tokens == NULL) {
        return;
    }
    for (struct entry *entry = tokens->entries, *next; entry != NULL; entry = next) {
        next = entry->next;
        token_device_free(&entry->token->device);
        OPENSSL_free(entry);
    }
    OPENSSL_free(tokens->path);
    OPENSSL_free(tokens);
}

const char *schsm_pkcs11_tokens_module(const struct schsm_pkcs11_tokens *tokens)
{
    return tokens->path;
}

static struct schsm_pkcs11_token *add_token(struct schsm_pkcs11_tokens *tokens,
                                            const struct schsm_pkcs11_slot *slot,
                                            struct schsm_error *err)
{
    struct schsm_pkcs11_token *token = OPENSSL_zalloc(sizeof(*token));
    struct entry *entry = OPENSSL_zalloc(sizeof(*entry));

    if (token == NULL || entry == NULL) {
        OPENSSL_free(token);
        OPENSSL_free(entry);
        schsm_fail_memory(err);
        return NULL;
    }
    token->device.ops = &token_ops;
    token->module = tokens->module;
    (void)snprintf(token->serial, sizeof(token->serial), "%s", slot->serial);
    (void)snprintf(token->label, sizeof(token->label), "%s", slot->label);
    (void)snprintf(token->name, sizeof(token->name), "%s%s(token '%s')", slot->serial,
                   slot->serial[0] != 0 ? " " : "", slot->label);
    entry->token = token;
    entry->next = tokens->entries;
    tokens->entries = entry;
    return token;
}

static struct schsm_pkcs11_token *known_token(const struct schsm_pkcs11_tokens *tokens,
                                              const struct schsm_pkcs11_slot *slot)
{
    for (const struct entry *entry = tokens->entries; entry != NULL; entry = entry->next) {
        if (strcmp(entry->token->serial, slot->serial) == 0 &&
            strcmp(entry->token->label, slot->label) == 0) {
            return entry->token;
        }
    }
    return NULL;
}

static bool any_initialised(const struct schsm_pkcs11_slot *slots, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (slots[i].initialised) {
            return true;
        }
    }
    return false;
}

/* A way to a token that broke is found again only from the beginning; and a token that another
 * process is about to write is there again a moment later. */
static int list_initialised_slots(struct schsm_pkcs11_tokens *tokens,
                                  struct schsm_pkcs11_slot *slots, size_t *count,
                                  struct schsm_error *err)
{
    struct schsm_pkcs11_module *module = tokens->module;
    const struct timespec pause = { 0, LOOK_PAUSE_MS * 1000000L };
    size_t room = *count;
    int ok;

    if (!schsm_pkcs11_lock(module, err)) {
        return 0;
    }
    ok = schsm_pkcs11_initialise(module, err) && schsm_pkcs11_slots(module, slots, count, err);
    for (int i = 0; i < LOOKS && !(ok && any_initialised(slots, *count)); i++) {
        (void)nanosleep(&pause, NULL);
        if (i > 0 || (!ok && err->reason == SCHSM_REASON_DEVICE_REMOVED)) {
            schsm_pkcs11_finalise(module, false);
        }
        *count = room;
        ok = schsm_pkcs11_initialise(module, err) && schsm_pkcs11_slots(module, slots, count, err);
    }
    schsm_pkcs11_unlock(module);
    return ok;
}

int schsm_pkcs11_tokens_find(struct schsm_pkcs11_tokens *tokens,
                             const struct schsm_device_selector *selector,
                             struct schsm_device **devices, size_t *count,
                             void (*seen)(void *arg, const char *label, const char *serial),
                             void *arg, struct schsm_error *err)
{
    struct schsm_pkcs11_slot slots[SLOTS_MAX];
    size_t slots_count = SLOTS_MAX, room = *count;

    *count = 0;
    if (tokens->module == NULL &&
        (tokens->module = schsm_pkcs11_module_at(tokens->path, err)) == NULL) {
        return 0;
    }
    if (!list_initialised_slots(tokens, slots, &slots_count, err)) {
        return 0;
    }
    for (size_t i = 0; i < slots_count && *count < room; i++) {
        struct schsm_pkcs11_token *token = NULL;

        if (!slots[i].initialised) {
            continue;
        }
        if ((selector->serial != NULL && strcmp(selector->serial, slots[i].serial) != 0) ||
            (selector->token != NULL && strcmp(selector->token, slots[i].label) != 0)) {
            seen(arg, slots[i].label, slots[i].serial);
            continue;
        }
        token = known_token(tokens, &slots[i]);
        token = token != NULL ? token : add_token(tokens, &slots[i], err);
        if (token == NULL) {
            return 0;
        }
        devices[(*count)++] = &token->device;
    }
    return 1;
}
