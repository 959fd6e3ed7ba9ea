/* SPDX-License-Identifier: Apache-2.0 */
#include "digest.h"

int schsm_digest_select(OSSL_LIB_CTX *libctx, const char *name, EVP_MD **md)
{
    if (*md != NULL && EVP_MD_is_a(*md, name)) {
        return 1;
    }
    EVP_MD_free(*md);
    *md = EVP_MD_fetch(libctx, name, NULL);
    return *md != NULL;
}
