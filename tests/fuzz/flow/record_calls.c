/* SPDX-License-Identifier: Apache-2.0 */
#include "record_calls.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flow.h"
#include "fuzz.h"
#include "library.h"
#include "token.h"

#define ROOM 8192
#define ATTRIBUTES_MAX 16
#define SO_PIN "57621880" /* the flows' */

static const struct ck_function_list *real;
static struct flow_script *recorded;
static ck_handle slot; /* the token's, which is slot 1 in the record */
static uint8_t class_sought;
static bool found_some;

/* --- records ---------------------------------------------------------------------------------- */

/* A record on its way. */
static struct {
    uint8_t bytes[ROOM];
    size_t len;
} content;

static void begin(ck_rv rv)
{
    content.bytes[0] = (uint8_t)(rv >> 8);
    content.bytes[1] = (uint8_t)rv;
    content.len = 2;
}

static void put(const void *bytes, size_t len)
{
    REQUIRE(len <= sizeof(content.bytes) - content.len);
    if (len > 0) {
        memcpy(content.bytes + content.len, bytes, len);
    }
    content.len += len;
}

static void put_byte(unsigned long byte)
{
    const uint8_t it = (uint8_t)byte;

    put(&it, 1);
}

static void end(enum flow_token_question function, unsigned long detail)
{
    struct flow_record *record;
    uint8_t *copy;

    if (recorded == NULL) {
        return;
    }
    copy = malloc(content.len);
    REQUIRE(recorded->count < FLOW_RECORDS_MAX && copy != NULL);
    memcpy(copy, content.bytes, content.len);
    record = &recorded->records[recorded->count++];
    *record = (struct flow_record){ .content = copy, .len = content.len };
    record->question[0] = (uint8_t)function;
    record->question[1] = (uint8_t)detail;
}

void record_calls_into(struct flow_script *script)
{
    recorded = script;
}

/* The module's random numbers are its own. */
static ck_rv called(ck_rv rv)
{
    (void)flow_library_stream(FLOW_STREAM_HOST);
    begin(rv);
    return rv;
}
#define CALL(function, ...)                                                                        \
    (flow_library_stream(FLOW_STREAM_CARD), called(real->function(__VA_ARGS__)))

/* --- the functions ---------------------------------------------------------------------------- */

static ck_rv record_initialize(const struct ck_initialize *arguments)
{
    return CALL(initialize, arguments);
}

static ck_rv record_finalize(void *reserved)
{
    return CALL(finalize, reserved);
}

static ck_rv record_get_slot_list(unsigned char with_token, ck_handle *slots, unsigned long *count)
{
    (void)with_token;
    if (slots != NULL && *count > 0) {
        slots[0] = slot;
    }
    *count = 1;
    return CKR_OK;
}

static ck_rv record_get_token_info(ck_handle its_slot, struct ck_token_info *info)
{
    ck_rv rv = CALL(get_token_info, its_slot, info);

    for (int shift = 24; shift >= 0; shift -= 8) {
        put_byte(info->flags >> shift);
    }
    put_byte(info->min_pin_len);
    put_byte(info->max_pin_len);
    put(info->serial, sizeof(info->serial));
    put(info->label, sizeof(info->label));
    end(FLOW_TOKEN_INFO, 1);
    return rv;
}

static ck_rv record_open_session(ck_handle its_slot, unsigned long flags, void *application,
                                 void *notify, ck_handle *session)
{
    return CALL(open_session, its_slot, flags, application, notify, session);
}

static ck_rv record_close_session(ck_handle session)
{
    return CALL(close_session, session);
}

static ck_rv record_get_session_info(ck_handle session, struct ck_session_info *info)
{
    ck_rv rv = CALL(get_session_info, session, info);

    put_byte(info->state);
    end(FLOW_TOKEN_SESSION_INFO, 0);
    return rv;
}

