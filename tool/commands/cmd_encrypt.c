/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm encrypt, decrypt: files, with an AES key on the device. */
#include "tool/commands.h"

#include <string.h>

#include <openssl/crypto.h>

#include "keymgmt/encrypted_file.h"
#include "tool/out_file.h"
#include "tool/secret_key_use.h"

#define BLOCK SCHSM_AES_BLOCK
#define PIECE SCHSM_CIPHER_MAX

/* What --mechanism says; names as in pkcs11-tool. */
struct mechanism {
    bool cms; /* an authenticated file, the default; else CBC with --iv */
    bool pads;
    uint8_t iv[BLOCK];
};

static int read_mechanism(const struct schsm_tool *tool, struct mechanism *mechanism,
                          struct schsm_error *err)
{
    const char *name = schsm_tool_setting(tool, "mechanism"), *iv = schsm_tool_setting(tool, "iv");

    memset(mechanism, 0, sizeof(*mechanism));
    if (name == NULL || strcmp(name, "cms") == 0) {
        mechanism->cms = true;
        return iv == NULL || schsm_fail(err, SCHSM_REASON_ARGUMENT,
                                        "--iv is for --mechanism aes-cbc and aes-cbc-pad: a CMS "
                                        "file has a random one in it");
    }
    mechanism->pads = strcmp(name, "aes-cbc-pad") == 0;
    if (!mechanism->pads && strcmp(name, "aes-cbc") != 0) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "--mechanism: '%.40s' is not cms, aes-cbc or aes-cbc-pad", name);
    }
    return iv != NULL ? schsm_tool_hex("iv", iv, mechanism->iv, BLOCK, err)
                      : schsm_fail(err, SCHSM_REASON_ARGUMENT,
                                   "CBC needs an initialisation vector: --iv with 32 hexadecimal "
                                   "digits, never the same twice");
}

/* PKCS#7: as many bytes of their number as make whole blocks, one at least. */
static size_t pad(uint8_t *data, size_t len)
{
    size_t more = BLOCK - len % BLOCK;

    memset(data + len, (int)more, more);
    return len + more;
}

static int fail_blocks(struct schsm_error *err)
{
    return schsm_fail(err, SCHSM_REASON_BAD_INPUT,
                      "aes-cbc takes whole blocks of %u bytes: the data is no multiple of that; "
                      "aes-cbc-pad fills the last one up",
                      BLOCK);
}

static int encrypt_cbc(struct schsm_key_use *use, struct mechanism *mechanism,
                       struct schsm_error *err)
{
    uint8_t plain[PIECE + BLOCK], encrypted[PIECE + BLOCK];
    bool end = false;
    int ok = 1;

    while (ok && !end) {
        size_t len = PIECE;

        ok = use->in.read(use->in.arg, plain, &len, err);
        end = len < PIECE;
        if (ok && end && mechanism->pads) {
            len = pad(plain, len);
        }
        if (ok && len % BLOCK != 0) {
            ok = fail_blocks(err);
        }
        ok = ok &&
             schsm_secret_key_cbc(&use->key, true, mechanism->iv, plain, len, encrypted, err) &&
             use->out.write(use->out.arg, encrypted, len, err);
    }
    OPENSSL_cleanse(plain, sizeof(plain));
    return ok;
}

/* The padding of the last block; *len becomes that of the data before it. */
static int strip_padding(const uint8_t *plain, size_t *len, struct schsm_error *err)
{
    uint8_t more = plain[*len - 1], wrong = more == 0 || more > BLOCK;

    for (size_t i = 1; i <= BLOCK; i++) {
        wrong |= (uint8_t)(i <= more && plain[*len - i] != more);
    }
    if (wrong != 0) {
        return schsm_fail(err, SCHSM_REASON_BAD_INPUT,
                          "there is no padding at the end: another key encrypted it, or without "
                          "padding (--mechanism aes-cbc), or it was changed");
    }
    *len -= more;
    return 1;
}

/* One piece is always read ahead: only the last one has padding. */
static int decrypt_cbc(struct schsm_key_use *use, struct mechanism *mechanism,
                       struct schsm_error *err)
{
    uint8_t pieces[2][PIECE], plain[PIECE];
    size_t lens[2] = { PIECE, 0 };
    int now = 0, ok = use->in.read(use->in.arg, pieces[0], &lens[0], err);

    if (ok && mechanism->pads && lens[0] == 0) {
        return schsm_fail(err, SCHSM_REASON_BAD_INPUT,
                          "there is nothing to decrypt: with padding there is one block at least");
    }
    while (ok && lens[now] > 0) {
        size_t len = lens[now];
        int next = 1 - now;

        lens[next] = PIECE;
        if (len < PIECE) {
            lens[next] = 0;
        } else {
            ok = use->in.read(use->in.arg, pieces[next], &lens[next], err);
        }
        if (ok && len % BLOCK != 0) {
            ok = schsm_fail(err, SCHSM_REASON_BAD_INPUT,
                            "CBC makes whole blocks of %u bytes: the data is no multiple of that, "
                            "so it is something else, or was cut off",
                            BLOCK);
        }
        ok = ok &&
             schsm_secret_key_cbc(&use->key, false, mechanism->iv, pieces[now], len, plain, err);
        if (ok && mechanism->pads && lens[next] == 0) {
            ok = strip_padding(plain, &len, err);
        }
        ok = ok && use->out.write(use->out.arg, plain, len, err);
        now = next;
    }
    OPENSSL_cleanse(plain, sizeof(plain));
    return ok;
}

