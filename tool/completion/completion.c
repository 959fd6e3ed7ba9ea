/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/completion.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "tool/configured.h"

void schsm_completion_offer(const struct schsm_completion *completion, const char *value,
                            const char *summary)
{
    const char *typed = completion->word + completion->taken;

    if (strncmp(value, typed, strlen(typed)) == 0) {
        printf("%.*s%s%s%s\n", (int)completion->taken, completion->word, value,
               summary != NULL ? "\t" : "", summary != NULL ? summary : "");
    }
}

void schsm_completion_offer_files(const struct schsm_completion *completion, bool folders)
{
    printf("%s\t%.*s\n", folders ? ":folders" : ":files", (int)completion->taken, completion->word);
}

void schsm_completion_offer_commands(const struct schsm_completion *completion, const char *group)
{
    const char *last = "";
    size_t last_len = 0;

    for (size_t i = 0; schsm_commands[i] != NULL; i++) {
        const struct schsm_command *command = schsm_commands[i];
        const char *word = command->name;
        char first[32];
        size_t len = 0;

        if (group != NULL) {
            if (schsm_command_in_group(command, group, strlen(group))) {
                schsm_completion_offer(completion, word + strlen(group) + 1, command->summary);
            }
            continue;
        }
        len = strcspn(word, " ");
        if (len == last_len && memcmp(word, last, len) == 0) {
            continue;
        }
        (void)snprintf(first, sizeof(first), "%.*s", (int)len, word);
        schsm_completion_offer(completion, first, word[len] == '\0' ? command->summary : NULL);
        last = word;
        last_len = len;
    }
}

static void offer_options(const struct schsm_completion *completion,
                          const struct schsm_option *options)
{
    char name[64];

    for (const struct schsm_option *option = options; option != NULL && option->name != NULL;
         option++) {
        if (option->repeats || !schsm_tool_flag(completion->said, option->name)) {
            (void)snprintf(name, sizeof(name), "--%s", option->name);
            schsm_completion_offer(completion, name, option->summary);
        }
    }
}

/* `--out=FILE` in one word. */
static void offer_option_value(struct schsm_completion *completion)
{
    const char *word = completion->word;
    size_t len = strcspn(word, "=");
    const struct schsm_option *option =
        len > 2 ? schsm_option_find(completion->said->command, word + 2, len - 2, '\0') : NULL;

    if (option != NULL && option->argument != NULL) {
        completion->taken = len + 1;
        schsm_completion_offer_values(completion, option, option->argument);
    }
}

/*
 * Offers values for a command's argument, by what its synopsis calls it: "URI [FILE]", "FOLDER |
 * FILE...". The last name stands for all that follow where there may be more.
 */
static void offer_argument(struct schsm_completion *completion)
{
    const struct schsm_command *command = completion->said->command;
    const char *name = command->synopsis;
    size_t position = 0;
    bool either = false;

    while (*name != '\0') {
        size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-");
        char argument[32];
        bool more = false;

        if (len == 0) {
            either = either || *name == '|';
            name++;
            continue;
        }
        (void)snprintf(argument, sizeof(argument), "%.*s", (int)len, name);
        position -= either ? 1 : 0;
        more = strncmp(name + len, "...", 3) == 0;
        if (position == completion->said->argument_count ||
            ((more || strstr(name + len, "...") != NULL) &&
             position <= completion->said->argument_count)) {
            schsm_completion_offer_values(completion, NULL, argument);
        }
        position++;
        either = false;
        name += len;
    }
}

static void offer(struct schsm_completion *completion)
{
    const struct schsm_tool *said = completion->said;
    const char *word = completion->word;

    if (said->unfinished != NULL) {
        schsm_completion_offer_values(completion, said->unfinished, said->unfinished->argument);
    } else if (!said->only_words && word[0] == '-' && strchr(word, '=') != NULL) {
        offer_option_value(completion);
    } else if (!said->only_words && word[0] == '-') {
        offer_options(completion, said->command != NULL ? said->command->options : NULL);
        offer_options(completion, schsm_options);
    } else if (said->command == NULL) {
        schsm_completion_offer_commands(completion, said->group);
    } else {
        if (said->argument_count == 0 && said->group == NULL) {
            schsm_completion_offer_commands(completion, said->command->name);
        }
        if (said->argument_count < said->command->arguments_max) {
            offer_argument(completion);
        }
    }
}

int schsm_complete(const char *const *words, size_t count, struct schsm_error *err)
{
    struct schsm_tool said = { .forgiving = true };
    struct schsm_completion completion = { &said, count > 0 ? words[count - 1] : "", 0 };
    struct schsm_error unfinished = SCHSM_ERROR_INIT;
    const char **arguments = OPENSSL_zalloc((count + 1) * sizeof(*arguments));
    char **argv = OPENSSL_zalloc((count + 1) * sizeof(*argv));
    int argc = 1, ok = 0;

    schsm_config_init(&said.context.config);
    said.context.libctx = OSSL_LIB_CTX_new();
    if (arguments == NULL || argv == NULL || said.context.libctx == NULL) {
        schsm_fail_memory(err);
        goto done;
    }
    for (size_t i = 0; i + 1 < count; i++) {
        argv[argc] = OPENSSL_strdup(words[i]);
        if (argv[argc] == NULL) {
            schsm_fail_memory(err);
            goto done;
        }
        argc++;
    }
    /* That something is missing at the end is how it is here; behind a slip there is nothing to
     * offer. */
    ok = 1;
    if (schsm_tool_parse(&said, argc, argv, arguments, &unfinished) || said.read ||
        said.unfinished != NULL) {
        offer(&completion);
    }

done:
    for (int i = 1; i < argc; i++) {
        OPENSSL_clear_free(argv[i], strlen(argv[i]) + 1); /* a PIN may stand in a URI */
    }
    OPENSSL_free(argv);
    OPENSSL_free(arguments);
    schsm_registry_free(said.context.registry);
    schsm_tool_origins_clear(&said.origins);
    schsm_config_clear(&said.context.config);
    OSSL_LIB_CTX_free(said.context.libctx);
    return ok;
}
