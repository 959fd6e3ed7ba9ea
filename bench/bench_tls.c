/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Full TLS 1.3 handshakes with a server on this machine, each on a connection of its own and with a
 * new session, at little cost: one process, one context. It needs nothing of our provider.
 *
 *     bench_tls [--together] [--threads N | --processes N] COUNT PORT CERTIFICATE
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "measure.h"

struct server {
    SSL_CTX *ctx;
    struct sockaddr_in address;
};

/* The client is done when it has sent its Finished; until then the server sends nothing that would
 * be left unread here, so that closing at once harms nobody. */
static int shake_hands(void *arg)
{
    struct server *server = arg;
    SSL *ssl = SSL_new(server->ctx);
    int plain = socket(AF_INET, SOCK_STREAM, 0);
    int ok = ssl != NULL && plain >= 0 &&
             connect(plain, (struct sockaddr *)&server->address, sizeof(server->address)) == 0 &&
             SSL_set_fd(ssl, plain) == 1 && SSL_connect(ssl) == 1;

    if (ok) {
        (void)SSL_shutdown(ssl);
    } else {
        perror("bench_tls");
        ERR_print_errors_fp(stderr);
    }
    SSL_free(ssl);
    if (plain >= 0) {
        (void)close(plain);
    }
    return ok;
}

int main(int argc, char **argv)
{
    struct server server = { .address = { .sin_family = AF_INET } };
    struct bench_plan plan = { .operate = shake_hands, .arg = &server };
    int next = bench_plan_parse(&plan, argc, argv);
    long port = next > 0 && argc - next == 2 ? strtol(argv[next], NULL, 10) : 0;
    int status = 1;

    if (port < 1 || port > 65535) {
        (void)fprintf(stderr, "usage: bench_tls [--together] [--threads N | --processes N] COUNT "
                              "PORT CERTIFICATE\n");
        return 2;
    }
    server.address.sin_port = htons((uint16_t)port);
    server.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server.ctx = SSL_CTX_new(TLS_client_method());
    if (server.ctx != NULL && SSL_CTX_set_min_proto_version(server.ctx, TLS1_3_VERSION) == 1 &&
        SSL_CTX_load_verify_file(server.ctx, argv[next + 1]) == 1) {
        SSL_CTX_set_verify(server.ctx, SSL_VERIFY_PEER, NULL);
        (void)SSL_CTX_set_session_cache_mode(server.ctx, SSL_SESS_CACHE_OFF);
        status = bench_run(&plan);
    } else {
        ERR_print_errors_fp(stderr);
    }
    SSL_CTX_free(server.ctx);
    return status;
}