static ck_rv record_login(ck_handle session, unsigned long user, const unsigned char *pin,
                          unsigned long len)
{
    ck_rv rv = CALL(login, session, user, pin, len);

    end(FLOW_TOKEN_LOGIN, user != CKU_SO ? CKU_USER : CKU_SO);
    return rv;
}

static ck_rv record_logout(ck_handle session)
{
    ck_rv rv = CALL(logout, session);

    end(FLOW_TOKEN_LOGOUT, 0);
    return rv;
}

static ck_rv record_create_object(ck_handle session, const struct ck_attribute *attributes,
                                  unsigned long count, ck_handle *object)
{
    ck_rv rv = CALL(create_object, session, attributes, count, object);

    put_byte(*object);
    end(FLOW_TOKEN_CREATE, 0);
    return rv;
}

static ck_rv record_destroy_object(ck_handle session, ck_handle object)
{
    ck_rv rv = CALL(destroy_object, session, object);

    end(FLOW_TOKEN_DESTROY, 0);
    return rv;
}

/* Each question gets the values as well, though it may want to know their lengths only. */
static ck_rv record_get_attribute_value(ck_handle session, ck_handle object,
                                        struct ck_attribute *attributes, unsigned long count)
{
    static uint8_t values[ATTRIBUTES_MAX][ROOM];
    struct ck_attribute own[ATTRIBUTES_MAX];
    ck_rv rv;

    REQUIRE(count <= ATTRIBUTES_MAX);
    for (unsigned long i = 0; i < count; i++) {
        own[i] = (struct ck_attribute){ attributes[i].type, values[i], ROOM };
    }
    rv = CALL(get_attribute_value, session, object, own, count);
    for (unsigned long i = 0; i < count; i++) {
        if (own[i].len > ROOM) {
            continue;
        }
        put_byte(own[i].type >> 8);
        put_byte(own[i].type);
        put_byte(own[i].len >> 8);
        put_byte(own[i].len);
        put(own[i].value, own[i].len);
    }
    if (rv == CKR_ATTRIBUTE_TYPE_INVALID) { /* which follows from what is missing */
        content.bytes[0] = content.bytes[1] = 0;
    }
    end(FLOW_TOKEN_ATTRIBUTES, object);
    return CALL(get_attribute_value, session, object, attributes, count);
}

static ck_rv record_find_objects_init(ck_handle session, const struct ck_attribute *attributes,
                                      unsigned long count)
{
    for (unsigned long i = 0; i < count; i++) {
        if (attributes[i].type == CKA_CLASS) {
            unsigned long class;

            memcpy(&class, attributes[i].value, sizeof(class));
            class_sought = (uint8_t) class;
        }
    }
    found_some = false;
    return CALL(find_objects_init, session, attributes, count);
}

static ck_rv record_find_objects(ck_handle session, ck_handle *objects, unsigned long room,
                                 unsigned long *count)
{
    ck_rv rv = CALL(find_objects, session, objects, room, count);

    for (unsigned long i = 0; i < *count; i++) {
        REQUIRE(objects[i] < 0xFF);
        put_byte(objects[i]);
    }
    if (!found_some) { /* the end is told without a record */
        end(FLOW_TOKEN_FIND, class_sought);
    }
    found_some = true;
    return rv;
}

static ck_rv record_find_objects_final(ck_handle session)
{
    return CALL(find_objects_final, session);
}

static ck_rv record_encrypt_init(ck_handle session, const struct ck_mechanism *mechanism,
                                 ck_handle key)
{
    ck_rv rv = CALL(encrypt_init, session, mechanism, key);

    end(FLOW_TOKEN_ENCRYPT_INIT, 0);
    return rv;
}

static ck_rv record_encrypt(ck_handle session, const unsigned char *in, unsigned long in_len,
                            unsigned char *out, unsigned long *out_len)
{
    ck_rv rv = CALL(encrypt, session, in, in_len, out, out_len);

    put(out, *out_len);
    end(FLOW_TOKEN_ENCRYPT, 0);
    return rv;
}

