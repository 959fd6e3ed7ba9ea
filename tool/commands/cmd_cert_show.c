/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm cert show: what a certificate says, and which key it belongs to. */
#include "tool/commands.h"

#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "keymgmt/certificate.h"
#include "tool/certificate_view.h"
#include "tool/object.h"
#include "tool/output.h"

#define FINGERPRINT_LEN 32 /* SHA-256 */
#define KEY_TEXT_MAX 128
#define NAMES_MAX 256 /* of alternative names that are shown */

/* What is shown beside the view that lists have. */
struct details {
    struct schsm_certificate_view view;
    char *names[NAMES_MAX]; /* subject alternative names, as "DNS:www.example.org" */
    size_t name_count;
    char *number;           /* the serial number in hex; NULL: unreadable */
    char key[KEY_TEXT_MAX]; /* "" where its kind is not known */
    uint8_t fingerprint[FINGERPRINT_LEN];
    bool has_key; /* on the device, and: */
    char *key_uri;
};

static void clear_details(struct details *details)
{
    schsm_certificate_view_clear(&details->view);
    for (size_t i = 0; i < details->name_count; i++) {
        OPENSSL_free(details->names[i]);
    }
    OPENSSL_free(details->number);
    OPENSSL_free(details->key_uri);
}

static char *text_of_name(GENERAL_NAME *name)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *bytes = NULL, *text = NULL;

    if (out != NULL && GENERAL_NAME_print(out, name) > 0) {
        long len = BIO_get_mem_data(out, &bytes);

        text = OPENSSL_strndup(bytes, (size_t)len);
    }
    BIO_free(out);
    return text;
}

static int read_names(X509 *certificate, struct details *details, struct schsm_error *err)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    int ok = 1;

    for (int i = 0; ok && i < sk_GENERAL_NAME_num(names) && details->name_count < NAMES_MAX; i++) {
        char *text = text_of_name(sk_GENERAL_NAME_value(names, i));

        ok = text != NULL || schsm_fail_memory(err);
        if (ok) {
            details->names[details->name_count++] = text;
        }
    }
    GENERAL_NAMES_free(names);
    return ok;
}

static void describe_public_key(X509 *certificate, char text[KEY_TEXT_MAX])
{
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    const char *type = key != NULL ? EVP_PKEY_get0_type_name(key) : NULL;
    char group[64];
    size_t len = 0;

    if (type == NULL) {
        return;
    }
    if (EVP_PKEY_get_group_name(key, group, sizeof(group), &len) == 1) {
        (void)snprintf(text, KEY_TEXT_MAX, "%s %d, %s", type, EVP_PKEY_get_bits(key), group);
    } else {
        (void)snprintf(text, KEY_TEXT_MAX, "%s %d", type, EVP_PKEY_get_bits(key));
    }
}

/* One beside its key belongs to that; of any other the public key tells. */
static int look_for_key(struct schsm_tool *tool, const struct schsm_match *match, X509 *certificate,
                        struct details *details, struct schsm_error *err)
{
    struct schsm_match key = { .device = match->device };
    size_t unknown = 0;

    if (match->object.key_ref >= 0) {
        key.object = match->object;
        key.object.value = NULL;
        key.object.type = SCHSM_OBJECT_PRIVATE;
        details->has_key = true;
    } else if (X509_get0_pubkey(certificate) != NULL &&
               !schsm_certificate_find_key(&tool->context, match->device, certificate, &key.object,
                                           &details->has_key, &unknown, err)) {
        return 0;
    }
    if (details->has_key) {
        details->key_uri = schsm_match_uri(&key, true, err);
    }
    schsm_match_clear(&key);
    return !details->has_key || details->key_uri != NULL;
}

static int read_details(struct schsm_tool *tool, const struct schsm_match *match,
                        struct details *details, struct schsm_error *err)
{
    X509 *certificate = X509_new_ex(tool->context.libctx, NULL);
    const unsigned char *der = match->object.value;
    BIGNUM *number = NULL;
    int ok = 0;

    if (certificate == NULL) {
        return schsm_fail_memory(err);
    }
    if (d2i_X509(&certificate, &der, (long)match->object.value_len) == NULL) {
        certificate = NULL; /* it was freed */
        schsm_fail(err, SCHSM_REASON_DEVICE_DATA,
                   "the certificate is damaged; 'cert export --format der' writes what is there");
        goto done;
    }
    number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
    details->number = number != NULL ? BN_bn2hex(number) : NULL;
    describe_public_key(certificate, details->key);
    if (!EVP_Q_digest(tool->context.libctx, "SHA256", NULL, match->object.value,
                      match->object.value_len, details->fingerprint, NULL)) {
        schsm_fail(err, SCHSM_REASON_CRYPTO, "the fingerprint cannot be computed");
        goto done;
    }
    ok = schsm_certificate_view(certificate, &details->view, err) &&
         read_names(certificate, details, err) &&
         look_for_key(tool, match, certificate, details, err);

done:
    BN_free(number);
    X509_free(certificate);
    ERR_clear_error();
    return ok;
}

