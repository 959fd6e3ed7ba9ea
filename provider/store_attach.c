/* SPDX-License-Identifier: Apache-2.0 */
#include "store_attach.h"

#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "look.h"
#include "passphrase.h"
#include "read_der.h"

/* The next PEM block, if it is a reference, or else DER. *der is the caller's; NULL: neither. */
static void read_either(BIO *in, unsigned char **der, size_t *len)
{
    long start = BIO_tell(in), pem_len = 0;
    char *name = NULL, *header = NULL;
    unsigned char *pem = NULL;

    *der = NULL;
    ERR_set_mark();
    if (schsm_look(in, SCHSM_REFERENCE_PEM_NAME) != SCHSM_LOOK_OTHERS &&
        PEM_read_bio(in, &name, &header, &pem, &pem_len)) {
        if (strcmp(name, SCHSM_REFERENCE_PEM_NAME) == 0) {
            *der = pem;
            *len = (size_t)pem_len;
        } else {
            OPENSSL_clear_free(pem, (size_t)pem_len); /* somebody's private key, perhaps */
            (void)BIO_seek(in, (int)start);
        }
    } else {
        (void)BIO_seek(in, (int)start);
        (void)schsm_read_sequence(in, der, len);
    }
    ERR_pop_to_mark();
    OPENSSL_free(name);
    OPENSSL_free(header);
}

int schsm_store_read_reference(struct schsm_provider *prov, OSSL_CORE_BIO *core,
                               struct schsm_reference *reference)
{
    BIO *in = BIO_new_from_core_bio(prov->libctx, core);
    struct schsm_error err = SCHSM_ERROR_INIT;
    unsigned char *der = NULL;
    size_t len = 0;
    enum schsm_reference_kind kind = SCHSM_REFERENCE_NONE;

    if (in == NULL) {
        return schsm_raise_reason(prov, SCHSM_REASON_OUT_OF_MEMORY, "out of memory");
    }
    read_either(in, &der, &len);
    if (der != NULL) {
        kind = schsm_reference_decode(der, len, reference, &err);
    }
    OPENSSL_clear_free(der, len);
    BIO_free(in);
    switch (kind) {
    case SCHSM_REFERENCE_OK:
        return 1;
    case SCHSM_REFERENCE_MALFORMED:
        return schsm_raise(prov, &err);
    case SCHSM_REFERENCE_NONE:
        break;
    }
    return schsm_raise_reason(prov, SCHSM_REASON_REFERENCE_FILE,
                              "what was to be read is no SC-HSM key reference; other keys are for "
                              "the store's scheme 'file'");
}

struct schsm_pkey *schsm_store_attached_key(struct schsm_provider *prov,
                                            const struct schsm_reference *reference,
                                            OSSL_PASSPHRASE_CALLBACK *pw_cb, void *pw_arg)
{
    struct schsm_context *context = schsm_provider_context(prov);
    struct schsm_core_passphrase core = { .cb = pw_cb, .arg = pw_arg };
    struct schsm_passphrase passphrase = { .ask = schsm_ask_passphrase, .arg = &core };
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_key *device = NULL;

    if (context == NULL) {
        return NULL;
    }
    device = schsm_key_from_reference(context, reference, &passphrase, &err);
    if (device == NULL || !schsm_key_login_at_load(device, &passphrase, &err)) {
        schsm_key_free(device);
        schsm_raise(prov, &err);
        return NULL;
    }
    return schsm_pkey_from_device(prov, device);
}
