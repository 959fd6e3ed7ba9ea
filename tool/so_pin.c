/* SPDX-License-Identifier: Apache-2.0 */
#include "so_pin.h"

#include <string.h>

#include <openssl/crypto.h>

#include "base/hex.h"
#include "ask.h"

/* The bytes that hexadecimal digits stand for; the new secret is the caller's. */
static struct schsm_secret *from_digits(const struct schsm_secret *digits, const char *what,
                                        const struct schsm_pin_form *form, struct schsm_error *err)
{
    uint8_t bytes[SCHSM_SECRET_INPUT_MAX / 2] = { 0 };
    size_t len = schsm_secret_len(digits) / 2;
    struct schsm_secret *secret = NULL;

    if (schsm_secret_len(digits) == 2 * len && len >= form->min && len <= form->max &&
        len <= sizeof(bytes) &&
        schsm_hex_parse((const char *)schsm_secret_data(digits), bytes, len)) {
        secret = schsm_secret_new(bytes, len, err);
    } else {
        schsm_fail(err, SCHSM_REASON_PIN_LENGTH,
                   "the %s has to be %zu hexadecimal digits, such as 3537363231383830; nothing "
                   "was sent to the device",
                   what, 2 * form->min);
    }
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return secret;
}

static int ask_for_pin(struct schsm_tool *tool, const char *option, struct schsm_question *question,
                       const struct schsm_pin_form *form, struct schsm_secret **pin,
                       struct schsm_error *err)
{
    struct schsm_secret *written = NULL;
    size_t width = form->hex ? 2 : 1;

    *pin = NULL;
    question->min = width * form->min;
    question->max =
        form->max < SCHSM_SECRET_INPUT_MAX / width ? width * form->max : SCHSM_SECRET_INPUT_MAX;
    if (!schsm_tool_secret(tool, option, question, &written, err)) {
        return 0;
    }
    *pin = form->hex ? from_digits(written, question->what, form, err) : schsm_secret_ref(written);
    schsm_secret_free(written);
    return *pin != NULL;
}

int schsm_tool_so_pin(struct schsm_tool *tool, const char *option, const char *what,
                      const char *serial, const struct schsm_pin_form *form, int tries_left,
                      bool twice, struct schsm_secret **so_pin, struct schsm_error *err)
{
    struct schsm_question question = {
        .what = what, .device = serial, .tries_left = tries_left, .twice = twice
    };

    return ask_for_pin(tool, option, &question, form, so_pin, err);
}

int schsm_tool_new_pin(struct schsm_tool *tool, const char *option, const char *what,
                       const char *serial, const struct schsm_pin_form *form,
                       struct schsm_secret **pin, struct schsm_error *err)
{
    struct schsm_question question = {
        .what = what, .device = serial, .tries_left = -1, .twice = true
    };

    return ask_for_pin(tool, option, &question, form, pin, err);
}

int schsm_tool_min_tries(const struct schsm_tool *tool, const char *option)
{
    const char *source = schsm_tool_setting(tool, option);

    return source == NULL || strcmp(source, "prompt") == 0 ? 0 : tool->context.config.min_pin_tries;
}

int schsm_tool_check_so_pin(bool set, bool blocked, const char *serial, struct schsm_error *err)
{
    if (blocked) {
        return schsm_fail(err, SCHSM_REASON_PIN_BLOCKED,
                          "the SO-PIN of device %s is blocked: the device can never be initialised "
                          "nor its PIN be unblocked again",
                          serial);
    }
    if (!set) {
        return schsm_fail(err, SCHSM_REASON_NOT_INITIALISED,
                          "device %s was never initialised and has no SO-PIN: initialise it with "
                          "'" SCHSM_TOOL_NAME " init'",
                          serial);
    }
    return 1;
}
