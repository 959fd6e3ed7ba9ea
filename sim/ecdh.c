/* SPDX-License-Identifier: Apache-2.0 */
#include "ecdh.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

/* The whole point is wanted, and EVP_PKEY_derive() gives only X: hence EC_POINT. */
bool sim_ecdh(const struct sim_key *key, struct sim_slice peer_point, struct sim_buf *out)
{
    bool ok = false;
    if (peer_point.len != 1 + 2 * key->size || peer_point.data[0] != 0x04) {
        return false;
    }
    BIGNUM *d = NULL;
    BN_CTX *ctx = BN_CTX_secure_new();
    EC_GROUP *group = EC_GROUP_new_by_curve_name(key->curve->nid);
    EC_POINT *peer = group == NULL ? NULL : EC_POINT_new(group);
    EC_POINT *shared = group == NULL ? NULL : EC_POINT_new(group);
    if (ctx == NULL || peer == NULL || shared == NULL ||
        !EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_PRIV_KEY, &d)) {
        goto out;
    }
    BN_set_flags(d, BN_FLG_CONSTTIME);
    /* oct2point refuses points that are not on the curve */
    if (EC_POINT_oct2point(group, peer, peer_point.data, peer_point.len, ctx) != 1 ||
        EC_POINT_mul(group, shared, NULL, peer, d, ctx) != 1 ||
        EC_POINT_is_at_infinity(group, shared)) {
        goto out;
    }
    uint8_t *to = sim_buf_reserve(out, peer_point.len);
    ok = to != NULL && EC_POINT_point2oct(group, shared, POINT_CONVERSION_UNCOMPRESSED, to,
                                          peer_point.len, ctx) == peer_point.len;
out:
    EC_POINT_clear_free(shared);
    EC_POINT_free(peer);
    EC_GROUP_free(group);
    BN_CTX_free(ctx);
    BN_clear_free(d);
    return ok;
}
