/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm csr, cert self-sign: what a key signs of itself, without an openssl.cnf. */
#include "tool/commands.h"

#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>

#include "keymgmt/certificate_plan.h"
#include "keymgmt/file.h"
#include "keymgmt/issue.h"
#include "tool/ask.h"
#include "tool/object.h"
#include "tool/out_file.h"
#include "tool/output.h"
#include "tool/subject.h"
#include "tool/target.h"

#define DAYS_MAX 36524 /* a hundred years */

/* What both commands need; to be cleared. */
struct application {
    struct schsm_match key;
    char serial[SCHSM_SERIAL_MAX + 1];
    char name[SCHSM_OBJECT_NAME_MAX]; /* the key's, which the login asks for */
    struct schsm_login login;
    struct schsm_issue issue;
    uint8_t *der, *pem;
    size_t der_len, pem_len;
};

static void clear_application(struct application *application)
{
    X509_NAME_free(application->issue.subject);
    GENERAL_NAMES_free(application->issue.names);
    OPENSSL_free(application->der);
    OPENSSL_free(application->pem);
    schsm_match_clear(&application->key);
}

/* All that can be wrong is told before the key is used. */
static int prepare(struct schsm_tool *tool, struct application *application,
                   struct schsm_error *err)
{
    struct schsm_issue *issue = &application->issue;
    const char *format = schsm_tool_setting(tool, "format");
    const char *subject = schsm_tool_setting(tool, "subject");

    if (subject == NULL) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "say whose it is to be, for example --subject /CN=www.example.org");
    }
    if (format != NULL && strcmp(format, "der") != 0 && strcmp(format, "pem") != 0) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "--format: '%.40s' is none of pem, der",
                          format);
    }
    issue->subject = schsm_subject_parse(subject, err);
    if (issue->subject == NULL || !schsm_subject_names(tool, &issue->names, err)) {
        return 0;
    }
    if (X509_NAME_entry_count(issue->subject) == 0 && issue->names == NULL) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "with an empty --subject at least one --san has to say whose it is");
    }
    issue->context = &tool->context;
    issue->key = &application->key;
    issue->login = &application->login;
    issue->pss = schsm_tool_flag(tool, "pss");
    if (!schsm_out_check_given(tool, err) ||
        !schsm_tool_object(tool, tool->arguments[0], SCHSM_OBJECT_PRIVATE, &application->key,
                           application->serial, err)) {
        return 0;
    }
    schsm_object_name(&application->key.object, application->name, sizeof(application->name));
    return schsm_tool_login(tool, application->key.device, application->name, &application->login,
                            err) &&
           schsm_device_read(application->key.device, &application->key.object, &application->login,
                             err);
}

static int to_pem(struct application *application, const char *type, struct schsm_error *err)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *bytes = NULL;

    if (out != NULL &&
        PEM_write_bio(out, type, "", application->der, (long)application->der_len) > 0) {
        application->pem_len = (size_t)BIO_get_mem_data(out, &bytes);
        application->pem = OPENSSL_memdup(bytes, application->pem_len);
    }
    BIO_free(out);
    return application->pem != NULL ? 1 : schsm_fail_memory(err);
}

static int write_application(struct schsm_tool *tool, struct application *application,
                             const char *type, struct schsm_error *err)
{
    const char *format = schsm_tool_setting(tool, "format");
    bool der = format != NULL && strcmp(format, "der") == 0;

    if (!der && !to_pem(application, type, err)) {
        return 0;
    }
    const struct schsm_content content = { .bytes = der ? application->der : application->pem,
                                           .len = der ? application->der_len : application->pem_len,
                                           .format = der ? "der" : "pem",
                                           .text = !der };

    return schsm_out_object(tool, &application->key, &content, err);
}

#define OPTION_SUBJECT                                                                             \
    {                                                                                              \
        "subject", 's', false, "NAME", "whose it is, such as /C=DE/O=Example/CN=web; needed", NULL \
    }
#define OPTION_SAN                                                                                 \
    {                                                                                              \
        "san", '\0', true, "NAME",                                                                 \
            "a name of the subject: DNS:NAME, IP:ADDRESS, email:ADDRESS or URI:URI", NULL          \
    }
#define OPTION_PSS                                                                                 \
    {                                                                                              \
        "pss", '\0', false, NULL, "an RSA key signs by PSS", NULL                                  \
    }
#define OPTION_FORMAT                                                                              \
    {                                                                                              \
        "format", 'f', false, "FORMAT", "pem or der; default: pem", NULL                           \
    }
#define OPTION_OUT                                                                                 \
    {                                                                                              \
        "out", 'o', false, "FILE", "write to this file; default: standard output", NULL            \
    }

#define HOW_KEYS_SIGN                                                                              \
    "RSA keys sign with SHA-256, by PSS with --pss or where the key permits nothing else; EC "     \
    "keys "                                                                                        \
    "with SHA-256, SHA-384 or SHA-512 by the length of their curve; Ed25519 and Ed448 keys of a "  \
    "Pico HSM as they are. NAME of --subject is written as for openssl's -subj; of --san there "   \
    "may be several.\n"

/* --- csr ----------------------------------------------------------------------------------- */

static int run_csr(struct schsm_tool *tool, struct schsm_error *err)
{
    struct application application = { .der = NULL };
    int ok = prepare(tool, &application, err) &&
             schsm_issue_request(&application.issue, &application.der, &application.der_len, err) &&
             write_application(tool, &application, PEM_STRING_X509_REQ, err);

    clear_application(&application);
    return ok;
}

