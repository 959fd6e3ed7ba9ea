/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drives the device layer against a real PC/SC service, one scenario for each invocation:
 *
 *     device_test SCENARIO [ARGUMENTS]
 *
 * The PIN source is taken from PIN_SOURCE (file:, env:, ...). Ends with status 0 if all that was
 * expected came true, and says what did not.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "card/card_device.h"
#include "model/device.h"
#include "pin/source.h"
#include "registry/registry.h"
#include "card/transport.h"

static int number(const char *text)
{
    char *end = NULL;
    long value = strtol(text, &end, 0);

    if (end == text || *end != 0 || value < 0 || value > 1000000) {
        (void)fprintf(stderr, "not a number: %s\n", text);
        exit(2);
    }
    return (int)value;
}

static struct schsm_registry *registry;
static struct schsm_device *device;
static struct schsm_login login;

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
    exit(1);
}

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition))                                                                          \
            die("line %d: expected: %s", __LINE__, #condition);                                    \
    } while (0)

#define EXPECT_OK(call)                                                                            \
    do {                                                                                           \
        struct schsm_error error_ = SCHSM_ERROR_INIT, *err = &error_;                              \
        if (!(call))                                                                               \
            die("line %d: %s: reason %d: %s", __LINE__, #call, (int)err->reason, err->text);       \
    } while (0)

#define EXPECT_REASON(call, wanted)                                                                \
    do {                                                                                           \
        struct schsm_error error_ = SCHSM_ERROR_INIT, *err = &error_;                              \
        if (call)                                                                                  \
            die("line %d: %s: should have failed", __LINE__, #call);                               \
        printf("%s\n", err->text);                                                                 \
        if (err->reason != (wanted))                                                               \
            die("line %d: %s: reason %d, wanted %d: %s", __LINE__, #call, (int)err->reason,        \
                (int)(wanted), err->text);                                                         \
    } while (0)

static const struct {
    const char *name;
    enum schsm_reason reason;
} reasons[] = {
    { "NONE", SCHSM_REASON_NONE },
    { "CANCELLED", SCHSM_REASON_CANCELLED },
    { "NO_SERVICE", SCHSM_REASON_NO_SERVICE },
    { "NO_READER", SCHSM_REASON_NO_READER },
    { "NO_DEVICE", SCHSM_REASON_NO_DEVICE },
    { "DEVICE_REMOVED", SCHSM_REASON_DEVICE_REMOVED },
    { "NOT_INITIALISED", SCHSM_REASON_NOT_INITIALISED },
    { "PIN_INCORRECT", SCHSM_REASON_PIN_INCORRECT },
    { "PIN_BLOCKED", SCHSM_REASON_PIN_BLOCKED },
    { "PIN_MISSING", SCHSM_REASON_PIN_MISSING },
    { "PIN_TRIES_LOW", SCHSM_REASON_PIN_TRIES_LOW },
    { "PIN_LENGTH", SCHSM_REASON_PIN_LENGTH },
    { "PIN_MUST_CHANGE", SCHSM_REASON_PIN_MUST_CHANGE },
    { "PIN_SOURCE", SCHSM_REASON_PIN_SOURCE },
    { "NOT_FOUND", SCHSM_REASON_NOT_FOUND },
    { "NOT_PERMITTED", SCHSM_REASON_NOT_PERMITTED },
};

static enum schsm_reason reason(const char *name)
{
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (strcmp(reasons[i].name, name) == 0) {
            return reasons[i].reason;
        }
    }
    die("unknown reason %s", name);
}

/* What stands for the key of that reference until the next call. */
static const struct schsm_object *key_at(int key_ref)
{
    static _Thread_local struct schsm_object key;

    key = (struct schsm_object){ .type = SCHSM_OBJECT_PRIVATE, .key_ref = key_ref };
    return &key;
}

static void open_device(void)
{
    struct schsm_device_selector selector = { .serial = getenv("SERIAL"),
                                              .reader = getenv("READER") };
    const char *source = getenv("PIN_SOURCE");
    const char *min = getenv("MIN_TRIES");

    EXPECT_OK((registry = schsm_registry_new(err)) != NULL);
    EXPECT_OK(schsm_registry_device(registry, &selector, &device, err));
    login.min_pin_tries = min != NULL ? number(min) : 2;
    login.keep_pin = getenv("KEEP_PIN") != NULL;
    if (source != NULL) {
        EXPECT_OK((login.source = schsm_pin_source_parse(source, err)) != NULL);
    }
}

static void close_device(void)
{
    schsm_pin_source_free(login.source);
    schsm_registry_free(registry);
}

/* --- private operations, checked by libcrypto --- */

static EVP_PKEY *public_key(int key_ref)
{
    struct schsm_object_filter filter = { .types = SCHSM_OBJECT_PRIVATE, .key_ref = key_ref };
    struct schsm_object_list list = { 0 };
    const uint8_t *at;
    EVP_PKEY *key;

    EXPECT_OK(schsm_device_find(device, &filter, &list, err));
    EXPECT(list.count == 1);
    EXPECT_OK(schsm_device_read(device, &list.objects[0], &login, err));
    at = list.objects[0].value;
    key = d2i_PUBKEY(NULL, &at, (long)list.objects[0].value_len);
    EXPECT(key != NULL);
    schsm_object_list_clear(&list);
    return key;
}

static int verify_hash(EVP_PKEY *key, int padding, const uint8_t *hash, size_t hash_len,
                       const uint8_t *sig, size_t sig_len)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    int ok = EVP_PKEY_verify_init(ctx) > 0 &&
             (padding == 0 || EVP_PKEY_CTX_set_rsa_padding(ctx, padding) > 0) &&
             EVP_PKEY_verify(ctx, sig, sig_len, hash, hash_len) == 1;

    EVP_PKEY_CTX_free(ctx);
    return ok;
}

