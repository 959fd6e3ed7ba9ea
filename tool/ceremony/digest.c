/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, as hexadecimal digits, of what a record is to prove. */
#include "tool/ceremony.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/hex.h"
#include "keymgmt/file.h"

#define SHORTEST_FILE                                                                              \
    32 /* bytes: a shorter one, such as a PIN's, could be guessed by its digest                    \
        */

int schsm_ceremony_digest(OSSL_LIB_CTX *libctx, const void *data, size_t len,
                          char digest[SCHSM_DIGEST_TEXT_MAX], struct schsm_error *err)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    size_t digest_len = 0;

    if (EVP_Q_digest(libctx, "SHA256", NULL, data, len, bytes, &digest_len) != 1) {
        return schsm_fail_memory(err);
    }
    schsm_hex(bytes, digest_len, digest);
    return 1;
}

/* Of what base64 says; "" where it says nothing. */
static int digest_base64(OSSL_LIB_CTX *libctx, const char *text, char digest[SCHSM_DIGEST_TEXT_MAX],
                         struct schsm_error *err)
{
    size_t len = strlen(text), padding = 0;
    unsigned char *der = OPENSSL_zalloc(len + 1);
    int der_len = der != NULL ? EVP_DecodeBlock(der, (const unsigned char *)text, (int)len) : -1;
    int ok = der != NULL || schsm_fail_memory(err);

    while (padding < 2 && padding < len && text[len - 1 - padding] == '=') {
        padding++;
    }
    if (der_len > (int)padding) {
        ok = schsm_ceremony_digest(libctx, der, (size_t)der_len - padding, digest, err);
    }
    OPENSSL_free(der);
    return ok;
}

int schsm_ceremony_fingerprint(OSSL_LIB_CTX *libctx, const char *uri,
                               char digest[SCHSM_DIGEST_TEXT_MAX], struct schsm_error *err)
{
    const char *const words[] = { "pubkey", "--format", "der", uri };
    struct schsm_outcome outcome;
    const char *base64;
    int ok = schsm_outcome_of(words, sizeof(words) / sizeof(words[0]), &outcome, err);

    digest[0] = '\0';
    base64 = ok ? json_string_value(json_object_get(outcome.told, "base64")) : NULL;
    if (base64 != NULL) {
        ok = digest_base64(libctx, base64, digest, err);
    }
    schsm_outcome_clear(&outcome);
    return ok;
}

static int digest_pieces(struct schsm_file_reader *reader, EVP_MD_CTX *context,
                         struct schsm_error *err)
{
    uint8_t piece[16384];
    size_t len = sizeof(piece);

    while (len == sizeof(piece)) {
        if (!schsm_file_read_piece(reader, piece, &len, err)) {
            return 0;
        }
        if (EVP_DigestUpdate(context, piece, len) != 1) {
            return schsm_fail_memory(err);
        }
    }
    return 1;
}

int schsm_ceremony_file_digest(OSSL_LIB_CTX *libctx, const char *path,
                               char digest[SCHSM_DIGEST_TEXT_MAX], struct schsm_error *err)
{
    struct schsm_file_reader *reader = NULL;
    EVP_MD_CTX *context = NULL;
    EVP_MD *sha256 = NULL;
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    struct stat about;
    int ok = 0;

    if (stat(path, &about) != 0) {
        return schsm_fail(err, SCHSM_REASON_BAD_INPUT, "%s cannot be read: %s", path,
                          strerror(errno));
    }
    if (!S_ISREG(about.st_mode) || about.st_size < SHORTEST_FILE) {
        return schsm_fail(err, SCHSM_REASON_BAD_INPUT,
                          "%s is no file of %d bytes or more, whose digest gives nothing away",
                          path, SHORTEST_FILE);
    }
    reader = schsm_file_open(path, err);
    if (reader == NULL) {
        return 0;
    }
    context = EVP_MD_CTX_new();
    sha256 = EVP_MD_fetch(libctx, "SHA256", NULL);
    if (context == NULL || sha256 == NULL || EVP_DigestInit_ex2(context, sha256, NULL) != 1) {
        schsm_fail_memory(err);
        goto done;
    }
    ok = digest_pieces(reader, context, err);
    if (ok && EVP_DigestFinal_ex(context, bytes, &len) != 1) {
        ok = schsm_fail_memory(err);
    }
    if (ok) {
        schsm_hex(bytes, len, digest);
    }

done:
    EVP_MD_free(sha256);
    EVP_MD_CTX_free(context);
    schsm_file_close(reader);
    return ok;
}
