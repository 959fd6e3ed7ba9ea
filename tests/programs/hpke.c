/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hpke KEM-ID RECIPIENT [SENDER]: seals a text for the recipient's key by HPKE (RFC 9180) and opens
 * it with that key; authenticated where there is a sender's key. Says nothing. Status 77 where this
 * OpenSSL has no HPKE, which 3.2 and later have.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/opensslv.h>

#include "program.h"

#if OPENSSL_VERSION_NUMBER < 0x30200000L

int main(void)
{
    (void)printf("this OpenSSL has no HPKE\n");
    return 77;
}

#else

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/hpke.h>

#define ROOM 512 /* bytes: everything here */

static int public_part(EVP_PKEY *key, unsigned char out[ROOM], size_t *len)
{
    return EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, out, ROOM, len);
}

static int seal(OSSL_HPKE_CTX *ctx, EVP_PKEY *to, EVP_PKEY *from, const unsigned char *text,
                size_t text_len, unsigned char enc[ROOM], size_t *enc_len,
                unsigned char sealed[ROOM], size_t *sealed_len)
{
    unsigned char recipient[ROOM];
    size_t len = 0;

    *enc_len = *sealed_len = ROOM;
    return ctx != NULL && public_part(to, recipient, &len) == 1 &&
           (from == NULL || OSSL_HPKE_CTX_set1_authpriv(ctx, from) == 1) &&
           OSSL_HPKE_encap(ctx, enc, enc_len, recipient, len, NULL, 0) == 1 &&
           OSSL_HPKE_seal(ctx, sealed, sealed_len, NULL, 0, text, text_len) == 1;
}

static int open_sealed(OSSL_HPKE_CTX *ctx, EVP_PKEY *to, EVP_PKEY *from, const unsigned char *enc,
                       size_t enc_len, const unsigned char *sealed, size_t sealed_len,
                       unsigned char text[ROOM], size_t *text_len)
{
    unsigned char sender[ROOM];
    size_t len = 0;

    *text_len = ROOM;
    return ctx != NULL &&
           (from == NULL || (public_part(from, sender, &len) == 1 &&
                             OSSL_HPKE_CTX_set1_authpub(ctx, sender, len) == 1)) &&
           OSSL_HPKE_decap(ctx, enc, enc_len, to, NULL, 0) == 1 &&
           OSSL_HPKE_open(ctx, text, text_len, NULL, 0, sealed, sealed_len) == 1;
}

int main(int argc, char **argv)
{
    static const unsigned char text[] = "to be sealed";
    OSSL_HPKE_SUITE suite = { 0, OSSL_HPKE_KDF_ID_HKDF_SHA256, OSSL_HPKE_AEAD_ID_AES_GCM_128 };
    int mode = argc == 4 ? OSSL_HPKE_MODE_AUTH : OSSL_HPKE_MODE_BASE;
    unsigned char enc[ROOM], sealed[ROOM], opened[ROOM];
    size_t enc_len, sealed_len, opened_len;
    struct program_key to, from = { NULL, NULL, NULL, NULL };
    OSSL_HPKE_CTX *sender, *receiver;
    int ok = 0;

    if (argc != 3 && argc != 4) {
        (void)fprintf(stderr, "usage: hpke KEM-ID RECIPIENT [SENDER]\n");
        return 2;
    }
    suite.kem_id = (uint16_t)strtoul(argv[1], NULL, 0);
    program_load_key(&to, argv[2]);
    if (argc == 4) {
        program_load_key(&from, argv[3]);
    }
    /* A sender's key on the device can be used by our provider alone. */
    sender = OSSL_HPKE_CTX_new(mode, suite, OSSL_HPKE_ROLE_SENDER, NULL,
                               argc == 4 ? "?provider=sc-hsm" : NULL);
    receiver = OSSL_HPKE_CTX_new(mode, suite, OSSL_HPKE_ROLE_RECEIVER, NULL, NULL);
    ok = seal(sender, to.key, from.key, text, sizeof(text), enc, &enc_len, sealed, &sealed_len) &&
         open_sealed(receiver, to.key, from.key, enc, enc_len, sealed, sealed_len, opened,
                     &opened_len) &&
         opened_len == sizeof(text) && memcmp(opened, text, sizeof(text)) == 0;
    if (!ok || ERR_peek_error() != 0) {
        program_print_errors(ok ? "errors beside the success" : "failed");
        ok = 0;
    }
    OSSL_HPKE_CTX_free(sender);
    OSSL_HPKE_CTX_free(receiver);
    program_free_key(&to);
    if (argc == 4) {
        program_free_key(&from);
    }
    return ok ? 0 : 1;
}

#endif
