/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm keygen: a new key on the device. */
#include "tool/commands.h"

#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>

#include "format/curve.h"
#include "keymgmt/algorithm.h"
#include "keymgmt/file.h"
#include "tool/domain.h"
#include "tool/key_format.h"
#include "tool/object.h"
#include "tool/out_file.h"
#include "tool/progress.h"
#include "tool/target.h"

/* What the command line asks for; spec points into the rest. */
struct wish {
    struct schsm_generate spec;
    uint8_t id[SCHSM_ID_MAX];
    uint8_t algorithms[SCHSM_ALGORITHMS_MAX];
    const char *file; /* NULL: none */
};

static int read_keygen_policy(const struct schsm_tool *tool, struct wish *wish,
                              struct schsm_error *err)
{
    struct schsm_generate *spec = &wish->spec;
    const char *algorithms = schsm_tool_setting(tool, "algorithms");
    int64_t count = 0, domain = -1;

    if (!schsm_tool_number(tool, "use-count", 1, 0xFFFFFFFE, &count, err) ||
        !schsm_tool_number(tool, "key-domain", 0, 255, &domain, err)) {
        return 0;
    }
    spec->use_count = (uint32_t)count;
    spec->has_key_domain = domain >= 0;
    spec->key_domain = domain >= 0 ? (unsigned int)domain : 0;
    if (algorithms == NULL) {
        return 1;
    }
    spec->algorithms = wish->algorithms;
    return schsm_algorithms_parse(algorithms, spec->type, wish->algorithms, &spec->algorithms_len,
                                  err);
}

static int read_keygen_wish(const struct schsm_tool *tool, struct wish *wish,
                            struct schsm_error *err)
{
    struct schsm_generate *spec = &wish->spec;
    const char *type = schsm_tool_setting(tool, "type");
    int64_t key_ref = -1;

    memset(wish, 0, sizeof(*wish));
    wish->file = schsm_tool_setting(tool, "out");
    if (type == NULL) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "say what key to make, for example --type rsa:2048 or --type ec:P-256");
    }
    if (!schsm_key_type_parse(type, spec, err) ||
        !schsm_tool_new_name(tool, wish->id, &spec->id_len, &spec->label, err) ||
        !schsm_tool_number(tool, "key-ref", 1, 255, &key_ref, err) ||
        !read_keygen_policy(tool, wish, err)) {
        return 0;
    }
    spec->key_ref = (int)key_ref;
    spec->id = spec->id_len > 0 ? wish->id : NULL;
    if (spec->type == SCHSM_KEY_AES && wish->file != NULL) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "--out: an AES key has no key reference file; openssl cannot use it");
    }
    return 1;
}

/* The file must not fail after the key was made. */
static int check_file(const struct schsm_tool *tool, struct schsm_error *err)
{
    return schsm_out_check_given(tool, err) || schsm_fail_context(err, "no key was made");
}

static int write_reference_file(struct schsm_tool *tool, const struct schsm_match *match,
                                const char *path, struct schsm_error *err)
{
    uint8_t *text = NULL;
    size_t len = 0;
    int ok = schsm_key_format(tool, match, "reference", &text, &len, err) &&
             schsm_file_write(path, SCHSM_FILE_FOR_ALL, schsm_tool_flag(tool, "overwrite"), text,
                              len, err);

    OPENSSL_free(text);
    if (!ok) {
        schsm_fail_context(err,
                           "the key was made and is listed as key-ref %d, but its file was not "
                           "written; 'sc-hsm pubkey --format reference' writes it",
                           match->object.key_ref);
    }
    return ok;
}

/* The PIN is proven first, so that nobody types it behind a line of progress. */
static int generate(struct schsm_tool *tool, const struct wish *wish, const char *serial,
                    struct schsm_match *match, struct schsm_error *err)
{
    const char *type = schsm_tool_setting(tool, "type");
    struct schsm_progress *progress = NULL;
    struct schsm_login login;
    char what[96];
    int ok = 0;

    if ((wish->spec.has_key_domain &&
         !schsm_key_domain_check(match->device, wish->spec.key_domain, err)) ||
        !schsm_tool_login(tool, match->device, "new key", &login, err) ||
        !schsm_device_login(match->device, &login, err)) {
        return 0;
    }
    BIO_snprintf(what, sizeof(what), "Device %s makes a key (%.32s)", serial, type);
    progress = schsm_progress_start(what);
    ok = schsm_device_generate(match->device, &wish->spec, &login, &match->object, err);
    schsm_progress_stop(progress);
    return ok;
}

