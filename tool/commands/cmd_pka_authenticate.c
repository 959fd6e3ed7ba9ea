/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm pka authenticate: custodians open a device, and it stays open for a while. */
#include "tool/commands.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "keymgmt/opening.h"
#include "tool/child.h"
#include "tool/object.h"
#include "tool/output.h"
#include "tool/target.h"
#include "tool/tell.h"

#define URIS_MAX SCHSM_PKA_KEYS_MAX

/* One line at the terminal, whoever owns standard input and output. */
static int ask_to_insert(const char *reader, struct schsm_error *err)
{
    FILE *terminal = fopen("/dev/tty", "r+e");
    int c = 0;

    if (terminal == NULL) {
        return schsm_fail(err, SCHSM_REASON_PIN_MISSING,
                          "there is no terminal to ask for custodians' devices at: name their keys "
                          "with --custodian URI");
    }
    (void)fprintf(terminal, "Insert the next custodian's device into reader %s and press Return.\n",
                  reader);
    (void)fflush(terminal);
    while (c != '\n' && c != EOF) {
        c = getc(terminal);
    }
    (void)fclose(terminal);
    return c == '\n' || schsm_fail(err, SCHSM_REASON_CANCELLED, "no more custodians came");
}

static int sign(struct schsm_tool *tool, struct schsm_opening *opening,
                const struct schsm_certified_key *key, struct schsm_error *err)
{
    const struct schsm_public_key_status *status = &opening->pka.status;
    char object[SCHSM_CVC_NAME_MAX + 16], serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_login login;

    (void)snprintf(object, sizeof(object), "custodian %s", key->name);
    if (!schsm_tool_serial(key->device, serial, err) ||
        !schsm_tool_login_second(tool, key->device, object, &login, err) ||
        !schsm_opening_sign(tool->context.libctx, opening, key, &login, err)) {
        return 0;
    }
    schsm_tell_note(tool, "%s has authenticated: %u of %u", key->name, status->authenticated,
                    status->required);
    return 1;
}

/* The keys that the command line names, in that order. */
static int ask_named(struct schsm_tool *tool, struct schsm_opening *opening, const char *text,
                     struct schsm_error *err)
{
    struct schsm_pin_source *usual = tool->context.config.pin_source;
    char *origin = tool->origins.pin;
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_certified_key key = { 0 };
    struct schsm_match match = { 0 };
    int ok = 0;

    /* A PIN source in one custodian's URI is not the next one's. */
    tool->context.config.pin_source = schsm_pin_source_ref(usual);
    tool->origins.pin = origin != NULL ? OPENSSL_strdup(origin) : NULL;
    if (origin != NULL && tool->origins.pin == NULL) {
        schsm_fail_memory(err);
        goto done;
    }
    if (!schsm_tool_object(tool, text, SCHSM_OBJECT_PRIVATE, &match, serial, err) ||
        !schsm_certified_key_load(match.device, match.object.key_ref, &key, err)) {
        goto done;
    }
    if (!schsm_opening_wants(opening, key.name)) {
        schsm_fail(err, SCHSM_REASON_NOT_FOUND,
                   "key %s of device %s is not registered, or has authenticated already ('sc-hsm "
                   "pka status' lists the keys)",
                   key.name, serial);
        goto done;
    }
    ok = sign(tool, opening, &key, err);

done:
    schsm_certified_key_clear(&key);
    schsm_match_clear(&match);
    schsm_pin_source_free(tool->context.config.pin_source);
    tool->context.config.pin_source = usual;
    OPENSSL_free(tool->origins.pin);
    tool->origins.pin = origin;
    return ok;
}

/* All wanted keys on one device; *asked tells whether there was one. */
static int ask_device(struct schsm_tool *tool, struct schsm_opening *opening,
                      struct schsm_device *custodian, bool *asked, struct schsm_error *err)
{
    bool found = true;
    int ok = 1;

    while (ok && found && !schsm_opening_done(opening)) {
        struct schsm_certified_key key = { 0 };

        ok = schsm_opening_find_key(opening, custodian, &key, err);
        found = ok && key.device != NULL;
        if (found) {
            ok = sign(tool, opening, &key, err);
            *asked = true;
        }
        schsm_certified_key_clear(&key);
    }
    return ok;
}

/* All devices that are there, but the one that is to be opened. */
static int ask_all(struct schsm_tool *tool, struct schsm_opening *opening, bool *asked,
                   struct schsm_error *err)
{
    const struct schsm_device_selector everything = { .serial = NULL };
    struct schsm_device *devices[SCHSM_TOOL_DEVICES_MAX];
    size_t count = SCHSM_TOOL_DEVICES_MAX;
    int ok = schsm_registry_devices(tool->context.registry, &everything, devices, &count, err);

    for (size_t i = 0; ok && i < count && !schsm_opening_done(opening); i++) {
        if (devices[i] != opening->device) {
            ok = ask_device(tool, opening, devices[i], asked, err);
        }
    }
    return ok;
}

/* One reader, into which the custodians' devices come one after the other. */
static int ask_in_reader(struct schsm_tool *tool, struct schsm_opening *opening, const char *reader,
                         struct schsm_error *err)
{
    const struct schsm_device_selector selector = { .reader = reader };
    bool first = true;
    int ok = 1;

    while (ok && !schsm_opening_done(opening)) {
        struct schsm_device *custodian = NULL;
        struct schsm_error found = SCHSM_ERROR_INIT;
        bool asked = false;

        if ((!first && !ask_to_insert(reader, err))) {
            return 0;
        }
        first = false;
        if (!schsm_registry_device(tool->context.registry, &selector, &custodian, &found)) {
            schsm_tell_warning(tool, &found);
            continue;
        }
        if (custodian == opening->device) {
            return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                              "reader %s holds the device that is to be opened", reader);
        }
        ok = ask_device(tool, opening, custodian, &asked, err);
        if (ok && !asked) {
            schsm_tell_note(tool, "the device in reader %s has no key that is missing", reader);
        }
    }
    return ok;
}

