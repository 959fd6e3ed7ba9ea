/* SPDX-License-Identifier: Apache-2.0 */
#include "key.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "base/fork_guard.h"
#include "pin/memory.h"
#include "format/same_key.h"
#include "key_internal.h"
#include "reveal.h"

struct schsm_key *schsm_key_new(struct schsm_context *context, struct schsm_match *match,
                                const struct schsm_uri *uri, struct schsm_error *err)
{
    struct schsm_key *key = OPENSSL_zalloc(sizeof(*key));
    const unsigned char *p = NULL;
    char name[SCHSM_OBJECT_NAME_MAX];

    if (key == NULL) {
        schsm_match_clear(match);
        schsm_fail_memory(err);
        return NULL;
    }
    struct schsm_device_selector selector = schsm_find_selector(context, uri);

    /* A server loads its keys before it forks its workers. */
    schsm_pin_memory_share();
    atomic_init(&key->references, 1);
    atomic_init(&key->device, match->device);
    atomic_init(&key->checked.result, 0);
    atomic_init(&key->checked.public_part, 0);
    atomic_init(&key->found, NULL);
    atomic_init(&key->pooled, NULL);
    key->context = context;
    key->object = match->object;
    key->shares_name = match->shares_name;
    memset(match, 0, sizeof(*match));
    key->source = schsm_pin_source_ref(uri->pin_source != NULL ? uri->pin_source
                                                               : context->config.pin_source);
    key->serial = selector.serial != NULL ? OPENSSL_strdup(selector.serial) : NULL;
    key->reader = selector.reader != NULL ? OPENSSL_strdup(selector.reader) : NULL;
    key->token = selector.token != NULL ? OPENSSL_strdup(selector.token) : NULL;
    schsm_object_name(&key->object, name, sizeof(name));
    key->name = OPENSSL_strdup(name);
    if (key->name == NULL || (selector.serial != NULL && key->serial == NULL) ||
        (selector.reader != NULL && key->reader == NULL) ||
        (selector.token != NULL && key->token == NULL)) {
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
    if (EVP_PKEY_get_bits(key->public_key) > OPENSSL_RSA_MAX_MODULUS_BITS) {
        schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                   "%s: OpenSSL uses RSA keys of at most %d bits, and this one has %d", key->name,
                   OPENSSL_RSA_MAX_MODULUS_BITS, EVP_PKEY_get_bits(key->public_key));
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
        .shares_name = uri->handle != 0,
        .object = {
            .type = SCHSM_OBJECT_PRIVATE,
            .key_ref = uri->key_ref,
            .handle = uri->handle,
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
                                           const struct schsm_passphrase *passphrase,
                                           struct schsm_error *err)
{
    struct schsm_uri uri;
    struct schsm_match match = { 0 };
    struct schsm_key *key = NULL;

    if (!schsm_uri_parse(&uri, reference->uri, err)) {
        schsm_fail_context(err, "key reference");
    } else if (!schsm_uri_names_object(&uri)) {
        schsm_fail(
            err, SCHSM_REASON_REFERENCE_FILE,
            "the SC-HSM key reference names no key: its URI has neither key-ref nor id nor label");
    } else if (uri.pin_source !=
               NULL) { /* it is data, perhaps a stranger's, and no configuration */
        schsm_fail(err, SCHSM_REASON_REFERENCE_FILE,
                   "the SC-HSM key reference says where a PIN comes from, which only a URI or the "
                   "configuration may: write the reference again with 'openssl pkey -in URI -out "
                   "FILE'");
    } else if (reference->spki != NULL) {
        key = from_complete_reference(context, reference, &uri, err);
    } else if (schsm_reveal_key(context, &uri, SCHSM_OBJECT_PRIVATE, passphrase, &match, err)) {
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
    OPENSSL_free(key->serial);
    OPENSSL_free(key->reader);
    OPENSSL_free(key->token);
    OPENSSL_free(atomic_load(&key->found));
    OPENSSL_free(key->name);
    OPENSSL_free(key);
}

/* Whether a match is this very key; one whose public part cannot be told is none. */
static int is_the_key(void *arg, struct schsm_match *match, struct schsm_error *err)
{
    const struct schsm_key *key = arg;
    struct schsm_error ignored = SCHSM_ERROR_INIT;

    (void)err;
    return schsm_device_read(match->device, &match->object, NULL, &ignored) &&
           schsm_public_key_is(key->context->libctx, match->object.value, match->object.value_len,
                               key->public_key);
}

/* The key as its reference tells it, on a device that shows its keys only after a login: a private
 * operation logs in, and its result shows whether it is the key. */
static int suppose_hidden(struct schsm_key *key, const struct schsm_uri *uri,
                          struct schsm_match_list *list, struct schsm_error *err)
{
    struct schsm_hiding hiding = { .device = NULL };
    struct schsm_match *supposed;

    if (!schsm_hiding_find(key->context, uri, &hiding, err)) {
        return 0;
    }
    if (hiding.device == NULL || hiding.several) {
        return schsm_hiding_fail(uri, SCHSM_OBJECT_PRIVATE, &hiding, err);
    }
    supposed = OPENSSL_realloc(list->matches, sizeof(*supposed));
    if (supposed == NULL) {
        return schsm_fail_memory(err);
    }
    *supposed = (struct schsm_match){ .device = hiding.device, .object = key->object };
    supposed->object.value = NULL;
    supposed->object.value_len = 0;
    list->matches = supposed;
    list->count = 1;
    return 1;
}

/*
 * Looks for the key by what its reference tells, on all devices that it may mean. Where several
 * have such a one, as devices may have that share a serial number, the public part decides.
 */
static struct schsm_device *locate(struct schsm_key *key, struct schsm_error *err)
{
    const struct schsm_object *object = &key->object;
    struct schsm_match_list list = { NULL, 0 };
    struct schsm_match match = { 0 };
    struct schsm_object *none = NULL, *found = NULL;
    struct schsm_device *device = NULL;
    struct schsm_uri uri; /* what it points to is the key's */

    schsm_uri_init(&uri);
    uri.key_ref = object->key_ref;
    uri.handle = object->handle;
    uri.has_id = object->id_len > 0;
    memcpy(uri.id, object->id, object->id_len);
    uri.id_len = object->id_len;
    uri.label = object->label[0] != '\0' ? key->object.label : NULL;
    uri.serial = key->serial;
    uri.reader = key->reader;
    uri.token = key->token;
    if (!schsm_find(key->context, &uri, SCHSM_OBJECT_PRIVATE, &list, err) ||
        (list.count == 0 && !suppose_hidden(key, &uri, &list, err)) ||
        (list.count > 1 && !schsm_match_list_filter(&list, is_the_key, key, err)) ||
        !schsm_match_list_take(&list, &uri, SCHSM_OBJECT_PRIVATE, &match, err)) {
        schsm_match_list_clear(&list);
        return NULL;
    }
    device = match.device;
    found = OPENSSL_memdup(&match.object, sizeof(match.object));
    schsm_match_clear(&match);
    schsm_match_list_clear(&list);
    if (found == NULL) {
        schsm_fail_memory(err);
        return NULL;
    }
    found->value = NULL;
    found->value_len = 0;
    if (!atomic_compare_exchange_strong(&key->found, &none, found)) {
        OPENSSL_free(found); /* another thread was quicker */
    }
    return device;
}

/* hurried: a device that was there before and is missed is not waited for. */
static struct schsm_device *own_device(struct schsm_key *key, bool hurried, struct schsm_error *err)
{
    struct schsm_device_selector selector = {
        .serial = key->serial, .reader = key->reader, .token = key->token, .hurried = hurried
    };
    struct schsm_device *device = atomic_load(&key->device);
    struct schsm_error several = SCHSM_ERROR_INIT;

    if (device != NULL) {
        return device;
    }
    if (key->object.key_ref < 0) {
        device = locate(key, err);
    } else if (!schsm_registry_device(key->context->registry, &selector, &device, &several)) {
        if (several.reason == SCHSM_REASON_DEVICE_AMBIGUOUS) {
            device = locate(key, err); /* one of them may be the only one with that key */
        } else if (err != NULL) {
            *err = several;
        }
    }
    if (device != NULL) {
        atomic_store(&key->device, device);
    }
    return device;
}

struct schsm_device *schsm_key_device(struct schsm_key *key, struct schsm_error *err)
{
    return own_device(key, false, err);
}

const struct schsm_object *schsm_key_object(const struct schsm_key *key)
{
    const struct schsm_object *found = atomic_load(&key->found);

    return found != NULL ? found : &key->object;
}

struct schsm_pin_source *schsm_key_source(struct schsm_key *key)
{
    struct schsm_pin_source *source = NULL;

    schsm_guard_lock();
    source = key->source != NULL ? schsm_pin_source_ref(key->source) : NULL;
    schsm_guard_unlock();
    return source;
}

static struct schsm_expected_key expected(const struct schsm_key *key)
{
    return (struct schsm_expected_key){
        .libctx = key->context->libctx,
        .public_key = key->public_key,
        .name = key->name,
        .first_only = key->context->config.verify_first,
    };
}

/* A key that was made here is on its device alone, as far as we know. */
static bool is_pooled(const struct schsm_key *key)
{
    return key->context->pool != NULL && !key->made;
}

struct schsm_device *schsm_key_operator(struct schsm_key *key, struct schsm_error *err)
{
    const struct schsm_expected_key wanted = expected(key);
    struct schsm_error missing = SCHSM_ERROR_INIT;
    struct schsm_device *pooled = NULL, *own = NULL;

    if (!is_pooled(key)) {
        return schsm_key_device(key, err);
    }
    pooled = atomic_load(&key->pooled);
    if (pooled == NULL) {
        pooled = schsm_pool_device(key->context->pool, &wanted, &key->object, err);
        if (pooled == NULL) {
            return NULL;
        }
        atomic_store(&key->pooled, pooled);
    }
    if (!schsm_pool_has_member(pooled) && schsm_pool_begins_with(key->context->pool, key->serial)) {
        own = own_device(key, true, &missing);
        if (own != NULL) {
            schsm_pool_add(pooled, own, schsm_key_object(key));
        } else {
            schsm_pool_miss(pooled, &missing);
        }
    }
    return pooled;
}

int schsm_key_operate(struct schsm_key *key, enum schsm_operation operation, const uint8_t *in,
                      size_t in_len, uint8_t *out, size_t *out_len, struct schsm_error *err)
{
    struct schsm_device *device = schsm_key_operator(key, err);
    struct schsm_pin_source *source = schsm_key_source(key);
    const struct schsm_login login = schsm_login_for(key->context, source, key->name);
    const struct schsm_expected_key wanted = expected(key);
    const struct schsm_asked asked = {
        device, schsm_key_object(key), &login, operation, in, in_len
    };
    int ok =
        device != NULL &&
        schsm_device_operate(device, operation, asked.object, &login, in, in_len, out, out_len,
                             err) &&
        (is_pooled(key) || schsm_check_result(&wanted, &key->checked, &asked, out, out_len, err));

    schsm_pin_source_free(source);
    return ok;
}

int schsm_key_check(struct schsm_key *key, struct schsm_error *err)
{
    struct schsm_device *device = schsm_key_device(key, err);
    struct schsm_pin_source *source = schsm_key_source(key);
    const struct schsm_login login = schsm_login_for(key->context, source, key->name);
    const struct schsm_expected_key wanted = expected(key);
    int ok =
        device != NULL && schsm_check_device(&wanted, device, schsm_key_object(key), &login, err);

    schsm_pin_source_free(source);
    return ok;
}

int schsm_key_remove(struct schsm_key *key, struct schsm_error *err)
{
    struct schsm_device *device = schsm_key_device(key, err);
    struct schsm_pin_source *source = NULL;
    int ok = 0;

    if (device == NULL) {
        return 0;
    }
    source = schsm_key_source(key);
    struct schsm_login login = schsm_login_for(key->context, source, key->name);

    ok = schsm_device_remove(device, schsm_key_object(key), &login, err);
    schsm_pin_source_free(source);
    return ok;
}

bool schsm_key_was_made(const struct schsm_key *key)
{
    return key->made;
}

int schsm_key_place(const struct schsm_key *key)
{
    return key->object.key_ref;
}

const char *schsm_key_name(const struct schsm_key *key)
{
    return key->name;
}

EVP_PKEY *schsm_key_public(const struct schsm_key *key)
{
    return key->public_key;
}

char *schsm_key_uri(struct schsm_key *key, struct schsm_error *err)
{
    char serial[SCHSM_SERIAL_MAX + 1] = "", token[SCHSM_TOKEN_LABEL_MAX + 1] = "";
    const struct schsm_uri_device named = { .serial = serial, .token = token };
    struct schsm_device *device = atomic_load(&key->device);
    char *uri = NULL;

    if (device == NULL && key->serial == NULL) {
        device = schsm_key_device(key, err);
        if (device == NULL) {
            return NULL;
        }
    }
    if (device != NULL) {
        if (!schsm_device_serial(device, serial, err)) {
            return NULL;
        }
        schsm_device_token(device, token);
    } else {
        OPENSSL_strlcpy(serial, key->serial, sizeof(serial));
        OPENSSL_strlcpy(token, key->token != NULL ? key->token : "", sizeof(token));
    }
    uri = schsm_uri_of_object(&named, &key->object,
                              key->object.handle != 0 && key->shares_name ? SCHSM_URI_HANDLE : 0u);
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

int schsm_key_reference_write(struct schsm_key *key, BIO *out, struct schsm_error *err)
{
    char *uri = schsm_key_uri(key, err);
    int ok = uri != NULL && schsm_reference_write(uri, &key->object, out, err);

    OPENSSL_free(uri);
    return ok;
}
