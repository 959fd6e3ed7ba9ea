/* SPDX-License-Identifier: Apache-2.0 */
#include "key.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "key_internal.h"

#define PASSPHRASE_MAX 64

struct schsm_key {
    atomic_int references;
    struct schsm_context *context;
    char *serial; /* which device; NULL: the configured or only one */
    char *reader;
    struct schsm_object object; /* value: the DER SubjectPublicKeyInfo */
    char *name;                 /* for prompts and sentences */
    EVP_PKEY *public_key;
    _Atomic(struct schsm_device *) device; /* the registry's; NULL until first needed */
    atomic_bool checked;                   /* a signature agreed with the public part */
    pthread_mutex_t source_lock;           /* guards the pointer below; never held during I/O */
    struct schsm_pin_source *source;
};

struct schsm_login schsm_key_login(const struct schsm_context *context,
                                   struct schsm_pin_source *source, const char *object)
{
    struct schsm_login login = {
        .source = context->config.login == SCHSM_LOGIN_NEVER ? NULL : source,
        .min_pin_tries = context->config.min_pin_tries,
        .keep_pin = context->config.cache_pin,
        .object = object,
    };

    return login;
}

/* "key 'web'", "key id 10" or "key-ref 3": what a user recognises the key by. */
static char *make_name(const struct schsm_object *object)
{
    char text[SCHSM_LABEL_MAX + 16];

    if (object->label[0] != '\0') {
        BIO_snprintf(text, sizeof(text), "key '%s'", object->label);
    } else {
        BIO_snprintf(text, sizeof(text), "key-ref %d", object->key_ref);
    }
    return OPENSSL_strdup(text);
}

struct schsm_key *schsm_key_new(struct schsm_context *context, struct schsm_match *match,
                                const struct schsm_uri *uri, struct schsm_error *err)
{
    struct schsm_key *key = OPENSSL_zalloc(sizeof(*key));
    const unsigned char *p = NULL;

    if (key == NULL || pthread_mutex_init(&key->source_lock, NULL) != 0) {
        OPENSSL_free(key);
        schsm_match_clear(match);
        schsm_fail_memory(err);
        return NULL;
    }
    struct schsm_device_selector selector = schsm_find_selector(context, uri);

    atomic_init(&key->references, 1);
    atomic_init(&key->device, match->device);
    atomic_init(&key->checked, false);
    key->context = context;
    key->object = match->object;
    memset(match, 0, sizeof(*match));
    key->source = schsm_pin_source_ref(uri->pin_source != NULL ? uri->pin_source
                                                               : context->config.pin_source);
    key->serial = selector.serial != NULL ? OPENSSL_strdup(selector.serial) : NULL;
    key->reader = selector.reader != NULL ? OPENSSL_strdup(selector.reader) : NULL;
    key->name = make_name(&key->object);
    if (key->name == NULL || (selector.serial != NULL && key->serial == NULL) ||
        (selector.reader != NULL && key->reader == NULL)) {
        schsm_fail_memory(err);
        goto fail;
    }
    p = key->object.value;
    ERR_set_mark();
    key->public_key = d2i_PUBKEY_ex(NULL, &p, (long)key->object.value_len, context->libctx, NULL);
    ERR_pop_to_mark();
    if (key->public_key == NULL) {
        schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                   "%s: OpenSSL cannot use the public key (an unknown curve, or damaged data)",
                   key->name);
        goto fail;
    }
    return key;

fail:
    schsm_key_free(key);
    return NULL;
}

struct schsm_key *schsm_key_from_match(struct schsm_context *context, struct schsm_match *match,
                                       const struct schsm_uri *uri, struct schsm_error *err)
{
    if (!schsm_device_read(match->device, &match->object, NULL, err)) {
        schsm_match_clear(match);
        return NULL;
    }
    return schsm_key_new(context, match, uri, err);
}

/* A reference with the public part inside: nothing has to be asked. */
static struct schsm_key *from_complete_reference(struct schsm_context *context,
                                                 const struct schsm_reference *reference,
                                                 const struct schsm_uri *uri,
                                                 struct schsm_error *err)
{
    struct schsm_match match = {
        .device = NULL,
        .object = {
            .type = SCHSM_OBJECT_PRIVATE,
            .key_ref = uri->key_ref,
            .described = true,
            .id_len = uri->id_len,
            .value_len = reference->spki_len,
        },
    };