/* Not from libcrypto: its generator's lock, held by another thread at a fork, stays held in the
 * child, whoever the child belongs to. */
static void fill_random(uint8_t *bytes, size_t len)
{
    EXPECT(getrandom(bytes, len, 0) == (ssize_t)len);
}

/* Returns 0 with err set where the device failed; a wrong result ends the program. */
static int sign_once(EVP_PKEY *key, int key_ref, struct schsm_error *err)
{
    size_t size = (size_t)EVP_PKEY_get_size(key);
    uint8_t in[512] = { 0 }, out[512];
    size_t out_len = sizeof(out);

    if (EVP_PKEY_is_a(key, "EC")) {
        fill_random(in, 32);
        if (!schsm_device_operate(device, SCHSM_OP_ECDSA_SIGN, key_at(key_ref), &login, in, 32, out,
                                  &out_len, err)) {
            return 0;
        }
        EXPECT(verify_hash(key, 0, in, 32, out, out_len));
        return 1;
    }
    /* PKCS#1 type 1 around 40 bytes of anything */
    memset(in, 0xFF, size);
    in[0] = 0;
    in[1] = 1;
    in[size - 41] = 0;
    fill_random(in + size - 40, 40);
    if (!schsm_device_operate(device, SCHSM_OP_RSA_SIGN, key_at(key_ref), &login, in, size, out,
                              &out_len, err)) {
        return 0;
    }
    EXPECT(out_len == size);
    EXPECT(verify_hash(key, RSA_PKCS1_PADDING, in + size - 40, 40, out, out_len));
    return 1;
}

static void decrypt_once(EVP_PKEY *key, int key_ref)
{
    size_t size = (size_t)EVP_PKEY_get_size(key), out_len = size;
    uint8_t in[512], cipher[512], out[512];
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);

    fill_random(in, size);
    in[0] = 0;
    EXPECT(EVP_PKEY_encrypt_init(ctx) > 0 &&
           EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) > 0 &&
           EVP_PKEY_encrypt(ctx, cipher, &out_len, in, size) > 0);
    EVP_PKEY_CTX_free(ctx);
    out_len = sizeof(out);
    EXPECT_OK(schsm_device_operate(device, SCHSM_OP_RSA_DECRYPT, key_at(key_ref), &login, cipher,
                                   size, out, &out_len, err));
    EXPECT(out_len == size && memcmp(in, out, size) == 0);
}

