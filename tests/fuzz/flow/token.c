/* SPDX-License-Identifier: Apache-2.0 */
#include "token.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define CALLS_MAX 5000 /* beyond it the module only fails: a flow ends some time */
#define PINS_MAX 8
#define UNSURE_MAX 2 /* logins of one command whose outcome nobody knows */

static struct flow_script *script;
static unsigned int calls;
static bool logged_in, officer;
static uint8_t class_sought;
static bool found_all;

/* --- tries ------------------------------------------------------------------------------------ */

/* As tries.h, for C_Login: a token's flags tell how many tries are left, few, one or none. */
static struct {
    struct pin {
        uint8_t value[256];
        size_t len;
        bool refused;
        int tries; /* as the token told after that; -1: not yet */
        int unsure;
    } pins[PINS_MAX];
    size_t count;
    int left;
    bool officer_refused;
} logins;

static int tries_of(unsigned long flags)
{
    return (flags & CKF_USER_PIN_LOCKED) != 0      ? 0
           : (flags & CKF_USER_PIN_FINAL_TRY) != 0 ? 1
           : (flags & CKF_USER_PIN_COUNT_LOW) != 0 ? 2
                                                   : INT_MAX;
}

static void note_flags(unsigned long flags)
{
    logins.left = tries_of(flags);
    for (size_t i = 0; i < logins.count; i++) {
        struct pin *pin = &logins.pins[i];

        pin->tries = pin->refused && pin->tries < 0 ? logins.left : pin->tries;
    }
}

static struct pin *find_pin(const unsigned char *value, unsigned long len)
{
    REQUIRE(len <= sizeof(logins.pins[0].value));
    for (size_t i = 0; i < logins.count; i++) {
        if (logins.pins[i].len == len && memcmp(logins.pins[i].value, value, len) == 0) {
            return &logins.pins[i];
        }
    }
    REQUIRE(logins.count < PINS_MAX);
    memcpy(logins.pins[logins.count].value, value, len);
    logins.pins[logins.count] = (struct pin){ .len = len, .tries = -1 };
    memcpy(logins.pins[logins.count].value, value, len);
    return &logins.pins[logins.count++];
}

/* Before it is sent. */
static void check_pin(struct pin *pin)
{
    REQUIRE(!pin->refused || (pin->tries >= 0 && logins.left > pin->tries));
    REQUIRE(pin->unsure < UNSURE_MAX);
    pin->refused = false;
}

static void note_login(struct pin *pin, ck_rv rv)
{
    switch (rv) {
    case CKR_OK:
        pin->refused = false;
        pin->unsure = 0;
        break;
    case CKR_PIN_INCORRECT:
        pin->refused = true;
        pin->tries = -1;
        break;
    case CKR_GENERAL_ERROR:
    case CKR_FUNCTION_FAILED:
    case CKR_DEVICE_ERROR:
    case CKR_DEVICE_REMOVED:
    case CKR_SESSION_CLOSED:
        pin->unsure++;
        break;
    default:
        break;
    }
}

void flow_token_next_command(void)
{
    for (size_t i = 0; i < logins.count; i++) {
        logins.pins[i].unsure = 0;
    }
    logins.officer_refused = false;
}

void flow_token_start(struct flow_script *by)
{
    script = by;
    calls = 0;
    logged_in = officer = false;
    memset(&logins, 0, sizeof(logins));
    logins.left = INT_MAX;
}

/* --- answers ---------------------------------------------------------------------------------- */

struct answer {
    ck_rv rv;
    bool told; /* by a record */
    const uint8_t *rest;
    size_t len;
};

static void tell(unsigned int function, unsigned int detail, const struct answer *answer)
{
    if (getenv("FLOW_TELL") != NULL) { /* NOLINT(concurrency-mt-unsafe) */
        (void)fprintf(stderr, "function %02X of %02X: 0x%lx, %zu bytes%s\n", function, detail,
                      answer->rv, answer->len, answer->told ? "" : " as usual");
    }
}

/* usual: what is returned where no record tells. */
static struct answer ask(enum flow_token_question function, unsigned long detail, ck_rv usual)
{
    const uint8_t question[3] = { (uint8_t)function, (uint8_t)detail, 0 };
    const struct flow_record *record = NULL;
    struct answer answer = { usual, false, NULL, 0 };

