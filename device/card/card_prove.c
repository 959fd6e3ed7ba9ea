/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A new key for agreement on a Montgomery curve signs nothing, its own request neither (protocol
 * reference section 19.5). That the card holds the private key to the public one that it told is
 * shown by a secret which a key pair of ours has with that public key.
 */
#include "card_private.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

/* A key pair's public part and its secret with the card's key. */
struct known {
    uint8_t public[SCHSM_ECX_PUBLIC_MAX];
    uint8_t secret[SCHSM_ECX_PUBLIC_MAX];
    size_t public_len, secret_len;
};

static int make_known(OSSL_LIB_CTX *library, const struct schsm_ecx *curve, struct schsm_view key,
                      struct known *known)
{
    EVP_PKEY *pair = NULL, *cards = NULL;
    EVP_PKEY_CTX *deriving = NULL;
    int ok = 0;

    known->public_len = sizeof(known->public);
    known->secret_len = sizeof(known->secret);
    (void)ERR_set_mark();
    pair = EVP_PKEY_Q_keygen(library, NULL, curve->name);
    cards = EVP_PKEY_new_raw_public_key_ex(library, curve->name, NULL, key.data, key.len);
    if (pair != NULL && cards != NULL) {
        deriving = EVP_PKEY_CTX_new_from_pkey(library, pair, NULL);
    }
    ok = deriving != NULL && EVP_PKEY_derive_init(deriving) == 1 &&
         EVP_PKEY_derive_set_peer(deriving, cards) == 1 &&
         EVP_PKEY_derive(deriving, known->secret, &known->secret_len) == 1 &&
         EVP_PKEY_get_raw_public_key(pair, known->public, &known->public_len) == 1;
    (void)ERR_pop_to_mark(); /* our own error says it */
    EVP_PKEY_CTX_free(deriving);
    EVP_PKEY_free(cards);
    EVP_PKEY_free(pair);
    return ok;
}

int schsm_card_prove_agreement(struct schsm_session *session, unsigned int key_ref,
                               const struct schsm_ecx *curve, struct schsm_view key,
                               struct schsm_error *err)
{
    OSSL_LIB_CTX *library = OSSL_LIB_CTX_new();
    struct known known = { .public_len = 0 };
    uint8_t answer[SCHSM_APDU_SHORT_LE_MAX];
    size_t len = sizeof(answer);
    int ok = 0;

    if (library == NULL || !make_known(library, curve, key, &known)) {
        schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto cannot make an %s key pair to compare with",
                   curve->name);
        goto end;
    }
    const struct schsm_apdu apdu = {
        .cla = 0x80,
        .ins = SCHSM_INS_DECIPHER,
        .p1 = (uint8_t)key_ref,
        .p2 = SCHSM_ALGORITHM_ECDH,
        .data = known.public,
        .data_len = known.public_len,
        .le = SCHSM_APDU_SHORT_LE_MAX,
    };
    if (!schsm_card_execute(&session->card, &apdu, answer, &len, err)) {
        goto end;
    }
    ok = len == 1 + known.secret_len &&
         CRYPTO_memcmp(answer + 1, known.secret, known.secret_len) == 0;
    if (!ok) {
        schsm_fail(err, SCHSM_REASON_DEVICE_DATA,
                   "the device told another public key than that of the key it made");
    }
end:
    OPENSSL_cleanse(&known, sizeof(known));
    OPENSSL_cleanse(answer, sizeof(answer));
    OSSL_LIB_CTX_free(library);
    return ok;
}