static void derive_once(EVP_PKEY *key, int key_ref)
{
    char group[64];
    uint8_t point[200], ours[100], theirs[100];
    size_t point_len = 0, ours_len = sizeof(ours), theirs_len = sizeof(theirs);
    EVP_PKEY *peer;
    EVP_PKEY_CTX *ctx;

    EXPECT(EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1);
    peer = EVP_EC_gen(group);
    EXPECT(EVP_PKEY_get_octet_string_param(peer, "pub", point, sizeof(point), &point_len) == 1);
    EXPECT_OK(schsm_device_operate(device, SCHSM_OP_ECDH, key_at(key_ref), &login, point, point_len,
                                   ours, &ours_len, err));
    ctx = EVP_PKEY_CTX_new(peer, NULL);
    EXPECT(EVP_PKEY_derive_init(ctx) > 0 && EVP_PKEY_derive_set_peer(ctx, key) > 0 &&
           EVP_PKEY_derive(ctx, theirs, &theirs_len) > 0);
    EXPECT(ours_len == theirs_len && memcmp(ours, theirs, ours_len) == 0);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(peer);
}

/* --- scenarios --- */

static int generate(int nid_or_bits, const char *id, const char *label)
{
    struct schsm_generate spec = { .key_ref = -1, .label = label };
    struct schsm_object made;
    int key_ref;

    spec.type = nid_or_bits >= 1024 && nid_or_bits % 512 == 0 ? SCHSM_KEY_RSA : SCHSM_KEY_EC;
    spec.bits = (unsigned int)nid_or_bits;
    spec.curve_nid = nid_or_bits;
    if (id != NULL) {
        spec.id = (const uint8_t *)id;
        spec.id_len = strlen(id);
    }
    EXPECT_OK(schsm_device_generate(device, &spec, &login, &made, err));
    EXPECT(made.value != NULL && made.described && made.id_len > 0);
    key_ref = made.key_ref;
    schsm_object_clear(&made);
    return key_ref;
}

static void try_key(int key_ref)
{
    EVP_PKEY *key = public_key(key_ref);

    EXPECT_OK(sign_once(key, key_ref, err));
    if (EVP_PKEY_is_a(key, "RSA")) {
        decrypt_once(key, key_ref);
    } else {
        derive_once(key, key_ref);
    }
    EVP_PKEY_free(key);
}

/* generate NID_OR_BITS [ID [LABEL]]: makes a key, uses it, prints its reference */
static void scenario_generate(char **args)
{
    int key_ref;

    open_device();
    key_ref =
        generate(args[0][0] >= '0' && args[0][0] <= '9' ? number(args[0]) : OBJ_sn2nid(args[0]),
                 args[0] != NULL ? args[1] : NULL, args[1] != NULL ? args[2] : NULL);
    try_key(key_ref);
    printf("%d\n", key_ref);
    close_device();
}

static void scenario_list(char **args)
{
    struct schsm_object_filter filter = { .types = SCHSM_OBJECT_ANY, .key_ref = -1 };
    struct schsm_object_list list = { 0 };

    (void)args;
    open_device();
    EXPECT_OK(schsm_device_find(device, &filter, &list, err));
    for (size_t i = 0; i < list.count; i++) {
        struct schsm_object *object = &list.objects[i];

        printf("type %d handle %04X ref %d id ", (int)object->type, object->handle,
               object->key_ref);
        for (size_t j = 0; j < object->id_len; j++) {
            printf("%02x", object->id[j]);
        }
        printf(" label '%s' key %d bits %u value %zu\n", object->label, (int)object->key_type,
               object->bits, object->value_len);
    }
    schsm_object_list_clear(&list);
    close_device();
}

