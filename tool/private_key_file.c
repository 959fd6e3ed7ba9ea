/* SPDX-License-Identifier: Apache-2.0 */
#include "private_key_file.h"

#include <limits.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/ui.h>

#include "format/openssh_key.h"
#include "keymgmt/file.h"
#include "ask.h"
#include "pkcs12_file.h"

#define FILE_MAX 1048576
#define OPTION "file-password-source"

/* Asked for the file's password by libcrypto, at most once. */
struct password {
    struct schsm_tool *tool;
    const char *path;
    struct schsm_secret *secret;
    bool asked;
    struct schsm_error err;
};

/* For struct schsm_key_password. */
static const struct schsm_secret *ask_key_password(void *arg)
{
    struct password *password = arg;
    const struct schsm_question question = { .what = "password of the key file",
                                             .tries_left = -1,
                                             .max = SCHSM_SECRET_INPUT_MAX };

    if (!password->asked) {
        password->asked = true;
        (void)schsm_tool_secret(password->tool, OPTION, &question, &password->secret,
                                &password->err);
    }
    return password->secret;
}

/* For libcrypto. */
static int give_password(char *buffer, int size, int writing, void *arg)
{
    const struct schsm_secret *secret = ask_key_password(arg);
    size_t len = secret != NULL ? schsm_secret_len(secret) : 0;

    (void)writing;
    if (secret == NULL || size < 0 || len > (size_t)size) {
        return -1;
    }
    memcpy(buffer, schsm_secret_data(secret), len);
    return (int)len;
}

/* Takes what the store has into the file. */
static int take(OSSL_STORE_CTX *store, const char *path, struct schsm_private_key_file *file,
                struct schsm_error *err)
{
    while (!OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);
        int type = info == NULL ? 0 : OSSL_STORE_INFO_get_type(info);
        X509 *certificate = NULL;
        bool second = type == OSSL_STORE_INFO_PKEY && file->key != NULL;

        if (type == OSSL_STORE_INFO_PKEY && !second) {
            file->key = OSSL_STORE_INFO_get1_PKEY(info);
        } else if (type == OSSL_STORE_INFO_CERT) {
            certificate = OSSL_STORE_INFO_get1_CERT(info);
        }
        OSSL_STORE_INFO_free(info);
        if (second) {
            return schsm_fail(err, SCHSM_REASON_FILE,
                              "%s holds several private keys: put each into a file of its own",
                              path);
        }
        if (certificate != NULL && sk_X509_push(file->certificates, certificate) <= 0) {
            X509_free(certificate);
            return schsm_fail_memory(err);
        }
        if (info == NULL && OSSL_STORE_error(store)) {
            break;
        }
    }
    return 1;
}

static int read_store(struct schsm_tool *tool, const uint8_t *content, size_t len,
                      struct password *password, struct schsm_private_key_file *file,
                      struct schsm_error *err)
{
    UI_METHOD *method = UI_UTIL_wrap_read_pem_callback(give_password, 0);
    BIO *in = BIO_new_mem_buf(content, (int)len);
    OSSL_STORE_CTX *store = NULL;
    int ok = 0;

    if (method == NULL || in == NULL) {
        schsm_fail_memory(err);
        goto done;
    }
    store = OSSL_STORE_attach(in, "file", tool->context.libctx, NULL, method, password, NULL, NULL,
                              NULL);
    if (store == NULL) {
        schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto could not read %s", password->path);
        goto done;
    }
    ok = take(store, password->path, file, err);

done:
    OSSL_STORE_close(store);
    BIO_free(in);
    UI_destroy_method(method);
    return ok;
}

/* Whatever kind of file it is. */
static int read_any(struct schsm_tool *tool, const uint8_t *content, size_t len, const char *name,
                    struct password *password, struct schsm_private_key_file *file,
                    struct schsm_error *err)
{
    const struct schsm_key_password ask = { ask_key_password, password };
    OSSL_LIB_CTX *libctx = tool->context.libctx;
    PKCS12 *pkcs12 = schsm_pkcs12_parse(libctx, content, len);
    int ok;

    if (pkcs12 != NULL) {
        ok = schsm_pkcs12_read(libctx, pkcs12, password->path, name, &ask, file, err);
        PKCS12_free(pkcs12);
        return ok;
    }
    if (name != NULL) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "--name: %s is no PKCS#12 file, and the keys of others have no names",
                          password->path);
    }
    if (schsm_openssh_key_is(content, len)) {
        file->key = schsm_openssh_key_read(libctx, content, len, err);
        return file->key != NULL || schsm_fail_context(err, "%s", password->path);
    }
    return read_store(tool, content, len, password, file, err);
}

/* Why there is no key. */
static int fail_no_key(const struct password *password, const char *path, bool legacy,
                       struct schsm_error *err)
{
    if (password->err.reason != SCHSM_REASON_NONE) {
        *err = password->err;
        return 0;
    }
    if (password->asked) {
        return schsm_fail(
            err, SCHSM_REASON_FILE,
            "%s cannot be opened: its password is wrong, or the file is damaged%s", path,
            legacy ? "" : ", or it needs OpenSSL's legacy provider, which is not there");
    }
    return schsm_fail(err, SCHSM_REASON_FILE,
                      "%s holds no private key in PEM, PKCS#8, PKCS#12 or "
                      "OpenSSH's format, or it is cut off",
                      path);
}

int schsm_private_key_file_read(struct schsm_tool *tool, const char *path, const char *name,
                                struct schsm_private_key_file *file, struct schsm_error *err)
{
    /* Old files are encrypted with RC2, single DES or a key derivation that only the second has;
     * where it cannot be loaded, they cannot be read. The first has to be there before it, or their
     * digests are not found. */
    static const char *const names[] = { "default", "legacy" };
    struct password password = { .tool = tool, .path = path, .err = SCHSM_ERROR_INIT };
    /* OpenSSL 3.0 opens PKCS#12 in the default context, whatever it is told. */
    OSSL_LIB_CTX *contexts[] = { tool->context.libctx, NULL };
    OSSL_PROVIDER *providers[2][2];
    uint8_t *content = NULL;
    size_t len = 0;
    int ok = 0;

    memset(file, 0, sizeof(*file));
    if (!schsm_file_read(path, FILE_MAX, &content, &len, err)) {
        return 0;
    }
    (void)ERR_set_mark();
    for (size_t i = 0; i < 4; i++) {
        providers[i / 2][i % 2] = OSSL_PROVIDER_try_load(contexts[i % 2], names[i / 2], 1);
    }
    file->certificates = sk_X509_new_null();
    ok = file->certificates != NULL ? read_any(tool, content, len, name, &password, file, err)
                                    : schsm_fail_memory(err);
    if (ok && file->key == NULL) {
        ok = fail_no_key(&password, path, providers[1][0] != NULL, err);
    }
    (void)ERR_pop_to_mark(); /* our own error says it */
    for (size_t i = 4; i > 0; i--) {
        OSSL_PROVIDER *provider = providers[(i - 1) / 2][(i - 1) % 2];

        if (provider != NULL) {
            (void)OSSL_PROVIDER_unload(provider);
        }
    }
    schsm_secret_free(password.secret);
    OPENSSL_clear_free(content, len);
    return ok;
}

void schsm_private_key_file_clear(struct schsm_private_key_file *file)
{
    EVP_PKEY_free(file->key);
    sk_X509_pop_free(file->certificates, X509_free);
    memset(file, 0, sizeof(*file));
}
