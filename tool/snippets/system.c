/* SPDX-License-Identifier: Apache-2.0 */
/* What the machine needs: OpenSSL's sections, the right to use the device, a service's drop-in. */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "tool/snippet.h"

static void write_setting(struct schsm_snippet *snippet, const char *name, const char *value)
{
    if (value != NULL) {
        BIO_printf(snippet->out, "%s = %s\n", name,
                   schsm_snippet_quote(snippet, SCHSM_QUOTE_OPENSSL, value));
    }
}

void schsm_snippet_openssl(struct schsm_snippet *snippet)
{
    BIO_puts(
        snippet->out,
        "# For openssl.cnf, by 'sc-hsm config openssl': the first line to its head, before any\n"
        "# section, the sections anywhere; what is there already of them is one with these.\n"
        "openssl_conf = openssl_init\n\n"
        "[openssl_init]\nproviders = provider_sect\n\n"
        "[provider_sect]\ndefault = default_sect\nsc-hsm = sc_hsm_sect\n\n"
        "[default_sect]\nactivate = 1\n\n"
        "[sc_hsm_sect]\n");
    write_setting(snippet, "module", snippet->module);
    BIO_puts(snippet->out, "activate = 1\n");
    if (snippet->serial == NULL && snippet->token == NULL) {
        BIO_puts(snippet->out, "# serial: no device is connected that could be named here\n");
    }
    write_setting(snippet, "pkcs11-module", snippet->pkcs11);
    write_setting(snippet, snippet->serial != NULL ? "serial" : "token",
                  snippet->serial != NULL ? snippet->serial : snippet->token);
    write_setting(snippet, "pin-source", snippet->pin_source);
    BIO_puts(snippet->out, "# for servers with workers that give up root, and for a device that is "
                           "pulled and put back\n"
                           "cache-pin = yes\n");
}

void schsm_snippet_polkit(struct schsm_snippet *snippet)
{
    BIO_printf(
        snippet->out,
        "// /etc/polkit-1/rules.d/60-sc-hsm.rules, by 'sc-hsm config polkit': pcscd that was\n"
        "// built with polkit lets this user in.\n"
        "polkit.addRule(function(action, subject) {\n"
        "    if ((action.id == \"org.debian.pcsc-lite.access_pcsc\" ||\n"
        "         action.id == \"org.debian.pcsc-lite.access_card\") &&\n"
        "        subject.user == %s) {\n"
        "        return polkit.Result.YES;\n"
        "    }\n"
        "});\n",
        schsm_snippet_quote(snippet, SCHSM_QUOTE_JAVASCRIPT, snippet->user));
}

/* A variable that this shell has and the service would not. */
static void write_environment(struct schsm_snippet *snippet, const char *name)
{
    const char *value = secure_getenv(name);

    if (value != NULL && *value != '\0') {
        size_t size = strlen(name) + strlen(value) + 2;
        char *both = OPENSSL_malloc(size);

        if (both != NULL) {
            BIO_snprintf(both, size, "%s=%s", name, value);
        }
        BIO_printf(
            snippet->out, "Environment=%s\n",
            schsm_snippet_quote(snippet, SCHSM_QUOTE_SYSTEMD, schsm_snippet_keep(snippet, both)));
    }
}

void schsm_snippet_systemd(struct schsm_snippet *snippet)
{
    const char *service = snippet->service != NULL ? snippet->service : "NAME";

    BIO_printf(snippet->out,
               "# /etc/systemd/system/%s.service.d/sc-hsm.conf, by 'sc-hsm config systemd': root "
               "keeps the\n"
               "# PIN in that file (mode 600), and the service alone gets it. With it goes\n"
               "# 'pin-source = credential:" SCHSM_SNIPPET_CREDENTIAL
               "' in [sc_hsm_sect] of openssl.cnf.\n"
               "[Unit]\nWants=pcscd.socket\nAfter=pcscd.socket\n\n"
               "[Service]\n",
               service);
    BIO_printf(snippet->out, "LoadCredential=" SCHSM_SNIPPET_CREDENTIAL ":%s\n",
               schsm_snippet_quote(snippet, SCHSM_QUOTE_SYSTEMD_LINE, snippet->pin_file));
    write_environment(snippet, "OPENSSL_CONF");
    write_environment(snippet, "OPENSSL_MODULES");
    write_environment(snippet, "PCSCLITE_CSOCK_NAME");
}
