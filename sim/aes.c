/* SPDX-License-Identifier: Apache-2.0 */
#include "aes.h"

#include <stdio.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

bool sim_aes_cbc(bool encrypt, struct sim_slice key, struct sim_slice in, struct sim_buf *out)
{
    static const uint8_t zero_iv[SIM_AES_BLOCK];
    char name[32];
    int len = 0, rest = 0;
    (void)snprintf(name, sizeof(name), "AES-%zu-CBC", key.len * 8);
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t *to = in.len > INT32_MAX ? NULL : sim_buf_reserve(out, in.len);
    bool ok = cipher != NULL && ctx != NULL && to != NULL &&
              EVP_CipherInit_ex2(ctx, cipher, key.data, zero_iv, encrypt, NULL) == 1 &&
              EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
              EVP_CipherUpdate(ctx, to, &len, in.data, (int)in.len) == 1 &&
              EVP_CipherFinal_ex(ctx, to + len, &rest) == 1 && rest == 0 && (size_t)len == in.len;
    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_free(cipher);
    return ok;
}

bool sim_aes_cmac(struct sim_slice key, struct sim_slice in, uint8_t mac[SIM_AES_BLOCK])
{
    char name[32];
    size_t len = 0;
    (void)snprintf(name, sizeof(name), "AES-%zu-CBC", key.len * 8);
    OSSL_PARAM cipher[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, name, 0),
                            OSSL_PARAM_construct_end() };
    return EVP_Q_mac(NULL, "CMAC", NULL, NULL, cipher, key.data, key.len, in.data, in.len, mac,
                     SIM_AES_BLOCK, &len) != NULL &&
           len == SIM_AES_BLOCK;
}
