/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate_file.h"

#include <limits.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "keymgmt/file.h"

#define FILE_MAX 262144 /* bytes: more than any chain has */

void schsm_chain_clear(struct schsm_chain *chain)
{
    for (size_t i = 0; i < chain->count; i++) {
        X509_free(chain->certificates[i]);
    }
    chain->count = 0;
}

/* One certificate, which has to fill its bytes. */
static int append(struct schsm_tool *tool, struct schsm_chain *chain, const char *path,
                  const uint8_t *der, long len, struct schsm_error *err)
{
    const unsigned char *p = der;
    X509 *certificate = NULL;

    if (chain->count == SCHSM_CHAIN_MAX) {
        return schsm_fail(err, SCHSM_REASON_BAD_INPUT, "%s holds more than %d certificates", path,
                          SCHSM_CHAIN_MAX);
    }
    certificate = X509_new_ex(tool->context.libctx, NULL);
    if (certificate == NULL) {
        return schsm_fail_memory(err);
    }
    if (d2i_X509(&certificate, &p, len) == NULL || p != der + len) {
        X509_free(certificate); /* d2i has set it to NULL where it failed itself */
        return schsm_fail(err, SCHSM_REASON_BAD_INPUT, "%s: certificate %zu in it is damaged", path,
                          chain->count + 1);
    }
    chain->certificates[chain->count++] = certificate;
    return 1;
}

static bool is_certificate(const char *name)
{
    return strcmp(name, PEM_STRING_X509) == 0 || strcmp(name, PEM_STRING_X509_OLD) == 0;
}

/* *blocks: how many PEM blocks there were; *private_key: one of them was a private key. */
static int read_pem(struct schsm_tool *tool, struct schsm_chain *chain, const char *path, BIO *in,
                    size_t *blocks, bool *private_key, struct schsm_error *err)
{
    char *name = NULL, *header = NULL;
    unsigned char *der = NULL;
    long len = 0;
    int ok = 1;

    while (ok && PEM_read_bio(in, &name, &header, &der, &len) == 1) {
        (*blocks)++;
        *private_key = *private_key || strstr(name, "PRIVATE KEY") != NULL;
        if (is_certificate(name)) {
            ok = append(tool, chain, path, der, len, err);
        }
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(der, (size_t)len);
    }
    if (ok && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
        ok = schsm_fail(err, SCHSM_REASON_BAD_INPUT, "%s: a PEM block in it is damaged or cut off",
                        path);
    }
    return ok;
}

static int fail_no_certificate(const char *path, bool private_key, struct schsm_error *err)
{
    if (private_key) {
        return schsm_fail(err, SCHSM_REASON_BAD_INPUT,
                          "%s holds a private key and no certificate: 'sc-hsm import' imports keys",
                          path);
    }
    return schsm_fail(err, SCHSM_REASON_BAD_INPUT, "%s holds no X.509 certificate in PEM or DER",
                      path);
}

int schsm_chain_read(struct schsm_tool *tool, const char *path, struct schsm_chain *chain,
                     struct schsm_error *err)
{
    uint8_t *content = NULL;
    bool private_key = false;
    size_t len = 0, blocks = 0;
    BIO *in = NULL;
    int ok = 0;

    chain->count = 0;
    if (!schsm_file_read(path, FILE_MAX, &content, &len, err)) {
        return 0;
    }
    ERR_set_mark();
    in = BIO_new_mem_buf(content, (int)len);
    if (in == NULL) {
        schsm_fail_memory(err);
    } else if (len > 0 && content[0] == 0x30) {
        ok = append(tool, chain, path, content, (long)len, NULL) ||
             schsm_fail(err, SCHSM_REASON_BAD_INPUT,
                        "%s is no X.509 certificate in DER, or is cut off", path);
    } else {
        ok = read_pem(tool, chain, path, in, &blocks, &private_key, err) &&
             (chain->count > 0 || fail_no_certificate(path, private_key, err));
    }
    ERR_pop_to_mark();
    BIO_free(in);
    OPENSSL_clear_free(content, len);
    return ok;
}