    if (calls++ > CALLS_MAX) {
        answer.rv = CKR_FUNCTION_NOT_SUPPORTED;
    } else if (script != NULL) {
        record = flow_script_answer(script, 0, question);
    }
    if (record != NULL && record->len >= 2) {
        answer = (struct answer){ .rv = (ck_rv)record->content[0] << 8 | record->content[1],
                                  .told = true,
                                  .rest = record->content + 2,
                                  .len = record->len - 2 };
    }
    tell(function, (unsigned int)detail & 0xFF, &answer);
    return answer;
}

/* What a function that has nothing of its own returns where no record tells: by the header. */
static ck_rv usual_failure(void)
{
    static const ck_rv values[] = { CKR_OK,
                                    CKR_FUNCTION_FAILED,
                                    CKR_GENERAL_ERROR,
                                    CKR_SESSION_HANDLE_INVALID,
                                    CKR_DEVICE_REMOVED,
                                    CKR_KEY_HANDLE_INVALID,
                                    CKR_USER_NOT_LOGGED_IN };

    return script != NULL
               ? values[script->header[FLOW_DEFAULT] % (sizeof(values) / sizeof(values[0]))]
               : CKR_OK;
}

/* Copies bytes into a buffer, and tells how many there are: more than fit, it may be. */
static void give(const struct answer *answer, unsigned char *out, unsigned long *len)
{
    unsigned long room = *len;

    *len = answer->len;
    if (out != NULL && answer->len > 0) {
        memcpy(out, answer->rest, answer->len < room ? answer->len : room);
    }
}

static ck_handle handle_of(const struct answer *answer, size_t i)
{
    return i < answer->len ? answer->rest[i] : i + 1;
}

/* --- the functions ---------------------------------------------------------------------------- */

static ck_rv token_initialize(const struct ck_initialize *arguments)
{
    (void)arguments;
    return ask(FLOW_TOKEN_INITIALIZE, 0, CKR_OK).rv;
}

static ck_rv token_finalize(void *reserved)
{
    (void)reserved;
    logged_in = false;
    return ask(FLOW_TOKEN_FINALIZE, 0, CKR_OK).rv;
}

static ck_rv token_get_info(struct ck_info *info)
{
    memset(info, 0, sizeof(*info));
    info->cryptoki = (struct ck_version){ 2, 40 };
    return CKR_OK;
}

static ck_rv token_get_slot_list(unsigned char with_token, ck_handle *slots, unsigned long *count)
{
    struct answer answer = ask(FLOW_TOKEN_SLOTS, 0, CKR_OK);
    unsigned long number = answer.len > 0 ? answer.rest[0] : 1;

    (void)with_token;
    for (unsigned long i = 0; slots != NULL && i < number && i < *count; i++) {
        slots[i] = i + 1;
    }
    *count = number == 0xFF ? ULONG_MAX / 4 : number;
    return answer.rv;
}

static ck_rv token_get_token_info(ck_handle slot, struct ck_token_info *info)
{
    struct answer answer = ask(FLOW_TOKEN_INFO, slot, CKR_OK);
    const uint8_t *rest = answer.rest;

    memset(info, 0, sizeof(*info));
    memset(info->label, ' ', sizeof(info->label));
    memset(info->serial, ' ', sizeof(info->serial));
    info->flags = FLOW_TOKEN_FLAGS;
    info->min_pin_len = 4;
    info->max_pin_len = 32;
    if (answer.len < 22) {
        memcpy(info->label, "flow", 4);
        memcpy(info->serial, "0123456789abcdef", 16);
    } else {
        info->flags = (unsigned long)rest[0] << 24 | (unsigned long)rest[1] << 16 |
                      (unsigned long)rest[2] << 8 | rest[3];
        info->min_pin_len = rest[4];
        info->max_pin_len = rest[5];
        memcpy(info->serial, rest + 6, sizeof(info->serial));
        memcpy(info->label, rest + 22, answer.len - 22 < 32 ? answer.len - 22 : 32);
    }
    if (answer.rv == CKR_OK) {
        note_flags(info->flags);
    }
    return answer.rv;
}

static ck_rv token_open_session(ck_handle slot, unsigned long flags, void *application,
                                void *notify, ck_handle *session)
{
    (void)slot;
    (void)flags;
    (void)application;
    (void)notify;
    *session = 1;
    return ask(FLOW_TOKEN_OPEN, 0, CKR_OK).rv;
}

