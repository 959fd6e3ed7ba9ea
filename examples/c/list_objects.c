/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list_objects [URI]: what is on the card, each object with the URI that names it; default sc-hsm:,
 * which is everything. It asks for no PIN.
 *
 *     cc -o list_objects list_objects.c -lcrypto
 */
#include <stdio.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/store.h>
#include <openssl/x509.h>

static void show_key(const char *what, const EVP_PKEY *key)
{
    char group[64] = "";

    (void)EVP_PKEY_get_group_name(key, group, sizeof(group), NULL);
    (void)printf("%-12s %s %d %s\n", what, EVP_PKEY_get0_type_name(key), EVP_PKEY_get_bits(key),
                 group);
}

static void show_certificate(const X509 *certificate)
{
    BIO *out = BIO_new_fp(stdout, BIO_NOCLOSE);

    (void)printf("%-12s ", "certificate");
    (void)fflush(stdout);
    X509_NAME_print_ex(out, X509_get_subject_name(certificate), 0, XN_FLAG_ONELINE);
    (void)printf("\n");
    BIO_free(out);
}

static void show(const OSSL_STORE_INFO *info)
{
    switch (OSSL_STORE_INFO_get_type(info)) {
    case OSSL_STORE_INFO_NAME: /* an object that is told by its name, with a few words on it */
        (void)printf("%s\n             %s\n", OSSL_STORE_INFO_get0_NAME(info),
                     OSSL_STORE_INFO_get0_NAME_description(info) != NULL
                         ? OSSL_STORE_INFO_get0_NAME_description(info)
                         : "");
        break;
    case OSSL_STORE_INFO_PKEY:
        show_key("private key", OSSL_STORE_INFO_get0_PKEY(info));
        break;
    case OSSL_STORE_INFO_PUBKEY:
        show_key("public key", OSSL_STORE_INFO_get0_PUBKEY(info));
        break;
    case OSSL_STORE_INFO_CERT:
        show_certificate(OSSL_STORE_INFO_get0_CERT(info));
        break;
    default:
        (void)printf("something else\n");
    }
}

int main(int argc, char **argv)
{
    OSSL_STORE_CTX *store =
        OSSL_STORE_open(argc == 2 ? argv[1] : "sc-hsm:", NULL, NULL, NULL, NULL);
    int ok = store != NULL;

    while (ok && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        if (info != NULL) {
            show(info);
        } else {
            ok = !OSSL_STORE_error(store);
        }
        OSSL_STORE_INFO_free(info);
    }
    if (!ok) {
        ERR_print_errors_fp(stderr);
    }
    OSSL_STORE_close(store);
    return ok ? 0 : 1;
}
