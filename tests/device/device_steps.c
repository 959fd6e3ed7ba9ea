/* SPDX-License-Identifier: Apache-2.0 */
#include "device_test.h"

#include <stdarg.h>
#include <sys/random.h>

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

int number(const char *text)
{
    char *end = NULL;
    long value = strtol(text, &end, 0);

    if (end == text || *end != 0 || value < 0 || value > 1000000) {
        (void)fprintf(stderr, "not a number: %s\n", text);
        exit(2);
    }
    return (int)value;
}

struct schsm_registry *registry;
struct schsm_device *device;
struct schsm_login login;

void die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
    exit(1);
}

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

enum schsm_reason reason(const char *name)
{
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (strcmp(reasons[i].name, name) == 0) {
            return reasons[i].reason;
        }
    }
    die("unknown reason %s", name);
}

const struct schsm_object *key_at(int key_ref)
{
    static _Thread_local struct schsm_object key;

    key = (struct schsm_object){ .type = SCHSM_OBJECT_PRIVATE, .key_ref = key_ref };
    return &key;
}

void open_device(void)
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

void close_device(void)
{
    schsm_pin_source_free(login.source);
    schsm_registry_free(registry);
}

/* --- private operations, checked by libcrypto --- */

EVP_PKEY *public_key(int key_ref)
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

int sign_once(EVP_PKEY *key, int key_ref, struct schsm_error *err)
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

int generate(int nid_or_bits, const char *id, const char *label)
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

void try_key(int key_ref)
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
