/* SPDX-License-Identifier: Apache-2.0 */
#include "key_domain.h"
#include "key_internal.h"

#include <openssl/crypto.h>

#include "base/log.h"

/* The PIN's source: the card parameters' or the configuration's, else the controlling terminal. */
static struct schsm_pin_source *choose_source(const struct schsm_context *context,
                                              const struct schsm_uri *uri, struct schsm_error *err)
{
    if (uri->pin_source != NULL) {
        return schsm_pin_source_ref(uri->pin_source);
    }
    if (context->config.pin_source != NULL) {
        return schsm_pin_source_ref(context->config.pin_source);
    }
    return schsm_pin_source_parse("prompt", err);
}

/* A program asks for a key by its label later, and cannot be told now. Looked for where somebody
 * reads it alone, because it takes a command for each key. */
static void log_same_label(struct schsm_device *device, const struct schsm_object *made)
{
    size_t others = schsm_log_wants(SCHSM_LOG_INFO) ? schsm_same_label(device, made) : 0;

    if (others > 0) {
        schsm_log(SCHSM_LOG_INFO, "%zu keys have the label '%s' now", others + 1, made->label);
    }
}

int schsm_make_key(struct schsm_context *context, const struct schsm_uri *uri,
                   const struct schsm_generate *spec, struct schsm_made_key *made,
                   struct schsm_error *err)
{
    struct schsm_device_selector selector = schsm_find_selector(context, uri);
    struct schsm_device *device = NULL;

    *made = (struct schsm_made_key){ .source = choose_source(context, uri, err) };
    if (made->source == NULL ||
        !schsm_registry_device(context->registry, &selector, &device, err)) {
        return 0;
    }
    made->login = schsm_login_for(context, made->source, spec->label);
    if ((spec->has_key_domain && !schsm_key_domain_check(device, spec->key_domain, err)) ||
        !schsm_device_generate(device, spec, &made->login, &made->match.object, err)) {
        return 0;
    }
    made->match.device = device;
    log_same_label(device, &made->match.object);
    return 1;
}

void schsm_unmake_key(const struct schsm_made_key *made, struct schsm_device *device,
                      const struct schsm_object *object, struct schsm_error *err)
{
    struct schsm_error ignored = SCHSM_ERROR_INIT;

    if (!schsm_device_remove(device, object, &made->login, &ignored)) {
        schsm_fail_context(err, "a key was made and stays on the device as key reference %d",
                           object->key_ref);
    }
}

void schsm_made_key_clear(struct schsm_made_key *made)
{
    schsm_match_clear(&made->match);
    schsm_pin_source_free(made->source);
    made->source = NULL;
}

struct schsm_key *schsm_key_generate(struct schsm_context *context, const struct schsm_uri *uri,
                                     const struct schsm_generate *spec, struct schsm_error *err)
{
    struct schsm_made_key made;
    struct schsm_key *key = NULL;

    if (schsm_make_key(context, uri, spec, &made, err)) {
        struct schsm_device *device = made.match.device;
        struct schsm_object object = made.match.object;

        object.value = NULL; /* the key takes the public part over */
        key = schsm_key_new(context, &made.match, uri, err);
        if (key != NULL) {
            key->made = true;
        } else {
            schsm_unmake_key(&made, device, &object, err);
        }
    }
    schsm_made_key_clear(&made);
    return key;
}
