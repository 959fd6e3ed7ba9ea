/* SPDX-License-Identifier: Apache-2.0 */
#include "target.h"

#include <openssl/bio.h>

#include "configured.h"

int schsm_tool_registry(struct schsm_tool *tool, struct schsm_error *err)
{
    struct schsm_context *context = &tool->context;

    schsm_registry_free(context->registry);
    context->registry = schsm_registry_new(err);
    if (context->registry == NULL ||
        !schsm_registry_use_module(context->registry, context->config.pkcs11_module, err)) {
        return 0;
    }
    schsm_registry_wait(context->registry, context->config.wait);
    schsm_registry_protect(context->registry, context->config.secure_channel,
                           context->config.roots);
    return 1;
}

int schsm_tool_serial(struct schsm_device *device, char serial[SCHSM_SERIAL_MAX + 1],
                      struct schsm_error *err)
{
    if (!schsm_device_serial(device, serial, err)) {
        return 0;
    }
    if (serial[0] == '\0') {
        BIO_snprintf(serial, SCHSM_SERIAL_MAX + 1, "%s", SCHSM_TOOL_NO_SERIAL);
    }
    return 1;
}

int schsm_tool_device(struct schsm_tool *tool, struct schsm_device **device,
                      char serial[SCHSM_SERIAL_MAX + 1], struct schsm_error *err)
{
    const struct schsm_device_selector selector = { .serial = tool->context.config.serial,
                                                    .reader = tool->context.config.reader,
                                                    .token = tool->context.config.token };

    return schsm_registry_device(tool->context.registry, &selector, device, err) &&
           schsm_tool_serial(*device, serial, err);
}

/* Asks at the reader's PIN pad, or at the terminal. The last tries are for a person, and this is
 * one. */
static int ask_person(struct schsm_tool *tool, struct schsm_device *device,
                      struct schsm_login *login, struct schsm_error *err)
{
    struct schsm_pin_prospect prospect;

    if (!schsm_device_prepare_login(device, login, &prospect, err)) {
        return 0;
    }
    if (!prospect.pin_pad) {
        if (tool->prompt == NULL) {
            tool->prompt = schsm_pin_source_parse("prompt", err);
        }
        login->source = tool->prompt;
    }
    return login->source != NULL || prospect.pin_pad;
}

static int log_in(struct schsm_tool *tool, struct schsm_device *device, const char *object,
                  bool second, struct schsm_login *login, struct schsm_error *err)
{
    struct schsm_config *config = &tool->context.config;

    *login = (struct schsm_login){
        .source = tool->origins.pin != NULL ? schsm_tool_configured_pin(tool, device, second)
                                            : config->pin_source,
        .keep_pin = true,
        .pin_pad = true,
        .object = object,
        .by_option = true,
    };
    if (login->source == NULL) {
        return ask_person(tool, device, login, err);
    }
    login->min_pin_tries = config->min_pin_tries;
    return 1;
}

int schsm_tool_login(struct schsm_tool *tool, struct schsm_device *device, const char *object,
                     struct schsm_login *login, struct schsm_error *err)
{
    return log_in(tool, device, object, false, login, err);
}

int schsm_tool_login_second(struct schsm_tool *tool, struct schsm_device *device,
                            const char *object, struct schsm_login *login, struct schsm_error *err)
{
    return log_in(tool, device, object, true, login, err);
}

int schsm_tool_login_there(struct schsm_tool *tool, struct schsm_device *device,
                           struct schsm_pin_source **source, struct schsm_login *login,
                           struct schsm_error *err)
{
    const char *text = schsm_tool_setting(tool, SCHSM_TO_PIN_SOURCE);

    *source = NULL;
    if (text == NULL) {
        return schsm_tool_login_second(tool, device, NULL, login, err);
    }
    *source = schsm_pin_source_parse(text, err);
    *login = (struct schsm_login){ .source = *source,
                                   .min_pin_tries = tool->context.config.min_pin_tries,
                                   .keep_pin = true,
                                   .pin_pad = true,
                                   .by_option = true };
    return *source != NULL;
}
