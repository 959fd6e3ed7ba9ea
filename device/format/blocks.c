/* SPDX-License-Identifier: Apache-2.0 */
#include "blocks.h"

#include <limits.h>

#include <openssl/evp.h>

bool schsm_crypt_blocks(OSSL_LIB_CTX *libctx, const char *name, const uint8_t *key,
                        const uint8_t *iv, bool encrypt, const uint8_t *in, size_t len,
                        uint8_t *out)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, name, NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int done = 0, rest = 0;
    bool ok = cipher != NULL && context != NULL && len <= INT_MAX &&
              EVP_CipherInit_ex2(context, cipher, key, iv, encrypt ? 1 : 0, NULL) == 1 &&
              EVP_CIPHER_CTX_set_padding(context, 0) == 1 &&
              EVP_CipherUpdate(context, out, &done, in, (int)len) == 1 &&
              EVP_CipherFinal_ex(context, out + done, &rest) == 1 &&
              (size_t)done + (size_t)rest == len;

    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
    return ok;
}