static ck_rv record_decrypt_init(ck_handle session, const struct ck_mechanism *mechanism,
                                 ck_handle key)
{
    ck_rv rv = CALL(decrypt_init, session, mechanism, key);

    end(FLOW_TOKEN_DECRYPT_INIT, 0);
    return rv;
}

static ck_rv record_decrypt(ck_handle session, const unsigned char *in, unsigned long in_len,
                            unsigned char *out, unsigned long *out_len)
{
    ck_rv rv = CALL(decrypt, session, in, in_len, out, out_len);

    put(out, *out_len);
    end(FLOW_TOKEN_DECRYPT, 0);
    return rv;
}

static ck_rv record_sign_init(ck_handle session, const struct ck_mechanism *mechanism,
                              ck_handle key)
{
    ck_rv rv = CALL(sign_init, session, mechanism, key);

    end(FLOW_TOKEN_SIGN_INIT, 0);
    return rv;
}

static ck_rv record_sign(ck_handle session, const unsigned char *in, unsigned long in_len,
                         unsigned char *out, unsigned long *out_len)
{
    ck_rv rv = CALL(sign, session, in, in_len, out, out_len);

    put(out, *out_len);
    end(FLOW_TOKEN_SIGN, 0);
    return rv;
}

static ck_rv record_generate_key(ck_handle session, const struct ck_mechanism *mechanism,
                                 const struct ck_attribute *attributes, unsigned long count,
                                 ck_handle *key)
{
    ck_rv rv = CALL(generate_key, session, mechanism, attributes, count, key);

    put_byte(*key);
    end(FLOW_TOKEN_GENERATE, 0);
    return rv;
}

static ck_rv record_generate_key_pair(ck_handle session, const struct ck_mechanism *mechanism,
                                      const struct ck_attribute *of_public,
                                      unsigned long public_count,
                                      const struct ck_attribute *of_private,
                                      unsigned long private_count, ck_handle *public_key,
                                      ck_handle *private_key)
{
    ck_rv rv = CALL(generate_key_pair, session, mechanism, of_public, public_count, of_private,
                    private_count, public_key, private_key);

    put_byte(*public_key);
    put_byte(*private_key);
    end(FLOW_TOKEN_GENERATE_PAIR, 0);
    return rv;
}

static ck_rv record_derive_key(ck_handle session, const struct ck_mechanism *mechanism,
                               ck_handle base, const struct ck_attribute *attributes,
                               unsigned long count, ck_handle *key)
{
    ck_rv rv = CALL(derive_key, session, mechanism, base, attributes, count, key);

    put_byte(*key);
    end(FLOW_TOKEN_DERIVE, 0);
    return rv;
}

static ck_rv record_init_pin(ck_handle session, const unsigned char *pin, unsigned long len)
{
    ck_rv rv = CALL(init_pin, session, pin, len);

    end(FLOW_TOKEN_INIT_PIN, 0);
    return rv;
}

static ck_rv record_set_pin(ck_handle session, const unsigned char *before, unsigned long len,
                            const unsigned char *after, unsigned long after_len)
{
    ck_rv rv = CALL(set_pin, session, before, len, after, after_len);

    end(FLOW_TOKEN_SET_PIN, 0);
    return rv;
}

static ck_rv record_generate_random(ck_handle session, unsigned char *out, unsigned long len)
{
    ck_rv rv = CALL(generate_random, session, out, len);

    put(out, len < 32 ? len : 32);
    end(FLOW_TOKEN_RANDOM, 0);
    return rv;
}

