/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm copy and mirror: from one device to another, without a file. */
#include "tool/commands.h"

#include <stdio.h>
#include <string.h>

#include "backup/copy.h"
#include "tool/backup_tally.h"
#include "tool/object.h"
#include "tool/output.h"
#include "tool/target.h"

#define COPIED                                                                                     \
    ((unsigned int)SCHSM_OBJECT_PRIVATE | (unsigned int)SCHSM_OBJECT_SECRET |                      \
     (unsigned int)SCHSM_OBJECT_CERTIFICATE | (unsigned int)SCHSM_OBJECT_DATA)

/* The two devices, and what was told on the way. */
struct run {
    struct schsm_tool *tool;
    struct schsm_device *from, *to;
    char from_serial[SCHSM_SERIAL_MAX + 1], to_serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_match_list named; /* objects; empty: all */
    struct schsm_tally tally;
    json_t *left_out; /* [{ "object", "reason" }]; NULL: memory ran out */
    char first_left_out[SCHSM_LABEL_MAX + 512];
    struct schsm_restored copied;
};

/* --- which device, and what of it ---------------------------------------------------------- */

static int find_target(struct run *run, struct schsm_error *err)
{
    const char *to = schsm_tool_setting(run->tool, "to");
    const struct schsm_device_selector selector = { .serial = to };

    if (to == NULL) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "say to which device: --to SERIAL; 'sc-hsm readers' tells the serial "
                          "numbers");
    }
    return schsm_registry_device(run->tool->context.registry, &selector, &run->to, err) &&
           schsm_tool_serial(run->to, run->to_serial, err);
}

/* The one device beside the target that is meant. */
static int find_source(struct run *run, struct schsm_error *err)
{
    const struct schsm_config *config = &run->tool->context.config;
    const struct schsm_device_selector selector = { .serial = config->serial,
                                                    .reader = config->reader,
                                                    .token = config->token };
    struct schsm_registry *registry = run->tool->context.registry;
    struct schsm_device *devices[SCHSM_TOOL_DEVICES_MAX];
    size_t count = SCHSM_TOOL_DEVICES_MAX, others = 0;

    if (!schsm_registry_devices(registry, &selector, devices, &count, err)) {
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (devices[i] != run->to) {
            run->from = devices[i];
            others++;
        }
    }
    if (others > 1) { /* for the sentence with the candidates */
        return schsm_registry_device(registry, &selector, &run->from, err);
    }
    if (others == 0) {
        return schsm_fail(err, SCHSM_REASON_NO_DEVICE,
                          "device %s is the one to copy to, and no other is there to copy from",
                          run->to_serial);
    }
    return schsm_tool_serial(run->from, run->from_serial, err);
}

static int is_elsewhere(void *arg, struct schsm_match *match, struct schsm_error *err)
{
    const struct run *run = arg;

    (void)err;
    return match->device != run->to;
}

/* Adds what one URI names. What the target has of that name is no candidate: there it is to be. */
static int add_named(struct run *run, const char *text, struct schsm_error *err)
{
    size_t before = run->named.count;
    struct schsm_match_list none = { NULL, 0 };
    struct schsm_uri uri;
    int ok = schsm_tool_uri(run->tool, text, &uri, err) &&
             schsm_find(&run->tool->context, &uri, COPIED, &run->named, err) &&
             schsm_match_list_filter(&run->named, is_elsewhere, run, err);

    if (ok && run->named.count == before) {
        ok = schsm_find_fail(&uri, &none, uri.types != 0 ? uri.types & COPIED : COPIED, err);
    }
    schsm_uri_clear(&uri);
    return ok;
}

static int find_named(struct run *run, struct schsm_error *err)
{
    char here[SCHSM_DEVICE_NAME_MAX], there[SCHSM_DEVICE_NAME_MAX];

    for (size_t i = 0; i < run->tool->argument_count; i++) {
        if (!add_named(run, run->tool->arguments[i], err)) {
            return 0;
        }
    }
    run->from = run->named.matches[0].device;
    for (size_t i = 1; i < run->named.count; i++) {
        if (run->named.matches[i].device != run->from) {
            schsm_device_name(run->from, here);
            schsm_device_name(run->named.matches[i].device, there);
            return schsm_fail(err, SCHSM_REASON_DEVICE_AMBIGUOUS,
                              "what is named is on %s and on %s: say with --serial or in the URI "
                              "from which to copy",
                              here, there);
        }
    }
    return schsm_tool_serial(run->from, run->from_serial, err);
}

