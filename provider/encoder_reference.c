/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encoders that write a private key. For a device key that is its reference file, whatever private
 * structure was asked for, and never encrypted: there is nothing in it to protect. Only PKCS#8 in
 * DER is refused: whoever wants that (PKCS#12, for one) goes on to read it. A software key of ours
 * goes to the default provider's encoder.
 */
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/pem.h>

#include "keymgmt/reference.h"
#include "encoder.h"
#include "implementations.h"

static OSSL_FUNC_encoder_does_selection_fn reference_does_selection;
static OSSL_FUNC_encoder_settable_ctx_params_fn reference_settable_ctx_params;
static OSSL_FUNC_encoder_set_ctx_params_fn reference_set_ctx_params;
static OSSL_FUNC_encoder_encode_fn reference_encode_pem;
static OSSL_FUNC_encoder_encode_fn reference_encode_der;
static OSSL_FUNC_encoder_encode_fn pkcs8_encode_der;

static int reference_does_selection(void *provctx, int selection)
{
    (void)provctx;
    return (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0;
}

static const OSSL_PARAM *reference_settable_ctx_params(void *provctx)
{
    static const OSSL_PARAM settable[] = {
        OSSL_PARAM_utf8_string(OSSL_ENCODER_PARAM_CIPHER, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_ENCODER_PARAM_PROPERTIES, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)provctx;
    return settable;
}

/* Copies a text parameter; one that is absent leaves what was there. */
static int get_text(const OSSL_PARAM params[], const char *name, char *text, size_t size)
{
    const OSSL_PARAM *p = OSSL_PARAM_locate_const(params, name);

    if (p == NULL) {
        return 1;
    }
    if (p->data == NULL) {
        text[0] = '\0';
        return 1;
    }
    return OSSL_PARAM_get_utf8_string(p, &text, size);
}

static int reference_set_ctx_params(void *ctx, const OSSL_PARAM params[])
{
    struct schsm_encoder *encoder = ctx;

    return get_text(params, OSSL_ENCODER_PARAM_CIPHER, encoder->cipher, sizeof(encoder->cipher)) &&
           get_text(params, OSSL_ENCODER_PARAM_PROPERTIES, encoder->cipher_properties,
                    sizeof(encoder->cipher_properties));
}

static int write_reference(const struct schsm_encoder *encoder, const struct schsm_pkey *key,
                           bool pem, BIO *out)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    uint8_t *der = NULL;
    size_t len = 0;
    int ok = 0;

    if (!schsm_key_reference(key->device, &der, &len, &err)) {
        return schsm_raise(encoder->prov, &err);
    }
    ok = pem ? PEM_write_bio(out, SCHSM_REFERENCE_PEM_NAME, "", der, (long)len) > 0
             : BIO_write(out, der, (int)len) == (int)len;
    OPENSSL_free(der);
    return ok;
}

static int encode(struct schsm_encoder *encoder, OSSL_CORE_BIO *cout, const void *obj_raw,
                  const OSSL_PARAM obj_abstract[], int selection, bool pem,
                  OSSL_PASSPHRASE_CALLBACK *cb, void *cbarg)
{
    const struct schsm_pkey *key = obj_raw;
    BIO *out = NULL;
    int ok = 0;

    if (obj_abstract != NULL || key == NULL || key->pkey == NULL) {
        return 0;
    }
    out = BIO_new_from_core_bio(encoder->prov->libctx, cout);
    if (out != NULL && key->device != NULL) {
        ok = write_reference(encoder, key, pem, out);
    } else if (out != NULL) {
        const char *structure =
            encoder->cipher[0] != '\0' ? "EncryptedPrivateKeyInfo" : "PrivateKeyInfo";

        ok = schsm_encode_on_host(encoder, key, selection, pem ? "PEM" : "DER", structure, out, cb,
                                  cbarg);
    }
    BIO_free(out);
    return ok;
}

static int reference_encode_pem(void *ctx, OSSL_CORE_BIO *out, const void *obj_raw,
                                const OSSL_PARAM obj_abstract[], int selection,
                                OSSL_PASSPHRASE_CALLBACK *cb, void *cbarg)
{
    return encode(ctx, out, obj_raw, obj_abstract, selection, true, cb, cbarg);
}

static int reference_encode_der(void *ctx, OSSL_CORE_BIO *out, const void *obj_raw,
                                const OSSL_PARAM obj_abstract[], int selection,
                                OSSL_PASSPHRASE_CALLBACK *cb, void *cbarg)
{
    return encode(ctx, out, obj_raw, obj_abstract, selection, false, cb, cbarg);
}

static int pkcs8_encode_der(void *ctx, OSSL_CORE_BIO *out, const void *obj_raw,
                            const OSSL_PARAM obj_abstract[], int selection,
                            OSSL_PASSPHRASE_CALLBACK *cb, void *cbarg)
{
    const struct schsm_encoder *encoder = ctx;
    const struct schsm_pkey *key = obj_raw;

    if (key != NULL && key->device != NULL) {
        return schsm_raise_reason(encoder->prov, SCHSM_REASON_UNSUPPORTED, SCHSM_STAYS_ON_DEVICE);
    }
    return encode(ctx, out, obj_raw, obj_abstract, selection, false, cb, cbarg);
}

/* clang-format off */
const OSSL_DISPATCH schsm_encoder_reference_pem[] = {
    { OSSL_FUNC_ENCODER_NEWCTX, (void (*)(void))schsm_encoder_newctx },
    { OSSL_FUNC_ENCODER_FREECTX, (void (*)(void))schsm_encoder_freectx },
    { OSSL_FUNC_ENCODER_DOES_SELECTION, (void (*)(void))reference_does_selection },
    { OSSL_FUNC_ENCODER_SETTABLE_CTX_PARAMS, (void (*)(void))reference_settable_ctx_params },
    { OSSL_FUNC_ENCODER_SET_CTX_PARAMS, (void (*)(void))reference_set_ctx_params },
    { OSSL_FUNC_ENCODER_ENCODE, (void (*)(void))reference_encode_pem },
    { 0, NULL }
};

const OSSL_DISPATCH schsm_encoder_reference_der[] = {
    { OSSL_FUNC_ENCODER_NEWCTX, (void (*)(void))schsm_encoder_newctx },
    { OSSL_FUNC_ENCODER_FREECTX, (void (*)(void))schsm_encoder_freectx },
    { OSSL_FUNC_ENCODER_DOES_SELECTION, (void (*)(void))reference_does_selection },
    { OSSL_FUNC_ENCODER_SETTABLE_CTX_PARAMS, (void (*)(void))reference_settable_ctx_params },
    { OSSL_FUNC_ENCODER_SET_CTX_PARAMS, (void (*)(void))reference_set_ctx_params },
    { OSSL_FUNC_ENCODER_ENCODE, (void (*)(void))reference_encode_der },
    { 0, NULL }
};

const OSSL_DISPATCH schsm_encoder_pkcs8_der[] = {
    { OSSL_FUNC_ENCODER_NEWCTX, (void (*)(void))schsm_encoder_newctx },
    { OSSL_FUNC_ENCODER_FREECTX, (void (*)(void))schsm_encoder_freectx },
    { OSSL_FUNC_ENCODER_DOES_SELECTION, (void (*)(void))reference_does_selection },
    { OSSL_FUNC_ENCODER_SETTABLE_CTX_PARAMS, (void (*)(void))reference_settable_ctx_params },
    { OSSL_FUNC_ENCODER_SET_CTX_PARAMS, (void (*)(void))reference_set_ctx_params },
    { OSSL_FUNC_ENCODER_ENCODE, (void (*)(void))pkcs8_encode_der },
    { 0, NULL }
};
/* clang-format on */