struct ck_function_list *record_calls_functions(void)
{
    static struct ck_function_list functions = {
        .version = { 2, 40 },
        .initialize = record_initialize,
        .finalize = record_finalize,
        .get_slot_list = record_get_slot_list,
        .get_token_info = record_get_token_info,
        .open_session = record_open_session,
        .close_session = record_close_session,
        .get_session_info = record_get_session_info,
        .login = record_login,
        .logout = record_logout,
        .create_object = record_create_object,
        .destroy_object = record_destroy_object,
        .get_attribute_value = record_get_attribute_value,
        .find_objects_init = record_find_objects_init,
        .find_objects = record_find_objects,
        .find_objects_final = record_find_objects_final,
        .encrypt_init = record_encrypt_init,
        .encrypt = record_encrypt,
        .decrypt_init = record_decrypt_init,
        .decrypt = record_decrypt,
        .sign_init = record_sign_init,
        .sign = record_sign,
        .generate_key = record_generate_key,
        .generate_key_pair = record_generate_key_pair,
        .derive_key = record_derive_key,
        .init_pin = record_init_pin,
        .set_pin = record_set_pin,
        .generate_random = record_generate_random,
    };

    functions.get_info = real->get_info;
    return &functions;
}

/* --- a token ---------------------------------------------------------------------------------- */

/* Where the module keeps its tokens. */
static void configure(void)
{
    const char *folder = flow_new_folder();
    char path[512];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/tokens", folder);
    REQUIRE(mkdir(path, 0700) == 0);
    (void)snprintf(path, sizeof(path), "%s/conf", folder);
    file = fopen(path, "w");
    REQUIRE(file != NULL);
    (void)fprintf(file, "directories.tokendir = %s/tokens\nobjectstore.backend = file\n", folder);
    REQUIRE(fclose(file) == 0);
    REQUIRE(setenv("SOFTHSM2_CONF", path, 1) == 0); /* NOLINT(concurrency-mt-unsafe) */
}

void record_calls_load(const char *path)
{
    void *library, *symbol;
    ck_get_function_list *get;
    struct ck_function_list *list = NULL;

    configure();
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    symbol = library != NULL ? dlsym(library, "C_GetFunctionList") : NULL;
    REQUIRE(symbol != NULL);
    memcpy(&get, &symbol, sizeof(get));
    REQUIRE(get(&list) == CKR_OK);
    real = list;
}

/* Our code does not call it. */
typedef ck_rv init_token(ck_handle slot, const unsigned char *so_pin, unsigned long len,
                         const unsigned char *label);

/* The first slot whose token is not initialised yet; with label: that of this token. */
static ck_handle find_slot(const char *label)
{
    ck_handle slots[64];
    unsigned long count = 64;

    REQUIRE(real->get_slot_list(CK_TRUE, slots, &count) == CKR_OK);
    for (unsigned long i = 0; i < count; i++) {
        struct ck_token_info info;

        REQUIRE(real->get_token_info(slots[i], &info) == CKR_OK);
        if (label != NULL ? memcmp(info.label, label, strlen(label)) == 0
                          : (info.flags & CKF_TOKEN_INITIALIZED) == 0) {
            return slots[i];
        }
    }
    abort();
}

void record_calls_new_token(const char *label, const char *pin)
{
    enum flow_stream before = flow_library_stream(FLOW_STREAM_CARD);
    unsigned char padded[32];
    ck_handle session;

    memset(padded, ' ', sizeof(padded));
    memcpy(padded, label, strlen(label));
    REQUIRE(real->initialize(NULL) == CKR_OK);
    slot = find_slot(slot != 0 ? label : NULL);
    REQUIRE(((init_token *)real->init_token)(slot, (const unsigned char *)SO_PIN, strlen(SO_PIN),
                                             padded) == CKR_OK);
    slot = find_slot(label);
    REQUIRE(real->open_session(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session) ==
            CKR_OK);
    REQUIRE(real->login(session, CKU_SO, (const unsigned char *)SO_PIN, strlen(SO_PIN)) == CKR_OK);
    REQUIRE(real->init_pin(session, (const unsigned char *)pin, strlen(pin)) == CKR_OK);
    REQUIRE(real->finalize(NULL) == CKR_OK);
    REQUIRE(real->initialize(NULL) == CKR_OK); /* the slot may have another number now */
    slot = find_slot(label);
    REQUIRE(real->finalize(NULL) == CKR_OK);
    (void)flow_library_stream(before);
}
