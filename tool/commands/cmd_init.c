/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm init: erase the device and set its rules. */
#include "tool/commands.h"

#include <stdio.h>
#include <string.h>

#include "hsm/hsm_initialise.h"
#include "hsm/hsm_label.h"
#include "hsm/hsm_status.h"
#include "tool/ask.h"
#include "tool/output.h"
#include "tool/so_pin.h"
#include "tool/target.h"

#define DEFAULT_PIN_TRIES 3

/* --unblock: what the SO-PIN may do for a blocked PIN. */
static const struct {
    const char *name;
    unsigned int options;
} unblock_words[] = {
    { "new-pin", SCHSM_HSM_RESET_RETRY_COUNTER },
    { "keep-pin", SCHSM_HSM_RESET_RETRY_COUNTER | SCHSM_HSM_RESET_ONLY },
    { "never", 0 },
};

static int parse_unblock(const struct schsm_tool *tool, struct schsm_hsm_rules *rules,
                         struct schsm_error *err)
{
    const char *word = schsm_tool_setting(tool, "unblock");

    if (word == NULL) {
        word = unblock_words[0].name;
    }
    for (size_t i = 0; i < sizeof(unblock_words) / sizeof(unblock_words[0]); i++) {
        if (strcmp(word, unblock_words[i].name) == 0) {
            rules->options |= unblock_words[i].options;
            return 1;
        }
    }
    return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                      "--unblock is new-pin, keep-pin or never, not '%.40s'", word);
}

static int parse_dkek(const struct schsm_tool *tool, struct schsm_hsm_rules *rules,
                      struct schsm_error *err)
{
    const char *word = schsm_tool_setting(tool, "dkek-shares"), *end = NULL;
    unsigned int shares = 0;

    rules->dkek_shares = SCHSM_HSM_NO_DKEK;
    if (word == NULL || strcmp(word, "none") == 0) {
        return 1;
    }
    if (strcmp(word, "random") == 0) {
        rules->dkek_shares = 0;
        return 1;
    }
    if (!schsm_tool_count(word, SCHSM_HSM_DKEK_SHARES_MAX, &shares, &end) || *end != '\0') {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "--dkek-shares is a number from 1 to %d, random or none, not '%.40s'",
                          SCHSM_HSM_DKEK_SHARES_MAX, word);
    }
    rules->dkek_shares = (int)shares;
    return 1;
}

/* M/N: of N keys M have to authenticate. */
static int parse_public_keys(const struct schsm_tool *tool, struct schsm_hsm_rules *rules,
                             struct schsm_error *err)
{
    const char *word = schsm_tool_setting(tool, "public-keys"), *end = NULL;

    if (word == NULL) {
        return !schsm_tool_flag(tool, "pin-and-public-keys") &&
                       !schsm_tool_flag(tool, "replaceable-public-keys")
                   ? 1
                   : schsm_fail(err, SCHSM_REASON_ARGUMENT,
                                "--pin-and-public-keys and --replaceable-public-keys need "
                                "--public-keys M/N");
    }
    if (!schsm_tool_count(word, SCHSM_PKA_KEYS_MAX, &rules->public_keys_required, &end) ||
        *end != '/' || !schsm_tool_count(end + 1, SCHSM_PKA_KEYS_MAX, &rules->public_keys, &end) ||
        *end != '\0' || rules->public_keys_required < 1 ||
        rules->public_keys_required > rules->public_keys) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "--public-keys is M/N, M of N keys having to authenticate, such as 3/5, "
                          "N at most %d, and not '%.40s'",
                          SCHSM_PKA_KEYS_MAX, word);
    }
    if (schsm_tool_flag(tool, "pin-and-public-keys")) {
        rules->options |= SCHSM_HSM_PIN_AND_PUBLIC_KEYS;
    }
    if (schsm_tool_flag(tool, "replaceable-public-keys")) {
        rules->options |= SCHSM_HSM_REPLACE_PUBLIC_KEYS;
    }
    return 1;
}

static bool has_pin(const struct schsm_hsm_rules *rules)
{
    return rules->public_keys == 0 || (rules->options & SCHSM_HSM_PIN_AND_PUBLIC_KEYS) != 0;
}

