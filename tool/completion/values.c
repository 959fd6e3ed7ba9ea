/* SPDX-License-Identifier: Apache-2.0 */
/* What an option's value, or a command's argument, may be: by its name in the tables. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "tool/completion.h"
#include "format/curve.h"
#include "format/ecx.h"
#include "keymgmt/algorithm.h"
#include "tool/snippet.h"

#define SOURCES "file: credential: env: fd: prompt pinentry systemd-ask-password"

struct kind {
    const char *command;  /* its first word; NULL: any */
    const char *option;   /* NULL: any, and arguments */
    const char *argument; /* its name; NULL: any */
    void (*offer)(struct schsm_completion *completion, const struct kind *kind);
    const char *words;  /* that there are, parted by blanks */
    unsigned int types; /* of objects */
};

/* Words; one that ends with a colon goes on: as a file's name, where it says so. */
static void offer_words(struct schsm_completion *completion, const struct kind *kind)
{
    const char *typed = completion->word + completion->taken;

    if (strncmp(typed, "file:", 5) == 0 && strstr(kind->words, "file:") != NULL) {
        completion->taken += 5;
        schsm_completion_offer_files(completion, false);
        return;
    }
    for (const char *word = kind->words; *word != '\0'; word += strspn(word, " ")) {
        size_t len = strcspn(word, " ");
        char value[32];

        (void)snprintf(value, sizeof(value), "%.*s", (int)len, word);
        schsm_completion_offer(completion, value, NULL);
        word += len;
    }
}

static void offer_files(struct schsm_completion *completion, const struct kind *kind)
{
    (void)kind;
    schsm_completion_offer_files(completion, false);
}

static void offer_folders(struct schsm_completion *completion, const struct kind *kind)
{
    (void)kind;
    schsm_completion_offer_files(completion, true);
}

static void offer_key_types(struct schsm_completion *completion, const struct kind *kind)
{
    static const enum schsm_key_type others[] = { SCHSM_KEY_ED25519, SCHSM_KEY_ED448,
                                                  SCHSM_KEY_X25519, SCHSM_KEY_X448 };
    char value[64];

    offer_words(completion, kind);
    for (size_t i = 0; schsm_curve_at(i) != NULL; i++) {
        const struct schsm_curve *curve = schsm_curve_at(i);

        (void)snprintf(value, sizeof(value), "ec:%s",
                       curve->nist != NULL ? curve->nist : curve->name);
        schsm_completion_offer(completion, value, NULL);
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        const struct schsm_ecx *ecx = schsm_ecx_by_type(others[i]);
        size_t len = 0;

        for (; ecx != NULL && ecx->name[len] != '\0' && len + 1 < sizeof(value); len++) {
            value[len] = (char)tolower((unsigned char)ecx->name[len]);
        }
        value[len] = '\0';
        schsm_completion_offer(completion, value, NULL);
    }
}

/* A list, of which the last name is completed. */
static void offer_algorithms(struct schsm_completion *completion, const struct kind *kind)
{
    const char *last = strrchr(completion->word + completion->taken, ',');

    (void)kind;
    if (last != NULL) {
        completion->taken = (size_t)(last + 1 - completion->word);
    }
    for (size_t i = 0; schsm_algorithm_at(i) != NULL; i++) {
        schsm_completion_offer(completion, schsm_algorithm_at(i), NULL);
    }
}

static void offer_snippets(struct schsm_completion *completion, const struct kind *kind)
{
    (void)kind;
    for (const struct schsm_snippet_kind *snippet = schsm_snippet_kinds; snippet->name != NULL;
         snippet++) {
        schsm_completion_offer(completion, snippet->name, snippet->summary);
    }
}

/* `help COMMAND`, whose command may have two words. */
static void offer_commands(struct schsm_completion *completion, const struct kind *kind)
{
    (void)kind;
    schsm_completion_offer_commands(
        completion, completion->said->argument_count > 0 ? completion->said->arguments[0] : NULL);
}

static void offer_serials(struct schsm_completion *completion, const struct kind *kind)
{
    schsm_completion_ask(completion, SCHSM_COMPLETION_SERIALS, kind->types);
}

static void offer_readers(struct schsm_completion *completion, const struct kind *kind)
{
    schsm_completion_ask(completion, SCHSM_COMPLETION_READERS, kind->types);
}