static ck_rv token_close_session(ck_handle session)
{
    REQUIRE(session != CK_INVALID_HANDLE);
    return CKR_OK;
}

static ck_rv token_get_session_info(ck_handle session, struct ck_session_info *info)
{
    struct answer answer = ask(FLOW_TOKEN_SESSION_INFO, 0, CKR_OK);

    REQUIRE(session != CK_INVALID_HANDLE);
    memset(info, 0, sizeof(*info));
    info->state = answer.len > 0 ? answer.rest[0] : logged_in ? CKS_RO_USER_FUNCTIONS : 0;
    return answer.rv;
}

/* The security officer, whose PIN is sent once for each command. */
static ck_rv log_officer_in(void)
{
    struct answer answer;

    REQUIRE(!logins.officer_refused);
    answer = ask(FLOW_TOKEN_LOGIN, CKU_SO, CKR_OK);
    logins.officer_refused = answer.rv != CKR_OK;
    officer = answer.rv == CKR_OK;
    return answer.rv;
}

static ck_rv token_login(ck_handle session, unsigned long user, const unsigned char *value,
                         unsigned long len)
{
    struct answer answer;
    struct pin *pin = NULL;

    REQUIRE(session != CK_INVALID_HANDLE);
    if (user == CKU_SO) {
        return log_officer_in();
    }
    REQUIRE(user == CKU_USER || user == CKU_CONTEXT_SPECIFIC);
    if (value != NULL) {
        pin = find_pin(value, len);
        check_pin(pin);
    }
    answer = ask(FLOW_TOKEN_LOGIN, CKU_USER, CKR_OK);
    if (pin != NULL) {
        note_login(pin, answer.rv);
    }
    logged_in = logged_in || answer.rv == CKR_OK;
    return answer.rv;
}

static ck_rv token_logout(ck_handle session)
{
    REQUIRE(session != CK_INVALID_HANDLE);
    logged_in = officer = false;
    return ask(FLOW_TOKEN_LOGOUT, 0, CKR_OK).rv;
}

static ck_rv token_create_object(ck_handle session, const struct ck_attribute *attributes,
                                 unsigned long count, ck_handle *object)
{
    struct answer answer = ask(FLOW_TOKEN_CREATE, 0, usual_failure());

    REQUIRE(session != CK_INVALID_HANDLE && attributes != NULL && count > 0);
    *object = handle_of(&answer, 0);
    return answer.rv;
}

static ck_rv token_destroy_object(ck_handle session, ck_handle object)
{
    REQUIRE(session != CK_INVALID_HANDLE);
    (void)object;
    return ask(FLOW_TOKEN_DESTROY, 0, usual_failure()).rv;
}

/* The attribute of this type in a record; false where it has none. */
static bool find_attribute(const struct answer *answer, unsigned long type, unsigned int *flags,
                           const uint8_t **value, size_t *len)
{
    for (size_t at = 0; answer->len - at >= 4;) {
        unsigned int its_type = (unsigned int)answer->rest[at] << 8 | answer->rest[at + 1];
        size_t its_len = (size_t)answer->rest[at + 2] << 8 | answer->rest[at + 3];

        at += 4;
        its_len = its_len < answer->len - at ? its_len : answer->len - at;
        if ((its_type & 0x0FFF) == type) {
            *flags = its_type & 0xF000;
            *value = answer->rest + at;
            *len = its_len;
            return true;
        }
        at += its_len;
    }
    return false;
}

static ck_rv token_get_attribute_value(ck_handle session, ck_handle object,
                                       struct ck_attribute *attributes, unsigned long count)
{
    struct answer answer = ask(FLOW_TOKEN_ATTRIBUTES, object, CKR_OBJECT_HANDLE_INVALID);
    ck_rv rv = answer.rv;

