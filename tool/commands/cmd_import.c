/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm import: a private key from a file to the device. */
#include "tool/commands.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "hsm/hsm_key_domain.h"
#include "hsm/hsm_wrap.h"
#include "keymgmt/algorithm.h"
#include "format/same_key.h"
#include "keymgmt/certificate.h"
#include "keymgmt/file.h"
#include "keymgmt/import_key.h"
#include "tool/certificate_file.h"
#include "tool/object.h"
#include "tool/private_key_file.h"
#include "tool/share_file.h"
#include "tool/target.h"
#include "tool/tell.h"

#define AES_FILE_MAX 4096 /* more than enough to see that it is something else */

/* What the command line asks for; import points into the rest. */
struct wish {
    struct schsm_import import;
    struct schsm_private_key_file file;
    struct schsm_secret *secret; /* an AES key, in the file's place */
    STACK_OF(X509) * chain;      /* its certificates are the file's */
    uint8_t id[SCHSM_ID_MAX];
    uint8_t algorithms[SCHSM_ALGORITHMS_MAX];
    char label[SCHSM_LABEL_MAX + 1];
    struct schsm_secret *dkek;
};

static void wish_clear(struct wish *wish)
{
    sk_X509_free(wish->chain);
    schsm_private_key_file_clear(&wish->file);
    schsm_secret_free(wish->secret);
    schsm_secret_free(wish->dkek);
}

/* An AES key's file: its bytes, and nothing else. */
static int read_aes_file(const char *path, struct wish *wish, struct schsm_error *err)
{
    uint8_t *content = NULL;
    size_t len = 0;

    if (!schsm_file_read(path, AES_FILE_MAX, &content, &len, err)) {
        return 0;
    }
    if (len == 16 || len == 24 || len == 32) {
        wish->secret = schsm_secret_new(content, len, err);
    } else {
        schsm_fail(err, SCHSM_REASON_FILE,
                   "%s has %zu bytes: the file of an AES key has its 16, 24 or 32 bytes as they "
                   "are, neither in hexadecimal nor with a line's end behind them",
                   path, len);
    }
    OPENSSL_clear_free(content, len);
    return wish->secret != NULL;
}

/* What --type says: an AES key's bytes look like nothing. */
static int read_key_file(struct schsm_tool *tool, struct wish *wish, struct schsm_error *err)
{
    static const char *const others[] = { "cert", "no-chain", "name", "file-password-source" };
    const char *type = schsm_tool_setting(tool, "type"), *path = tool->arguments[0];

    if (type == NULL) {
        return schsm_private_key_file_read(tool, path, schsm_tool_setting(tool, "name"),
                                           &wish->file, err);
    }
    if (strcmp(type, "aes") != 0) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "--type: '%.40s' is not aes; private keys say themselves what they are",
                          type);
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (schsm_tool_setting(tool, others[i]) != NULL) {
            return schsm_fail(err, SCHSM_REASON_ARGUMENT, "--%s says nothing of an AES key",
                              others[i]);
        }
    }
    return read_aes_file(path, wish, err);
}

/* Certificates from --cert come beside those of the key's own file. */
static int add_certificates(struct schsm_tool *tool, struct wish *wish, struct schsm_error *err)
{
    const char *path = schsm_tool_setting(tool, "cert");
    struct schsm_chain chain;
    int ok;

    if (path == NULL) {
        return 1;
    }
    ok = schsm_chain_read(tool, path, &chain, err);
    for (size_t i = 0; ok && i < chain.count; i++) {
        ok = X509_up_ref(chain.certificates[i]) == 1;
        if (ok && sk_X509_push(wish->file.certificates, chain.certificates[i]) <= 0) {
            X509_free(chain.certificates[i]);
            ok = schsm_fail_memory(err);
        }
    }
    schsm_chain_clear(&chain);
    return ok;
}

/* The key's own certificate, and the others as its chain. */
static int sort_certificates(struct schsm_tool *tool, struct wish *wish, struct schsm_error *err)
{
    STACK_OF(X509) *all = wish->file.certificates;

    wish->chain = sk_X509_new_null();
    if (wish->chain == NULL) {
        return schsm_fail_memory(err);
    }
    for (int i = 0; i < sk_X509_num(all); i++) {
        X509 *certificate = sk_X509_value(all, i);
        EVP_PKEY *certified = X509_get0_pubkey(certificate);

        if (wish->import.certificate == NULL && certified != NULL &&
            schsm_same_public_key(certified, wish->file.key)) {
            wish->import.certificate = certificate;
        } else if (sk_X509_push(wish->chain, certificate) <= 0) {
            return schsm_fail_memory(err);
        }
    }
    if (wish->import.certificate == NULL && sk_X509_num(all) > 0) {
        return schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                          "none of the certificates is that of the private key in %s",
                          tool->arguments[0]);
    }
    if (!schsm_tool_flag(tool, "no-chain")) {
        wish->import.chain = wish->chain;
    }
    return 1;
}

