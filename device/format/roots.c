/* SPDX-License-Identifier: Apache-2.0 */
#include "roots.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

struct root {
    char *name;
    uint8_t *der;
    size_t len;
    struct root *next;
};

struct schsm_roots {
    struct root *first;
};

struct schsm_roots *schsm_roots_new(struct schsm_error *err)
{
    struct schsm_roots *roots = OPENSSL_zalloc(sizeof(*roots));

    if (roots == NULL) {
        schsm_fail_memory(err);
    }
    return roots;
}

void schsm_roots_free(struct schsm_roots *roots)
{
    if (roots == NULL) {
        return;
    }
    for (struct root *root = roots->first, *next; root != NULL; root = next) {
        next = root->next;
        OPENSSL_free(root->name);
        OPENSSL_free(root->der);
        OPENSSL_free(root);
    }
    OPENSSL_free(roots);
}

static int check_root(const struct schsm_cvc *cvc, struct schsm_error *err)
{
    if (!schsm_view_equal(cvc->car, cvc->chr) ||
        (cvc->role.len > 0 && !schsm_cvc_has_role(cvc, SCHSM_CVC_ROOT))) {
        return schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                          "the certificate of %.*s is no root certificate", (int)cvc->chr.len,
                          (const char *)cvc->chr.data);
    }
    return schsm_cvc_verify(&cvc->key, NULL, cvc->body.data, cvc->body.len, cvc->signature.data,
                            cvc->signature.len, err);
}

static int add_one(struct schsm_roots *roots, const char *name, const struct schsm_cvc *cvc,
                   struct schsm_error *err)
{
    struct root *root = OPENSSL_zalloc(sizeof(*root));

    if (root != NULL) {
        root->name = OPENSSL_strdup(name);
        root->der = OPENSSL_memdup(cvc->whole.data, cvc->whole.len);
    }
    if (root == NULL || root->name == NULL || root->der == NULL) {
        if (root != NULL) {
            OPENSSL_free(root->name);
            OPENSSL_free(root->der);
        }
        OPENSSL_free(root);
        return schsm_fail_memory(err);
    }
    root->len = cvc->whole.len;
    root->next = roots->first;
    roots->first = root;
    return 1;
}

int schsm_roots_add(struct schsm_roots *roots, const char *name, const uint8_t *data, size_t len,
                    struct schsm_error *err)
{
    struct schsm_cvc cvc;

    do {
        if (!schsm_cvc_parse(data, len, &cvc, err) || !check_root(&cvc, err) ||
            !add_one(roots, name, &cvc, err)) {
            return 0;
        }
        data += cvc.whole.len;
        len -= cvc.whole.len;
    } while (len > 0);
    return 1;
}

/* 1: this root's; 0: it failed, with the sentence; -1: the root has another name. */
static int try_root(const uint8_t *der, size_t der_len, const uint8_t *file, size_t len,
                    struct schsm_device_identity *identity, struct schsm_error *err)
{
    const struct schsm_cvc *top =
        identity->issuer.whole.len > 0 ? &identity->issuer : &identity->device;
    struct schsm_cvc root, device;

    if (!schsm_cvc_parse(der, der_len, &root, err)) {
        return 0;
    }
    if (!schsm_view_equal(root.chr, top->car)) {
        return -1;
    }
    return schsm_cvc_verify_device(&root, file, len, &device, &identity->curve, err) &&
           schsm_cvc_holder(&root, identity->root, sizeof(identity->root), err);
}

int schsm_roots_verify_device(const struct schsm_roots *roots, const uint8_t *file, size_t len,
                              struct schsm_device_identity *identity, struct schsm_error *err)
{
    const struct schsm_scheme_root *scheme;
    const struct schsm_cvc *top;
    struct schsm_error found = SCHSM_ERROR_INIT;
    int result;

    memset(identity, 0, sizeof(*identity));
    if (!schsm_cvc_parse_chain(file, len, &identity->device, &identity->issuer, err)) {
        return 0;
    }
    for (size_t i = 0; (scheme = schsm_scheme_root_at(i)) != NULL; i++) {
        result = try_root(scheme->der, scheme->len, file, len, identity, &found);
        if (result == 1) {
            identity->maker = scheme->maker;
            identity->built_in = true;
            identity->test = scheme->test;
            return 1;
        }
    }
    for (const struct root *root = roots == NULL ? NULL : roots->first; root != NULL;
         root = root->next) {
        result = try_root(root->der, root->len, file, len, identity, &found);
        if (result == 1) {
            identity->maker = root->name;
            return 1;
        }
    }
    if (found.reason != SCHSM_REASON_NONE) { /* a root of that name, but not that key */
        return schsm_fail_as(err, &found);
    }
    top = identity->issuer.whole.len > 0 ? &identity->issuer : &identity->device;
    if (schsm_view_equal(top->car, top->chr)) {
        return schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                          "the device certificate is signed by the device itself, and by no maker "
                          "of devices");
    }
    return schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                      "the device's certificates were issued under %.*s, which is none of the "
                      "makers that we know and no root that was given",
                      (int)top->car.len, top->car.len == 0 ? "" : (const char *)top->car.data);
}