static const struct schsm_option csr_options[] = {
    OPTION_SUBJECT,         OPTION_SAN,        OPTION_PSS, OPTION_FORMAT, OPTION_OUT,
    SCHSM_OPTION_OVERWRITE, SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_csr = {
    .name = "csr",
    .synopsis = "URI",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Make a certificate signing request for a key",
    .help = "Makes a request (PKCS#10) with which an authority issues a certificate for the key "
            "that URI names, such as sc-hsm:id=10, or shorter id=10 or label=web. The key signs "
            "it; no openssl.cnf is needed. 'cert import' stores the certificate that comes "
            "back.\n" HOW_KEYS_SIGN
            " sc-hsm csr label=web --subject \"/O=Example/CN=www.example.org\" --san "
            "DNS:www.example.org --san DNS:example.org --out web.csr\n",
    .options = csr_options,
    .run = run_csr,
};

/* --- cert self-sign ------------------------------------------------------------------------ */

static int confirm_replacement(const struct schsm_tool *tool, const struct application *application,
                               const struct schsm_certificate_plan *plan, struct schsm_error *err)
{
    char name[SCHSM_OBJECT_NAME_MAX], text[SCHSM_OBJECT_NAME_MAX + 256];

    schsm_object_name(&application->key.object, name, sizeof(name));
    (void)snprintf(text, sizeof(text),
                   "This puts the new certificate in the place of the one that %s has on the "
                   "device %s.",
                   name, application->serial);
    return !plan->replaces || schsm_tool_confirm(tool, application->serial, text, err);
}

static int store_beside_key(struct schsm_tool *tool, struct application *application,
                            struct schsm_error *err)
{
    const unsigned char *at = application->der;
    X509 *certificate = X509_new_ex(tool->context.libctx, NULL);
    const struct schsm_certificate_wishes wishes = { .context = &tool->context,
                                                     .path = "the new certificate",
                                                     .certificates = &certificate,
                                                     .count = 1,
                                                     .device = application->key.device,
                                                     .serial = application->serial,
                                                     .key = &application->key,
                                                     .key_login = &application->login,
                                                     .replace = schsm_tool_flag(tool, "replace") };
    struct schsm_certificate_plan plan = { .count = 0 };
    int ok =
        ((certificate != NULL && d2i_X509(&certificate, &at, (long)application->der_len) != NULL) ||
         schsm_fail_memory(err)) &&
        schsm_certificates_plan(&wishes, &plan, err) &&
        confirm_replacement(tool, application, &plan, err) &&
        (plan.items[0].present ||
         schsm_certificate_store(&plan, &plan.items[0], &application->login, err));

    schsm_certificate_plan_clear(&plan);
    X509_free(certificate);
    return ok;
}

static int run_cert_self_sign(struct schsm_tool *tool, struct schsm_error *err)
{
    struct application application = { .der = NULL };
    bool store = schsm_tool_flag(tool, "store");
    int64_t days = 0;
    int ok = 0;

    if (!schsm_tool_number(tool, "days", 1, DAYS_MAX, &days, err)) {
        return 0;
    }
    if (days == 0) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "say for how long it is to be good, for example --days 365");
    }
    application.issue.days = (unsigned int)days;
    application.issue.authority = schsm_tool_flag(tool, "ca");
    ok = prepare(tool, &application, err) &&
         schsm_issue_self_signed(&application.issue, &application.der, &application.der_len, err) &&
         (!store || store_beside_key(tool, &application, err));
    if (ok && store && !schsm_tool_flag(tool, "out")) {
        application.key.object.type = SCHSM_OBJECT_CERTIFICATE;
        OPENSSL_free(application.key.object.value);
        application.key.object.value = application.der;
        application.key.object.value_len = application.der_len;
        application.der = NULL;
        ok = schsm_object_report(tool, "Stored", &application.key, NULL, err);
    } else if (ok) {
        ok = write_application(tool, &application, PEM_STRING_X509, err);
    }
    clear_application(&application);
    return ok;
}

static const struct schsm_option self_sign_options[] = {
    OPTION_SUBJECT,
    OPTION_SAN,
    { "days", 'd', false, "N", "for how long it is good; needed", NULL },
    { "ca", '\0', false, NULL, "an authority's: it may sign other certificates", NULL },
    OPTION_PSS,
    { "store", '\0', false, NULL, "store it beside its key", NULL },
    { "replace", '\0', false, NULL, "in the place of the certificate that the key has", NULL },
    OPTION_FORMAT,
    OPTION_OUT,
    SCHSM_OPTION_OVERWRITE,
    SCHSM_OPTION_YES,
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_cert_self_sign = {
    .name = "cert self-sign",
    .synopsis = "URI",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Make a self-signed certificate of a key",
    .help = "Makes a certificate (X.509) of the key that URI names, signed by itself: for tests, "
            "or with --ca an authority's. It begins now, and has basic constraints, key usage and "
            "the key's identifier. With --store it stands beside its key on the device, in the "
            "place of the request that the device made with the key; the place of another "
            "certificate is taken only with --replace, once you have typed the device's serial "
            "number, or at once with --yes.\n" HOW_KEYS_SIGN
            " sc-hsm cert self-sign label=root --subject \"/CN=Example Root\" --days 3650 --ca "
            "--store --out root.crt\n",
    .options = self_sign_options,
    .run = run_cert_self_sign,
};