    match.object.value = OPENSSL_memdup(reference->spki, reference->spki_len);
    if (match.object.value == NULL) {
        schsm_fail_memory(err);
        return NULL;
    }
    memcpy(match.object.id, uri->id, uri->id_len);
    if (uri->label != NULL) {
        OPENSSL_strlcpy(match.object.label, uri->label, sizeof(match.object.label));
    }
    return schsm_key_new(context, &match, uri, err);
}

struct schsm_key *schsm_key_from_reference(struct schsm_context *context,
                                           const struct schsm_reference *reference,
                                           struct schsm_error *err)
{
    struct schsm_uri uri;
    struct schsm_match match = { 0 };
    struct schsm_key *key = NULL;

    if (!schsm_uri_parse(&uri, reference->uri, err)) {
        schsm_fail_context(err, "key reference");
    } else if (!schsm_uri_names_object(&uri)) {
        schsm_fail(err, SCHSM_REASON_REFERENCE_FILE,
                   "the SC-HSM key reference names no key: its URI has neither key-ref nor id "
                   "nor label");
    } else if (reference->spki != NULL && uri.key_ref >= 0) {
        key = from_complete_reference(context, reference, &uri, err);
    } else if (schsm_find_one(context, &uri, SCHSM_OBJECT_PRIVATE, &match, err)) {
        key = schsm_key_from_match(context, &match, &uri, err);
    }
    schsm_uri_clear(&uri);
    return key;
}

int schsm_key_restrict(struct schsm_key *key, EVP_PKEY *restricted, struct schsm_error *err)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(restricted, &der);

    if (len <= 0 || !EVP_PKEY_up_ref(restricted)) {
        OPENSSL_free(der);
        return schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto cannot encode the public key");
    }
    EVP_PKEY_free(key->public_key);
    key->public_key = restricted;
    OPENSSL_free(key->object.value);
    key->object.value = der;
    key->object.value_len = (size_t)len;
    return 1;
}

struct schsm_key *schsm_key_ref(struct schsm_key *key)
{
    atomic_fetch_add(&key->references, 1);
    return key;
}

void schsm_key_free(struct schsm_key *key)
{
    if (key == NULL || atomic_fetch_sub(&key->references, 1) > 1) {
        return;
    }
    EVP_PKEY_free(key->public_key);
    schsm_object_clear(&key->object);
    schsm_pin_source_free(key->source);
    pthread_mutex_destroy(&key->source_lock);
    OPENSSL_free(key->serial);
    OPENSSL_free(key->reader);
    OPENSSL_free(key->name);
    OPENSSL_free(key);
}

/* The key's device, looked for at the first call. Two threads may both look; they find the same. */
static struct schsm_device *find_device(struct schsm_key *key, struct schsm_error *err)
{
    struct schsm_device *device = atomic_load(&key->device);
    struct schsm_device_selector selector = { .serial = key->serial, .reader = key->reader };

    if (device == NULL && schsm_registry_device(key->context->registry, &selector, &device, err)) {
        atomic_store(&key->device, device);
    }
    return device;
}

static struct schsm_pin_source *take_source(struct schsm_key *key)
{
    struct schsm_pin_source *source = NULL;

    pthread_mutex_lock(&key->source_lock);
    source = key->source != NULL ? schsm_pin_source_ref(key->source) : NULL;
    pthread_mutex_unlock(&key->source_lock);
    return source;
}

static int prove(struct schsm_key *key, struct schsm_pin_source *source, struct schsm_error *err)
{
    struct schsm_device *device = find_device(key, err);
    struct schsm_login login = schsm_key_login(key->context, source, key->name);

    return device != NULL && schsm_device_login(device, &login, err);
}

/*
 * Asks the application. 1: *source is the answer, or NULL if it could not ask; 0: it answered
 * nothing at all, or memory ran out.
 */
static int ask_application(struct schsm_key *key, const struct schsm_passphrase *passphrase,
                           struct schsm_pin_source **source, struct schsm_error *err)
{
    char pass[PASSPHRASE_MAX + 1];
    char info[SCHSM_LABEL_MAX + SCHSM_SERIAL_MAX + 64];
    size_t len = 0;
    struct schsm_secret *pin = NULL;
    int asked = 0;

    *source = NULL;
    BIO_snprintf(info, sizeof(info), "SmartCard-HSM%s%s, %s", key->serial != NULL ? " " : "",
                 key->serial != NULL ? key->serial : "", key->name);
    ERR_set_mark();
    asked = passphrase->ask(passphrase->arg, pass, sizeof(pass) - 1, &len, info);
    ERR_pop_to_mark();
    if (asked && len > 0) {
        pin = schsm_secret_new(pass, len, err);
    }
    OPENSSL_cleanse(pass, sizeof(pass));
    if (asked && len == 0) { /* Apache's first pass: its dialog comes when this load fails */
        return schsm_fail(err, SCHSM_REASON_PIN_MISSING,
                          "%s: the PIN that the application gave is empty", key->name);
    }
    if (pin != NULL) {
        *source = schsm_pin_source_from_secret(pin, err);
    }
    schsm_secret_free(pin);
    return !asked || *source != NULL;
}