/* What is said of a PIN where there is none. */
static int check_pin_options(const struct schsm_tool *tool, const struct schsm_hsm_rules *rules,
                             struct schsm_error *err)
{
    static const char *const of_pins[] = { "pin-source", "retry-counter", "unblock",
                                           "transport-pin" };

    for (size_t i = 0; i < sizeof(of_pins) / sizeof(of_pins[0]) && !has_pin(rules); i++) {
        if (schsm_tool_setting(tool, of_pins[i]) != NULL) {
            return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                              "with --public-keys alone the device has no PIN, so --%s makes no "
                              "sense: leave it out, or add --pin-and-public-keys to need both",
                              of_pins[i]);
        }
    }
    return 1;
}

static int parse_rules(struct schsm_tool *tool, struct schsm_hsm_rules *rules,
                       struct schsm_error *err)
{
    int64_t tries = DEFAULT_PIN_TRIES, domains = 0;

    *rules = (struct schsm_hsm_rules){ .label = schsm_tool_setting(tool, "label") };
    if (!parse_unblock(tool, rules, err) || !parse_dkek(tool, rules, err) ||
        !parse_public_keys(tool, rules, err) || !check_pin_options(tool, rules, err) ||
        !schsm_tool_number(tool, "retry-counter", 1, SCHSM_HSM_PIN_TRIES_MAX, &tries, err) ||
        !schsm_tool_number(tool, "key-domains", 1, SCHSM_HSM_KEY_DOMAINS_MAX, &domains, err) ||
        (rules->label != NULL && !schsm_hsm_check_label(rules->label, err))) {
        return 0;
    }
    rules->pin_tries = (unsigned int)tries;
    rules->key_domains = (unsigned int)domains;
    if (schsm_tool_flag(tool, "transport-pin")) {
        rules->options |= SCHSM_HSM_TRANSPORT_PIN;
    }
    if (rules->key_domains > 0 && rules->dkek_shares != SCHSM_HSM_NO_DKEK) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "a device has either key domains or one DKEK for all keys: with "
                          "--key-domains, DKEKs are made for each by '" SCHSM_TOOL_NAME
                          " domain', so leave out --dkek-shares");
    }
    return 1;
}

/* --- what will happen ------------------------------------------------------------------------- */

/* Appends "3 private keys, ". */
static void append_count(char *text, size_t size, unsigned int count, const char *one,
                         const char *several)
{
    size_t at = strlen(text);

    if (count > 0) {
        (void)snprintf(text + at, size - at, "%s%u %s", at > 0 ? ", " : "", count,
                       count == 1 ? one : several);
    }
}

static int describe_content(struct schsm_device *device, char *text, size_t size,
                            struct schsm_error *err)
{
    static const struct {
        enum schsm_object_type type;
        const char *one, *several;
    } kinds[] = {
        { SCHSM_OBJECT_PRIVATE, "private key", "private keys" },
        { SCHSM_OBJECT_SECRET, "secret key", "secret keys" },
        { SCHSM_OBJECT_CERTIFICATE, "certificate", "certificates" },
        { SCHSM_OBJECT_DATA, "data object", "data objects" },
    };
    const struct schsm_object_filter filter = { .types = (unsigned int)SCHSM_OBJECT_PRIVATE |
                                                         (unsigned int)SCHSM_OBJECT_SECRET |
                                                         (unsigned int)SCHSM_OBJECT_CERTIFICATE |
                                                         (unsigned int)SCHSM_OBJECT_DATA,
                                                .key_ref = -1 };
    struct schsm_object_list list = { NULL, 0 };

    text[0] = '\0';
    if (!schsm_device_find(device, &filter, &list, err)) {
        return 0;
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        unsigned int count = 0;

        for (size_t j = 0; j < list.count; j++) {
            count += list.objects[j].type == kinds[i].type;
        }
        append_count(text, size, count, kinds[i].one, kinds[i].several);
    }
    schsm_object_list_clear(&list);
    return 1;
}

