/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and certificates of the host's, the same in each run: the random numbers are. */
#include "fixtures.h"

#include <stdio.h>
#include <string.h>

#include "format/dkek.h"

#include "fuzz.h"

#define ROOT_MAX 1024

struct flow_fixtures flow_fixtures;

/* set: X509_set_subject_name or X509_set_issuer_name. */
static bool set_name(X509 *certificate, int (*set)(X509 *, const X509_NAME *), const char *text)
{
    X509_NAME *name = X509_NAME_new();
    bool ok = name != NULL &&
              X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)text, -1,
                                         -1, 0) == 1 &&
              set(certificate, name) == 1;

    X509_NAME_free(name);
    return ok;
}

X509 *flow_certify(EVP_PKEY *key, const char *name)
{
    X509 *certificate = X509_new();
    bool made = certificate != NULL && X509_set_version(certificate, X509_VERSION_3) == 1 &&
                ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1 &&
                ASN1_TIME_set_string(X509_getm_notBefore(certificate), "20200101000000Z") == 1 &&
                ASN1_TIME_set_string(X509_getm_notAfter(certificate), "20500101000000Z") == 1 &&
                X509_set_pubkey(certificate, key) == 1;

    made = made && set_name(certificate, X509_set_subject_name, name) &&
           set_name(certificate, X509_set_issuer_name, "authority") &&
           X509_sign(certificate, flow_fixtures.authority, EVP_sha256()) > 0;
    if (!made) {
        X509_free(certificate);
        certificate = NULL;
    }
    return certificate;
}

static struct schsm_secret *repeat_byte(uint8_t byte, size_t len)
{
    uint8_t bytes[SCHSM_DKEK_LEN];
    struct schsm_secret *secret;

    memset(bytes, byte, sizeof(bytes));
    secret = schsm_secret_new(bytes, len, NULL);
    REQUIRE(secret != NULL);
    return secret;
}

static struct schsm_roots *read_root(void)
{
    struct schsm_roots *roots = schsm_roots_new(NULL);
    FILE *file = fopen(FLOW_ROOT, "rb");
    uint8_t root[ROOT_MAX];
    size_t len;

    REQUIRE(file != NULL && roots != NULL);
    len = fread(root, 1, sizeof(root), file);
    (void)fclose(file);
    REQUIRE(schsm_roots_add(roots, "the virtual cards' root", root, len, NULL));
    return roots;
}

void flow_make_fixtures(void)
{
    flow_fixtures.authority = EVP_EC_gen("P-256");
    flow_fixtures.ec = EVP_EC_gen("P-256");
    flow_fixtures.rsa = EVP_RSA_gen(1024);
    REQUIRE(flow_fixtures.authority != NULL && flow_fixtures.ec != NULL &&
            flow_fixtures.rsa != NULL);
    flow_fixtures.authority_certificate = flow_certify(flow_fixtures.authority, "authority");
    flow_fixtures.ec_certificate = flow_certify(flow_fixtures.ec, "ours");
    REQUIRE(flow_fixtures.authority_certificate != NULL && flow_fixtures.ec_certificate != NULL);
    flow_fixtures.dkek = repeat_byte(0x44, SCHSM_DKEK_LEN);
    flow_fixtures.aes = repeat_byte(0x55, 16);
    flow_fixtures.roots = read_root();
}
