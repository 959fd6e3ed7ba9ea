/* SPDX-License-Identifier: Apache-2.0 */
/* What the keys of one provider instance, or of one run of the tool, have in common. */
#ifndef SCHSM_KEYMGMT_CONTEXT_H
#define SCHSM_KEYMGMT_CONTEXT_H

#include <openssl/crypto.h>

#include "pool/pool.h"
#include "registry/registry.h"
#include "config.h"

struct schsm_context {
    OSSL_LIB_CTX *libctx; /* for host cryptography; borrowed, outlives the context */
    struct schsm_config config;
    struct schsm_registry *registry;
    struct schsm_pool *pool; /* NULL: a key is used on one device */
};

#endif