static int read_import_policy(const struct schsm_tool *tool, struct wish *wish,
                              struct schsm_error *err)
{
    const char *algorithms = schsm_tool_setting(tool, "algorithms");
    enum schsm_key_type type = SCHSM_KEY_AES;

    if (algorithms == NULL) {
        return 1;
    }
    if (wish->secret == NULL) {
        type = EVP_PKEY_is_a(wish->file.key, "EC") == 1 ? SCHSM_KEY_EC : SCHSM_KEY_RSA;
    }
    wish->import.algorithms = wish->algorithms;
    return schsm_algorithms_parse(algorithms, type, wish->algorithms, &wish->import.algorithms_len,
                                  err);
}

static int read_import_wish(struct schsm_tool *tool, struct wish *wish, struct schsm_error *err)
{
    struct schsm_import *import = &wish->import;
    int64_t key_ref = -1;

    if (!schsm_tool_new_name(tool, wish->id, &import->id_len, &import->label, err) ||
        !schsm_tool_number(tool, "key-ref", 1, 255, &key_ref, err) ||
        !read_key_file(tool, wish, err) ||
        (wish->secret == NULL &&
         (!add_certificates(tool, wish, err) || !sort_certificates(tool, wish, err))) ||
        !read_import_policy(tool, wish, err)) {
        return 0;
    }
    import->key = wish->file.key;
    import->secret = wish->secret;
    import->key_ref = (int)key_ref;
    import->id = import->id_len > 0 ? wish->id : NULL;
    if (import->label == NULL && import->certificate != NULL) {
        schsm_certificate_label(import->certificate, wish->label);
        import->label = wish->label;
    }
    return 1;
}

/* Before custodians type their passwords. */
static int check_has_dkek(struct schsm_device *device, struct schsm_error *err)
{
    struct schsm_hsm_domain domains[SCHSM_HSM_DOMAINS_MAX];
    size_t count = SCHSM_HSM_DOMAINS_MAX;

    if (!schsm_hsm_domains(device, domains, &count, err)) {
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (domains[i].complete || domains[i].sealed) {
            return 1;
        }
    }
    return count == 0 ? schsm_hsm_refuse_without_kek(device, err)
                      : schsm_fail(err, SCHSM_REASON_NOT_FOUND,
                                   "the device has no DKEK that is complete, so no key can be "
                                   "brought to it: 'sc-hsm dkek status' shows what is outstanding");
}

/* The DKEK, which has to be the device's; that is known before a PIN is asked for. */
static int read_dkek(struct schsm_tool *tool, struct schsm_device *device, struct wish *wish,
                     struct schsm_error *err)
{
    size_t count = 0;

    if (!check_has_dkek(device, err)) {
        return 0;
    }
    wish->dkek = schsm_share_files_combine(tool, &count, err);
    wish->import.dkek = wish->dkek;
    if (wish->dkek == NULL) {
        return 0;
    }
    if (schsm_import_check_dkek(tool->context.libctx, device, wish->dkek, err)) {
        return 1;
    }
    if (err->reason == SCHSM_REASON_WRONG_KEY) {
        schsm_fail_context(err, count == 1
                                    ? "the share given is not this device's only one"
                                    : "the shares given are not all of this device's, or others");
    }
    return 0;
}

static int report_import(const struct schsm_tool *tool, const struct wish *wish,
                         const struct schsm_match *match, size_t stored, struct schsm_error *err)
{
    const struct schsm_import *import = &wish->import;

    if (!schsm_object_report(tool, "Imported", match, NULL, err)) {
        return 0;
    }
    if (import->key != NULL && import->certificate == NULL &&
        EVP_PKEY_is_a(import->key, "RSA-PSS") == 1) {
        schsm_tell_note(tool,
                        "the key was restricted to RSA-PSS; devices know plain RSA alone, and "
                        "without a certificate nothing there tells the restriction: give the key's "
                        "certificate to keep it");
    }
    if (stored > 0 && !tool->json) {
        printf("%zu CA %s of its chain %s stored beside it.\n", stored,
               stored == 1 ? "certificate" : "certificates", stored == 1 ? "was" : "were");
    }
    return 1;
}