/* find LABEL COUNT: private keys of that label */
static void scenario_find(char **args)
{
    struct schsm_object_filter filter = { .types = SCHSM_OBJECT_PRIVATE,
                                          .key_ref = -1,
                                          .label = args[0] };
    struct schsm_object_list list = { 0 };

    open_device();
    EXPECT_OK(schsm_device_find(device, &filter, &list, err));
    EXPECT(list.count == (size_t)number(args[1]));
    schsm_object_list_clear(&list);
    close_device();
}

static void scenario_info(char **args)
{
    struct schsm_device_info info;

    (void)args;
    open_device();
    EXPECT_OK(schsm_device_info(device, &info, err));
    printf("%s %s '%s' in '%s' version %u.%u initialised %d must-change %d logged-in %d tries %d "
           "so-tries %d reset %d dkek %d\n",
           info.kind, info.serial, info.label, info.reader, info.version_major, info.version_minor,
           info.initialised, info.pin_must_change, info.logged_in, info.pin_tries,
           info.so_pin_tries, info.so_pin_reset_allowed, info.dkek);
    close_device();
}

/* cold KEY_REF: what `openssl req` with a key reference file does */
static void scenario_cold(char **args)
{
    int key_ref = number(args[0]);
    uint8_t hash[32] = { 1 }, out[200];
    size_t len = sizeof(out);

    open_device();
    EXPECT_OK(schsm_device_login(device, &login, err));
    EXPECT_OK(schsm_device_operate(device, SCHSM_OP_ECDSA_SIGN, key_at(key_ref), &login, hash, 32,
                                   out, &len, err));
    close_device();
}

/* many KEY_REF COUNT: signatures one after the other; prints the time for each */
static void scenario_many(char **args)
{
    int key_ref = number(args[0]), count = number(args[1]);
    struct timespec begin, end;
    EVP_PKEY *key;

    open_device();
    key = public_key(key_ref);
    EXPECT_OK(sign_once(key, key_ref, err));
    (void)clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int i = 0; i < count; i++) {
        EXPECT_OK(sign_once(key, key_ref, err));
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%.1f us each, verification included\n",
           ((double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec)) /
               1e3 / count);
    EVP_PKEY_free(key);
    close_device();
}

/* wrong PIN...: none of them may be the right one; the same one again spends nothing */
static void scenario_wrong(char **args)
{
    struct schsm_error error = SCHSM_ERROR_INIT;
    struct schsm_device_info before, after, again;
    int child;

    open_device();
    EXPECT_OK(schsm_device_info(device, &before, err));
    EXPECT_REASON(schsm_device_login(device, &login, err), SCHSM_REASON_PIN_INCORRECT);
    EXPECT_OK(schsm_device_info(device, &after, err));
    EXPECT(after.pin_tries == before.pin_tries - 1);
    for (int i = 0; i < 5; i++) {
        EXPECT_REASON(schsm_device_login(device, &login, err), SCHSM_REASON_PIN_KNOWN_WRONG);
    }
    if (fork() == 0) {
        EXPECT_REASON(schsm_device_login(device, &login, err), SCHSM_REASON_PIN_KNOWN_WRONG);
        close_device();
        exit(0);
    }
    EXPECT(wait(&child) > 0 && child == 0);
    EXPECT_OK(schsm_device_info(device, &again, err));
    EXPECT(again.pin_tries == after.pin_tries);
    (void)args;
    (void)error;
    close_device();
}

/* login-reason REASON: the login fails so */
static void scenario_login_reason(char **args)
{
    open_device();
    EXPECT_REASON(schsm_device_login(device, &login, err), reason(args[0]));
    close_device();
}

/* repeat KEY_REF COMMAND...: signs, runs each command by the shell, signs after each */
static void scenario_repeat(char **args)
{
    int key_ref = number(args[0]);
    EVP_PKEY *key;

    open_device();
    key = public_key(key_ref);
    EXPECT_OK(sign_once(key, key_ref, err));
    EXPECT_OK(sign_once(key, key_ref, err));
    for (args++; *args != NULL; args++) {
        if (system(*args) != 0) { /* NOLINT(cert-env33-c): the test's own command */
            die("failed: %s", *args);
        }
        EXPECT_OK(sign_once(key, key_ref, err));
    }
    EVP_PKEY_free(key);
    close_device();
}

