/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoder of the key reference file, PEM to DER. libcrypto calls it for every PEM block that any
 * program reads, so for foreign data it does no more than look at the label.
 */
#include <string.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/pem.h>

#include "keymgmt/reference.h"
#include "implementations.h"
#include "look.h"
#include "provider.h"
#include "trace.h"

static OSSL_FUNC_decoder_newctx_fn pem_newctx;
static OSSL_FUNC_decoder_freectx_fn pem_freectx;
static OSSL_FUNC_decoder_decode_fn pem_decode;

/* There is nothing to remember: the provider itself is the context. */
static void *pem_newctx(void *provctx)
{
    schsm_trace_of("decoder_newctx", "PEM to DER");
    return provctx;
}

static void pem_freectx(void *ctx)
{
    schsm_trace("decoder_freectx", NULL);
    (void)ctx;
}

static int emit_der(unsigned char *der, size_t len, OSSL_CALLBACK *data_cb, void *data_cbarg)
{
    int object_type = OSSL_OBJECT_PKEY;
    char structure[] = "type-specific";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &object_type),
        OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_STRUCTURE, structure, 0),
        OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_DATA, der, len),
        OSSL_PARAM_construct_end(),
    };

    return data_cb(params, data_cbarg);
}

/* Any reference that is damaged: what the DER decoder, which raises errors, is shown of them all.
 */
static unsigned char damaged[] = { 0x30, 0x0F, 0x0C, 0x0D, 's', 'c', '-', 'h', 's',
                                   'm',  ' ',  'k',  'e',  'y', ' ', 'v', '1' };

/* Whether the block that could not be read, and begins at start, is ours: then it is damaged. */
static bool is_damaged(BIO *in, enum schsm_look look, long start)
{
    return look == SCHSM_LOOK_OURS ||
           (BIO_seek(in, (int)start) >= 0 && schsm_begins(in, SCHSM_REFERENCE_PEM_NAME));
}

static int emit_block(unsigned char *der, size_t len, OSSL_CALLBACK *data_cb, void *data_cbarg)
{
    struct schsm_reference reference = { 0 };
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    bool is_reference =
        schsm_reference_decode(der, len, &reference, &ignored) != SCHSM_REFERENCE_NONE;

    schsm_reference_clear(&reference);
    return is_reference ? emit_der(der, len, data_cb, data_cbarg)
                        : emit_der(damaged, sizeof(damaged), data_cb, data_cbarg);
}

static int pem_decode(void *ctx, OSSL_CORE_BIO *cin, int selection, OSSL_CALLBACK *data_cb,
                      void *data_cbarg, OSSL_PASSPHRASE_CALLBACK *pw_cb, void *pw_cbarg)
{
    struct schsm_provider *prov = ctx;
    BIO *in = BIO_new_from_core_bio(prov->libctx, cin);
    char *name = NULL;
    char *header = NULL;
    unsigned char *der = NULL;
    long len = 0;
    int ok = 1; /* "not ours" is success with nothing emitted */

    schsm_trace_of("decoder_decode", "PEM to DER");
    (void)selection;
    (void)pw_cb;
    (void)pw_cbarg;
    if (in == NULL) {
        return 0;
    }
    ERR_set_mark();
    enum schsm_look look = schsm_look(in, SCHSM_REFERENCE_PEM_NAME);
    long start = BIO_tell(in);
    int found = look != SCHSM_LOOK_OTHERS && PEM_read_bio(in, &name, &header, &der, &len);
    bool broken = !found && look != SCHSM_LOOK_OTHERS && is_damaged(in, look, start);
    ERR_pop_to_mark();

    if (broken) {
        ok = emit_der(damaged, sizeof(damaged), data_cb, data_cbarg);
    } else if (found && strcmp(name, SCHSM_REFERENCE_PEM_NAME) == 0) {
        ok = emit_block(der, (size_t)len, data_cb, data_cbarg);
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    /* Another program's private key may have been in that block. */
    OPENSSL_clear_free(der, (size_t)len);
    BIO_free(in);
    return ok;
}

const OSSL_DISPATCH schsm_decoder_pem[] = {
    { OSSL_FUNC_DECODER_NEWCTX, (void (*)(void))pem_newctx },
    { OSSL_FUNC_DECODER_FREECTX, (void (*)(void))pem_freectx },
    { OSSL_FUNC_DECODER_DECODE, (void (*)(void))pem_decode },
    { 0, NULL }
};
