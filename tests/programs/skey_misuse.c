/* SPDX-License-Identifier: Apache-2.0 */
/* Contexts that are copied, begun anew and used in place, and what is refused. */
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include "skey_compare.h"

#define LONG 20000 /* more than the provider hands on at once */

/* All at once and the end; the length, -1 where it failed. */
static int whole(EVP_CIPHER_CTX *ctx, const unsigned char *in, int len, unsigned char *out)
{
    int made = 0, more = 0;

    return EVP_CipherUpdate(ctx, out, &made, in, len) == 1 &&
                   EVP_CipherFinal_ex(ctx, out + made, &more) == 1
               ? made + more
               : -1;
}

static void copy_in_the_middle(const struct skey_pair *pair, int at)
{
    EVP_CIPHER_CTX *ctx = skey_ours(pair, 1, 1), *copy = EVP_CIPHER_CTX_new();
    EVP_CIPHER_CTX *other = skey_theirs(pair, 1, 1);
    unsigned char ours[128], copied[128], theirs[128];
    int len = whole(other, skey_data, 100, theirs), made = 0;

    skey_step("a part", EVP_CipherUpdate(ctx, ours, &made, skey_data, at) == 1 &&
                            EVP_CIPHER_CTX_copy(copy, ctx) == 1);
    memcpy(copied, ours, sizeof(copied));
    skey_step("the rest", whole(ctx, skey_data + at, 100 - at, ours + made) == len - made &&
                              memcmp(ours, theirs, (size_t)len) == 0);
    EVP_CIPHER_CTX_free(ctx);
    skey_step("the rest, by the copy, after the first is gone",
              whole(copy, skey_data + at, 100 - at, copied + made) == len - made &&
                  memcmp(copied, theirs, (size_t)len) == 0);
    EVP_CIPHER_CTX_free(copy);
    EVP_CIPHER_CTX_free(other);
}

static void begin_anew(const struct skey_pair *pair)
{
    static const unsigned char new_iv[SKEY_BLOCK] = "another IV here";
    EVP_CIPHER_CTX *ctx = skey_ours(pair, 1, 1), *other = skey_theirs(pair, 1, 1);
    unsigned char ours[128], theirs[128], now[SKEY_BLOCK];
    int made = 0;

    skey_step("something begun", EVP_CipherUpdate(ctx, ours, &made, skey_data, 50) == 1);
    skey_step("once more with key and IV",
              EVP_CipherInit_ex2(ctx, NULL, NULL, NULL, 1, NULL) == 1 &&
                  whole(ctx, skey_data, 100, ours) == 112 &&
                  whole(other, skey_data, 100, theirs) == 112 && memcmp(ours, theirs, 112) == 0);
    skey_step("with another IV", EVP_CipherInit_ex2(ctx, NULL, NULL, new_iv, -1, NULL) == 1 &&
                                     EVP_CipherInit_ex2(other, NULL, NULL, new_iv, -1, NULL) == 1 &&
                                     whole(ctx, skey_data, 100, ours) == 112 &&
                                     whole(other, skey_data, 100, theirs) == 112 &&
                                     memcmp(ours, theirs, 112) == 0);
    skey_step("the IV that it was begun with",
              EVP_CIPHER_CTX_get_original_iv(ctx, now, sizeof(now)) == 1 &&
                  memcmp(now, new_iv, SKEY_BLOCK) == 0);
    skey_step("the IV for what would follow",
              EVP_CIPHER_CTX_get_updated_iv(ctx, now, sizeof(now)) == 1 &&
                  memcmp(now, theirs + 96, SKEY_BLOCK) == 0);
    skey_step("the other way", EVP_CipherInit_SKEY(ctx, NULL, NULL, NULL, 0, 0, NULL) == 1 &&
                                   whole(ctx, theirs, 112, ours) == 100 &&
                                   memcmp(ours, skey_data, 100) == 0);
    skey_step("what the cipher tells",
              EVP_CIPHER_CTX_get_key_length(ctx) == (int)pair->len &&
                  EVP_CIPHER_CTX_get_iv_length(ctx) == SKEY_BLOCK &&
                  EVP_CIPHER_CTX_get_block_size(ctx) == SKEY_BLOCK &&
                  EVP_CIPHER_get_mode(pair->cipher) == EVP_CIPH_CBC_MODE &&
                  EVP_CIPHER_get_flags(pair->cipher) == EVP_CIPHER_get_flags(pair->plain));
    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_CTX_free(other);
}