/* relist COMMAND...: looks for devices, runs each command by the shell, looks again after each */
static void scenario_relist(char **args)
{
    const struct schsm_device_selector selector = { .serial = getenv("SERIAL"),
                                                    .reader = getenv("READER") };

    open_device();
    for (; *args != NULL; args++) {
        if (system(*args) != 0) { /* NOLINT(cert-env33-c): the test's own command */
            die("failed: %s", *args);
        }
        EXPECT_OK(schsm_registry_device(registry, &selector, &device, err));
    }
    close_device();
}

/*
 * AddressSanitizer's allocator does not survive a fork while another thread allocates: its lock
 * stays held in the child. There a fork waits until all threads are between two signatures;
 * elsewhere it comes in the middle of them.
 */
#if !defined(__has_feature)
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
static const bool fork_waits = true;
#else
static const bool fork_waits = false;
#endif
static pthread_rwlock_t signing = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

static void signing_ends(void)
{
    EXPECT(!fork_waits || pthread_rwlock_unlock(&signing) == 0);
}

static atomic_int failures;
static EVP_PKEY *thread_key;
static int thread_ref, thread_count;

static void *thread_signs(void *arg)
{
    struct schsm_error error = SCHSM_ERROR_INIT;

    (void)arg;
    for (int i = 0; i < thread_count; i++) {
        EXPECT(!fork_waits || pthread_rwlock_rdlock(&signing) == 0);
        if (!sign_once(thread_key, thread_ref, &error)) {
            (void)fprintf(stderr, "%s\n", error.text);
            atomic_fetch_add(&failures, 1);
        }
        signing_ends();
    }
    return NULL;
}

/* threads KEY_REF THREADS SIGNATURES */
static void scenario_threads(char **args)
{
    pthread_t threads[64];
    int count = number(args[1]);

    open_device();
    thread_ref = number(args[0]);
    thread_count = number(args[2]);
    thread_key = public_key(thread_ref);
    for (int i = 0; i < count; i++) {
        EXPECT(pthread_create(&threads[i], NULL, thread_signs, NULL) == 0);
    }
    for (int i = 0; i < count; i++) {
        EXPECT(pthread_join(threads[i], NULL) == 0);
    }
    EXPECT(failures == 0);
    EVP_PKEY_free(thread_key);
    close_device();
}

/* fork KEY_REF ROUNDS: forks while other threads sign; parent and children go on signing */
static void scenario_fork(char **args)
{
    int rounds = number(args[1]), status;
    pthread_t threads[3];
    EVP_PKEY *key;

    open_device();
    thread_ref = number(args[0]);
    thread_count = rounds * 10;
    thread_key = key = public_key(thread_ref);
    EXPECT_OK(sign_once(key, thread_ref, err));
    for (int i = 0; i < 3; i++) {
        EXPECT(pthread_create(&threads[i], NULL, thread_signs, NULL) == 0);
    }
    for (int round = 0; round < rounds; round++) {
        pid_t child;

        EXPECT(!fork_waits || pthread_rwlock_wrlock(&signing) == 0);
        child = fork();
        if (child == 0) {
            (void)alarm(600); /* against waiting for ever */
            EXPECT_OK(sign_once(key, thread_ref, err));
            EXPECT_OK(sign_once(key, thread_ref, err));
            close_device();
            _exit(0);
        }
        signing_ends();
        EXPECT(child > 0 && waitpid(child, &status, 0) == child);
        if (status != 0) {
            die("round %d: child ended with %x", round, (unsigned int)status);
        }
    }
    for (int i = 0; i < 3; i++) {
        EXPECT(pthread_join(threads[i], NULL) == 0);
    }
    EXPECT(failures == 0);
    EXPECT_OK(sign_once(key, thread_ref, err));
    EVP_PKEY_free(key);
    close_device();
}

