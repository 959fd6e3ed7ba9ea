/* SPDX-License-Identifier: Apache-2.0 */
#include "person.h"

#include <stdint.h>
#include <stdio.h>

#include "program.h"

int schsm_ask_password_read(const struct schsm_pin_prompt *prompt, char *line, size_t *len,
                            struct schsm_error *err)
{
    char question[SCHSM_PROMPT_TEXT_MAX + 2], text[SCHSM_PROMPT_TEXT_MAX];
    const char *const arguments[] = { "systemd-ask-password", "--", question, NULL };
    size_t size = *len, got = 0;
    struct schsm_program program;
    int status;

    *len = 0;
    schsm_pin_prompt_text(prompt, text);
    (void)snprintf(question, sizeof(question), "%s:", text);
    schsm_pin_prompt_lock();
    if (!schsm_program_start(arguments, false, &program, err)) {
        schsm_pin_prompt_unlock();
        return 0;
    }
    do {
        got = *len < size ? schsm_program_hear(&program, line + *len, size - *len) : 0;
        *len += got;
    } while (got > 0);
    status = schsm_program_end(&program);
    schsm_pin_prompt_unlock();
    if (*len > 0 && status <= 0) {
        return 1;
    }
    return schsm_fail(err, SCHSM_REASON_CANCELLED,
                      "systemd-ask-password got no answer to '%s': it waits 90 seconds for a "
                      "terminal or an agent of systemd's, and 'systemd-tty-ask-password-agent "
                      "--query' is one",
                      text);
}
