/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Imports the private keys of PEM files to the only device, whose DKEK is 44.. (32 bytes):
 *
 *     import_keys FILE...
 *     import_keys --share HEX
 *
 * Each key gets its file's name as label; the second form imports a share of the DKEK. Deriving a
 * key from the password of a share takes seconds; here there is none.
 */
#include <stdio.h>
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

static int import_one(struct schsm_device *device, const char *path,
                      const struct schsm_secret *dkek, const struct schsm_login *login,
                      struct schsm_error *err)
{
    struct schsm_import import = {
        .key = read_key(path), .dkek = dkek, .key_ref = -1, .label = path
    };
    struct schsm_object made;
    size_t stored = 0;
    int ok;

    if (import.key == NULL) {
        return schsm_fail(err, SCHSM_REASON_FILE, "%s holds no key", path);
    }
    ok = schsm_import_key(NULL, device, &import, login, &made, &stored, err);
    if (ok) {
        (void)printf("%s: key reference %d, %u bits\n", path, made.key_ref, made.bits);
        schsm_object_clear(&made);
    }
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
    struct schsm_device *device = NULL;
    uint8_t *bytes;
    int ok;

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
    for (int i = 1; ok && i < argc; i++) {
        ok = import_one(device, argv[i], dkek, &login, &err);
    }
    if (!ok) {
        (void)fprintf(stderr, "%s\n", err.text);
    }
    schsm_pin_source_free(login.source);
    schsm_secret_free(dkek);
    schsm_secret_free(typed);
    schsm_registry_free(registry);
    return ok ? 0 : 1;
}
