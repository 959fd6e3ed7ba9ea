/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm backup verify: keys of a backup and the shares of their DKEK, without a device. */
#include <stdio.h>

#include "tool/backup_source.h"
#include "tool/backup_tally.h"
#include "tool/commands.h"

/* What was found. */
struct finding {
    size_t keys, others, missing;
};

static int check_object(const struct schsm_tool *tool, const struct schsm_backup_source *source,
                        size_t at, struct schsm_error *err)
{
    struct schsm_backup_key key;

    if (!schsm_backup_source_is_key(source, at)) {
        return schsm_backup_check_entry(source->folder, schsm_backup_source_entry(source, at), err);
    }
    if (!schsm_backup_source_key(tool, source, at, &key, err)) {
        return 0;
    }
    schsm_backup_key_clear(&key);
    return 1;
}

/* Tries each object; one that is bad hides no other. */
static void check_objects(const struct schsm_tool *tool, const struct schsm_backup_source *source,
                          struct finding *finding, struct schsm_tally *tally)
{
    for (size_t i = 0; i < source->count; i++) {
        const struct schsm_backup_entry *entry = schsm_backup_source_entry(source, i);
        struct schsm_error failure = SCHSM_ERROR_INIT;
        char name[SCHSM_SOURCE_NAME_MAX];

        schsm_backup_source_name(source, i, name);
        if (entry != NULL && entry->file[0] == '\0') {
            schsm_tally_tell(tally, name, "not in the backup");
            finding->missing++;
        } else if (!check_object(tool, source, i, &failure)) {
            schsm_tally_fail(tally, name, "BAD", failure.text);
        } else if (schsm_backup_source_is_key(source, i)) {
            schsm_tally_tell(tally, name, "good");
            finding->keys++;
        } else {
            finding->others++;
        }
    }
}

static int report_folder(const struct schsm_backup_source *source, const struct finding *finding,
                         struct schsm_tally *tally, struct schsm_error *err)
{
    const struct schsm_manifest *manifest = &source->manifest;

    if (tally->tool->json) {
        return schsm_json_print(json_pack("{s:o, s:o, s:b, s:i, s:i, s:i, s:O}", "serial",
                                          schsm_json_text(manifest->serial), "created",
                                          schsm_json_text(manifest->created), "complete",
                                          manifest->complete ? 1 : 0, "keys", (int)finding->keys,
                                          "others", (int)finding->others, "not_in_backup",
                                          (int)finding->missing, "bad", tally->failures),
                                err);
    }
    if (tally->failed == 0) {
        printf("The %s backup of device %s of %s is good: %zu %s with these shares.\n",
               manifest->complete ? "complete" : "INCOMPLETE", schsm_serial_text(manifest->serial),
               manifest->created, finding->keys, finding->keys == 1 ? "key opens" : "keys open");
    }
    return 1;
}

static int report_files(const struct finding *finding, struct schsm_tally *tally,
                        struct schsm_error *err)
{
    if (tally->tool->json) {
        return schsm_json_print(
            json_pack("{s:i, s:O}", "keys", (int)finding->keys, "bad", tally->failures), err);
    }
    printf("%zu %s with these shares.\n", finding->keys,
           finding->keys == 1 ? "key opens" : "keys open");
    return 1;
}

static int check_whole(const struct schsm_backup_source *source, struct schsm_error *err)
{
    if (source->folder == NULL || source->manifest.complete) {
        return 1;
    }
    return schsm_fail(err, SCHSM_REASON_FILE,
                      "the backup in %s is incomplete: run 'sc-hsm backup %s' again to complete it",
                      source->folder, source->folder);
}

static int run_backup_verify(struct schsm_tool *tool, struct schsm_error *err)
{
    struct schsm_backup_source source;
    struct schsm_tally tally;
    struct finding finding = { 0, 0, 0 };
    int ok = schsm_backup_source_open(tool, &source, err) &&
             schsm_backup_source_unlock(tool, &source, err);

    schsm_tally_init(&tally, tool);
    if (ok) {
        check_objects(tool, &source, &finding, &tally);
        ok = (source.folder != NULL ? report_folder(&source, &finding, &tally, err)
                                    : report_files(&finding, &tally, err)) &&
             schsm_tally_end(&tally, "cannot be restored", err) && check_whole(&source, err);
    }
    schsm_tally_clear(&tally);
    schsm_backup_source_clear(&source);
    return ok;
}

static const struct schsm_option backup_verify_options[] = { SCHSM_OPTIONS_SHARES,
                                                             SCHSM_OPTIONS_END };

const struct schsm_command schsm_command_backup_verify = {
    .name = "backup verify",
    .synopsis = "FOLDER | FILE...",
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .summary = "Try a backup with the shares of its DKEK, without a device",
    .help = "Proves that a backup can be restored, without a device and without writing anything: "
            "every file is the one that the manifest names, every key opens with the shares, is "
            "arithmetically sound, and belongs to the certificate or request beside it. In place "
            "of a folder, files of single keys can be named: those of 'sc-hsm wrap', OpenSC's "
            "sc-hsm-tool (.bin) and the Key Manager (.wky).\n"
            "All are tried. What is bad is named, and the status is then 1, as it is for a backup "
            "that is incomplete.\n"
            "All shares of the DKEK come together in the memory of this computer for that. Use one "
            "that you would trust with the keys.\n"
            " sc-hsm backup verify /media/safe/2026-11 --share share-1.pbe --share share-2.pbe\n"
            " sc-hsm backup verify web.wky --share share-1.pbe\n",
    .options = backup_verify_options,
    .by_itself = true,
    .run = run_backup_verify,
};