static bool is_named(void *arg, const struct schsm_object *object)
{
    const struct run *run = arg;

    for (size_t i = 0; i < run->named.count; i++) {
        const struct schsm_object *named = &run->named.matches[i].object;

        if (named->type == object->type && named->handle == object->handle &&
            named->key_ref == object->key_ref) {
            return true;
        }
    }
    return false;
}

/* --- what is told ---------------------------------------------------------------------------- */

static void tell_copied(void *arg, const struct schsm_backup_entry *entry, const char *what,
                        const char *reason)
{
    struct run *run = arg;
    char name[SCHSM_LABEL_MAX + 64], text[512];

    schsm_backup_entry_name(entry, name, sizeof(name));
    if (reason == NULL) {
        schsm_tally_tell(&run->tally, name, what);
        return;
    }
    if (strcmp(what, SCHSM_COPY_FAILED) == 0) {
        schsm_tally_fail(&run->tally, name, what, reason);
        return;
    }
    if (run->first_left_out[0] == '\0') {
        (void)snprintf(run->first_left_out, sizeof(run->first_left_out), "%s: %s", name, reason);
    }
    schsm_json_append(&run->left_out, json_pack("{s:o, s:o}", "object", schsm_json_text(name),
                                                "reason", schsm_json_text(reason)));
    (void)snprintf(text, sizeof(text), "%s: %s", what, reason);
    schsm_tally_tell(&run->tally, name, text);
}

static int report_copied(const struct run *run, struct schsm_error *err)
{
    const struct schsm_restored *copied = &run->copied;

    if (run->tool->json) {
        return schsm_json_print(json_pack("{s:o, s:o, s:i, s:i, s:O, s:O}", "from",
                                          schsm_json_serial(run->from_serial), "serial",
                                          schsm_json_serial(run->to_serial), "copied",
                                          (int)copied->written, "present", (int)copied->present,
                                          "left_out", run->left_out, "failed", run->tally.failures),
                                err);
    }
    printf("From device %s to device %s: %zu copied, %zu there already", run->from_serial,
           run->to_serial, copied->written, copied->present);
    if (copied->left_out > 0) {
        printf(", %zu left out", copied->left_out);
    }
    if (copied->failed > 0) {
        printf(", %zu NOT COPIED", copied->failed);
    }
    puts(".");
    return 1;
}

/* What is no success, though the run went to its end: of what was named, all is wanted. */
static int judge_copied(const struct run *run, struct schsm_error *err)
{
    const struct schsm_restored *copied = &run->copied;
    size_t done = copied->written + copied->present;

    if (!schsm_tally_end(&run->tally, "could not be copied", err)) {
        return 0;
    }
    if (copied->left_out == 0) {
        return done > 0 ||
               schsm_fail(err, SCHSM_REASON_FILE,
                          "nothing was copied: there is nothing on device %s", run->from_serial);
    }
    return (done > 0 && run->named.count == 0) ||
           schsm_fail(err, SCHSM_REASON_FILE, "%zu %s left out%s: %s", copied->left_out,
                      copied->left_out == 1 ? "object was" : "objects were",
                      copied->left_out == 1 ? "" : ", as told above, the first",
                      run->first_left_out);
}

/* --- the run -----------------------------------------------------------------------------------
 */

