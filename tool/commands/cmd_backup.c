/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm backup and restore: a whole device in a folder, and back. */
#include <stdio.h>
#include <string.h>

#include "backup/backup.h"
#include "tool/backup_tally.h"
#include "tool/commands.h"
#include "tool/output.h"
#include "tool/target.h"

/* Objects that a backup does or does not hold. */
static size_t count(const struct schsm_manifest *manifest, bool held)
{
    size_t found = 0;

    for (size_t i = 0; i < manifest->count; i++) {
        found += (manifest->entries[i].file[0] != '\0') == held;
    }
    return found;
}

static void tell_progress(void *arg, const struct schsm_backup_entry *entry, const char *what,
                          const char *reason)
{
    struct schsm_tally *tally = arg;
    char name[SCHSM_LABEL_MAX + 64], text[512];

    schsm_backup_entry_name(entry, name, sizeof(name));
    if (reason != NULL) {
        (void)snprintf(text, sizeof(text), "%s: %s", what, reason);
    }
    schsm_tally_tell(tally, name, reason != NULL ? text : what);
}

static json_t *left_out_json(const struct schsm_manifest *manifest)
{
    json_t *array = json_array();

    for (size_t i = 0; i < manifest->count; i++) {
        const struct schsm_backup_entry *entry = &manifest->entries[i];
        char name[SCHSM_LABEL_MAX + 64];

        if (entry->file[0] != '\0') {
            continue;
        }
        schsm_backup_entry_name(entry, name, sizeof(name));
        schsm_json_append(&array, json_pack("{s:o, s:o}", "object", schsm_json_text(name), "reason",
                                            schsm_json_text(entry->reason)));
    }
    return array;
}

static int report_backup(const struct schsm_tool *tool, const char *folder,
                         const struct schsm_manifest *manifest, size_t failed,
                         struct schsm_error *err)
{
    size_t saved = count(manifest, true), left_out = manifest->count - saved;

    if (tool->json) {
        return schsm_json_print(
            json_pack("{s:o, s:o, s:i, s:b, s:o}", "serial", schsm_json_text(manifest->serial),
                      "folder", schsm_json_text(folder), "saved", (int)saved, "complete",
                      manifest->complete ? 1 : 0, "left_out", left_out_json(manifest)),
            err);
    }
    if (saved > 0) {
        printf("Device %s is backed up in %s: %zu %s", schsm_serial_text(manifest->serial), folder,
               saved, saved == 1 ? "object" : "objects");
        if (left_out > 0) {
            printf(", without %zu that %s told above", left_out, left_out == 1 ? "is" : "are");
        }
        puts(failed == 0 ? "." : "; it is INCOMPLETE.");
    }
    return 1;
}

/* What is no success, though the run went to its end. */
static int judge_backup(const char *folder, const struct schsm_manifest *manifest, size_t failed,
                        struct schsm_error *err)
{
    char name[SCHSM_LABEL_MAX + 64];

    if (count(manifest, true) == 0) {
        return manifest->count == 0
                   ? schsm_fail(err, SCHSM_REASON_FILE,
                                "nothing was saved: there is nothing on device %s",
                                schsm_serial_text(manifest->serial))
                   : schsm_fail(err, SCHSM_REASON_FILE,
                                "nothing was saved: all that is on device %s had to be left out, "
                                "each for its reason, the first because: %s",
                                schsm_serial_text(manifest->serial), manifest->entries[0].reason);
    }
    if (failed == 0) {
        return 1;
    }
    for (size_t i = 0; i < manifest->count; i++) {
        const struct schsm_backup_entry *entry = &manifest->entries[i];

        if (entry->failed) {
            schsm_backup_entry_name(entry, name, sizeof(name));
            schsm_fail(err, SCHSM_REASON_FILE,
                       "%zu %s could not be saved, so the backup in %s is incomplete: %s%s: %s",
                       failed, failed == 1 ? "object" : "objects", folder,
                       failed == 1 ? "" : "the first is ", name, entry->reason);
            break;
        }
    }
    return 0;
}

static int run_backup(struct schsm_tool *tool, struct schsm_error *err)
{
    const struct schsm_backup_wishes wishes = {
        .private_data = schsm_tool_flag(tool, "private-data"),
        .counted_keys = schsm_tool_flag(tool, "counted-keys"),
    };
    const char *folder = tool->arguments[0];
    struct schsm_manifest manifest = { 0 };
    struct schsm_tally tally;
    struct schsm_device *device = NULL;
    struct schsm_login login;
    char serial[SCHSM_SERIAL_MAX + 1];
    size_t failed = 0;
    int ok = schsm_tool_device(tool, &device, serial, err) &&
             schsm_tool_login(tool, device, NULL, &login, err);

    schsm_tally_init(&tally, tool);
    if (ok) {
        const struct schsm_backup_job job = { .libctx = tool->context.libctx,
                                              .device = device,
                                              .login = &login,
                                              .place = { .folder = folder },
                                              .log = { tell_progress, &tally } };

        ok = schsm_backup(&job, &wishes, &manifest, &failed, err) &&
             report_backup(tool, folder, &manifest, failed, err) &&
             judge_backup(folder, &manifest, failed, err);
    }
    schsm_tally_clear(&tally);
    schsm_manifest_clear(&manifest);
    return ok;
}