    REQUIRE(session != CK_INVALID_HANDLE && count > 0);
    for (unsigned long i = 0; i < count; i++) {
        unsigned long room = attributes[i].value != NULL ? attributes[i].len : 0;
        const uint8_t *value = NULL;
        unsigned int flags = 0;
        size_t len = 0;

        if (!find_attribute(&answer, attributes[i].type, &flags, &value, &len) ||
            (flags & FLOW_ATTRIBUTE_HIDDEN) != 0) {
            attributes[i].len = CK_UNAVAILABLE_INFORMATION;
            rv = rv != CKR_OK                           ? rv
                 : (flags & FLOW_ATTRIBUTE_HIDDEN) != 0 ? CKR_ATTRIBUTE_SENSITIVE
                                                        : CKR_ATTRIBUTE_TYPE_INVALID;
            continue;
        }
        if (room > 0 && len > 0) {
            memcpy(attributes[i].value, value, len < room ? len : room);
        }
        attributes[i].len = (flags & FLOW_ATTRIBUTE_GROWS) != 0 ? 2 * len : len;
    }
    return rv;
}

static ck_rv token_find_objects_init(ck_handle session, const struct ck_attribute *attributes,
                                     unsigned long count)
{
    REQUIRE(session != CK_INVALID_HANDLE);
    class_sought = 0xFF;
    for (unsigned long i = 0; i < count; i++) {
        if (attributes[i].type == CKA_CLASS && attributes[i].len == sizeof(unsigned long)) {
            unsigned long class;

            memcpy(&class, attributes[i].value, sizeof(class));
            class_sought = (uint8_t) class;
        }
    }
    found_all = false;
    return ask(FLOW_TOKEN_FIND_INIT, class_sought, CKR_OK).rv;
}

static ck_rv token_find_objects(ck_handle session, ck_handle *objects, unsigned long room,
                                unsigned long *count)
{
    struct answer answer = { CKR_OK, false, NULL, 0 };

    REQUIRE(session != CK_INVALID_HANDLE);
    *count = 0;
    if (found_all) { /* of what it finds it tells once */
        return CKR_OK;
    }
    answer = ask(FLOW_TOKEN_FIND, class_sought, CKR_OK);
    for (size_t i = 0; i < answer.len && i < room; i++) {
        objects[i] = answer.rest[i];
    }
    *count = answer.len;
    if (answer.len > 0 && answer.rest[0] == 0xFF) {
        *count = ULONG_MAX;
    }
    found_all = true;
    return answer.rv;
}

static ck_rv token_find_objects_final(ck_handle session)
{
    REQUIRE(session != CK_INVALID_HANDLE);
    return CKR_OK;
}

static ck_rv token_encrypt_init(ck_handle session, const struct ck_mechanism *mechanism,
                                ck_handle key)
{
    REQUIRE(session != CK_INVALID_HANDLE && mechanism != NULL);
    (void)key;
    return ask(FLOW_TOKEN_ENCRYPT_INIT, 0, CKR_OK).rv;
}

static ck_rv token_encrypt(ck_handle session, const unsigned char *in, unsigned long in_len,
                           unsigned char *out, unsigned long *out_len)
{
    struct answer answer = ask(FLOW_TOKEN_ENCRYPT, 0, usual_failure());

    REQUIRE(session != CK_INVALID_HANDLE && in != NULL && in_len > 0);
    give(&answer, out, out_len);
    return answer.rv;
}

static ck_rv token_decrypt_init(ck_handle session, const struct ck_mechanism *mechanism,
                                ck_handle key)
{
    REQUIRE(session != CK_INVALID_HANDLE && mechanism != NULL);
    (void)key;
    return ask(FLOW_TOKEN_DECRYPT_INIT, 0, CKR_OK).rv;
}

static ck_rv token_decrypt(ck_handle session, const unsigned char *in, unsigned long in_len,
                           unsigned char *out, unsigned long *out_len)
{
    struct answer answer = ask(FLOW_TOKEN_DECRYPT, 0, usual_failure());

    REQUIRE(session != CK_INVALID_HANDLE && in != NULL && in_len > 0);
    give(&answer, out, out_len);
    return answer.rv;
}

static ck_rv token_sign_init(ck_handle session, const struct ck_mechanism *mechanism, ck_handle key)
{
    REQUIRE(session != CK_INVALID_HANDLE && mechanism != NULL);
    (void)key;
    return ask(FLOW_TOKEN_SIGN_INIT, 0, CKR_OK).rv;
}

static ck_rv token_sign(ck_handle session, const unsigned char *in, unsigned long in_len,
                        unsigned char *out, unsigned long *out_len)
{
    struct answer answer = ask(FLOW_TOKEN_SIGN, 0, usual_failure());

    REQUIRE(session != CK_INVALID_HANDLE && in != NULL && in_len > 0);
    give(&answer, out, out_len);
    return answer.rv;
}

