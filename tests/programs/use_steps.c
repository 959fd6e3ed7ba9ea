/* SPDX-License-Identifier: Apache-2.0 */
/*
 * use_steps HOW KEY [INPUT]: loads a key, says "ready", then uses it once for each line of standard
 * input and answers "done HEX", or "failed: " with the sentences of all errors. HOW: pkcs1, pss,
 * raw (RSA signatures), ecdsa, decrypt, oaep, raw-decrypt (INPUT: the ciphertext), rsasve, dhkem
 * (INPUT: the encapsulation) or derive (INPUT: the peer's public key). What happens to the card
 * between two lines is up to the caller.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "program.h"

#define ROOM 1024 /* bytes: every input and result */

static const struct way {
    const char *name;
    int padding; /* RSA; 0: none is set */
    enum { SIGN, DECRYPT, DECAPSULATE, DERIVE } what;
} ways[] = {
    { "pkcs1", RSA_PKCS1_PADDING, SIGN },
    { "pss", RSA_PKCS1_PSS_PADDING, SIGN },
    { "raw", RSA_NO_PADDING, SIGN },
    { "ecdsa", 0, SIGN },
    { "decrypt", RSA_PKCS1_PADDING, DECRYPT },
    { "oaep", RSA_PKCS1_OAEP_PADDING, DECRYPT },
    { "raw-decrypt", RSA_NO_PADDING, DECRYPT },
    { "rsasve", 0, DECAPSULATE },
    { "dhkem", 0, DECAPSULATE },
    { "derive", 0, DERIVE },
};

static int sign(EVP_PKEY_CTX *ctx, int padding, unsigned char *out, size_t *out_len)
{
    unsigned char block[512] = { 0, 1, 2, 3 };
    size_t len =
        padding == RSA_NO_PADDING ? (size_t)EVP_PKEY_get_size(EVP_PKEY_CTX_get0_pkey(ctx)) : 32;

    return EVP_PKEY_sign_init(ctx) > 0 &&
           (padding == 0 || EVP_PKEY_CTX_set_rsa_padding(ctx, padding) > 0) &&
           (padding == RSA_NO_PADDING || EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) > 0) &&
           EVP_PKEY_sign(ctx, out, out_len, block, len) > 0;
}

static int use(EVP_PKEY *key, const struct way *way, EVP_PKEY *peer, const unsigned char *in,
               size_t in_len, unsigned char *out, size_t *out_len)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    int ok = ctx != NULL;

    if (way->what == SIGN) {
        ok = ok && sign(ctx, way->padding, out, out_len);
    } else if (way->what == DECRYPT) {
        ok = ok && EVP_PKEY_decrypt_init(ctx) > 0 &&
             EVP_PKEY_CTX_set_rsa_padding(ctx, way->padding) > 0 &&
             EVP_PKEY_decrypt(ctx, out, out_len, in, in_len) > 0;
    } else if (way->what == DECAPSULATE) {
        ok = ok && EVP_PKEY_decapsulate_init(ctx, NULL) > 0 &&
             EVP_PKEY_CTX_set_kem_op(ctx, way->name) > 0 &&
             EVP_PKEY_decapsulate(ctx, out, out_len, in, in_len) > 0;
    } else {
        ok = ok && EVP_PKEY_derive_init(ctx) > 0 && EVP_PKEY_derive_set_peer(ctx, peer) > 0 &&
             EVP_PKEY_derive(ctx, out, out_len) > 0;
    }
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

int main(int argc, char **argv)
{
    const struct way *way = NULL;
    unsigned char in[ROOM], out[ROOM];
    struct program_key key;
    EVP_PKEY *peer = NULL;
    size_t in_len = 0;
    char line[64];

    for (size_t i = 0; argc >= 3 && i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (strcmp(argv[1], ways[i].name) == 0) {
            way = &ways[i];
        }
    }
    if (way == NULL || argc != (way->what == SIGN ? 3 : 4)) {
        (void)fprintf(stderr, "usage: use_steps HOW KEY [INPUT]\n");
        return 2;
    }
    if (way->what != SIGN) {
        FILE *file = fopen(argv[3], "rb");

        if (file == NULL) {
            perror(argv[3]);
            return 2;
        }
        if (way->what == DERIVE) {
            peer = PEM_read_PUBKEY(file, NULL, NULL, NULL);
        } else {
            in_len = fread(in, 1, sizeof(in), file);
        }
        (void)fclose(file);
    }
    program_load_key(&key, argv[2]);
    (void)printf("ready\n");
    (void)fflush(stdout);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        size_t out_len = sizeof(out);

        if (use(key.key, way, peer, in, in_len, out, &out_len)) {
            (void)printf("done ");
            for (size_t i = 0; i < out_len; i++) {
                (void)printf("%02x", out[i]);
            }
            (void)printf("\n");
        } else {
            program_say_errors();
        }
        (void)fflush(stdout);
    }
    EVP_PKEY_free(peer);
    program_free_key(&key);
    return 0;
}
