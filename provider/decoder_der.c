/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoders of the key reference in DER, one for each key type, to a key object. They also see every
 * other DER key of the process and leave after its first bytes.
 */
#include <errno.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include "keymgmt/reference.h"
#include "implementations.h"
#include "passphrase.h"
#include "pkey.h"
#include "read_der.h"
#include "trace.h"

struct der_decoder {
    struct schsm_provider *prov;
    const char *type; /* the key type it emits */
};

static OSSL_FUNC_decoder_freectx_fn der_freectx;
static OSSL_FUNC_decoder_does_selection_fn der_does_selection;
static OSSL_FUNC_decoder_decode_fn der_decode;

static void *der_newctx(void *provctx, const char *type)
{
    struct der_decoder *decoder = OPENSSL_zalloc(sizeof(*decoder));

    if (decoder != NULL) {
        decoder->prov = provctx;
        decoder->type = type;
    }
    return decoder;
}

static void der_freectx(void *ctx)
{
    schsm_trace("decoder_freectx", NULL);
    OPENSSL_free(ctx);
}

/* Only where a private key is wanted, or anything at all. */
static int der_does_selection(void *provctx, int selection)
{
    schsm_trace("decoder_does_selection", NULL);
    (void)provctx;
    return selection == 0 || (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0;
}

static int emit_key(struct schsm_pkey **key, OSSL_CALLBACK *data_cb, void *data_cbarg)
{
    int object_type = OSSL_OBJECT_PKEY;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &object_type),
        OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE, (char *)(*key)->type, 0),
        OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_REFERENCE, (void *)key,
                                          sizeof(struct schsm_pkey *)),
        OSSL_PARAM_construct_end(),
    };

    return data_cb(params, data_cbarg);
}

/* The key of the reference, its PIN proven where one is at hand; NULL with an error raised. */
static struct schsm_pkey *load_key(const struct der_decoder *decoder,
                                   const struct schsm_reference *reference,
                                   OSSL_PASSPHRASE_CALLBACK *pw_cb, void *pw_cbarg,
                                   bool *other_type)
{
    struct schsm_context *context = schsm_provider_context(decoder->prov);
    struct schsm_core_passphrase core = { .cb = pw_cb, .arg = pw_cbarg };
    struct schsm_passphrase passphrase = { .ask = schsm_ask_passphrase, .arg = &core };
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_key *device = NULL;

    if (context == NULL) {
        schsm_keep_raised(decoder->prov);
        return NULL;
    }
    device = schsm_key_from_reference(context, reference, &passphrase, &err);
    if (device != NULL && !EVP_PKEY_is_a(schsm_key_public(device), decoder->type)) {
        *other_type = true;
        schsm_key_free(device);
        return NULL;
    }
    if (device == NULL || !schsm_key_login_at_load(device, &passphrase, &err)) {
        schsm_key_free(device);
        schsm_raise_kept(decoder->prov, &err);
        return NULL;
    }
    return schsm_pkey_from_device(decoder->prov, device);
}

static int decode(void *ctx, OSSL_CORE_BIO *cin, int selection, OSSL_CALLBACK *data_cb,
                  void *data_cbarg, OSSL_PASSPHRASE_CALLBACK *pw_cb, void *pw_cbarg)
{
    struct der_decoder *decoder = ctx;
    BIO *in = BIO_new_from_core_bio(decoder->prov->libctx, cin);
    struct schsm_reference reference = { 0 };
    struct schsm_error err = SCHSM_ERROR_INIT;
    unsigned char *der = NULL;
    size_t len = 0;
    int ok = 0;

    (void)selection;
    if (in == NULL) {
        return 0;
    }
    ERR_set_mark();
    int readable = schsm_read_sequence(in, &der, &len);
    ERR_pop_to_mark();

    if (der == NULL) {
        ok = readable; /* not ours */
        goto done;
    }
    switch (schsm_reference_decode(der, len, &reference, &err)) {
    case SCHSM_REFERENCE_NONE:
        ok = 1;
        break;
    case SCHSM_REFERENCE_MALFORMED:
        schsm_raise_kept(decoder->prov, &err);
        break;
    case SCHSM_REFERENCE_OK: {
        bool other_type = false;
        struct schsm_pkey *key = load_key(decoder, &reference, pw_cb, pw_cbarg, &other_type);

        if (key != NULL) {
            ok = emit_key(&key, data_cb, data_cbarg);
            schsm_pkey_free(key); /* NULL by now where libcrypto took it */
        } else {
            ok = other_type;
        }
        break;
    }
    }

done:
    schsm_reference_clear(&reference);
    /* Another program's private key may have passed through here. */
    OPENSSL_clear_free(der, len);
    BIO_free(in);
    return ok;
}

/* Python takes an errno that is set after a failure for its cause, and hides ours. */
static int der_decode(void *ctx, OSSL_CORE_BIO *cin, int selection, OSSL_CALLBACK *data_cb,
                      void *data_cbarg, OSSL_PASSPHRASE_CALLBACK *pw_cb, void *pw_cbarg)
{
    const struct der_decoder *decoder = ctx;
    int before = errno, ok = 0;

    schsm_trace_of("decoder_decode", decoder->type);
    ok = decode(ctx, cin, selection, data_cb, data_cbarg, pw_cb, pw_cbarg);
    errno = before;
    return ok;
}

/* clang-format off */
#define DECODER(symbol, type)                                                                      \
    static OSSL_FUNC_decoder_newctx_fn symbol##_newctx;                                            \
    static void *symbol##_newctx(void *provctx)                                                    \
    {                                                                                              \
        schsm_trace_of("decoder_newctx", "DER to " type);                                          \
        return der_newctx(provctx, type);                                                          \
    }                                                                                              \
                                                                                                   \
    const OSSL_DISPATCH schsm_decoder_der_##symbol[] = {                                           \
        { OSSL_FUNC_DECODER_NEWCTX, (void (*)(void))symbol##_newctx },                             \
        { OSSL_FUNC_DECODER_FREECTX, (void (*)(void))der_freectx },                                \
        { OSSL_FUNC_DECODER_DOES_SELECTION, (void (*)(void))der_does_selection },                  \
        { OSSL_FUNC_DECODER_DECODE, (void (*)(void))der_decode },                                  \
        { 0, NULL }                                                                                \
    };

DECODER(rsa, "RSA")
DECODER(rsa_pss, "RSA-PSS")
DECODER(ec, "EC")
DECODER(ed25519, "ED25519")
DECODER(ed448, "ED448")
DECODER(x25519, "X25519")
DECODER(x448, "X448")
/* clang-format on */
