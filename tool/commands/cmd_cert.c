/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm cert export, delete; import is in cmd_cert_import.c. */
#include "tool/commands.h"

#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>

#include "keymgmt/file.h"
#include "tool/object.h"
#include "tool/out_file.h"

static int to_pem(const struct schsm_object *object, uint8_t **text, size_t *len,
                  struct schsm_error *err)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *bytes = NULL;

    if (out != NULL &&
        PEM_write_bio(out, PEM_STRING_X509, "", object->value, (long)object->value_len) > 0) {
        *len = (size_t)BIO_get_mem_data(out, &bytes);
        *text = OPENSSL_memdup(bytes, *len);
    }
    BIO_free(out);
    return *text != NULL ? 1 : schsm_fail_memory(err);
}

static int run_cert_export(struct schsm_tool *tool, struct schsm_error *err)
{
    const char *format = schsm_tool_setting(tool, "format");
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_match match = { 0 };
    uint8_t *pem = NULL;
    size_t pem_len = 0;
    bool der = format != NULL && strcmp(format, "der") == 0;
    int ok = 0;

    if (format != NULL && !der && strcmp(format, "pem") != 0) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "--format: '%.40s' is none of pem, der",
                          format);
    }
    ok = schsm_out_check_given(tool, err) &&
         schsm_tool_object(tool, tool->arguments[0], SCHSM_OBJECT_CERTIFICATE, &match, serial,
                           err) &&
         schsm_device_read(match.device, &match.object, NULL, err) &&
         (der || to_pem(&match.object, &pem, &pem_len, err));
    if (ok) {
        const struct schsm_content content = { .bytes = der ? match.object.value : pem,
                                               .len = der ? match.object.value_len : pem_len,
                                               .format = der ? "der" : "pem",
                                               .text = !der };

        ok = schsm_out_object(tool, &match, &content, err);
    }
    OPENSSL_free(pem);
    schsm_match_clear(&match);
    return ok;
}

static const struct schsm_option cert_export_options[] = {
    { "format", 'f', false, "FORMAT", "pem or der; default: pem", NULL },
    { "out", 'o', false, "FILE", "write to this file; default: standard output", NULL },
    SCHSM_OPTION_OVERWRITE,
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_cert_export = {
    .name = "cert export",
    .synopsis = "URI",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Write a certificate to a file",
    .help = "Writes the certificate that URI names, such as sc-hsm:id=10, or shorter id=10 or "
            "label=web. No PIN is needed. With --json the text, or DER in base64, is a part of "
            "what is printed.\n"
            " sc-hsm cert export label=web --out web.crt\n",
    .options = cert_export_options,
    .run = run_cert_export,
};

static int run_cert_delete(struct schsm_tool *tool, struct schsm_error *err)
{
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_match match = { 0 };
    int ok = schsm_tool_removable(tool, tool->arguments[0], SCHSM_OBJECT_CERTIFICATE, &match,
                                  serial, err) &&
             schsm_object_delete(tool, &match, serial,
                                 !match.object.authority ? SCHSM_CERTIFICATE_LOSS : "", err);

    schsm_match_clear(&match);
    return ok;
}

static const struct schsm_option cert_delete_options[] = { SCHSM_OPTION_YES, SCHSM_OPTIONS_END };

const struct schsm_command schsm_command_cert_delete = {
    .name = "cert delete",
    .synopsis = "URI",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Delete a certificate",
    .help = "Deletes the certificate that URI names, such as label=web, once the device's serial "
            "number was typed for confirmation. The key that it belongs to stays. But the device "
            "knows a key's public part from its certificate alone: write a key reference file "
            "first, with 'pubkey --format reference', or keep the certificate. To put a newer one "
            "in its place, use 'cert import --replace'.\n"
            " sc-hsm cert delete label=web\n",
    .options = cert_delete_options,
    .run = run_cert_delete,
};
