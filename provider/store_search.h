/* SPDX-License-Identifier: Apache-2.0 */
/* What OSSL_STORE_find asks for: which objects of a URI are meant. */
#ifndef SCHSM_PROVIDER_STORE_SEARCH_H
#define SCHSM_PROVIDER_STORE_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/bn.h>
#include <openssl/core.h>
#include <openssl/x509.h>

#include "keymgmt/find.h"
#include "provider.h"

/* Members that are NULL ask for nothing. */
struct schsm_store_search {
    X509_NAME *subject; /* of a certificate */
    X509_NAME *issuer;  /* of a certificate, with its serial number */
    BIGNUM *serial;
    char *alias;                /* the label of any object */
    char *digest;               /* NULL: the one of the fingerprint's length */
    unsigned char *fingerprint; /* of a key, or of a certificate or its key */
    size_t fingerprint_len;
};

void schsm_store_search_clear(struct schsm_store_search *search);

/* Adds what params ask for; 0 with an error raised. */
int schsm_store_search_set(const struct schsm_provider *prov, struct schsm_store_search *search,
                           const OSSL_PARAM params[]);

bool schsm_store_search_active(const struct schsm_store_search *search);

/* Leaves in the list what the search asks for. Keys may have to be read for their fingerprint. */
int schsm_store_search_filter(const struct schsm_provider *prov,
                              const struct schsm_store_search *search,
                              struct schsm_match_list *list, struct schsm_error *err);

#endif
