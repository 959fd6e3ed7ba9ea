/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Imports the private keys of PEM files to the only device, whose DKEK is 44.. (32 bytes):
 *
 *     import_keys [--id HEX] [--key-ref N] [--algorithms HEX] [--certs FILE | --aes] FILE...
 *     import_keys --share HEX
 *
 * Each key gets its file's name as label, and the certificates of a PEM file: the first is its own.
 * With --aes the files hold the bytes of AES keys. The second form imports a share of the DKEK.
 * Deriving a key from the password of a share takes seconds; here there is none.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/pem.h>

#include "format/dkek.h"
#include "hsm/hsm_key_domain.h"
#include "registry/registry.h"
#include "keymgmt/import_key.h"

static const char pin[] = "648219";

static EVP_PKEY *read_key(const char *path)
{
    FILE *file = fopen(path, "r");
    EVP_PKEY *key = NULL;

    if (file != NULL) {
        key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
        (void)fclose(file);
    }
    return key;
}

/* The bytes of an AES key. */
static struct schsm_secret *read_secret(const char *path, struct schsm_error *err)
{
    struct schsm_secret *secret = NULL;
    FILE *file = fopen(path, "r");
    unsigned char bytes[33];
    size_t len = 0;

    if (file != NULL) {
        len = fread(bytes, 1, sizeof(bytes), file);
        (void)fclose(file);
        secret = schsm_secret_new(bytes, len, err);
    }
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return secret;
}

/* What all the keys get; cleared by clear_wish. */
struct wish {
    struct schsm_import import;
    STACK_OF(X509) * chain;
    uint8_t *id, *algorithms;
    bool aes;
};

static int read_certificates(const char *path, struct wish *wish, struct schsm_error *err)
{
    FILE *file = fopen(path, "r");
    X509 *certificate;

    wish->chain = sk_X509_new_null();
    while (file != NULL && wish->chain != NULL &&
           (certificate = PEM_read_X509(file, NULL, NULL, NULL)) != NULL) {
        if (wish->import.certificate == NULL) {
            wish->import.certificate = certificate;
        } else if (sk_X509_push(wish->chain, certificate) <= 0) {
            X509_free(certificate);
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    wish->import.chain = wish->chain;
    return wish->import.certificate != NULL ||
           schsm_fail(err, SCHSM_REASON_FILE, "%s holds no certificate", path);
}

/* The options; *at is the first file's place then. */
static int read_wish(int argc, char **argv, int *at, struct wish *wish, struct schsm_error *err)
{
    while (*at + 1 < argc && strncmp(argv[*at], "--", 2) == 0) {
        const char *option = argv[*at], *value = argv[*at + 1];
        long len = 0;

        *at += 2;
        if (strcmp(option, "--aes") == 0) {
            wish->aes = true;
            --*at;
        } else if (strcmp(option, "--certs") == 0) {
            if (!read_certificates(value, wish, err)) {
                return 0;
            }
        } else if (strcmp(option, "--key-ref") == 0) {
            wish->import.key_ref = (int)strtol(value, NULL, 10);
        } else if (strcmp(option, "--id") == 0) {
            wish->id = OPENSSL_hexstr2buf(value, &len);
            wish->import.id = wish->id;
            wish->import.id_len = (size_t)len;
        } else if (strcmp(option, "--algorithms") == 0) {
            wish->algorithms = OPENSSL_hexstr2buf(value, &len);
            wish->import.algorithms = wish->algorithms;
            wish->import.algorithms_len = (size_t)len;
        } else {
            return schsm_fail(err, SCHSM_REASON_ARGUMENT, "%s is no option", option);
        }
    }
    return 1;
}

static void clear_wish(struct wish *wish)
{
    X509_free(wish->import.certificate);
    sk_X509_pop_free(wish->chain, X509_free);
    OPENSSL_free(wish->id);
    OPENSSL_free(wish->algorithms);
}

static int import_one(struct schsm_device *device, const char *path, const struct wish *wish,
                      const struct schsm_login *login, struct schsm_error *err)
{
    struct schsm_import import = wish->import;
    struct schsm_secret *secret = wish->aes ? read_secret(path, err) : NULL;
    struct schsm_object made;
    size_t stored = 0;
    int ok;

    import.key = wish->aes ? NULL : read_key(path);
    import.secret = secret;
    import.label = path;
    if (import.key == NULL && secret == NULL) {
        return schsm_fail(err, SCHSM_REASON_FILE, "%s holds no key", path);
    }
    ok = schsm_import_key(NULL, device, &import, login, &made, &stored, err);
    if (ok) {
        (void)printf("%s: key reference %d, %u bits\n", path, made.key_ref, made.bits);
        schsm_object_clear(&made);
    }
    schsm_secret_free(secret);
    EVP_PKEY_free(import.key);
    return ok;
}

static int import_share(struct schsm_device *device, const char *hex, struct schsm_error *err)
{
    struct schsm_hsm_domain after;
    struct schsm_secret *share;
    long len = 0;
    unsigned char *bytes = OPENSSL_hexstr2buf(hex, &len);
    int ok;

    if (bytes == NULL) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "%s is not hexadecimal", hex);
    }
    share = schsm_secret_new(bytes, (size_t)len, err);
    ok = share != NULL && schsm_hsm_import_share(device, 0, share, NULL, &after, err);
    if (ok) {
        (void)printf("%u of %u outstanding\n", after.outstanding, after.shares);
    }
    schsm_secret_free(share);
    OPENSSL_free(bytes);
    return ok;
}

int main(int argc, char **argv)
{
    const struct schsm_device_selector any = { .serial = NULL };
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_registry *registry = schsm_registry_new(&err);
    struct schsm_secret *typed = schsm_secret_new(pin, strlen(pin), &err), *dkek = NULL;
    struct schsm_login login = { .keep_pin = true };
    struct wish wish = { .import.key_ref = -1 };
    struct schsm_device *device = NULL;
    uint8_t *bytes;
    int ok, at = 1;

    dkek = schsm_secret_alloc(SCHSM_DKEK_LEN, &bytes, &err);
    ok = registry != NULL && typed != NULL && dkek != NULL;
    if (ok) {
        memset(bytes, 0x44, SCHSM_DKEK_LEN);
        login.source = schsm_pin_source_from_secret(typed, &err);
        ok = login.source != NULL && schsm_registry_device(registry, &any, &device, &err);
    }
    if (ok && argc == 3 && strcmp(argv[1], "--share") == 0) {
        ok = import_share(device, argv[2], &err);
        argc = 0;
    }
    wish.import.dkek = dkek;
    ok = ok && read_wish(argc, argv, &at, &wish, &err);
    for (; ok && at < argc; at++) {
        ok = import_one(device, argv[at], &wish, &login, &err);
    }
    if (!ok) {
        (void)fprintf(stderr, "%s\n", err.text);
    }
    clear_wish(&wish);
    schsm_pin_source_free(login.source);
    schsm_secret_free(dkek);
    schsm_secret_free(typed);
    schsm_registry_free(registry);
    return ok ? 0 : 1;
}
