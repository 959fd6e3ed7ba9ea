/* SPDX-License-Identifier: Apache-2.0 */
/* Which commands a plan may have: the parser of every command line judges them, and what follows.
 */
#include "tool/ceremony.h"

#include <string.h>

#include <openssl/crypto.h>

#include "keymgmt/file.h"

/* What no step runs, and why. */
static const struct {
    const char *command, *why;
} refused[] = {
    { "ceremony", "a plan runs no other plan" },
    { "pka authenticate",
      "it runs any program; let the custodians open the device around the ceremony, with "
      "'sc-hsm pka authenticate -- sc-hsm ceremony ...'" },
    { "apdu", "PINs and key shares may stand in its words" },
    { "complete", "it is for shells" },
    { "help", "it does nothing" },
};

/* What may not be given with any. */
static const struct {
    const char *option, *why;
} refused_options[] = {
    { "help", "it does nothing" },
    { "version", "it does nothing" },
    { "json", "the ceremony gives it where it is needed" },
    { "pkcs11-module", "a plan brings no programs along: set pkcs11-module in openssl.cnf" },
};

/* What may be secret when it is printed: into a file with it, past the ceremony. */
static const char *const to_files[] = { "cat", "data read", "decrypt", "derive", "random" };

static int check_secrets(const char *const *words, size_t count, struct schsm_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (strstr(words[i], "pin-value=") != NULL) {
            return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                              "a PIN is in the plan: take pin-value out, and change that PIN");
        }
    }
    return 1;
}

static int check_parsed(const struct schsm_tool *tool, struct schsm_error *err)
{
    const char *out = schsm_tool_setting(tool, "out");

    for (size_t i = 0; i < sizeof(refused_options) / sizeof(refused_options[0]); i++) {
        if (schsm_tool_flag(tool, refused_options[i].option)) {
            return schsm_fail(err, SCHSM_REASON_ARGUMENT, "--%s has no place in a plan: %s",
                              refused_options[i].option, refused_options[i].why);
        }
    }
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (strcmp(tool->command->name, refused[i].command) == 0) {
            return schsm_fail(err, SCHSM_REASON_ARGUMENT, "'%s' has no place in a plan: %s",
                              refused[i].command, refused[i].why);
        }
    }
    for (size_t i = 0; i < sizeof(to_files) / sizeof(to_files[0]); i++) {
        if (out == NULL && strcmp(tool->command->name, to_files[i]) == 0) {
            return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                              "what '%s' gives may be secret: in a ceremony it needs --out FILE",
                              to_files[i]);
        }
    }
    if (out != NULL && schsm_file_is_stdout(out)) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "--out: in a ceremony what is written goes to a file");
    }
    return 1;
}

int schsm_plan_check_command(const char *const *words, size_t count, struct schsm_error *err)
{
    struct schsm_tool *tool = OPENSSL_zalloc(sizeof(*tool));
    char *argv[SCHSM_PLAN_WORDS_MAX + 1] = { NULL };
    const char *arguments[SCHSM_PLAN_WORDS_MAX + 1];
    int ok = 0;

    if (tool == NULL) {
        return schsm_fail_memory(err);
    }
    schsm_config_init(&tool->context.config);
    for (size_t i = 0; i < count && i < SCHSM_PLAN_WORDS_MAX; i++) {
        argv[i + 1] = (char *)words[i]; /* behind the program's name; nobody writes to it */
    }
    ok = check_secrets(words, count, err) &&
         schsm_tool_parse(tool, (int)count + 1, argv, arguments, err) && check_parsed(tool, err);
    schsm_config_clear(&tool->context.config);
    OPENSSL_free(tool);
    return ok;
}