/* remove KEY_REF */
static void scenario_remove(char **args)
{
    struct schsm_object_filter filter = { .types = SCHSM_OBJECT_PRIVATE,
                                          .key_ref = number(args[0]) };
    struct schsm_object_list list = { 0 };

    open_device();
    EXPECT_OK(schsm_device_find(device, &filter, &list, err));
    EXPECT(list.count == 1);
    EXPECT_OK(schsm_device_remove(device, &list.objects[0], &login, err));
    schsm_object_list_clear(&list);
    EXPECT_OK(schsm_device_find(device, &filter, &list, err));
    EXPECT(list.count == 0);
    close_device();
}

/* exists ID: an id that is taken is refused */
static void scenario_exists(char **args)
{
    struct schsm_generate spec = { .key_ref = -1,
                                   .type = SCHSM_KEY_EC,
                                   .curve_nid = NID_X9_62_prime256v1,
                                   .id = (const uint8_t *)args[0],
                                   .id_len = strlen(args[0]) };
    struct schsm_object made;

    open_device();
    EXPECT_REASON(schsm_device_generate(device, &spec, &login, &made, err), SCHSM_REASON_EXISTS);
    close_device();
}

/* operate-reason KEY_REF REASON */
static void scenario_operate_reason(char **args)
{
    uint8_t hash[32] = { 1 }, out[200];
    size_t len = sizeof(out);

    open_device();
    EXPECT_REASON(schsm_device_operate(device, SCHSM_OP_ECDSA_SIGN, key_at(number(args[0])), &login,
                                       hash, 32, out, &len, err),
                  reason(args[1]));
    close_device();
}

/* open-reason REASON: finding the device fails so */
static void scenario_open_reason(char **args)
{
    struct schsm_device_selector selector = { .serial = getenv("SERIAL"),
                                              .reader = getenv("READER") };

    EXPECT_OK((registry = schsm_registry_new(err)) != NULL);
    EXPECT_REASON(schsm_registry_device(registry, &selector, &device, err), reason(args[0]));
    close_device();
}

/* A transport over PC/SC that spoils one command. */
static struct schsm_transport faulty;
static enum { FAULT_REFUSED, FAULT_RESET_BEFORE, FAULT_LOST_AFTER, FAULTS } fault;
static int fault_at; /* commands until then; negative: past */

static enum schsm_transport_result faulty_transmit(void *handle, const uint8_t *command,
                                                   size_t command_len, uint8_t *response,
                                                   size_t *response_len, struct schsm_error *err)
{
    enum schsm_transport_result result;

    if (fault_at < 0 || fault_at-- > 0) {
        return schsm_transport_pcsc.transmit(handle, command, command_len, response, response_len,
                                             err);
    }
    if (fault == FAULT_REFUSED) {
        response[0] = 0x6A; /* no memory */
        response[1] = 0x84;
        *response_len = 2;
        return SCHSM_TRANSPORT_OK;
    }
    if (fault == FAULT_LOST_AFTER) {
        result = schsm_transport_pcsc.transmit(handle, command, command_len, response, response_len,
                                               err);
        if (result != SCHSM_TRANSPORT_OK) {
            return result;
        }
    }
    schsm_fail(err, SCHSM_REASON_TRANSPORT, "spoiled");
    return fault == FAULT_LOST_AFTER ? SCHSM_TRANSPORT_REMOVED : SCHSM_TRANSPORT_RESET;
}

static struct schsm_pcsc_settings patience = { .wait = 60 };

static size_t count_keys(void)
{
    struct schsm_object_filter filter = { .types = SCHSM_OBJECT_PRIVATE, .key_ref = -1 };
    struct schsm_object_list list = { 0 };
    size_t count;

    EXPECT_OK(schsm_device_find(device, &filter, &list, err));
    for (size_t i = 0; i < list.count; i++) {
        EXPECT(list.objects[i].id_len > 0);
    }
    count = list.count;
    schsm_object_list_clear(&list);
    return count;
}