static int run_keygen(struct schsm_tool *tool, struct schsm_error *err)
{
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_match match = { 0 };
    struct wish wish;
    bool on_stdout = false;
    int ok = 0;

    if (!read_keygen_wish(tool, &wish, err) || !check_file(tool, err) ||
        !schsm_tool_device(tool, &match.device, serial, err) ||
        !generate(tool, &wish, serial, &match, err)) {
        goto done;
    }
    on_stdout = wish.file != NULL && schsm_file_is_stdout(wish.file);
    ok = (wish.file == NULL || write_reference_file(tool, &match, wish.file, err)) &&
         (on_stdout || schsm_object_report(tool, "Made", &match, wish.file, err));
    if (ok && schsm_tool_setting(tool, "label") != NULL) {
        schsm_object_note_label(tool, match.device, serial, &match.object);
    }

done:
    schsm_match_clear(&match);
    return ok;
}

static const struct schsm_option keygen_options[] = {
    { "type", 't', false, "TYPE", "rsa:BITS, ec:CURVE, aes:BITS, ed25519, ...; needed", NULL },
    { "id", 'i', false, "HEX", "object id; default: a free one", NULL },
    { "label", 'l', false, "TEXT", "label; default: none", NULL },
    { "key-ref", '\0', false, "N", "the device's key reference, 1 to 255; default: the next free",
      NULL },
    { "algorithms", '\0', false, "LIST", "what the key may be used for; default: everything",
      NULL },
    { "use-count", '\0', false, "N", "how often it may be used; default: without limit", NULL },
    { "key-domain", '\0', false, "N", "the key domain it belongs to; default: 0", NULL },
    { "out", 'o', false, "FILE", "write the key reference file; - for standard output", NULL },
    SCHSM_OPTION_OVERWRITE,
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_keygen = {
    .name = "keygen",
    .synopsis = "",
    .summary = "Make a key on the device",
    .help =
        "Makes a key pair or an AES key on the device, where it stays: no command reads it out. An "
        "RSA key takes the device from seconds to minutes; do not pull it out meanwhile.\n"
        "TYPE is rsa:1024, rsa:1536, rsa:2048, rsa:3072, rsa:4096, ec:CURVE with a curve such as "
        "P-256, P-384, P-521, secp256k1 or brainpoolP256r1, or aes:128, aes:192, aes:256. A Pico "
        "HSM "
        "has ed25519, ed448, x25519 and x448 as well, a SmartCard-HSM has not. Older "
        "devices make RSA keys up to 2048 bits, curves up to 320 bits and no AES keys. A PKCS#11 "
        "token may make RSA keys of other sizes, such as rsa:8192.\n"
        "With --out the key reference file is written, which stands for the key wherever OpenSSL "
        "reads a private key: nginx, curl, openssl req. It holds no secret. 'pubkey --format "
        "reference' writes it later as well.\n"
        "LIST says once and for all what the key may be used for: names or the ids of the device "
        "in hex, with commas between them. For RSA: rsa-sign-raw (20), rsa-decrypt-raw (21), "
        "rsa-pkcs1 (30), rsa-pkcs1-sha256 (33), rsa-pss (40), rsa-pss-sha256 (43) and the like; "
        "for EC: ecdsa (70), ecdsa-sha256 (73) and the like, ecdh (80), derive-ec (98); for "
        "Ed25519 and Ed448 eddsa (70), for X25519 and X448 xdh (80); for AES: "
        "aes-cbc-encrypt (10), aes-cbc-decrypt (11), aes-cmac (18), derive (99); for all: wrap "
        "(92). A key with a list that lacks wrap can never leave the device, not even encrypted "
        "for a backup. A name that there is not is answered with all there are.\n"
        "A key with --use-count is of no use after so many signatures or decryptions.\n"
        " sc-hsm keygen --type ec:P-256 --label web --out web.pem\n"
        " sc-hsm keygen --type rsa:2048 --id 10 --label mail --algorithms "
        "rsa-sign-raw,rsa-decrypt-raw\n"
        " sc-hsm keygen --type aes:256 --label vault\n",
    .options = keygen_options,
    .run = run_keygen,
};