static int copy(struct run *run, struct schsm_error *err)
{
    struct schsm_pin_source *source = NULL;
    struct schsm_login from_login, to_login;
    int ok = schsm_tool_login(run->tool, run->from, NULL, &from_login, err) &&
             schsm_tool_login_there(run->tool, run->to, &source, &to_login, err);

    if (ok) {
        const struct schsm_copy_job job = {
            .libctx = run->tool->context.libctx,
            .from = run->from,
            .to = run->to,
            .from_login = &from_login,
            .to_login = &to_login,
            .counted_keys = schsm_tool_flag(run->tool, "counted-keys"),
            .wanted = run->named.count > 0 ? is_named : NULL,
            .wanted_arg = run,
            .log = { tell_copied, run },
        };

        ok = schsm_copy(&job, &run->copied, err) && report_copied(run, err) &&
             judge_copied(run, err);
    }
    schsm_pin_source_free(source);
    return ok;
}

static int run_copying(struct schsm_tool *tool, struct schsm_error *err)
{
    struct run run = { .tool = tool };
    int ok = 0;

    schsm_tally_init(&run.tally, tool);
    run.left_out = json_array();
    ok = find_target(&run, err) &&
         (tool->argument_count > 0 ? find_named(&run, err) : find_source(&run, err)) &&
         copy(&run, err);
    json_decref(run.left_out);
    schsm_tally_clear(&run.tally);
    schsm_match_list_clear(&run.named);
    return ok;
}

#define OPTIONS_OF_BOTH                                                                            \
    { .name = "to",                                                                                \
      .argument = "SERIAL",                                                                        \
      .summary = "the device to copy to, by its serial number" },                                  \
        { .name = SCHSM_TO_PIN_SOURCE,                                                             \
          .argument = "SRC",                                                                       \
          .summary = "take the PIN of that device from there (default: --pin-source, in which "    \
                     "{serial} stands for each device's own serial number)" },                     \
        { .name = "counted-keys",                                                                  \
          .summary = "copy keys with a use counter too, which takes one use of each" },            \
        SCHSM_OPTIONS_END

static const struct schsm_option copy_options[] = { OPTIONS_OF_BOTH };

const struct schsm_command schsm_command_copy = {
    .name = "copy",
    .synopsis = "URI...",
    .arguments_min = 1,
    .arguments_max = 64,
    .summary = "Copy keys, certificates and data to another device",
    .help =
        "Copies what the URIs name, such as label=web, to the device with this serial number: "
        "private keys with their description and certificate, AES keys, certificates, data "
        "objects. The other device must have the same key encryption key (DKEK): keys go from one "
        "to the other encrypted under it, and nothing is written to a file. A device with another "
        "DKEK is refused, with the key check values of both, before anything is changed. Needs the "
        "PINs of both devices.\n"
        "Where several devices have what is named, --serial or the URI says from which to copy. "
        "What the other device has already stays as it is there, so that the same command goes on "
        "after an interruption: a key is known by its public key, whatever it is called and "
        "whatever certificate it has. A key keeps its key reference unless another key has that. "
        "Where another object has its id, it is not copied. Keys with a use counter are left out "
        "unless --counted-keys is given, because copying takes one use of each, and each copy "
        "counts by itself.\n"
        "An object that cannot be copied stops no other: it is named, with the reason, and the "
        "status is 1.\n"
        " sc-hsm copy label=web --to DENK0200186\n"
        " sc-hsm --pin-source 'file:/etc/hsm/{serial}.pin' copy id=10 id=20 --to DENK0200186\n",
    .options = copy_options,
    .run = run_copying,
};

const struct schsm_command schsm_command_mirror = {
    .name = "mirror",
    .synopsis = "",
    .summary = "Copy all that is on a device to another one",
    .help =
        "Copies all keys, certificates and data objects, those behind the PIN too, from one device "
        "to another one with the same key encryption key (DKEK), by the rules of 'sc-hsm copy': "
        "nothing is written to a file, what is there already stays as it is, and the same command "
        "goes on after an interruption. Nothing is ever deleted on the other device. Of more than "
        "two devices, --serial says from which to copy.\n"
        "What stays where it is by its nature, such as a key that its list of algorithms keeps on "
        "its device, or one with a use counter without --counted-keys, is told with the reason. "
        "An object that cannot be copied stops no other: it is named, and the status is 1.\n"
        " sc-hsm mirror --to DENK0200186\n",
    .options = copy_options,
    .run = run_copying,
};
