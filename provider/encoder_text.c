/* SPDX-License-Identifier: Apache-2.0 */
/* Encoder for people: where the private key lives, and the public part as OpenSSL prints it. */
#include <openssl/crypto.h>

#include "encoder.h"
#include "implementations.h"

static OSSL_FUNC_encoder_does_selection_fn text_does_selection;
static OSSL_FUNC_encoder_encode_fn text_encode;

static int text_does_selection(void *provctx, int selection)
{
    (void)provctx;
    (void)selection;
    return 1;
}

static int text_encode(void *ctx, OSSL_CORE_BIO *cout, const void *obj_raw,
                       const OSSL_PARAM obj_abstract[], int selection, OSSL_PASSPHRASE_CALLBACK *cb,
                       void *cbarg)
{
    const struct schsm_encoder *encoder = ctx;
    const struct schsm_pkey *key = obj_raw;
    struct schsm_error err = SCHSM_ERROR_INIT;
    BIO *out = NULL;
    int ok = 0;

    (void)cb;
    (void)cbarg;
    if (obj_abstract != NULL || key == NULL || key->pkey == NULL) {
        return 0;
    }
    out = BIO_new_from_core_bio(encoder->prov->libctx, cout);
    if (out == NULL) {
        return 0;
    }
    if (key->device != NULL && (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0) {
        char *uri = schsm_key_uri(key->device, &err);

        if (uri == NULL) {
            BIO_free(out);
            return schsm_raise(encoder->prov, &err);
        }
        BIO_printf(out, "SmartCard-HSM Private-Key: %s\n", uri);
        OPENSSL_free(uri);
        selection = EVP_PKEY_PUBLIC_KEY;
    }
    ok = schsm_encode_on_host(encoder, key, selection, "TEXT", NULL, out, NULL, NULL);
    BIO_free(out);
    return ok;
}

const OSSL_DISPATCH schsm_encoder_text[] = {
    { OSSL_FUNC_ENCODER_NEWCTX, (void (*)(void))schsm_encoder_newctx },
    { OSSL_FUNC_ENCODER_FREECTX, (void (*)(void))schsm_encoder_freectx },
    { OSSL_FUNC_ENCODER_DOES_SELECTION, (void (*)(void))text_does_selection },
    { OSSL_FUNC_ENCODER_ENCODE, (void (*)(void))text_encode },
    { 0, NULL }
};