int schsm_key_login_at_load(struct schsm_key *key, const struct schsm_passphrase *passphrase,
                            struct schsm_error *err)
{
    enum schsm_login_time when = key->context->config.login;
    struct schsm_pin_source *source = NULL;
    int ok = 1;

    if (when == SCHSM_LOGIN_NEVER) {
        return 1;
    }
    source = take_source(key);
    if (source != NULL) {
        ok = when == SCHSM_LOGIN_USE || prove(key, source, err);
    } else if (passphrase != NULL) {
        ok = ask_application(key, passphrase, &source, err);
        if (ok && source != NULL) {
            if (when == SCHSM_LOGIN_LOAD) {
                ok = prove(key, source, err);
            }
            /*
             * Nobody asks the application again: where the PIN was not proven yet, or is to be
             * kept, the key keeps it.
             */
            if (ok && (when == SCHSM_LOGIN_USE || key->context->config.cache_pin)) {
                pthread_mutex_lock(&key->source_lock);
                schsm_pin_source_free(key->source);
                key->source = schsm_pin_source_ref(source);
                pthread_mutex_unlock(&key->source_lock);
            }
        }
    }
    schsm_pin_source_free(source);
    return ok;
}

int schsm_key_operate(struct schsm_key *key, enum schsm_operation operation, const uint8_t *in,
                      size_t in_len, uint8_t *out, size_t *out_len, struct schsm_error *err)
{
    struct schsm_device *device = find_device(key, err);
    struct schsm_pin_source *source = NULL;
    int ok = 0;

    if (device == NULL) {
        return 0;
    }
    source = take_source(key);
    struct schsm_login login = schsm_key_login(key->context, source, key->name);

    ok = schsm_device_operate(device, operation, key->object.key_ref, &login, in, in_len, out,
                              out_len, err);
    schsm_pin_source_free(source);

    bool signs = operation != SCHSM_OP_RSA_DECRYPT && operation != SCHSM_OP_ECDH;

    if (ok && signs && !atomic_load(&key->checked)) {
        if (!schsm_key_signature_fits(key->context->libctx, key->public_key, operation, in, in_len,
                                      out, *out_len)) {
            OPENSSL_cleanse(out, *out_len);
            return schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                              "%s: the SmartCard-HSM holds another key under key-ref %d than the "
                              "key reference says; write the reference again with 'openssl pkey "
                              "-in sc-hsm:key-ref=%d -out FILE'",
                              key->name, key->object.key_ref, key->object.key_ref);
        }
        atomic_store(&key->checked, true);
    }
    return ok;
}

int schsm_key_remove(struct schsm_key *key, struct schsm_error *err)
{
    struct schsm_device *device = find_device(key, err);
    struct schsm_pin_source *source = NULL;
    int ok = 0;

    if (device == NULL) {
        return 0;
    }
    source = take_source(key);
    struct schsm_login login = schsm_key_login(key->context, source, key->name);

    ok = schsm_device_remove(device, &key->object, &login, err);
    schsm_pin_source_free(source);
    return ok;
}

EVP_PKEY *schsm_key_public(const struct schsm_key *key)
{
    return key->public_key;
}

char *schsm_key_uri(struct schsm_key *key, struct schsm_error *err)
{
    char serial[SCHSM_SERIAL_MAX + 1];
    char *uri = NULL;

    if (key->serial != NULL) {
        OPENSSL_strlcpy(serial, key->serial, sizeof(serial));
    } else {
        struct schsm_device *device = find_device(key, err);

        if (device == NULL || !schsm_device_serial(device, serial, err)) {
            return NULL;
        }
    }
    uri = schsm_uri_of_object(serial, &key->object, false);
    if (uri == NULL) {
        schsm_fail_memory(err);
    }
    return uri;
}

int schsm_key_reference(struct schsm_key *key, uint8_t **der, size_t *len, struct schsm_error *err)
{
    char *uri = schsm_key_uri(key, err);
    int ok = uri != NULL &&
             schsm_reference_encode(uri, key->object.value, key->object.value_len, der, len, err);

    OPENSSL_free(uri);
    return ok;
}