static void in_place(const struct skey_pair *pair)
{
    static unsigned char ours[LONG + SKEY_BLOCK], theirs[LONG + SKEY_BLOCK];
    EVP_CIPHER_CTX *ctx = skey_ours(pair, 1, 1), *other = skey_theirs(pair, 1, 1);
    int made = 0, more = 0;

    skey_step("software", whole(other, skey_data, LONG, theirs) == LONG + SKEY_BLOCK);
    memcpy(ours, skey_data, LONG);
    skey_step("in place", whole(ctx, ours, LONG, ours) == LONG + SKEY_BLOCK &&
                              memcmp(ours, theirs, LONG + SKEY_BLOCK) == 0);
    memcpy(ours, skey_data + 5, LONG - 5);
    skey_step("in place behind what is held back",
              EVP_CipherInit_ex2(ctx, NULL, NULL, NULL, 1, NULL) == 1 &&
                  EVP_CipherUpdate(ctx, ours, &made, skey_data, 5) == 1 && made == 0 &&
                  EVP_CipherUpdate(ctx, ours, &made, ours, LONG - 5) == 1 && made == LONG &&
                  EVP_CipherFinal_ex(ctx, ours + made, &more) == 1 &&
                  memcmp(ours, theirs, LONG + SKEY_BLOCK) == 0);
    skey_step("EVP_Cipher", EVP_CipherInit_ex2(ctx, NULL, NULL, NULL, 0, NULL) == 1 &&
                                EVP_Cipher(ctx, ours, theirs, LONG) == LONG &&
                                memcmp(ours, skey_data, LONG) == 0);
    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_CTX_free(other);
}

/* Padding that is switched off when the last block was held back for it already. */
static void without_padding_late(const struct skey_pair *pair)
{
    EVP_CIPHER_CTX *ctx[2] = { skey_ours(pair, 0, 1), skey_theirs(pair, 0, 1) };
    unsigned char out[2][64] = { { 0 }, { 0 } };
    int total[2];

    for (int i = 0; i < 2; i++) {
        int made = 0, more = 0;

        skey_step("two blocks", EVP_CipherUpdate(ctx[i], out[i], &made, skey_data, 32) == 1 &&
                                    EVP_CIPHER_CTX_set_padding(ctx[i], 0) == 1 &&
                                    EVP_CipherFinal_ex(ctx[i], out[i] + made, &more) == 1);
        total[i] = made + more;
        EVP_CIPHER_CTX_free(ctx[i]);
    }
    skey_step("the same", total[0] == total[1] && memcmp(out[0], out[1], sizeof(out[0])) == 0);
}

void skey_try_contexts(const struct skey_pair *pair)
{
    static const int places[] = { 0, 5, 16, 40, 96, 100 };

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        copy_in_the_middle(pair, places[i]);
    }
    begin_anew(pair);
    in_place(pair);
    without_padding_late(pair);
}

/* --- what is refused ------------------------------------------------------------------------- */

/* A reference is what a store of ours gives to libcrypto; nobody else can make one. */
static EVP_SKEY *referenced(const void *what, size_t len)
{
    unsigned char reference[16];
    OSSL_PARAM params[] = { OSSL_PARAM_construct_octet_string("reference", reference, len),
                            OSSL_PARAM_construct_end() };

    memcpy(reference, what, len);
    return EVP_SKEY_import(NULL, "SC-HSM-AES", NULL, OSSL_SKEYMGMT_SELECT_ALL, params);
}