static int ask_custodians(struct schsm_tool *tool, struct schsm_opening *opening,
                          struct schsm_error *err)
{
    const char *reader = schsm_tool_setting(tool, "custodian-reader");
    const char *uris[URIS_MAX];
    size_t count = schsm_tool_settings(tool, "custodian", uris, URIS_MAX);
    bool asked = false;
    int ok = 1;

    for (size_t i = 0; ok && i < count && !schsm_opening_done(opening); i++) {
        ok = ask_named(tool, opening, uris[i], err);
    }
    if (ok && reader != NULL) {
        ok = ask_in_reader(tool, opening, reader, err);
    } else if (ok && count == 0) {
        ok = ask_all(tool, opening, &asked, err);
    }
    if (ok && !schsm_opening_done(opening)) {
        ok = schsm_fail(err, SCHSM_REASON_NOT_PERMITTED,
                        "%u of %u custodians have authenticated, and no other key that is "
                        "registered was found: plug in their devices, or use --custodian-reader",
                        opening->pka.status.authenticated, opening->pka.status.required);
    }
    return ok;
}

/* Runs the command with the device open. */
static int run_command(const struct schsm_tool *tool, int *status, struct schsm_error *err)
{
    char **argv = OPENSSL_zalloc((tool->argument_count + 1) * sizeof(*argv));
    struct schsm_child_signals signals;
    int ok = 0;

    if (argv == NULL) {
        return schsm_fail_memory(err);
    }
    for (size_t i = 0; i < tool->argument_count; i++) {
        argv[i] = OPENSSL_strdup(tool->arguments[i]);
        if (argv[i] == NULL) {
            schsm_fail_memory(err);
            goto done;
        }
    }
    schsm_child_hold(&signals); /* until the device is closed */
    ok = schsm_child_run(argv, NULL, &signals, status, err);

done:
    for (size_t i = 0; i < tool->argument_count; i++) {
        OPENSSL_free(argv[i]);
    }
    OPENSSL_free(argv);
    return ok;
}

static int keep_open(struct schsm_tool *tool, const char *serial, struct schsm_error *err)
{
    int status = 0;

    if (tool->argument_count == 0) {
        sigset_t signals;

        (void)sigemptyset(&signals);
        (void)sigaddset(&signals, SIGINT);
        (void)sigaddset(&signals, SIGQUIT);
        (void)sigaddset(&signals, SIGTERM);
        (void)sigaddset(&signals, SIGHUP);
        (void)sigprocmask(SIG_BLOCK, &signals, NULL);
        (void)printf(
            "Device %s is open for every program as long as this one runs; Ctrl-C closes it.\n",
            serial);
        (void)fflush(stdout);
        (void)sigwait(&signals, &status);
        return 1;
    }
    if (!run_command(tool, &status, err)) {
        return 0;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        return 1;
    }
    tool->exit_status = schsm_child_shell_status(status);
    return schsm_fail(err, SCHSM_REASON_DEVICE, "%s ended with %s %d", tool->arguments[0],
                      WIFEXITED(status) ? "status" : "signal",
                      WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

static int run_pka_authenticate(struct schsm_tool *tool, struct schsm_error *err)
{
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_device *device = NULL;
    struct schsm_opening *opening = OPENSSL_zalloc(sizeof(*opening));
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    int ok = 0;

    if (opening == NULL) {
        return schsm_fail_memory(err);
    }
    if (!schsm_tool_device(tool, &device, serial, err) ||
        !schsm_opening_begin(device, opening, err)) {
        goto done;
    }
    if (schsm_opening_done(opening)) {
        schsm_tell_note(tool, "device %s is open already", serial);
        ok = 1;
    } else {
        ok = ask_custodians(tool, opening, err);
    }
    ok = ok && keep_open(tool, serial, err);
    /* Half open is no state to leave it in either. */
    if (!schsm_pka_close(device, ok ? err : &ignored)) {
        ok = 0;
    }

done:
    OPENSSL_free(opening);
    return ok;
}

static const struct schsm_option pka_authenticate_options[] = {
    { "custodian", '\0', true, "URI",
      "use this key of a custodian; may be repeated. Default: all devices that are there", NULL },
    { "custodian-reader", '\0', false, "R",
      "take custodians' devices one after the other in this reader", NULL },
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_pka_authenticate = {
    .name = "pka authenticate",
    .synopsis = "[-- COMMAND...]",
    .arguments_max = 256,
    .summary = "Open the device with custodians' keys, and keep it open while a command runs",
    .help = "Asks the custodians' devices one by one to sign the device's challenge, until as many "
            "as it requires have done so. Each custodian's PIN is asked for. The device to be "
            "opened (--serial, --reader) stays plugged in meanwhile, so custodians' devices need "
            "another reader: all that are there are looked at, or with --custodian-reader one "
            "reader into which they come one after the other.\n"
            "The device stays open for every program on this machine, and only as long as this "
            "program runs: it keeps the connection while COMMAND runs, or without COMMAND until "
            "Ctrl-C, and closes the device then. Where COMMAND fails, its exit status is this "
            "program's; SIGTERM and SIGHUP are handed on to it.\n"
            " sc-hsm --serial DENK0100186 pka authenticate -- openssl req -new -key "
            "sc-hsm:label=ca -out ca.csr\n",
    .options = pka_authenticate_options,
    .run = run_pka_authenticate,
};