static int print_details_json(const struct schsm_tool *tool, const struct schsm_match *match,
                              const struct details *details, const char *uri,
                              struct schsm_error *err)
{
    json_t *json = schsm_object_json(tool, &match->object, NULL, uri), *names = json_array();

    for (size_t i = 0; i < details->name_count; i++) {
        schsm_json_append(&names, schsm_json_text(details->names[i]));
    }
    /* These take the value over, also where they fail. */
    if (json_object_set_new(json, "names", names) != 0 ||
        json_object_set_new(json, "serial_number",
                            schsm_json_text(details->number != NULL ? details->number : "")) != 0 ||
        json_object_set_new(json, "public_key", schsm_json_text(details->key)) != 0 ||
        json_object_set_new(json, "sha256",
                            schsm_json_hex(details->fingerprint, FINGERPRINT_LEN)) != 0 ||
        json_object_set_new(
            json, "key", details->has_key ? schsm_json_text(details->key_uri) : json_null()) != 0) {
        json_decref(json);
        return schsm_fail_memory(err);
    }
    return schsm_json_print(json, err);
}

static void add_fingerprint(struct schsm_table *table, const uint8_t *bytes)
{
    char text[3 * FINGERPRINT_LEN];

    for (size_t i = 0; i < FINGERPRINT_LEN; i++) {
        (void)snprintf(text + 3 * i, sizeof(text) - 3 * i, "%02X", bytes[i]);
        text[3 * i + 2] = i + 1 < FINGERPRINT_LEN ? ':' : '\0';
    }
    schsm_table_row(table, "SHA-256:", "%s", text);
}

static int print_details(const struct details *details, const char *uri, struct schsm_error *err)
{
    const struct schsm_certificate_view *view = &details->view;
    struct schsm_table table;

    schsm_table_init(&table, 2, NULL);
    schsm_table_fit(&table, 1, SCHSM_FIT_WRAP);
    schsm_table_add(&table, "Subject:");
    schsm_table_add(&table, view->subject);
    schsm_table_add(&table, "Issuer:");
    schsm_table_add(&table, view->issuer);
    schsm_table_row(&table, "Valid from:", "%s",
                    view->not_before[0] != '\0' ? view->not_before : "unreadable");
    schsm_table_add(&table, "Until:");
    schsm_certificate_add_end(&table, view);
    for (size_t i = 0; i < details->name_count; i++) {
        schsm_table_add(&table, i == 0 ? "Names:" : "");
        schsm_table_add(&table, details->names[i]);
    }
    schsm_table_row(&table, "Serial number:", "%s",
                    details->number != NULL ? details->number : "unreadable");
    schsm_table_row(&table, "Public key:", "%s",
                    details->key[0] != '\0' ? details->key : "of a kind that is not known");
    add_fingerprint(&table, details->fingerprint);
    schsm_table_add(&table, "Its key:");
    schsm_table_add(&table, details->has_key ? details->key_uri : "not on this device");
    schsm_table_add(&table, "URI:");
    schsm_table_add(&table, uri);
    return schsm_table_print(&table, err);
}

static int run_cert_show(struct schsm_tool *tool, struct schsm_error *err)
{
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_match match = { 0 };
    struct details details = { .name_count = 0 };
    char *uri = NULL;
    int ok = 0;

    if (!schsm_tool_object(tool, tool->arguments[0], SCHSM_OBJECT_CERTIFICATE, &match, serial,
                           err) ||
        !schsm_device_read(match.device, &match.object, NULL, err) ||
        !read_details(tool, &match, &details, err)) {
        goto done;
    }
    uri = schsm_match_uri(&match, true, err);
    ok = uri != NULL && (tool->json ? print_details_json(tool, &match, &details, uri, err)
                                    : print_details(&details, uri, err));

done:
    OPENSSL_free(uri);
    clear_details(&details);
    schsm_match_clear(&match);
    return ok;
}

const struct schsm_command schsm_command_cert_show = {
    .name = "cert show",
    .synopsis = "URI",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Show what a certificate says",
    .help = "Shows the certificate that URI names, such as sc-hsm:id=10, or shorter id=10 or "
            "label=web: subject, issuer, validity, alternative names, public key, SHA-256 "
            "fingerprint, and the key on the device that it belongs to. No PIN is needed, and "
            "nothing is verified.\n"
            " sc-hsm cert show label=web\n",
    .run = run_cert_show,
};
