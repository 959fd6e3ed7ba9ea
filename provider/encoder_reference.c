/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands for a private key on a device. That is its reference file, whatever private structure
 * was asked for, and never encrypted: there is nothing in it to protect. What only a key's numbers
 * can fill is refused.
 *
 * PKCS#8 in DER is asked for in one way by two kinds of callers. PKCS#12 and the like go on to read
 * it, and could not say what is wrong with a reference: they are told that the key stays. Programs
 * that write a file, as OpenSSL's rsa, and from 4.0 on pkey and genpkey, get the reference. Where
 * the bytes go tells them apart: who goes on to read has them put into memory. genpkey does that as
 * well, so a key that was just made is written anywhere: refused, it would stay on the device
 * unnamed.
 */
#include <string.h>

#include <openssl/bio.h>
#include <openssl/buffer.h>
#include <openssl/crypto.h>

#include "keymgmt/reference.h"
#include "encoder.h"

/* For people: where the private key lives, and the public part as OpenSSL prints it. */
static int write_text(const struct schsm_encoder *encoder, const struct schsm_pkey *key, BIO *out)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    char *uri = schsm_key_uri(key->device, &err);

    if (uri == NULL) {
        return schsm_raise(encoder->prov, &err);
    }
    BIO_printf(out, "SmartCard-HSM Private-Key: %s\n", uri);
    OPENSSL_free(uri);
    return schsm_encode_on_host(encoder, key, EVP_PKEY_PUBLIC_KEY, out, NULL, NULL);
}

static int write_reference(const struct schsm_encoder *encoder, const struct schsm_pkey *key,
                           bool pem, BIO *out)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    uint8_t *der = NULL;
    size_t len = 0;
    int ok = 0;

    if (pem) {
        return schsm_key_reference_write(key->device, out, &err) ||
               schsm_raise(encoder->prov, &err);
    }
    if (!schsm_key_reference(key->device, &der, &len, &err)) {
        return schsm_raise(encoder->prov, &err);
    }
    ok = BIO_write(out, der, (int)len) == (int)len;
    OPENSSL_free(der);
    return ok;
}

static bool is_to_be_kept(const struct schsm_pkey *key, BIO *out)
{
    BUF_MEM *memory = NULL;

    return schsm_key_was_made(key->device) || BIO_get_mem_ptr(out, &memory) <= 0;
}

static bool is_pkcs8(const char *structure)
{
    return strcmp(structure, "PrivateKeyInfo") == 0 ||
           strcmp(structure, "EncryptedPrivateKeyInfo") == 0;
}

int schsm_encode_reference(const struct schsm_encoder *encoder, const struct schsm_pkey *key,
                           BIO *out)
{
    const char *structure = encoder->structure;
    bool pem = strcmp(encoder->output, "pem") == 0;

    if (strcmp(encoder->output, "text") == 0) {
        return write_text(encoder, key, out);
    }
    if (structure == NULL || strcmp(structure, "type-specific") == 0 ||
        (is_pkcs8(structure) && (pem || is_to_be_kept(key, out)))) {
        return write_reference(encoder, key, pem, out);
    }
    return schsm_raise_reason(encoder->prov, SCHSM_REASON_UNSUPPORTED, SCHSM_STAYS_ON_DEVICE);
}