static int run_both(struct schsm_tool *tool, bool encrypt, struct schsm_error *err)
{
    OSSL_LIB_CTX *libctx = tool->context.libctx;
    struct schsm_key_use use = { .reader = NULL };
    struct mechanism mechanism;
    int ok = 0;

    if (!read_mechanism(tool, &mechanism, err) || !schsm_out_check(tool, err)) {
        return 0;
    }
    if (!schsm_key_use_begin(tool, &use, err) ||
        !schsm_key_use_in(tool, &use, encrypt ? "encrypts" : "decrypts", err) ||
        !schsm_key_use_out(tool, &use, encrypt ? SCHSM_FILE_FOR_ALL : SCHSM_FILE_FOR_OWNER, err)) {
        goto done;
    }
    if (mechanism.cms) {
        ok = encrypt ? schsm_encrypt_file(libctx, &use.key, &use.in, &use.out, err)
                     : schsm_decrypt_file(libctx, &use.key, &use.in, &use.out, err);
    } else {
        ok = encrypt ? encrypt_cbc(&use, &mechanism, err) : decrypt_cbc(&use, &mechanism, err);
    }
    if (!ok) {
        schsm_fail_context(err, "%s",
                           tool->argument_count > 1 ? tool->arguments[1] : "standard input");
    }
    ok = ok && schsm_key_use_commit(tool, &use, encrypt ? "Encrypted" : "Decrypted",
                                    encrypt ? use.bytes : use.written, err);

done:
    schsm_key_use_end(&use);
    return ok;
}

static int run_encrypt(struct schsm_tool *tool, struct schsm_error *err)
{
    return run_both(tool, true, err);
}

static int run_decrypt(struct schsm_tool *tool, struct schsm_error *err)
{
    return run_both(tool, false, err);
}

static const struct schsm_option encrypt_options[] = {
    SCHSM_OPTION_OUT,
    SCHSM_OPTION_OVERWRITE,
    { "mechanism", 'm', false, "NAME", "cms, aes-cbc or aes-cbc-pad; default: cms", NULL },
    { "iv", '\0', false, "HEX", "aes-cbc, aes-cbc-pad: the initialisation vector", NULL },
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_encrypt = {
    .name = "encrypt",
    .synopsis = "URI [FILE]",
    .arguments_min = 1,
    .arguments_max = 2,
    .summary = "Encrypt a file with an AES key on the device",
    .help =
        "Encrypts FILE, or standard input, with the AES key that URI names, into the file of "
        "--out: whole or not at all. Needs the PIN.\n"
        "The file is CMS (AuthEnvelopedData): its content is encrypted on this computer with "
        "AES-256-GCM and a random key of its own, and that key by the key on the device (AES key "
        "wrap). So a file of any size takes the device 25 small commands, and as many uses of a "
        "key with a use counter; the device must permit aes-cbc-encrypt. Who changes the file is "
        "found out. Whoever else holds the key, because it was imported from a file, opens it with "
        "OpenSSL from 3.0 on: openssl cms -decrypt -inform DER -in FILE -secretkey HEX.\n"
        "With --mechanism aes-cbc all data goes through the device and nothing but the encrypted "
        "blocks is written, for those who know what they do: nobody notices a change, and the "
        "initialisation vector has to be kept and never used twice. The data must be whole blocks "
        "of 16 bytes; aes-cbc-pad fills the last one up, as 'openssl enc' does. 100 MB take a real "
        "device hours.\n"
        " sc-hsm keygen --type aes:256 --label vault\n"
        " sc-hsm encrypt label=vault report.pdf --out report.pdf.cms\n"
        " tar c folder | sc-hsm encrypt label=vault --out folder.tar.cms\n"
        " sc-hsm encrypt id=10 blocks --mechanism aes-cbc --iv "
        "000102030405060708090a0b0c0d0e0f --out blocks.enc\n",
    .options = encrypt_options,
    .run = run_encrypt,
};

const struct schsm_command schsm_command_decrypt = {
    .name = "decrypt",
    .synopsis = "URI [FILE]",
    .arguments_min = 1,
    .arguments_max = 2,
    .summary = "Decrypt a file with an AES key on the device",
    .help =
        "Decrypts FILE, or standard input, which 'encrypt' wrote, with the AES key that URI names, "
        "into the file of --out, which only you can read: whole or not at all. Needs the PIN, and "
        "a key that permits aes-cbc-decrypt.\n"
        "Nothing is handed out before the whole file was found unchanged. So with --out - the "
        "encrypted content is kept in a temporary file without a name (in TMPDIR) until then.\n"
        "Files of other programs are read as well: CMS AuthEnvelopedData in DER or BER with "
        "AES-GCM for an AES key, such as 'openssl cms -encrypt -aes-256-gcm -secretkey HEX "
        "-secretkeyid ID -outform DER -binary' writes. The ID is to be the key's id here; where it "
        "is not, each recipient is tried.\n"
        "--mechanism and --iv are those of 'encrypt'. Then nothing tells whether the data was "
        "changed.\n"
        " sc-hsm decrypt label=vault report.pdf.cms --out report.pdf\n"
        " sc-hsm decrypt label=vault folder.tar.cms --out - | tar x\n",
    .options = encrypt_options,
    .run = run_decrypt,
};
