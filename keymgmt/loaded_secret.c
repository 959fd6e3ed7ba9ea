/* SPDX-License-Identifier: Apache-2.0 */
#include "loaded_secret.h"

#include <stdatomic.h>

#include <openssl/crypto.h>

#include "pin/memory.h"
#include "key_internal.h"
#include "reveal.h"

/* Nothing of it changes once somebody uses it, so threads share it as it is. */
struct schsm_loaded_secret {
    atomic_int references;
    struct schsm_context *context;
    struct schsm_match match;
    struct schsm_pin_source *source; /* NULL: none */
    char name[SCHSM_OBJECT_NAME_MAX];
    char *uri;
};

/* Takes over the match, which is empty then, and not the source. */
static struct schsm_loaded_secret *new_secret(struct schsm_context *context,
                                              struct schsm_match *match,
                                              struct schsm_pin_source *source,
                                              struct schsm_error *err)
{
    struct schsm_loaded_secret *secret = OPENSSL_zalloc(sizeof(*secret));

    if (secret == NULL) {
        schsm_match_clear(match);
        schsm_fail_memory(err);
        return NULL;
    }
    /* A server loads its keys before it forks its workers. */
    schsm_pin_memory_share();
    atomic_init(&secret->references, 1);
    secret->context = context;
    secret->match = *match;
    *match = (struct schsm_match){ .device = NULL };
    secret->source = source != NULL ? schsm_pin_source_ref(source) : NULL;
    schsm_object_name(&secret->match.object, secret->name, sizeof(secret->name));
    secret->uri = schsm_match_uri(&secret->match, true, err);
    if (secret->uri == NULL) {
        schsm_loaded_secret_free(secret);
        return NULL;
    }
    return secret;
}

struct schsm_loaded_secret *schsm_loaded_secret_from_match(struct schsm_context *context,
                                                           struct schsm_match *match,
                                                           const struct schsm_uri *uri,
                                                           struct schsm_error *err)
{
    struct schsm_pin_source *source =
        uri->pin_source != NULL ? uri->pin_source : context->config.pin_source;

    return new_secret(context, match, source, err);
}

int schsm_loaded_secret_login_at_load(struct schsm_loaded_secret *secret,
                                      const struct schsm_passphrase *passphrase,
                                      struct schsm_error *err)
{
    bool now = secret->context->config.login == SCHSM_LOGIN_LOAD;
    struct schsm_device *device = secret->match.device;
    struct schsm_login login;

    if (now && secret->source == NULL && passphrase != NULL &&
        !schsm_login_ask(secret->context, device, secret->name, passphrase, &secret->source, err)) {
        return 0;
    }
    if (secret->source == NULL) {
        secret->source = schsm_pin_source_parse("prompt", err);
        return secret->source != NULL;
    }
    login = schsm_login_for(secret->context, secret->source, secret->name);
    return !now || schsm_device_login(device, &login, err);
}

struct schsm_loaded_secret *schsm_loaded_secret_find(struct schsm_context *context, const char *uri,
                                                     struct schsm_error *err)
{
    struct schsm_loaded_secret *secret = NULL;
    struct schsm_match match = { .device = NULL };
    struct schsm_uri parsed;

    if (schsm_uri_parse(&parsed, uri, err) &&
        schsm_reveal_key(context, &parsed, SCHSM_OBJECT_SECRET, NULL, &match, err)) {
        secret = schsm_loaded_secret_from_match(context, &match, &parsed, err);
    }
    if (secret != NULL && !schsm_loaded_secret_login_at_load(secret, NULL, err)) {
        schsm_loaded_secret_free(secret);
        secret = NULL;
    }
    schsm_uri_clear(&parsed);
    return secret;
}

struct schsm_loaded_secret *schsm_loaded_secret_generate(struct schsm_context *context,
                                                         const struct schsm_uri *uri,
                                                         const struct schsm_generate *spec,
                                                         struct schsm_error *err)
{
    struct schsm_loaded_secret *secret = NULL;
    struct schsm_made_key made;

    if (schsm_make_key(context, uri, spec, &made, err)) {
        struct schsm_device *device = made.match.device;
        struct schsm_object object = made.match.object;

        object.value = NULL; /* no AES key has one that can be told */
        secret = new_secret(context, &made.match, made.source, err);
        if (secret == NULL) {
            schsm_unmake_key(&made, device, &object, err);
        }
    }
    schsm_made_key_clear(&made);
    return secret;
}

struct schsm_loaded_secret *schsm_loaded_secret_ref(struct schsm_loaded_secret *secret)
{
    atomic_fetch_add(&secret->references, 1);
    return secret;
}

void schsm_loaded_secret_free(struct schsm_loaded_secret *secret)
{
    if (secret == NULL || atomic_fetch_sub(&secret->references, 1) > 1) {
        return;
    }
    schsm_object_clear(&secret->match.object);
    schsm_pin_source_free(secret->source);
    OPENSSL_free(secret->uri);
    OPENSSL_free(secret);
}

const char *schsm_loaded_secret_uri(const struct schsm_loaded_secret *secret)
{
    return secret->uri;
}

const char *schsm_loaded_secret_name(const struct schsm_loaded_secret *secret)
{
    return secret->name;
}

unsigned int schsm_loaded_secret_bits(const struct schsm_loaded_secret *secret)
{
    return secret->match.object.bits;
}

struct schsm_secret_key schsm_loaded_secret_key(const struct schsm_loaded_secret *secret,
                                                struct schsm_login *login)
{
    *login = schsm_login_for(secret->context, secret->source, secret->name);
    return (struct schsm_secret_key){ secret->match.device, &secret->match.object, login };
}
