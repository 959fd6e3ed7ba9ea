/* SPDX-License-Identifier: Apache-2.0 */
#include "encoder.h"

#include <openssl/encoder.h>

void *schsm_encoder_newctx(void *provctx)
{
    struct schsm_encoder *encoder = OPENSSL_zalloc(sizeof(*encoder));

    if (encoder != NULL) {
        encoder->prov = provctx;
    }
    return encoder;
}

void schsm_encoder_freectx(void *ctx)
{
    OPENSSL_free(ctx);
}

int schsm_encode_on_host(const struct schsm_encoder *encoder, const struct schsm_pkey *key,
                         int selection, const char *output, const char *structure, BIO *out,
                         OSSL_PASSPHRASE_CALLBACK *cb, void *cbarg)
{
    OSSL_ENCODER_CTX *ctx =
        OSSL_ENCODER_CTX_new_for_pkey(key->pkey, selection, output, structure, NULL);
    int ok = ctx != NULL;

    if (ok && encoder->cipher[0] != '\0') {
        ok = OSSL_ENCODER_CTX_set_cipher(ctx, encoder->cipher, encoder->cipher_properties) &&
             OSSL_ENCODER_CTX_set_passphrase_cb(ctx, cb, cbarg);
    }
    ok = ok && OSSL_ENCODER_to_bio(ctx, out);
    OSSL_ENCODER_CTX_free(ctx);
    return ok;
}