/* faults: makes keys while one command after the other is spoiled; a key is there with its
 * description or not at all */
static void scenario_faults(char **args)
{
    const struct schsm_generate spec = {
        .type = SCHSM_KEY_EC, .curve_nid = NID_X9_62_prime256v1, .key_ref = -1, .label = "fault"
    };
    const struct schsm_device_selector selector = { .serial = NULL };
    struct schsm_error error = SCHSM_ERROR_INIT;
    struct schsm_object made;
    size_t before;
    int ok;

    (void)args;
    open_device();
    schsm_registry_free(registry);
    faulty = schsm_transport_pcsc;
    faulty.transmit = faulty_transmit;
    for (fault = FAULT_REFUSED; fault < FAULTS; fault++) {
        for (int at = 0; at < 12; at++) {
            fault_at = -1;
            EXPECT_OK((registry = schsm_registry_new_on(&faulty, &patience, err)) != NULL);
            EXPECT_OK(schsm_registry_device(registry, &selector, &device, err));
            before = count_keys();
            fault_at = at;
            ok = schsm_device_generate(device, &spec, &login, &made, &error);
            printf("fault %d at command %d: %s\n", (int)fault, at, ok ? "done" : error.text);
            EXPECT(ok || fault == FAULT_REFUSED);
            EXPECT(ok || error.text[0] != 0);
            fault_at = -1;
            EXPECT(count_keys() == before + (ok ? 1 : 0));
            if (ok) {
                try_key(made.key_ref);
                EXPECT_OK(schsm_device_remove(device, &made, &login, err));
                schsm_object_clear(&made);
            }
            EXPECT(count_keys() == before);
            schsm_registry_free(registry);
        }
    }
    schsm_pin_source_free(login.source);
}

/* hold MILLISECONDS: keeps the card for itself, as a program does that makes a key */
static void scenario_hold(char **args)
{
    const long milliseconds = number(args[0]);
    const struct timespec pause = { milliseconds / 1000, milliseconds % 1000 * 1000000 };
    struct schsm_slot slots[16];
    size_t count = 16;
    struct schsm_atr atr;
    void *handle;

    EXPECT_OK(schsm_transport_pcsc.list(NULL, slots, &count, err) == SCHSM_TRANSPORT_OK);
    EXPECT_OK(schsm_transport_pcsc.open(&patience, slots[0].reader, &handle, &atr, err) ==
              SCHSM_TRANSPORT_OK);
    EXPECT_OK(schsm_transport_pcsc.begin(handle, err) == SCHSM_TRANSPORT_OK);
    printf("held\n");
    (void)fflush(stdout);
    (void)nanosleep(&pause, NULL);
    schsm_transport_pcsc.end(handle);
    schsm_transport_pcsc.close(handle);
}

static const struct {
    const char *name;
    void (*run)(char **args);
    int args;
} scenarios[] = {
    { "generate", scenario_generate, 1 },
    { "list", scenario_list, 0 },
    { "find", scenario_find, 2 },
    { "info", scenario_info, 0 },
    { "cold", scenario_cold, 1 },
    { "many", scenario_many, 2 },
    { "wrong", scenario_wrong, 0 },
    { "login-reason", scenario_login_reason, 1 },
    { "operate-reason", scenario_operate_reason, 2 },
    { "open-reason", scenario_open_reason, 1 },
    { "repeat", scenario_repeat, 1 },
    { "relist", scenario_relist, 1 },
    { "threads", scenario_threads, 3 },
    { "fork", scenario_fork, 2 },
    { "remove", scenario_remove, 1 },
    { "exists", scenario_exists, 1 },
    { "faults", scenario_faults, 0 },
    { "hold", scenario_hold, 1 },
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        if (argc > 1 && strcmp(argv[1], scenarios[i].name) == 0 && argc - 2 >= scenarios[i].args) {
            scenarios[i].run(argv + 2);
            return 0;
        }
    }
    die("usage: device_test SCENARIO [ARGUMENTS]");
}
