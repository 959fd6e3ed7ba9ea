/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm backup and restore: a whole device in a folder, and back. */
#include <stdio.h>

#include "backup/backup.h"
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

/* Long runs show how far they are; programs read the document at the end. */
static void show_progress(void *arg, const struct schsm_backup_entry *entry, const char *what)
{
    const struct schsm_tool *tool = arg;
    char name[SCHSM_LABEL_MAX + 64];

    schsm_backup_entry_name(entry, name, sizeof(name));
    if (!tool->json && schsm_say(NULL, "%s: %s", name, what)) {
        (void)fflush(stdout);
    }
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
                         const struct schsm_manifest *manifest, struct schsm_error *err)
{
    size_t saved = count(manifest, true);

    if (!tool->json) {
        printf("Device %s is backed up in %s: %zu %s.\n", manifest->serial, folder, saved,
               saved == 1 ? "object" : "objects");
        for (size_t i = 0; i < manifest->count; i++) {
            const struct schsm_backup_entry *entry = &manifest->entries[i];
            char name[SCHSM_LABEL_MAX + 64];

            schsm_backup_entry_name(entry, name, sizeof(name));
            if (entry->file[0] == '\0' &&
                !schsm_say(err, "Not in it: %s, because: %s", name, entry->reason)) {
                return 0;
            }
        }
        return 1;
    }
    return schsm_json_print(json_pack("{s:o, s:o, s:i, s:o}", "serial",
                                      schsm_json_text(manifest->serial), "folder",
                                      schsm_json_text(folder), "saved", (int)saved, "left_out",
                                      left_out_json(manifest)),
                            err);
}

static int run_backup(struct schsm_tool *tool, struct schsm_error *err)
{
    const struct schsm_backup_log log = { show_progress, tool };
    const char *folder = tool->arguments[0];
    struct schsm_manifest manifest = { 0 };
    struct schsm_device *device = NULL;
    struct schsm_login login;
    char serial[SCHSM_SERIAL_MAX + 1];
    int ok = schsm_tool_device(tool, &device, serial, err) &&
             schsm_tool_login(tool, device, NULL, &login, err) &&
             schsm_backup(device, &login, folder, schsm_tool_flag(tool, "private-data"), &log,
                          &manifest, err) &&
             report_backup(tool, folder, &manifest, err);

    schsm_manifest_clear(&manifest);
    return ok;
}

static const struct schsm_option backup_options[] = {
    { "private-data", '\0', false, NULL,
      "save private data objects too; they lie in the folder readable for whoever can read it",
      NULL },
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
            "stays where it is; the list says which, and why.\n"
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
    return schsm_fail(err, SCHSM_REASON_FILE,
                      "the backup in %s was interrupted: run 'sc-hsm backup %s' again to complete "
                      "it, or restore what there is with --incomplete",
                      folder, folder);
}

static int report_restored(const struct schsm_tool *tool, const char *serial,
                           const struct schsm_manifest *manifest,
                           const struct schsm_restored *restored, struct schsm_error *err)
{
    size_t missing = count(manifest, false);

    if (tool->json) {
        return schsm_json_print(
            json_pack("{s:o, s:o, s:i, s:i, s:i}", "serial", schsm_json_text(serial), "backup_of",
                      schsm_json_text(manifest->serial), "restored", (int)restored->written,
                      "present", (int)restored->present, "not_in_backup", (int)missing),
            err);
    }
    printf("Device %s: %zu restored, %zu there already", serial, restored->written,
           restored->present);
    printf(missing > 0 ? ", %zu never were in the backup.\n" : ".\n", missing);
    return 1;
}

static int run_restore(struct schsm_tool *tool, struct schsm_error *err)
{
    const struct schsm_backup_log log = { show_progress, tool };
    const char *folder = tool->arguments[0];
    struct schsm_manifest manifest = { 0 };
    struct schsm_restored restored;
    struct schsm_device *device = NULL;
    struct schsm_login login;
    char serial[SCHSM_SERIAL_MAX + 1];
    int ok = schsm_backup_folder_check(folder, &manifest, err) &&
             check_complete(tool, folder, &manifest, err) &&
             schsm_tool_device(tool, &device, serial, err) &&
             schsm_tool_login(tool, device, NULL, &login, err) &&
             schsm_restore(device, &login, folder, &manifest, &log, &restored, err) &&
             report_restored(tool, serial, &manifest, &restored, err);

    schsm_manifest_clear(&manifest);
    return ok;
}

static const struct schsm_option restore_options[] = {
    { "incomplete", '\0', false, NULL, "restore a backup that was interrupted", NULL },
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
        "same key encryption key (DKEK). Before anything is written, all files are compared with "
        "the manifest, and a device with another DKEK is refused, with the key check value of the "
        "one that is wanted; so is a device where another object has an id of the backup.\n"
        "What is on the device already stays as it is, so that the same command goes on after an "
        "interruption. A key keeps its key reference unless another key has that.\n"
        " sc-hsm init --dkek-shares 2\n"
        " sc-hsm dkek import-share share-1.pbe\n"
        " sc-hsm dkek import-share share-2.pbe\n"
        " sc-hsm restore /media/safe/2026-11\n",
    .options = restore_options,
    .run = run_restore,
};
