/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_server PORT KEY CHAIN: answers one HTTP request over TLS on the loopback. The key is on the
 * card; CHAIN is the certificate with its intermediates in PEM.
 *
 *     cc -o tls_server tls_server.c -lssl -lcrypto
 *
 * KEY is a key reference file here, as SSL_CTX_use_PrivateKey_file reads it like any other key. For
 * a URI, load the key through OSSL_STORE, as sign_file does, and give it to SSL_CTX_use_PrivateKey.
 */
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

static SSL_CTX *make_context(const char *key, const char *chain)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    /* A configured PIN is proven here: a server with a wrong one does not start. */
    if (ctx != NULL && SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) &&
        SSL_CTX_use_certificate_chain_file(ctx, chain) == 1 &&
        SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1 &&
        SSL_CTX_check_private_key(ctx)) {
        return ctx;
    }
    SSL_CTX_free(ctx);
    return NULL;
}

/* Waits for one client; the handshake comes with the first byte read. */
static BIO *accept_one(SSL_CTX *ctx, const char *port)
{
    BIO *acceptor = BIO_new_accept(NULL);
    BIO *tls = BIO_new_ssl(ctx, 0);
    BIO *client = NULL;

    if (acceptor == NULL || tls == NULL || BIO_set_accept_name(acceptor, "127.0.0.1") <= 0 ||
        BIO_set_accept_port(acceptor, port) <= 0 ||
        BIO_set_bind_mode(acceptor, BIO_BIND_REUSEADDR) <= 0 ||
        BIO_set_accept_bios(acceptor, tls) <= 0) {
        BIO_free_all(acceptor);
        return NULL;
    }
    if (BIO_do_accept(acceptor) > 0) { /* the first call listens */
        (void)printf("listening\n");
        (void)fflush(stdout);
        if (BIO_do_accept(acceptor) > 0) {
            client = BIO_pop(acceptor);
        }
    }
    BIO_free_all(acceptor);
    return client;
}

static int answer(BIO *client)
{
    static const char text[] = "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n"
                               "signed with a key on a SmartCard-HSM\n";
    char line[1024];
    BIO *lines = BIO_new(BIO_f_buffer());
    int ok = 0;

    if (lines != NULL) {
        client = BIO_push(lines, client);
    }
    while (BIO_gets(client, line, sizeof(line)) > 0) {
        if (strcmp(line, "\r\n") == 0 || strcmp(line, "\n") == 0) { /* the end of the request */
            ok = BIO_write(client, text, sizeof(text) - 1) > 0 && BIO_flush(client) > 0;
            break;
        }
    }
    (void)BIO_ssl_shutdown(client);
    BIO_free_all(client);
    return ok;
}

int main(int argc, char **argv)
{
    SSL_CTX *ctx = NULL;
    BIO *client = NULL;
    int ok = 0;

    if (argc != 4) {
        (void)fprintf(stderr, "usage: tls_server PORT KEY CHAIN\n");
        return 2;
    }
    if ((ctx = make_context(argv[2], argv[3])) != NULL &&
        (client = accept_one(ctx, argv[1])) != NULL) {
        ok = answer(client);
    }
    if (!ok) {
        (void)fprintf(stderr, "no request was answered\n");
        ERR_print_errors_fp(stderr);
    }
    SSL_CTX_free(ctx);
    return ok ? 0 : 1;
}
