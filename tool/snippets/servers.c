/* SPDX-License-Identifier: Apache-2.0 */
/* Servers: where each of them takes certificate and key. */
#include "tool/snippet.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>

/* How the two files are made that the server is told of. */
static void write_files(struct schsm_snippet *snippet, const char *comment)
{
    if (snippet->write_key != NULL) {
        BIO_printf(snippet->out, "%s %s\n", comment, snippet->write_key);
    }
    if (snippet->write_certificate != NULL) {
        BIO_printf(snippet->out, "%s %s\n", comment, snippet->write_certificate);
    }
}

static const char *key(struct schsm_snippet *snippet, enum schsm_quoting quoting)
{
    return schsm_snippet_quote(snippet, quoting, snippet->key);
}

static const char *certificate(struct schsm_snippet *snippet, enum schsm_quoting quoting)
{
    return schsm_snippet_quote(snippet, quoting, snippet->certificate);
}

/* nginx takes its workers' environment away but for what is named at the head of nginx.conf. */
static void write_nginx_environment(struct schsm_snippet *snippet)
{
    static const char *const names[] = { "OPENSSL_CONF", "OPENSSL_MODULES", "PCSCLITE_CSOCK_NAME" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (secure_getenv(names[i]) != NULL) {
            BIO_printf(snippet->out, "# and this line to the head of nginx.conf:\n# env %s;\n",
                       names[i]);
        }
    }
}

static void write_nginx(struct schsm_snippet *snippet)
{
    BIO_puts(snippet->out, "# For the section http of nginx, by 'sc-hsm config nginx'.\n");
    write_files(snippet, "#");
    write_nginx_environment(snippet);
    BIO_printf(snippet->out,
               "server {\n"
               "    listen 443 ssl;\n"
               "    ssl_protocols TLSv1.2 TLSv1.3;\n"
               "    ssl_certificate %s;\n"
               "    ssl_certificate_key %s;\n"
               "}\n",
               certificate(snippet, SCHSM_QUOTE_NGINX), key(snippet, SCHSM_QUOTE_NGINX));
}

static void write_apache(struct schsm_snippet *snippet)
{
    BIO_puts(snippet->out,
             "# For a file in conf-available of Apache, by 'sc-hsm config apache'.\n");
    write_files(snippet, "#");
    BIO_printf(snippet->out,
               "Listen 443\n"
               "<VirtualHost *:443>\n"
               "    SSLEngine on\n"
               "    SSLProtocol -all +TLSv1.2 +TLSv1.3\n"
               "    SSLCertificateFile %s\n"
               "    SSLCertificateKeyFile %s\n"
               "</VirtualHost>\n",
               certificate(snippet, SCHSM_QUOTE_APACHE), key(snippet, SCHSM_QUOTE_APACHE));
}

/* The key of a certificate in FILE is looked for in FILE.key. */
static void write_haproxy(struct schsm_snippet *snippet)
{
    char *beside = OPENSSL_malloc(strlen(snippet->certificate) + sizeof(".key"));
    const char *named;

    if (beside != NULL) {
        (void)stpcpy(stpcpy(beside, snippet->certificate), ".key");
    }
    named = schsm_snippet_keep(snippet, beside);
    BIO_puts(snippet->out, "# For haproxy.cfg, by 'sc-hsm config haproxy'.\n");
    write_files(snippet, "#");
    BIO_printf(snippet->out,
               "# HAProxy looks for the key beside the certificate: cp %s %s\n"
               "frontend https\n"
               "    mode http\n"
               "    bind :443 ssl crt %s ssl-min-ver TLSv1.2\n",
               key(snippet, SCHSM_QUOTE_SHELL),
               schsm_snippet_quote(snippet, SCHSM_QUOTE_SHELL, named),
               certificate(snippet, SCHSM_QUOTE_SHELL));
}

static void write_stunnel(struct schsm_snippet *snippet)
{
    BIO_puts(snippet->out, "; For stunnel.conf, by 'sc-hsm config stunnel'.\n");
    write_files(snippet, ";");
    BIO_printf(snippet->out,
               "[https]\n"
               "accept = 443\n"
               "connect = 127.0.0.1:80\n"
               "sslVersionMin = TLSv1.2\n"
               "cert = %s\n"
               "key = %s\n",
               certificate(snippet, SCHSM_QUOTE_LINE), key(snippet, SCHSM_QUOTE_LINE));
}

static void write_postgresql(struct schsm_snippet *snippet)
{
    BIO_puts(snippet->out,
             "# For a file in conf.d of PostgreSQL, by 'sc-hsm config postgresql'. The reference "
             "file is\n"
             "# no secret; PostgreSQL wants it to be its user's, with mode 600, all the same.\n");
    write_files(snippet, "#");
    BIO_printf(snippet->out,
               "ssl = on\n"
               "ssl_min_protocol_version = 'TLSv1.2'\n"
               "ssl_cert_file = %s\n"
               "ssl_key_file = %s\n",
               certificate(snippet, SCHSM_QUOTE_POSTGRESQL), key(snippet, SCHSM_QUOTE_POSTGRESQL));
}

static void write_openvpn(struct schsm_snippet *snippet)
{
    BIO_puts(snippet->out,
             "# For a server's or client's file of OpenVPN, by 'sc-hsm config openvpn'.\n");
    write_files(snippet, "#");
    BIO_printf(snippet->out,
               "cert %s\n"
               "key %s\n"
               "# where OpenVPN gives up root\n"
               "persist-key\n",
               certificate(snippet, SCHSM_QUOTE_OPENVPN), key(snippet, SCHSM_QUOTE_OPENVPN));
}

const struct schsm_snippet_kind schsm_snippet_kinds[] = {
    { "openssl", "sections of openssl.cnf: the provider, the device, where its PIN is",
      schsm_snippet_openssl },
    { "polkit", "the right of a user to reach the device (--user)", schsm_snippet_polkit },
    { "systemd", "a drop-in for a service (--service) that gets the PIN as a credential",
      schsm_snippet_systemd },
    { "nginx", "a server", write_nginx },
    { "apache", "a virtual host", write_apache },
    { "haproxy", "a frontend", write_haproxy },
    { "stunnel", "a service", write_stunnel },
    { "postgresql", "TLS of the server", write_postgresql },
    { "openvpn", "certificate and key of a server or client", write_openvpn },
    { NULL, NULL, NULL },
};
