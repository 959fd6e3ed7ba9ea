/* SPDX-License-Identifier: Apache-2.0 */
/* Encoders of the public part as SubjectPublicKeyInfo, by the default provider. */
#include "encoder.h"
#include "implementations.h"

static OSSL_FUNC_encoder_does_selection_fn spki_does_selection;
static OSSL_FUNC_encoder_encode_fn spki_encode_pem;
static OSSL_FUNC_encoder_encode_fn spki_encode_der;

static int spki_does_selection(void *provctx, int selection)
{
    (void)provctx;
    return (selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0 &&
           (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 0;
}

static int encode(struct schsm_encoder *encoder, OSSL_CORE_BIO *cout, const void *obj_raw,
                  const OSSL_PARAM obj_abstract[], const char *output)
{
    const struct schsm_pkey *key = obj_raw;
    BIO *out = NULL;
    int ok = 0;

    if (obj_abstract != NULL || key == NULL || !key->has_public) {
        return 0;
    }
    out = BIO_new_from_core_bio(encoder->prov->libctx, cout);
    ok = out != NULL && schsm_encode_on_host(encoder, key, EVP_PKEY_PUBLIC_KEY, output,
                                             "SubjectPublicKeyInfo", out, NULL, NULL);
    BIO_free(out);
    return ok;
}

static int spki_encode_pem(void *ctx, OSSL_CORE_BIO *out, const void *obj_raw,
                           const OSSL_PARAM obj_abstract[], int selection,
                           OSSL_PASSPHRASE_CALLBACK *cb, void *cbarg)
{
    (void)selection;
    (void)cb;
    (void)cbarg;
    return encode(ctx, out, obj_raw, obj_abstract, "PEM");
}

static int spki_encode_der(void *ctx, OSSL_CORE_BIO *out, const void *obj_raw,
                           const OSSL_PARAM obj_abstract[], int selection,
                           OSSL_PASSPHRASE_CALLBACK *cb, void *cbarg)
{
    (void)selection;
    (void)cb;
    (void)cbarg;
    return encode(ctx, out, obj_raw, obj_abstract, "DER");
}

/* clang-format off */
const OSSL_DISPATCH schsm_encoder_spki_pem[] = {
    { OSSL_FUNC_ENCODER_NEWCTX, (void (*)(void))schsm_encoder_newctx },
    { OSSL_FUNC_ENCODER_FREECTX, (void (*)(void))schsm_encoder_freectx },
    { OSSL_FUNC_ENCODER_DOES_SELECTION, (void (*)(void))spki_does_selection },
    { OSSL_FUNC_ENCODER_ENCODE, (void (*)(void))spki_encode_pem },
    { 0, NULL }
};

const OSSL_DISPATCH schsm_encoder_spki_der[] = {
    { OSSL_FUNC_ENCODER_NEWCTX, (void (*)(void))schsm_encoder_newctx },
    { OSSL_FUNC_ENCODER_FREECTX, (void (*)(void))schsm_encoder_freectx },
    { OSSL_FUNC_ENCODER_DOES_SELECTION, (void (*)(void))spki_does_selection },
    { OSSL_FUNC_ENCODER_ENCODE, (void (*)(void))spki_encode_der },
    { 0, NULL }
};
/* clang-format on */
