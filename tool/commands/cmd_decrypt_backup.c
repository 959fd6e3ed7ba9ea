/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm decrypt-backup: keys out of a backup with all shares of their DKEK, without a device. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>

#include "keymgmt/file.h"
#include "tool/ask.h"
#include "tool/backup_source.h"
#include "tool/backup_tally.h"
#include "tool/commands.h"

#define LOSS                                                                                       \
    "leave the protection of the device for ever: whoever gets the files and the new password "    \
    "has them."
#define AES_LOSS " AES keys are written without any encryption."

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
        if (!ok && err->reason == SCHSM_REASON_EXISTS) { /* there is no --overwrite here */
            schsm_fail(err, SCHSM_REASON_EXISTS,
                       "%s is there already, and stays as it is: name another folder with --out",
                       path);
        }
    } else {
        schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto cannot encrypt the key for %s", path);
    }
    BIO_free(memory);
    return ok;
}

/* Where the key goes: "key-001.pem", or what its lone file is called, with another ending. */
static int name_file(const struct schsm_backup_source *source, size_t at, const char *out,
                     const struct schsm_backup_key *key, char *path, size_t size,
                     struct schsm_error *err)
{
    const struct schsm_backup_entry *entry = schsm_backup_source_entry(source, at);
    const char *ending = key->pair != NULL ? "pem" : "aes";
    const char *name, *dot;
    int len;

    if (entry != NULL) {
        len = BIO_snprintf(path, size, "%s/key-%03d.%s", out, entry->key_ref, ending);
    } else {
        name = strrchr(source->files[at], '/');
        name = name != NULL ? name + 1 : source->files[at];
        dot = strrchr(name, '.');
        len = BIO_snprintf(path, size, "%s/%.*s.%s", out,
                           (int)(dot != NULL && dot != name ? dot - name : (long)strlen(name)),
                           name, ending);
    }
    return len > 0 || schsm_fail(err, SCHSM_REASON_ARGUMENT, "the name of the folder is too long");
}

static int decrypt_key(const struct schsm_tool *tool, const struct schsm_backup_source *source,
                       size_t at, const char *out, struct schsm_secret *password, char *path,
                       size_t size, struct schsm_error *err)
{
    struct schsm_backup_key key;
    int ok;

    if (!schsm_backup_source_key(tool, source, at, &key, err)) {
        return 0;
    }
    ok = name_file(source, at, out, &key, path, size, err) && write_key(path, &key, password, err);
    schsm_backup_key_clear(&key);
    return ok;
}

/* Takes out every key that opens; one that does not hides no other. */
static void decrypt_keys(const struct schsm_tool *tool, const struct schsm_backup_source *source,
                         const char *out, struct schsm_secret *password, size_t *written,
                         struct schsm_tally *tally)
{
    for (size_t i = 0; i < source->count; i++) {
        struct schsm_error failure = SCHSM_ERROR_INIT;
        char name[SCHSM_SOURCE_NAME_MAX], path[4096];

        if (!schsm_backup_source_is_key(source, i)) {
            continue;
        }
        schsm_backup_source_name(source, i, name);
        if (decrypt_key(tool, source, i, out, password, path, sizeof(path), &failure)) {
            schsm_tally_tell(tally, name, path);
            (*written)++;
        } else {
            schsm_tally_fail(tally, name, "NOT DECRYPTED", failure.text);
        }
    }
}

static int confirm_decryption(const struct schsm_tool *tool,
                              const struct schsm_backup_source *source, struct schsm_error *err)
{
    bool secrets = schsm_backup_source_has_secrets(source);

    if (source->folder != NULL) {
        return schsm_tool_confirm(tool, schsm_serial_text(source->manifest.serial),
                                  secrets ? "The private keys of this backup " LOSS AES_LOSS
                                          : "The private keys of this backup " LOSS,
                                  err);
    }
    return schsm_tool_confirm_by(
        tool, "word", "decrypt",
        secrets ? "The keys in these files " LOSS AES_LOSS : "The keys in these files " LOSS, err);
}

static int report_decrypted(const struct schsm_tally *tally, const char *out, size_t written,
                            struct schsm_error *err)
{
    if (tally->tool->json) {
        return schsm_json_print(json_pack("{s:o, s:i, s:O}", "folder", schsm_json_text(out), "keys",
                                          (int)written, "failed", tally->failures),
                                err);
    }
    if (written > 0) {
        printf("%zu %s in %s. Delete %s as soon as %s done what you need.\n", written,
               written == 1 ? "key is" : "keys are", out, written == 1 ? "it" : "them",
               written == 1 ? "it has" : "they have");
    }
    return 1;
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
    struct schsm_backup_source source;
    struct schsm_tally tally;
    size_t written = 0;
    int ok = 0;

    if (out == NULL) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "say where the keys go with --out FOLDER");
    }
    schsm_tally_init(&tally, tool);
    ok = schsm_backup_source_open(tool, &source, err) && confirm_decryption(tool, &source, err) &&
         schsm_backup_source_unlock(tool, &source, err) &&
         schsm_tool_secret(tool, "new-password-source", &question, &password, err);
    if (ok && mkdir(out, 0700) != 0 && errno != EEXIST) {
        ok = schsm_fail(err, SCHSM_REASON_FILE, "the folder %s cannot be made: %s", out,
                        strerror(errno));
    }
    if (ok) {
        decrypt_keys(tool, &source, out, password, &written, &tally);
        ok = report_decrypted(&tally, out, written, err) &&
             schsm_tally_end(&tally, "could not be decrypted", err);
    }
    schsm_tally_clear(&tally);
    schsm_secret_free(password);
    schsm_backup_source_clear(&source);
    return ok;
}

static const struct schsm_option decrypt_backup_options[] = {
    SCHSM_OPTIONS_SHARES,
    { "out", '\0', false, "FOLDER", "where the keys go", NULL },
    { "new-password-source", '\0', false, "SRC",
      "the password that the keys get, from file:PATH, env:NAME, fd:N or prompt; default: ask",
      NULL },
    SCHSM_OPTION_YES,
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_decrypt_backup = {
    .name = "decrypt-backup",
    .synopsis = "FOLDER | FILE...",
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .summary = "Take the keys out of a backup, in the clear of this computer",
    .help = "Opens the keys of a backup with all shares of its DKEK, without a device, and writes "
            "each pair as a PKCS#8 file in PEM under a new password, which openssl reads, and each "
            "AES key as its bare bytes. In place of a folder, files of single keys can be named: "
            "those of 'sc-hsm wrap', OpenSC's sc-hsm-tool (.bin) and the Key Manager (.wky); each "
            "key then goes to a file of the same name. A key that does not open is named, the "
            "others are written, and the status is 1.\n"
            "That is the emergency exit, for the day when no device is left or the keys have to go "
            "to something else. From then on the keys are only as safe as this computer, the files "
            "and the password. To use them on another device, restore the backup there instead.\n"
            " sc-hsm decrypt-backup /media/safe/2026-11 --share share-1.pbe --out /run/keys\n"
            " openssl pkey -in /run/keys/key-001.pem -noout -text\n"
            " sc-hsm decrypt-backup web.wky --share share-1.pbe --out /run/keys\n",
    .options = decrypt_backup_options,
    .by_itself = true,
    .run = run_decrypt_backup,
};