static const struct schsm_option backup_options[] = {
    { "private-data", '\0', false, NULL,
      "save private data objects too; they lie in the folder readable for whoever can read it",
      NULL },
    { .name = "counted-keys",
      .summary = "save keys with a use counter too, which takes one use of each" },
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_backup = {
    .name = "backup",
    .synopsis = "FOLDER",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Save all keys, certificates and data of a device in a folder",
    .help = "Saves what is on the device in a folder: each key encrypted under the device's key "
            "encryption key (DKEK), with its description and certificate, in a file that 'sc-hsm "
            "unwrap' and OpenSC's sc-hsm-tool read as well; certificates without a key, data "
            "objects, and a list of it all, manifest.json.\n"
            "The keys in the folder are of use only on a device with the same DKEK, or together "
            "with all of its shares: keep those elsewhere. A device that was initialised without a "
            "DKEK gives its keys to nobody, and a key whose list of algorithms lacks the export "
            "stays where it is; the list says which, and why. Keys with a use counter are left out "
            "unless --counted-keys is given, because saving takes one use of each.\n"
            "An object that cannot be saved stops no other: it is named, the backup is incomplete "
            "and the status 1. A backup with nothing in it is no success either.\n"
            "Run the same command again after an interruption, and it goes on where it was. A "
            "complete backup is never changed: name a new folder for the next one.\n"
            " sc-hsm backup /media/safe/2026-11\n",
    .options = backup_options,
    .run = run_backup,
};

static int check_complete(const struct schsm_tool *tool, const char *folder,
                          const struct schsm_manifest *manifest, struct schsm_error *err)
{
    if (manifest->complete || schsm_tool_flag(tool, "incomplete")) {
        return 1;
    }
    return schsm_fail(
        err, SCHSM_REASON_FILE,
        "the backup in %s is incomplete: run 'sc-hsm backup %s' again to complete it, "
        "or restore what there is with --incomplete",
        folder, folder);
}

/* A failure is counted, all else told as it happens. */
static void tell_restored(void *arg, const struct schsm_backup_entry *entry, const char *what,
                          const char *reason)
{
    struct schsm_tally *tally = arg;
    char name[SCHSM_LABEL_MAX + 64];

    if (reason == NULL || strcmp(what, SCHSM_RESTORE_FAILED) != 0) {
        tell_progress(arg, entry, what, reason);
        return;
    }
    schsm_backup_entry_name(entry, name, sizeof(name));
    schsm_tally_fail(tally, name, what, reason);
}

static int report_restored(const struct schsm_tally *tally, const char *serial,
                           const struct schsm_manifest *manifest,
                           const struct schsm_restored *restored, struct schsm_error *err)
{
    size_t missing = count(manifest, false);

    if (tally->tool->json) {
        return schsm_json_print(json_pack("{s:o, s:o, s:i, s:i, s:i, s:i, s:O}", "serial",
                                          schsm_json_serial(serial), "backup_of",
                                          schsm_json_text(manifest->serial), "restored",
                                          (int)restored->written, "present", (int)restored->present,
                                          "left_out", (int)restored->left_out, "not_in_backup",
                                          (int)missing, "failed", tally->failures),
                                err);
    }
    printf("Device %s: %zu restored, %zu there already", serial, restored->written,
           restored->present);
    if (restored->left_out > 0) {
        printf(", %zu left out", restored->left_out);
    }
    if (restored->failed > 0) {
        printf(", %zu NOT RESTORED", restored->failed);
    }
    printf(missing > 0 ? ", %zu never %s in the backup.\n" : ".\n", missing,
           missing == 1 ? "was" : "were");
    return 1;
}

static int run_restore(struct schsm_tool *tool, struct schsm_error *err)
{
    const char *folder = tool->arguments[0];
    struct schsm_manifest manifest = { 0 };
    struct schsm_restored restored;
    struct schsm_tally tally;
    struct schsm_device *device = NULL;
    struct schsm_login login;
    char serial[SCHSM_SERIAL_MAX + 1];
    int ok = schsm_backup_folder_read_manifest(folder, &manifest, err) &&
             check_complete(tool, folder, &manifest, err) &&
             schsm_tool_device(tool, &device, serial, err) &&
             schsm_tool_login(tool, device, NULL, &login, err);

    schsm_tally_init(&tally, tool);
    if (ok) {
        const struct schsm_backup_job job = { .libctx = tool->context.libctx,
                                              .device = device,
                                              .login = &login,
                                              .place = { .folder = folder },
                                              .log = { tell_restored, &tally } };

        ok = schsm_restore(&job, &manifest, &restored, err) &&
             report_restored(&tally, serial, &manifest, &restored, err) &&
             schsm_tally_end(&tally, "could not be restored", err);
    }
    schsm_tally_clear(&tally);
    schsm_manifest_clear(&manifest);
    return ok;
}

static const struct schsm_option restore_options[] = {
    { "incomplete", '\0', false, NULL, "restore a backup that is incomplete", NULL },
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_restore = {
    .name = "restore",
    .synopsis = "FOLDER",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Put a backup onto a device",
    .help =
        "Puts everything that a backup holds onto a device: the same one, or another one with the "
        "same key encryption key (DKEK). Before anything is written, a device with another DKEK is "
        "refused, with the key check value of the one that is wanted; so is a device where another "
        "object has an id of the backup.\n"
        "What is on the device already stays as it is, so that the same command goes on after an "
        "interruption: a key is known by its public key, also where its certificate was renewed. A "
        "key keeps its key reference unless another key has that. A file that is damaged, or a key "
        "that the device does not take, stops no other: it is named, and the status is 1.\n"
        " sc-hsm init --dkek-shares 2\n"
        " sc-hsm dkek import-share share-1.pbe\n"
        " sc-hsm dkek import-share share-2.pbe\n"
        " sc-hsm restore /media/safe/2026-11\n",
    .options = restore_options,
    .run = run_restore,
};
