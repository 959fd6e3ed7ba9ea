/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm backup verify and decrypt-backup: a backup and the shares of its DKEK, without a device.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/bio.h>
#include <openssl/pem.h>

#include "backup/backup.h"
#include "keymgmt/file.h"
#include "tool/ask.h"
#include "tool/commands.h"
#include "tool/output.h"
#include "tool/share_file.h"

#define SHARE_OPTIONS                                                                              \
    { "share", '\0', true, "FILE", "a share of the DKEK; give the option once for each", NULL },   \
        { "password-source",                                                                       \
          '\0',                                                                                    \
          true,                                                                                    \
          "SRC",                                                                                   \
          "the shares' passwords, in their order, from file:PATH, env:NAME, fd:N or prompt; "      \
          "default: "                                                                              \
          "ask",                                                                                   \
          NULL },                                                                                  \
    {                                                                                              \
        "password-shares", '\0', false, "T", "T custodians have the parts of each password", NULL  \
    }

/* A backup that is checked against its manifest, and the DKEK out of the shares. */
struct opened {
    const char *folder;
    struct schsm_manifest manifest;
    struct schsm_secret *dkek;
};

static void opened_clear(struct opened *opened)
{
    schsm_manifest_clear(&opened->manifest);
    schsm_secret_free(opened->dkek);
}

/* Everything that can be said without the shares. */
static int open_folder(struct schsm_tool *tool, struct opened *opened, struct schsm_error *err)
{
    memset(opened, 0, sizeof(*opened));
    opened->folder = tool->arguments[0];
    if (!schsm_tool_flag(tool, "share")) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "name every share of the backup's DKEK with --share FILE");
    }
    return schsm_backup_folder_check(opened->folder, &opened->manifest, err);
}

static int open_shares(struct schsm_tool *tool, struct opened *opened, struct schsm_error *err)
{
    size_t shares = 0;

    opened->dkek = schsm_share_files_combine(tool, &shares, err);
    return opened->dkek != NULL;
}

static bool is_held_key(const struct schsm_backup_entry *entry)
{
    return entry->kind == SCHSM_BACKUP_KEY && entry->file[0] != '\0';
}

static void print_entry(const struct schsm_tool *tool, const struct schsm_backup_entry *entry,
                        const char *what)
{
    char name[SCHSM_LABEL_MAX + 64];

    schsm_backup_entry_name(entry, name, sizeof(name));
    if (!tool->json) {
        (void)schsm_say(NULL, "%s: %s", name, what);
    }
}

/* --- verify ---------------------------------------------------------------------------------- */

static int verify_keys(const struct schsm_tool *tool, const struct opened *opened, size_t *keys,
                       struct schsm_error *err)
{
    for (size_t i = 0; i < opened->manifest.count; i++) {
        const struct schsm_backup_entry *entry = &opened->manifest.entries[i];
        struct schsm_backup_key key;

        if (!is_held_key(entry)) {
            continue;
        }
        if (!schsm_backup_open_key(tool->context.libctx, opened->folder, entry, opened->dkek, &key,
                                   err)) {
            return 0;
        }
        schsm_backup_key_clear(&key);
        print_entry(tool, entry, "good");
        (*keys)++;
    }
    return 1;
}

static int run_backup_verify(struct schsm_tool *tool, struct schsm_error *err)
{
    struct opened opened;
    size_t keys = 0, missing = 0;
    int ok = open_folder(tool, &opened, err) && open_shares(tool, &opened, err) &&
             verify_keys(tool, &opened, &keys, err);

    for (size_t i = 0; ok && i < opened.manifest.count; i++) {
        if (opened.manifest.entries[i].file[0] == '\0') {
            print_entry(tool, &opened.manifest.entries[i], "not in the backup");
            missing++;
        }
    }
    if (ok && tool->json) {
        ok = schsm_json_print(json_pack("{s:o, s:o, s:b, s:i, s:i, s:i}", "serial",
                                        schsm_json_text(opened.manifest.serial), "created",
                                        schsm_json_text(opened.manifest.created), "complete",
                                        opened.manifest.complete ? 1 : 0, "keys", (int)keys,
                                        "others", (int)(opened.manifest.count - missing - keys),
                                        "not_in_backup", (int)missing),
                              err);
    } else if (ok) {
        printf("The %s backup of device %s of %s is good: %zu keys open with these shares.\n",
               opened.manifest.complete ? "complete" : "INCOMPLETE", opened.manifest.serial,
               opened.manifest.created, keys);
    }
    opened_clear(&opened);
    return ok;
}

static const struct schsm_option backup_verify_options[] = { SHARE_OPTIONS, SCHSM_OPTIONS_END };

const struct schsm_command schsm_command_backup_verify = {
    .name = "backup verify",
    .synopsis = "FOLDER",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Try a backup with the shares of its DKEK, without a device",
    .help = "Proves that a backup can be restored, without a device and without writing anything: "
            "every file is the one that the manifest names, every key opens with the shares, is "
            "arithmetically sound, and belongs to the certificate or request beside it.\n"
            "All shares of the DKEK come together in the memory of this computer for that. Use one "
            "that you would trust with the keys.\n"
            " sc-hsm backup verify /media/safe/2026-11 --share share-1.pbe --share share-2.pbe\n",
    .options = backup_verify_options,
    .run = run_backup_verify,
};

/* --- decrypt --------------------------------------------------------------------------------- */

/* The password callback of PEM_write: the secret, whatever OpenSSL asks. */
static int give_new_password(char *buffer, int size, int writing, void *arg)
{
    const struct schsm_secret *password = arg;
    size_t len = schsm_secret_len(password);

    (void)writing;
    if (len > (size_t)size) {
        return -1;
    }
    memcpy(buffer, schsm_secret_data(password), len);
    return (int)len;
}