static void name_by_management(const struct skey_pair *pair)
{
#ifdef OSSL_FUNC_KDF_SET_SKEY /* OpenSSL 3.6 and later */
    EVP_SKEYMGMT *management = EVP_SKEYMGMT_fetch(NULL, "SC-HSM-AES", "provider=sc-hsm");
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(
                                "uri", (char *)EVP_SKEY_get0_key_id(pair->key), 0),
                            OSSL_PARAM_construct_end() };
    EVP_SKEY *key =
        EVP_SKEY_import_SKEYMGMT(NULL, management, OSSL_SKEYMGMT_SELECT_SECRET_KEY, params);

    skey_step("named to its key management",
              key != NULL &&
                  strcmp(EVP_SKEY_get0_key_id(key), EVP_SKEY_get0_key_id(pair->key)) == 0);
    EVP_SKEY_free(key);
    EVP_SKEYMGMT_free(management);
#else
    (void)pair;
#endif
}

static void refuse_keys(const struct skey_pair *pair)
{
    const void *nowhere = pair;
    const unsigned char *raw = NULL;
    EVP_SKEY *same = NULL, *other = NULL;
    size_t len = 0;

    skey_step("its name", strncmp(EVP_SKEY_get0_key_id(pair->key), "sc-hsm:", 7) == 0 &&
                              strcmp(EVP_SKEY_get0_skeymgmt_name(pair->key), "SC-HSM-AES") == 0 &&
                              EVP_SKEY_is_a(pair->key, "SC-HSM-AES") == 1);
    same = EVP_SKEY_to_provider(pair->key, NULL, NULL, NULL);
    skey_step("to where it is", same == pair->key);
    EVP_SKEY_free(same);
    same = skey_named(EVP_SKEY_get0_key_id(pair->key));
    skey_step("its name names it", same != NULL);
    EVP_SKEY_free(same);
    skey_refused("its bytes", EVP_SKEY_get0_raw_key(pair->key, &raw, &len) == 1,
                 "stays on the device");
    other = EVP_SKEY_import_raw_key(NULL, "SC-HSM-AES", pair->bytes, pair->len, NULL);
    skey_refused("bytes to the device", other != NULL, "'sc-hsm import' brings one");
    other = skey_named("sc-hsm:label=nowhere");
    skey_refused("a key that is not there", other != NULL, "there is no secret key with label");
    other = skey_named("no URI");
    skey_refused("no URI", other != NULL, "sc-hsm:");
    other = referenced(&nowhere, sizeof(nowhere));
    skey_refused("a reference that is none", other != NULL, "is named by the parameter 'uri'");
    other = referenced("sixteen bytes...", 16);
    skey_refused("a reference of another length", other != NULL, "is named by the parameter 'uri'");
    name_by_management(pair);
}