static int confirm_init(struct schsm_tool *tool, struct schsm_device *device, const char *serial,
                        const struct schsm_hsm_status *status, struct schsm_error *err)
{
    char content[160], erased[1024], so_pin[400];

    if (!describe_content(device, content, sizeof(content), err)) {
        return 0;
    }
    if (content[0] != '\0') {
        (void)snprintf(erased, sizeof(erased),
                       "This erases everything on device %s for ever: %s, and its key encryption "
                       "keys. Without a backup none of it comes back. ",
                       serial, content);
    } else {
        (void)snprintf(erased, sizeof(erased),
                       "Device %s holds no keys, certificates or data. This sets its PIN and rules "
                       "anew, and erases its key encryption keys if it has any. ",
                       serial);
    }
    if (status->so_pin_set) {
        (void)snprintf(so_pin, sizeof(so_pin),
                       "Its SO-PIN is needed: %d of %d SO-PIN tries are left. When all are spent "
                       "on wrong ones, the device can never be initialised again.",
                       status->so_pin_tries, SCHSM_HSM_SO_PIN_TRIES);
    } else {
        (void)snprintf(so_pin, sizeof(so_pin),
                       "It was never initialised: its SO-PIN is set now, 16 hexadecimal digits, "
                       "and every later initialisation needs the same. Keep it safe: there are %d "
                       "SO-PIN tries, then the device can never be initialised again.",
                       SCHSM_HSM_SO_PIN_TRIES);
    }
    (void)snprintf(erased + strlen(erased), sizeof(erased) - strlen(erased), "%s", so_pin);
    return schsm_tool_confirm(tool, serial, erased, err);
}

/* --- what happened ---------------------------------------------------------------------------- */

static int print_init_json(const struct schsm_hsm_rules *rules, const char *serial,
                           const struct schsm_hsm_status *before, struct schsm_error *err)
{
    json_t *keys = rules->public_keys == 0
                       ? json_null()
                       : json_pack("{s:i, s:i}", "total", (int)rules->public_keys, "required",
                                   (int)rules->public_keys_required);

    return schsm_json_print(
        json_pack("{s:o, s:o, s:o, s:o, s:i, s:o, s:b}", "serial", schsm_json_serial(serial),
                  "label", schsm_json_text(rules->label != NULL ? rules->label : ""), "pin_tries",
                  has_pin(rules) ? json_integer((json_int_t)rules->pin_tries) : json_null(),
                  "dkek_shares", schsm_json_count(rules->dkek_shares), "key_domains",
                  (int)rules->key_domains, "public_keys", keys, "so_pin_set",
                  before->so_pin_set ? 0 : 1),
        err);
}

/* What is to be done next, for people. */
static void print_next_steps(const struct schsm_hsm_rules *rules, const char *serial)
{
    printf("Device %s is initialised.\n", serial);
    if (rules->dkek_shares > 0) {
        printf("Next: import %d DKEK %s with '" SCHSM_TOOL_NAME
               " dkek import-share'; keys made before that cannot be backed up.\n",
               rules->dkek_shares, rules->dkek_shares == 1 ? "share" : "shares");
    }
    if (rules->dkek_shares == 0) {
        puts("Its keys are wrapped under a key that only this device has: what is wrapped comes "
             "back here and nowhere else.");
    }
    if (rules->dkek_shares == SCHSM_HSM_NO_DKEK && rules->key_domains == 0) {
        puts("It has no DKEK: its keys can never be backed up.");
    }
    if ((rules->options & SCHSM_HSM_TRANSPORT_PIN) != 0) {
        puts("Its PIN is a transport PIN: '" SCHSM_TOOL_NAME
             " pin change' has to come before anything else.");
    }
    if (rules->public_keys > 0) {
        printf("Next: register %u public keys with '" SCHSM_TOOL_NAME " pka register'.\n",
               rules->public_keys);
    }
}

static int initialise(struct schsm_tool *tool, struct schsm_device *device, const char *serial,
                      const struct schsm_hsm_rules *rules, const struct schsm_hsm_status *status,
                      struct schsm_error *err)
{
    const struct schsm_pin_form so_pin_form = SCHSM_HSM_SO_PIN_FORM, pin_form = SCHSM_HSM_PIN_FORM;
    struct schsm_secret *so_pin = NULL, *pin = NULL;
    int ok;