static int write_key(const char *path, const struct schsm_backup_key *key,
                     struct schsm_secret *password, struct schsm_error *err)
{
    BIO *memory = BIO_new(BIO_s_secmem());
    char *content = NULL;
    long len = 0;
    int ok = 0;

    if (memory == NULL) {
        return schsm_fail_memory(err);
    }
    if (key->pair != NULL ? PEM_write_bio_PKCS8PrivateKey(memory, key->pair, EVP_aes_256_cbc(),
                                                          NULL, 0, give_new_password, password) == 1
                          : BIO_write(memory, schsm_secret_data(key->secret),
                                      (int)schsm_secret_len(key->secret)) > 0) {
        len = BIO_get_mem_data(memory, &content);
        ok = schsm_file_write(path, SCHSM_FILE_FOR_OWNER, false, content, (size_t)len, err);
    } else {
        schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto cannot encrypt the key for %s", path);
    }
    BIO_free(memory);
    return ok;
}

static int decrypt_keys(const struct schsm_tool *tool, const struct opened *opened, const char *out,
                        struct schsm_secret *password, size_t *written, struct schsm_error *err)
{
    for (size_t i = 0; i < opened->manifest.count; i++) {
        const struct schsm_backup_entry *entry = &opened->manifest.entries[i];
        struct schsm_backup_key key;
        char path[4096];
        int ok = 0;

        if (!is_held_key(entry)) {
            continue;
        }
        if (!schsm_backup_open_key(tool->context.libctx, opened->folder, entry, opened->dkek, &key,
                                   err)) {
            return 0;
        }
        if (BIO_snprintf(path, sizeof(path), "%s/key-%03d.%s", out, entry->key_ref,
                         key.pair != NULL ? "pem" : "aes") < 0) {
            ok = schsm_fail(err, SCHSM_REASON_ARGUMENT, "the name of the folder is too long");
        } else {
            ok = write_key(path, &key, password, err);
        }
        schsm_backup_key_clear(&key);
        if (!ok) {
            return 0;
        }
        print_entry(tool, entry, path);
        (*written)++;
    }
    return 1;
}

static bool holds_secret_keys(const struct schsm_manifest *manifest)
{
    for (size_t i = 0; i < manifest->count; i++) {
        if (is_held_key(&manifest->entries[i]) && manifest->entries[i].key_type == SCHSM_KEY_AES) {
            return true;
        }
    }
    return false;
}

static int run_decrypt_backup(struct schsm_tool *tool, struct schsm_error *err)
{
    const struct schsm_question question = { .what = "password for the decrypted keys",
                                             .tries_left = -1,
                                             .twice = true,
                                             .min = 8,
                                             .max = SCHSM_SECRET_INPUT_MAX };
    const char *out = schsm_tool_setting(tool, "out");
    struct schsm_secret *password = NULL;
    struct opened opened;
    size_t written = 0;
    int ok = 0;

    if (out == NULL) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "say where the keys go with --out FOLDER");
    }
    ok = open_folder(tool, &opened, err) &&
         schsm_tool_confirm(
             tool, opened.manifest.serial,
             holds_secret_keys(&opened.manifest)
                 ? "The private keys of this backup leave the protection of the device for ever: "
                   "whoever gets the files and the new password has them. AES keys are written "
                   "without any encryption."
                 : "The private keys of this backup leave the protection of the device for ever: "
                   "whoever gets the files and the new password has them.",
             err) &&
         open_shares(tool, &opened, err) &&
         schsm_tool_secret(tool, "new-password-source", &question, &password, err);
    if (ok && mkdir(out, 0700) != 0 && errno != EEXIST) {
        ok = schsm_fail(err, SCHSM_REASON_FILE, "the folder %s cannot be made: %s", out,
                        strerror(errno));
    }
    ok = ok && decrypt_keys(tool, &opened, out, password, &written, err);
    if (ok && tool->json) {
        ok = schsm_json_print(
            json_pack("{s:o, s:i}", "folder", schsm_json_text(out), "keys", (int)written), err);
    } else if (ok) {
        printf("%zu keys are in %s. Delete them as soon as they have done what you need.\n",
               written, out);
    }
    schsm_secret_free(password);
    opened_clear(&opened);
    return ok;
}

static const struct schsm_option decrypt_backup_options[] = {
    SHARE_OPTIONS,
    { "out", '\0', false, "FOLDER", "where the keys go", NULL },
    { "new-password-source", '\0', false, "SRC",
      "the password that the keys get, from file:PATH, env:NAME, fd:N or prompt; default: ask",
      NULL },
    SCHSM_OPTION_YES,
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_decrypt_backup = {
    .name = "decrypt-backup",
    .synopsis = "FOLDER",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Take the keys out of a backup, in the clear of this computer",
    .help = "Opens the keys of a backup with all shares of its DKEK, without a device, and writes "
            "each pair as a PKCS#8 file in PEM under a new password, which openssl reads, and each "
            "AES key as its bare bytes.\n"
            "That is the emergency exit, for the day when no device is left or the keys have to go "
            "to something else. From then on the keys are only as safe as this computer, the files "
            "and the password. To use them on another device, restore the backup there instead.\n"
            " sc-hsm decrypt-backup /media/safe/2026-11 --share share-1.pbe --out /run/keys\n"
            " openssl pkey -in /run/keys/key-001.pem -noout -text\n",
    .options = decrypt_backup_options,
    .run = run_decrypt_backup,
};