/* What a device cannot do at all is said before anybody looks for what it would take. Without a
 * device the command line is judged first. */
static int check_takes_keys(struct schsm_tool *tool, struct schsm_error *err)
{
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_device *device = NULL;

    return !schsm_tool_device(tool, &device, serial, &ignored) || schsm_hsm_wraps_keys(device, err);
}

static int run_import(struct schsm_tool *tool, struct schsm_error *err)
{
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_match match = { 0 };
    struct schsm_login login;
    struct wish wish = { 0 };
    size_t stored = 0;
    int ok = 0;

    if (!check_takes_keys(tool, err)) {
        return 0;
    }
    if (schsm_tool_setting(tool, "share") == NULL) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "the DKEK is needed to encrypt the key for the device: name the files of "
                          "all its shares with --share FILE");
    }
    ok = read_import_wish(tool, &wish, err) &&
         schsm_tool_device(tool, &match.device, serial, err) &&
         read_dkek(tool, match.device, &wish, err) &&
         schsm_tool_login(tool, match.device, "importing a key", &login, err) &&
         schsm_import_key(tool->context.libctx, match.device, &wish.import, &login, &match.object,
                          &stored, err) &&
         report_import(tool, &wish, &match, stored, err);
    schsm_match_clear(&match);
    wish_clear(&wish);
    return ok;
}

static const struct schsm_option import_options[] = {
    { .name = "share",
      .repeats = true,
      .argument = "FILE",
      .summary = "a share of the device's DKEK; to be given for each of them" },
    SCHSM_OPTIONS_SHARE_PASSWORDS,
    { .name = "file-password-source",
      .argument = "SRC",
      .summary = "the password of the key's file, likewise" },
    { .name = "type",
      .letter = 't',
      .argument = "TYPE",
      .summary = "aes: FILE has the bytes of an AES key; default: a private key" },
    { .name = "name",
      .argument = "NAME",
      .summary = "which of several keys in a PKCS#12 file: its friendly name" },
    { .name = "cert",
      .argument = "FILE",
      .summary = "the key's certificate, and its chain, where the key's file holds none" },
    { .name = "no-chain", .summary = "leave the chain's CA certificates out" },
    { .name = "label",
      .letter = 'l',
      .argument = "TEXT",
      .summary = "label; default: the certificate's name" },
    { .name = "id", .letter = 'i', .argument = "HEX", .summary = "object id; default: a free one" },
    { .name = "key-ref",
      .argument = "N",
      .summary = "the device's key reference, 1 to 255; default: the next free" },
    { .name = "algorithms",
      .argument = "LIST",
      .summary = "what the key may be used for; default: everything" },
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_import = {
    .name = "import",
    .synopsis = "FILE",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Import a private key from a file",
    .help =
        "Brings the RSA or EC key in FILE to the device: PEM, PKCS#8 also encrypted, PKCS#12 with "
        "its certificates, or OpenSSH's own format where it is not encrypted; with --type aes an "
        "AES key, whose 16, 24 or 32 bytes FILE has as they are. The key is encrypted here under "
        "the device's DKEK, as another "
        "device would wrap it, and unwrapped there. So the device must have a DKEK, and all its "
        "shares must be at hand as files; if they make another DKEK, nothing is changed and both "
        "key check values are told. Needs the PIN.\n"
        "A key that the device has already is refused, unless --id gives the second copy an id of "
        "its own. An AES key is compared by what the device's make of a random block, if they "
        "permit "
        "encryption or CMAC and have no use counter.\n"
        "The key's certificate is stored with it, those of its CAs beside it. Without one the "
        "device gets a request that the key signs itself, so that programs find its public part.\n"
        "FILE still holds the key, and so do its copies and backups: only what is made on the "
        "device has never been anywhere else. Destroy them if the device is to be the key's only "
        "home. 'sc-hsm attest' tells imported keys from others.\n"
        "LIST is the same as for keygen; a key whose list lacks wrap never leaves the device.\n"
        " sc-hsm import web.p12 --share dkek-1.pbe\n"
        " sc-hsm import key.pem --cert chain.pem --share dkek-1.pbe --share dkek-2.pbe --label "
        "web\n"
        " sc-hsm import key.pem --share dkek-1.pbe --password-source file:password --id 10\n"
        " sc-hsm import vault.key --type aes --share dkek-1.pbe --label vault\n",
    .options = import_options,
    .run = run_import,
};