    ok = schsm_tool_so_pin(tool, "so-pin-source", status->so_pin_set ? "SO-PIN" : "new SO-PIN",
                           serial, &so_pin_form, status->so_pin_tries, !status->so_pin_set, &so_pin,
                           err) &&
         (!has_pin(rules) ||
          schsm_tool_new_pin(tool, "pin-source",
                             (rules->options & SCHSM_HSM_TRANSPORT_PIN) != 0 ? "new transport PIN"
                                                                             : "new PIN",
                             serial, &pin_form, &pin, err)) &&
         schsm_hsm_initialise(device, rules, so_pin, pin,
                              schsm_tool_min_tries(tool, "so-pin-source"), err);
    schsm_secret_free(so_pin);
    schsm_secret_free(pin);
    return ok;
}

static int run_init(struct schsm_tool *tool, struct schsm_error *err)
{
    struct schsm_device *device = NULL;
    struct schsm_hsm_rules rules;
    struct schsm_hsm_status status;
    char serial[SCHSM_SERIAL_MAX + 1];

    if (!parse_rules(tool, &rules, err) || !schsm_tool_device(tool, &device, serial, err) ||
        (rules.label != NULL && !schsm_hsm_check_labels(device, err)) ||
        !schsm_hsm_status(device, &status, err)) {
        return 0;
    }
    if ((status.so_pin_set && !schsm_tool_check_so_pin(true, status.so_pin_blocked, serial, err)) ||
        !confirm_init(tool, device, serial, &status, err) ||
        !initialise(tool, device, serial, &rules, &status, err) ||
        !schsm_tool_serial(device, serial, err)) { /* a device may have a name only now */
        return 0;
    }
    if (tool->json) {
        return print_init_json(&rules, serial, &status, err);
    }
    print_next_steps(&rules, serial);
    return 1;
}

static const struct schsm_option init_options[] = {
    { .name = "label", .argument = "TEXT", .summary = "name the device, 1 to 32 bytes of UTF-8" },
    { .name = "retry-counter",
      .argument = "N",
      .summary = "block the PIN after N wrong ones: 1 to 3 with 6 characters, to 5 with 7, else to "
                 "10; without this 3" },
    { .name = "unblock",
      .argument = "HOW",
      .summary = "what the SO-PIN may do for a blocked PIN: new-pin (unblock and set another; this "
                 "is the default), keep-pin (unblock only), never" },
    { .name = "transport-pin",
      .summary = "the PIN opens nothing until it is changed by 'sc-hsm pin change'" },
    { .name = "dkek-shares",
      .argument = "N",
      .summary = "keys can be backed up under a DKEK of N shares, 1 to 255, to be imported next; "
                 "random: under a key that never leaves this device; none: never (the default)" },
    { .name = "key-domains",
      .argument = "N",
      .summary = "N key domains, 1 to 255, each with a key encryption key of its own, in place of "
                 "the one DKEK" },
    { .name = "public-keys",
      .argument = "M/N",
      .summary = "M of N custodians' keys open the device in place of a PIN" },
    { .name = "pin-and-public-keys", .summary = "the PIN and the custodians' keys are needed" },
    { .name = "replaceable-public-keys", .summary = "custodians' keys may be replaced later" },
    SCHSM_OPTION_YES,
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_init = {
    .name = "init",
    .synopsis = "",
    .summary = "Initialise the device: erase it, set PIN and rules",
    .help = "Erases every key, certificate and data object on the device, its PIN and its key "
            "encryption keys, and sets PIN and rules anew. Shows before what will be lost, and "
            "wants the serial number typed (--yes answers that in scripts).\n"
            "Needs the SO-PIN, 16 hexadecimal digits (--so-pin-source, or typed). The first "
            "initialisation sets it, and every later one needs the same; digits from 0 to 9 alone "
            "are understood by every program. It has 15 tries: when all are spent on wrong ones, "
            "the device can never be initialised again. Nothing and nobody can mend that.\n"
            "The new PIN of 6 to 16 characters comes from --pin-source, or is typed twice.\n"
            "Whether keys can ever be backed up or moved is decided here: by --dkek-shares or "
            "--key-domains. A device without them keeps its keys for ever and alone.\n"
            " sc-hsm init --label web --dkek-shares 1\n"
            " sc-hsm init --yes --so-pin-source file:so-pin --pin-source file:pin\n"
            " sc-hsm init --public-keys 3/5\n",
    .options = init_options,
    .run = run_init,
};