static ck_rv token_generate_key(ck_handle session, const struct ck_mechanism *mechanism,
                                const struct ck_attribute *attributes, unsigned long count,
                                ck_handle *key)
{
    struct answer answer = ask(FLOW_TOKEN_GENERATE, 0, usual_failure());

    REQUIRE(session != CK_INVALID_HANDLE && mechanism != NULL && attributes != NULL && count > 0);
    *key = handle_of(&answer, 0);
    return answer.rv;
}

static ck_rv token_generate_key_pair(ck_handle session, const struct ck_mechanism *mechanism,
                                     const struct ck_attribute *of_public,
                                     unsigned long public_count,
                                     const struct ck_attribute *of_private,
                                     unsigned long private_count, ck_handle *public_key,
                                     ck_handle *private_key)
{
    struct answer answer = ask(FLOW_TOKEN_GENERATE_PAIR, 0, usual_failure());

    REQUIRE(session != CK_INVALID_HANDLE && mechanism != NULL);
    REQUIRE(of_public != NULL && public_count > 0 && of_private != NULL && private_count > 0);
    *public_key = handle_of(&answer, 0);
    *private_key = handle_of(&answer, 1);
    return answer.rv;
}

static ck_rv token_derive_key(ck_handle session, const struct ck_mechanism *mechanism,
                              ck_handle base, const struct ck_attribute *attributes,
                              unsigned long count, ck_handle *key)
{
    struct answer answer = ask(FLOW_TOKEN_DERIVE, 0, usual_failure());

    REQUIRE(session != CK_INVALID_HANDLE && mechanism != NULL && attributes != NULL && count > 0);
    (void)base;
    *key = handle_of(&answer, 0);
    return answer.rv;
}

static ck_rv token_init_pin(ck_handle session, const unsigned char *pin, unsigned long len)
{
    REQUIRE(session != CK_INVALID_HANDLE && pin != NULL && len > 0);
    return ask(FLOW_TOKEN_INIT_PIN, 0, usual_failure()).rv;
}

static ck_rv token_set_pin(ck_handle session, const unsigned char *before, unsigned long len,
                           const unsigned char *after, unsigned long after_len)
{
    struct pin *pin = officer ? NULL : find_pin(before, len);
    struct answer answer;

    REQUIRE(session != CK_INVALID_HANDLE && after != NULL && after_len > 0);
    if (pin != NULL) {
        check_pin(pin);
    }
    answer = ask(FLOW_TOKEN_SET_PIN, 0, usual_failure());
    if (pin != NULL) {
        note_login(pin, answer.rv);
    }
    return answer.rv;
}

static ck_rv token_generate_random(ck_handle session, unsigned char *out, unsigned long len)
{
    struct answer answer = ask(FLOW_TOKEN_RANDOM, 0, usual_failure());

    REQUIRE(session != CK_INVALID_HANDLE && out != NULL && len > 0);
    for (unsigned long i = 0; i < len; i++) {
        out[i] = answer.len > 0 ? answer.rest[i % answer.len] : 0;
    }
    return answer.rv;
}

struct ck_function_list *flow_token_functions(void)
{
    static struct ck_function_list functions = {
        .version = { 2, 40 },
        .initialize = token_initialize,
        .finalize = token_finalize,
        .get_info = token_get_info,
        .get_slot_list = token_get_slot_list,
        .get_token_info = token_get_token_info,
        .open_session = token_open_session,
        .close_session = token_close_session,
        .get_session_info = token_get_session_info,
        .login = token_login,
        .logout = token_logout,
        .create_object = token_create_object,
        .destroy_object = token_destroy_object,
        .get_attribute_value = token_get_attribute_value,
        .find_objects_init = token_find_objects_init,
        .find_objects = token_find_objects,
        .find_objects_final = token_find_objects_final,
        .encrypt_init = token_encrypt_init,
        .encrypt = token_encrypt,
        .decrypt_init = token_decrypt_init,
        .decrypt = token_decrypt,
        .sign_init = token_sign_init,
        .sign = token_sign,
        .generate_key = token_generate_key,
        .generate_key_pair = token_generate_key_pair,
        .derive_key = token_derive_key,
        .init_pin = token_init_pin,
        .set_pin = token_set_pin,
        .generate_random = token_generate_random,
    };

    return &functions;
}