static void offer_tokens(struct schsm_completion *completion, const struct kind *kind)
{
    schsm_completion_ask(completion, SCHSM_COMPLETION_TOKENS, kind->types);
}

static void offer_objects(struct schsm_completion *completion, const struct kind *kind)
{
    schsm_completion_ask(completion, SCHSM_COMPLETION_OBJECTS, kind->types);
}

#define KEYS (SCHSM_OBJECT_PRIVATE | SCHSM_OBJECT_SECRET)

/* The first that fits counts. */
static const struct kind kinds[] = {
    { NULL, "pin-source", NULL, offer_words, SOURCES " pinpad systemd", 0 },
    { NULL, NULL, "SRC", offer_words, SOURCES, 0 },
    { NULL, "secure-channel", NULL, offer_words, "auto require off", 0 },
    { NULL, "token", NULL, offer_tokens, NULL, 0 },
    { NULL, "mechanism", NULL, offer_words, "cms aes-cbc aes-cbc-pad", 0 },
    { "init", "unblock", NULL, offer_words, "new-pin keep-pin never", 0 },
    { "pubkey", NULL, "FORMAT", offer_words, "pem der ssh jwk reference", 0 },
    { NULL, NULL, "FORMAT", offer_words, "pem der", 0 },
    { "import", "type", NULL, offer_words, "aes", 0 },
    { NULL, NULL, "TYPE", offer_key_types, "rsa:2048 rsa:3072 rsa:4096 aes:128 aes:192 aes:256",
      0 },
    { NULL, NULL, "LIST", offer_algorithms, NULL, 0 },
    { NULL, NULL, "S", offer_serials, NULL, 0 },
    { NULL, NULL, "SERIAL", offer_serials, NULL, 0 },
    { NULL, NULL, "R", offer_readers, NULL, 0 },
    { NULL, NULL, "FOLDER", offer_folders, NULL, 0 },
    { NULL, NULL, "FILE", offer_files, NULL, 0 },
    { NULL, NULL, "PATH", offer_files, NULL, 0 },
    { NULL, NULL, "PLAN", offer_files, NULL, 0 },
    { NULL, NULL, "NEW", offer_files, NULL, 0 },
    { NULL, NULL, "DEVICE-ID", offer_files, NULL, 0 },
    { NULL, NULL, "PEER-FILE", offer_files, NULL, 0 },
    { "config", NULL, "NAME", offer_snippets, NULL, 0 },
    { "help", NULL, "COMMAND", offer_commands, NULL, 0 },
    { NULL, "key", "URI", offer_objects, NULL, KEYS },
    { "cert self-sign", NULL, "URI", offer_objects, NULL, KEYS },
    { "cert", NULL, "URI", offer_objects, NULL, SCHSM_OBJECT_CERTIFICATE },
    { "data", NULL, "URI", offer_objects, NULL, SCHSM_OBJECT_DATA },
    { "list", NULL, "URI", offer_objects, NULL, SCHSM_OBJECT_ANY },
    { "rename", NULL, "URI", offer_objects, NULL, SCHSM_OBJECT_ANY },
    { "delete", NULL, "URI", offer_objects, NULL, SCHSM_OBJECT_ANY },
    { "copy", NULL, "URI", offer_objects, NULL, SCHSM_OBJECT_ANY },
    { NULL, NULL, "URI", offer_objects, NULL, KEYS },
};

static bool fits(const struct kind *kind, const struct schsm_command *command,
                 const struct schsm_option *option, const char *argument)
{
    return (kind->command == NULL ||
            (command != NULL &&
             (strcmp(command->name, kind->command) == 0 ||
              schsm_command_in_group(command, kind->command, strlen(kind->command))))) &&
           (kind->option == NULL || (option != NULL && strcmp(option->name, kind->option) == 0)) &&
           (kind->argument == NULL || strcmp(argument, kind->argument) == 0);
}

void schsm_completion_offer_values(struct schsm_completion *completion,
                                   const struct schsm_option *option, const char *argument)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (fits(&kinds[i], completion->said->command, option, argument)) {
            kinds[i].offer(completion, &kinds[i]);
            return;
        }
    }
}