static void refuse_ciphers(const struct skey_pair *pair)
{
    EVP_CIPHER *wrong =
        EVP_CIPHER_fetch(NULL, pair->len == 16 ? "SC-HSM-AES-256-CBC" : "SC-HSM-AES-128-CBC", NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    unsigned char out[64];
    int made = 0;

    skey_refused("a cipher for another length",
                 EVP_CipherInit_SKEY(ctx, wrong, pair->key, skey_iv, SKEY_BLOCK, 1, NULL) == 1,
                 "its cipher is SC-HSM-AES-");
    skey_refused("bytes for a key",
                 EVP_CipherInit_ex2(ctx, pair->cipher, pair->bytes, skey_iv, 1, NULL) == 1,
                 "not given as bytes");
    skey_refused("no key", EVP_CipherUpdate(ctx, out, &made, skey_data, 16) == 1, "no key was set");
    skey_refused("a short IV",
                 EVP_CipherInit_SKEY(ctx, pair->cipher, pair->key, skey_iv, 12, 1, NULL) == 1,
                 "has 16 bytes, not 12");
    skey_step("a key without an IV",
              EVP_CipherInit_SKEY(ctx, pair->cipher, pair->key, NULL, 0, 1, NULL) == 1);
    skey_refused("no IV", EVP_CipherUpdate(ctx, out, &made, skey_data, 16) == 1,
                 "no initialisation vector was set");
    skey_step("the IV then", EVP_CipherInit_ex2(ctx, NULL, NULL, skey_iv, 1, NULL) == 1 &&
                                 whole(ctx, skey_data, 20, out) == 32);
    skey_refused("data after the end", EVP_CipherUpdate(ctx, out, &made, skey_data, 16) == 1,
                 "initialise it once more");
    skey_refused("a second end", EVP_CipherFinal_ex(ctx, out, &made) == 1,
                 "initialise it once more");
    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_free(wrong);
}

static void refuse_data(const struct skey_pair *pair)
{
    unsigned char out[64];
    EVP_CIPHER_CTX *ctx = skey_ours(pair, 1, 0);

    skey_refused("no whole blocks, without padding", whole(ctx, skey_data, 17, out) >= 0,
                 "a multiple of 16 bytes");
    EVP_CIPHER_CTX_free(ctx);
    ctx = skey_ours(pair, 0, 1);
    skey_refused("no padding", whole(ctx, skey_data, 32, out) >= 0, "there is no padding");
    EVP_CIPHER_CTX_free(ctx);
    ctx = skey_ours(pair, 0, 1);
    skey_refused("a cut ciphertext", whole(ctx, skey_data, 33, out) >= 0,
                 "does not end with a whole block");
    EVP_CIPHER_CTX_free(ctx);
    ctx = skey_ours(pair, 0, 1);
    skey_refused("nothing", whole(ctx, skey_data, 0, out) >= 0, "does not end with a whole block");
    skey_refused("EVP_Cipher without whole blocks", EVP_Cipher(ctx, out, skey_data, 15) > 0,
                 "EVP_Cipher takes whole blocks");
    EVP_CIPHER_CTX_free(ctx);
}

static void refuse_macs(const struct skey_pair *pair)
{
    char chacha[] = "ChaCha20", other[] = "AES-128-CBC";
    OSSL_PARAM cipher[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, chacha, 0),
                            OSSL_PARAM_construct_end() };
    OSSL_PARAM key[] = { OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, pair->bytes,
                                                           pair->len),
                         OSSL_PARAM_construct_end() };
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(pair->mac);
    unsigned char out[SKEY_BLOCK];
    size_t made = 0;

    skey_refused("a MAC without a key", EVP_MAC_update(ctx, skey_data, 16) == 1, "no key was set");
    skey_refused("a MAC with bytes", EVP_MAC_init(ctx, pair->bytes, pair->len, NULL) == 1,
                 "not given as bytes");
    skey_refused("a MAC's key by parameter", EVP_MAC_CTX_set_params(ctx, key) == 1,
                 "not given as bytes");
    skey_refused("another cipher", EVP_MAC_init_SKEY(ctx, pair->key, cipher) == 1,
                 "not with 'ChaCha20'");
    if (pair->len != 16) {
        cipher[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, other, 0);
        skey_refused("a cipher for another length", EVP_MAC_init_SKEY(ctx, pair->key, cipher) == 1,
                     "the cipher is one for 128");
    }
    EVP_MAC_CTX_free(ctx);
    ctx = EVP_MAC_CTX_new(pair->mac);
    skey_step("a MAC", EVP_MAC_init_SKEY(ctx, pair->key, NULL) == 1 &&
                           EVP_MAC_final(ctx, out, &made, sizeof(out)) == 1);
    skey_refused("data after the MAC", EVP_MAC_update(ctx, skey_data, 1) == 1,
                 "initialise it once more");
    EVP_MAC_CTX_free(ctx);
}

/* What goes through libcrypto alone must leave nothing behind either. */
static void leave_software_alone(const struct skey_pair *pair)
{
    EVP_SKEY *key = EVP_SKEY_import_raw_key(NULL, "AES", pair->bytes, pair->len, NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

    skey_step("a software key", key != NULL);
    (void)EVP_CipherInit_SKEY(ctx, pair->cipher, key, skey_iv, SKEY_BLOCK, 1, NULL);
    skey_step("is not for the device's cipher", ERR_peek_error() != 0 && (ERR_clear_error(), 1));
    EVP_CIPHER_CTX_free(ctx);
    EVP_SKEY_free(key);
}

void skey_try_refusals(const struct skey_pair *pair)
{
    refuse_keys(pair);
    refuse_ciphers(pair);
    refuse_data(pair);
    refuse_macs(pair);
    leave_software_alone(pair);
}
