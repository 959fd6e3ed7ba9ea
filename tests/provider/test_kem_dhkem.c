/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DHKEM and HPKE with keys on a device: the vectors of RFC 9180, and what the default provider
 * gives, which has them from OpenSSL 3.2 on.
 */
#include "checks.h"

#include <openssl/core_dispatch.h>

#ifndef OSSL_FUNC_KEM_AUTH_ENCAPSULATE_INIT

int main(void)
{
    print_message("skipped: this OpenSSL has no DHKEM, 3.2 and later do\n");
    return 77;
}

#else

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/hpke.h>
#include <openssl/param_build.h>
#include <openssl/params.h>

#include "stand_in.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ROOM 200 /* bytes: every encapsulation and every secret */

static const struct kind {
    const char *name; /* of the curve, or the key type */
    unsigned int id;  /* RFC 9180, 7.1 */
    size_t wrapped_len, secret_len;
} kinds[] = {
    { "P-256", OSSL_HPKE_KEM_ID_P256, 65, 32 },  { "P-384", OSSL_HPKE_KEM_ID_P384, 97, 48 },
    { "P-521", OSSL_HPKE_KEM_ID_P521, 133, 64 }, { "X25519", OSSL_HPKE_KEM_ID_X25519, 32, 32 },
    { "X448", OSSL_HPKE_KEM_ID_X448, 56, 64 },
};

static OSSL_LIB_CTX *libctx;
static struct keys recipients[COUNT(kinds)], senders[COUNT(kinds)], brainpool;

static EVP_PKEY *generate(const char *name)
{
    EVP_PKEY *key = name[0] == 'X' ? EVP_PKEY_Q_keygen(libctx, "provider=default", name)
                                   : EVP_PKEY_Q_keygen(libctx, "provider=default", "EC", name);

    assert_non_null(key);
    return key;
}

static int set_up(void **state)
{
    (void)state;
    libctx = stand_in_new();
    assert_non_null(libctx);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        recipients[i] = make_keys(libctx, generate(kinds[i].name));
        senders[i] = make_keys(libctx, generate(kinds[i].name));
    }
    brainpool = make_keys(libctx, generate("brainpoolP256r1"));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        free_keys(&recipients[i]);
        free_keys(&senders[i]);
    }
    free_keys(&brainpool);
    stand_in_free(libctx);
    return 0;
}

/* What goes on the wire, and the secret. */
struct wrapped {
    unsigned char data[ROOM], secret[ROOM];
    size_t len, secret_len;
};

/* seed: NULL or the ephemeral key's; auth: NULL or the sender's key */
static int encapsulate(EVP_PKEY *key, EVP_PKEY *auth, unsigned char *seed, size_t seed_len,
                       struct wrapped *out)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);
    OSSL_PARAM params[3], *p = params;
    int done = 0;

    *p++ = OSSL_PARAM_construct_utf8_string(OSSL_KEM_PARAM_OPERATION, (char *)"DHKEM", 0);
    if (seed != NULL) {
        *p++ = OSSL_PARAM_construct_octet_string(OSSL_KEM_PARAM_IKME, seed, seed_len);
    }
    *p = OSSL_PARAM_construct_end();
    memset(out, 0, sizeof(*out));
    out->len = out->secret_len = ROOM;
    done = auth != NULL ? EVP_PKEY_auth_encapsulate_init(ctx, auth, params)
                        : EVP_PKEY_encapsulate_init(ctx, params);
    if (done > 0) {
        done = EVP_PKEY_encapsulate(ctx, out->data, &out->len, out->secret, &out->secret_len);
    }
    EVP_PKEY_CTX_free(ctx);
    return done;
}

static EVP_PKEY_CTX *start(EVP_PKEY *key, EVP_PKEY *auth)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KEM_PARAM_OPERATION, (char *)"DHKEM", 0),
        OSSL_PARAM_construct_end(),
    };

    assert_int_equal(auth != NULL ? EVP_PKEY_auth_decapsulate_init(ctx, auth, params)
                                  : EVP_PKEY_decapsulate_init(ctx, params),
                     1);
    return ctx;
}

static int decapsulate(EVP_PKEY *key, EVP_PKEY *auth, const unsigned char *in, size_t in_len,
                       unsigned char secret[ROOM], size_t *len)
{
    EVP_PKEY_CTX *ctx = start(key, auth);
    int done = 0;

    *len = ROOM;
    done = EVP_PKEY_decapsulate(ctx, secret, len, in, in_len);
    EVP_PKEY_CTX_free(ctx);
    return done;
}

static void opens(EVP_PKEY *key, EVP_PKEY *auth, const struct wrapped *wrapped)
{
    unsigned char secret[ROOM];
    size_t len = 0;

    assert_int_equal(decapsulate(key, auth, wrapped->data, wrapped->len, secret, &len), 1);
    assert_int_equal(len, wrapped->secret_len);
    assert_memory_equal(secret, wrapped->secret, len);
    assert_no_errors();
}

/* Every sender with every recipient, in all three shapes; authenticated or not. */
static void secrets_are_equal(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        EVP_PKEY *const to[] = { recipients[i].theirs, recipients[i].software,
                                 recipients[i].device };
        EVP_PKEY *const from[] = { NULL, senders[i].theirs, senders[i].software,
                                   senders[i].device };

        for (size_t r = 0; r < COUNT(to); r++) {
            for (size_t s = 0; s < COUNT(from); s++) {
                struct wrapped wrapped;
                unsigned int before = stand_in_operations;

                if (r == 0 && s >= 2) {
                    continue; /* the stand-in exports nothing */
                }
                assert_int_equal(encapsulate(to[r], from[s], NULL, 0, &wrapped), 1);
                assert_int_equal(wrapped.len, kinds[i].wrapped_len);
                assert_int_equal(wrapped.secret_len, kinds[i].secret_len);
                assert_int_equal(stand_in_operations - before, s == 3);
                for (size_t again = 0; again < COUNT(to); again++) {
                    before = stand_in_operations;
                    opens(to[again], again == 0 && s > 0 ? from[1] : from[s], &wrapped);
                    assert_int_equal(stand_in_operations - before, again != 2 ? 0 : s == 0 ? 1 : 2);
                }
            }
        }
    }
}

/* RFC 9180, A.1.1, A.1.3, A.3.1, A.6.1 and A.6.3. */
static const struct vector {
    const char *name, *seed, *recipient, *sender, *wrapped, *secret;
} vectors[] = {
    { "X25519", "7268600d403fce431561aef583ee1613527cff655c1343f29812e66706df3234",
      "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8", NULL,
      "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431",
      "fe0e18c9f024ce43799ae393c7e8fe8fce9d218875e8227b0187c04e7d2ea1fc" },
    { "X25519", "6e6d8f200ea2fb20c30b003a8b4f433d2f4ed4c2658d5bc8ce2fef718059c9f7",
      "fdea67cf831f1ca98d8e27b1f6abeb5b7745e9d35348b80fa407ff6958f9137e",
      "dc4a146313cce60a278a5323d321f051c5707e9c45ba21a3479fecdf76fc69dd",
      "23fb952571a14a25e3d678140cd0e5eb47a0961bb18afcf85896e5453c312e76",
      "2d6db4cf719dc7293fcbf3fa64690708e44e2bebc81f84608677958c0d4448a7" },
    { "P-256", "4270e54ffd08d79d5928020af4686d8f6b7d35dbe470265f1f5aa22816ce860e",
      "f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2", NULL,
      "04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e5b7f951c"
      "0900be863c403ce65c9bfcb9382657222d18c4",
      "c0d26aeab536609a572b07695d933b589dcf363ff9d93c93adea537aeabb8cb8" },
    { "P-521",
      "7f06ab8215105fc46aceeb2e3dc5028b44364f960426eb0d8e4026c2f8b5d7e7a986688f1591abf5ab753c357a5d"
      "6f0440414b4ed4ede71317772ac98d9239f70904",
      "01462680369ae375e4b3791070a7458ed527842f6a98a79ff5e0d4cbde83c27196a3916956655523a6a2556a7af6"
      "2c5cadabe2ef9da3760bb21e005202f7b2462847",
      NULL,
      "040138b385ca16bb0d5fa0c0665fbbd7e69e3ee29f63991d3e9b5fa740aab8900aaeed46ed73a49055758425a0ce"
      "36507c54b29cc5b85a5cee6bae0cf1c21f2731ece2013dc3fb7c8d21654bb161b463962ca19e8c654ff24c94dd28"
      "98de12051f1ed0692237fb02b2f8d1dc1c73e9b366b529eb436e98a996ee522aef863dd5739d2f29b0",
      "776ab421302f6eff7d7cb5cb1adaea0cd50872c71c2d63c30c4f1d5e43653336fef33b103c67e7a98add2d3b66e2"
      "fda95b5b2a667aa9dac7e59cc1d46d30e818" },
    { "P-521",
      "fe1c589c2a05893895a537f38c7cb4300b5a7e8fef3d6ccb8f07a498029c61e90262e009dc254c7f6235f9c6b2fd"
      "6aeff0a714db131b09258c16e217b7bd2aa619b0",
      "013ef326940998544a899e15e1726548ff43bbdb23a8587aa3bef9d1b857338d87287df5667037b519d6a14661e9"
      "503cfc95a154d93566d8c84e95ce93ad05293a0b",
      "001018584599625ff9953b9305849850d5e34bd789d4b81101139662fbea8b6508ddb9d019b0d692e737f66beae3"
      "f1f783e744202aaf6fea01506c27287e359fe776",
      "04017de12ede7f72cb101dab36a111265c97b3654816dcd6183f809d4b3d111fe759497f8aefdc5dbb40d3e6d21d"
      "b15bdc60f15f2a420761bcaeef73b891c2b117e9cf01e29320b799bbc86afdc5ea97d941ea1c5bd5ebeeac7a784b"
      "3bab524746f3e640ec26ee1bd91255f9330d974f845084637ee0e6fe9f505c5b87c86a4e1a6c3096dd",
      "26648fa2a2deb0bfc56349a590fd4cb7108a51797b634694fc02061e8d91b3576ac736a68bf848fe2a58dfb1956d"
      "266e68209a4d631e513badf8f4dcfc00f30a" },
};

static unsigned char *bytes(const char *hex, size_t *len)
{
    long n = 0;
    unsigned char *data = OPENSSL_hexstr2buf(hex, &n);

    assert_non_null(data);
    *len = (size_t)n;
    return data;
}

/* The public key of the private one, as imports do not compute it on all versions; its length. */
static size_t public_of(const char *curve, const BIGNUM *number, unsigned char out[ROOM])
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name_ex(libctx, NULL, EC_curve_nist2nid(curve));
    EC_POINT *point = EC_POINT_new(group);
    size_t len;

    assert_int_equal(EC_POINT_mul(group, point, number, NULL, NULL, NULL), 1);
    len = EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, out, ROOM, NULL);
    EC_POINT_free(point);
    EC_GROUP_free(group);
    return len;
}

static struct keys from_vector(const char *name, const char *hex)
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx =
        EVP_PKEY_CTX_new_from_name(libctx, name[0] == 'X' ? name : "EC", "provider=default");
    OSSL_PARAM *params = NULL;
    EVP_PKEY *key = NULL;
    BIGNUM *number = NULL;
    unsigned char point[ROOM]; /* the builder copies it in the end */
    size_t len = 0;
    unsigned char *data = bytes(hex, &len);

    if (name[0] == 'X') {
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PRIV_KEY, data, len);
    } else {
        number = BN_bin2bn(data, (int)len, NULL);
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, name, 0);
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, number);
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point,
                                         public_of(name, number, point));
    }
    params = OSSL_PARAM_BLD_to_param(build);
    assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
    assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params), 1);
    BN_free(number);
    OPENSSL_free(data);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(ctx);
    return make_keys(libctx, key);
}

static void the_vectors_of_the_rfc(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        const struct vector *v = &vectors[i];
        struct keys to = from_vector(v->name, v->recipient), from = { NULL, NULL, NULL };
        struct wrapped wrapped;
        size_t seed_len = 0, wrapped_len = 0, secret_len = 0;
        unsigned char *seed = bytes(v->seed, &seed_len), *data = bytes(v->wrapped, &wrapped_len),
                      *secret = bytes(v->secret, &secret_len);

        if (v->sender != NULL) {
            from = from_vector(v->name, v->sender);
        }
        assert_int_equal(encapsulate(to.device, from.device, seed, seed_len, &wrapped), 1);
        assert_int_equal(wrapped.len, wrapped_len);
        assert_memory_equal(wrapped.data, data, wrapped_len);
        assert_int_equal(wrapped.secret_len, secret_len);
        assert_memory_equal(wrapped.secret, secret, secret_len);
        opens(to.device, from.theirs, &wrapped);
        opens(to.device, from.device, &wrapped);
        OPENSSL_free(seed);
        OPENSSL_free(data);
        OPENSSL_free(secret);
        free_keys(&to);
        free_keys(&from);
    }
}

static void refused(EVP_PKEY *key, const unsigned char *in, size_t len)
{
    static const unsigned char untouched[ROOM];
    unsigned char secret[ROOM] = { 0 };
    size_t secret_len = 0;

    assert_int_equal(decapsulate(key, NULL, in, len, secret, &secret_len), 0);
    assert_error_says("no encapsulation for this key");
    assert_memory_equal(secret, untouched, ROOM);
}

static void what_is_no_public_key_never_reaches_the_device(void **state)
{
    unsigned int before = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        EVP_PKEY *key = recipients[i].device;
        struct wrapped good = { .len = 0 };
        unsigned char bad[ROOM];

        assert_int_equal(encapsulate(key, NULL, NULL, 0, &good), 1);
        before = stand_in_operations;
        for (size_t len = 1; len < ROOM; len++) {
            if (len != good.len) {
                refused(key, good.data, len);
            }
        }
        if (kinds[i].name[0] == 'X') {
            continue; /* any bytes are a key there */
        }
        for (int form = 0; form < 256; form++) {
            memcpy(bad, good.data, good.len);
            bad[0] = (unsigned char)form;
            if (form != 4 && form != 6 + (good.data[good.len - 1] & 1)) {
                refused(key, bad, good.len);
            }
        }
        memcpy(bad, good.data, good.len);
        bad[good.len - 1] ^= 1; /* not on the curve */
        refused(key, bad, good.len);
        memset(bad + 1, 0, good.len - 1);
        refused(key, bad, good.len);
        memset(bad + 1, 0xFF, good.len - 1); /* beyond the field */
        refused(key, bad, good.len);
        assert_int_equal(stand_in_operations, before);
    }
    { /* as long, and on another curve */
        unsigned char other[65];
        size_t len = 0;

        assert_int_equal(EVP_PKEY_get_octet_string_param(brainpool.theirs, OSSL_PKEY_PARAM_PUB_KEY,
                                                         other, sizeof(other), &len),
                         1);
        before = stand_in_operations;
        refused(recipients[0].device, other, len);
        assert_int_equal(stand_in_operations, before);
    }
}

/* A hybrid point (X9.62, 4.3.6) is the same one in another form: as with the default provider. */
static void other_forms_of_a_point_are_the_default_providers(void **state)
{
    struct wrapped wrapped;
    unsigned char ours[ROOM], theirs[ROOM];
    size_t our_len = 0, their_len = 0;
    int done;

    (void)state;
    assert_int_equal(encapsulate(recipients[0].device, NULL, NULL, 0, &wrapped), 1);
    wrapped.data[0] = (unsigned char)(6 + (wrapped.data[wrapped.len - 1] & 1));
    done = decapsulate(recipients[0].theirs, NULL, wrapped.data, wrapped.len, theirs, &their_len);
    ERR_clear_error();
    assert_int_equal(
        decapsulate(recipients[0].device, NULL, wrapped.data, wrapped.len, ours, &our_len) > 0,
        done > 0);
    if (done > 0) {
        assert_int_equal(our_len, their_len);
        assert_memory_equal(ours, theirs, our_len);
    }
    ERR_clear_error();
}

/* RFC 7748, 6.1: of small order, so that the agreed number is zero. */
static void keys_of_small_order_give_no_secret(void **state)
{
    unsigned char zero[ROOM] = { 0 }, secret[ROOM];
    size_t len = 0;

    (void)state;
    for (size_t i = 3; i < COUNT(kinds); i++) {
        EVP_PKEY *const shapes[] = { recipients[i].theirs, recipients[i].software,
                                     recipients[i].device };

        for (size_t s = 0; s < COUNT(shapes); s++) {
            assert_true(decapsulate(shapes[s], NULL, zero, kinds[i].wrapped_len, secret, &len) <=
                        0);
            assert_true(ERR_peek_error() != 0);
            ERR_clear_error();
        }
    }
}

static void lengths_cost_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        EVP_PKEY_CTX *ctx = start(recipients[i].device, senders[i].theirs);
        unsigned int before = stand_in_operations;
        unsigned char secret[ROOM], data[ROOM] = { 4 };
        size_t len = 0, wrapped_len = 0;
        OSSL_PARAM params[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_KEM_PARAM_OPERATION, (char *)"DHKEM", 0),
            OSSL_PARAM_construct_end(),
        };

        assert_int_equal(EVP_PKEY_decapsulate(ctx, NULL, &len, data, 1), 1);
        assert_int_equal(len, kinds[i].secret_len);
        assert_no_errors();
        len--;
        assert_int_equal(EVP_PKEY_decapsulate(ctx, secret, &len, data, kinds[i].wrapped_len), 0);
        assert_error_says("too small");
        EVP_PKEY_CTX_free(ctx);
        ctx = EVP_PKEY_CTX_new_from_pkey(libctx, recipients[i].device, NULL);
        assert_int_equal(EVP_PKEY_auth_encapsulate_init(ctx, senders[i].device, params), 1);
        assert_int_equal(EVP_PKEY_encapsulate(ctx, NULL, &wrapped_len, NULL, &len), 1);
        assert_int_equal(len, kinds[i].secret_len);
        assert_int_equal(wrapped_len, kinds[i].wrapped_len);
        assert_no_errors();
        wrapped_len--;
        assert_int_equal(EVP_PKEY_encapsulate(ctx, data, &wrapped_len, secret, &len), 0);
        assert_error_says("too small");
        assert_int_equal(stand_in_operations, before);
        EVP_PKEY_CTX_free(ctx);
    }
}

static void a_device_that_fails_leaves_no_secret(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct wrapped wrapped;
        unsigned char secret[ROOM];
        size_t len = 0;

        assert_int_equal(encapsulate(recipients[i].device, NULL, NULL, 0, &wrapped), 1);
        stand_in_broken = true;
        assert_int_equal(
            decapsulate(recipients[i].device, NULL, wrapped.data, wrapped.len, secret, &len), 0);
        assert_error_says("the stand-in for a device failed");
        assert_int_equal(encapsulate(recipients[i].device, senders[i].device, NULL, 0, &wrapped),
                         0);
        assert_error_says("the stand-in for a device failed");
        stand_in_broken = false;
    }
}

static void keys_that_do_not_fit_are_refused(void **state)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, brainpool.device, NULL);
    unsigned int before = stand_in_operations;
    struct wrapped wrapped;

    (void)state;
    assert_int_equal(EVP_PKEY_decapsulate_init(ctx, NULL), -2);
    assert_error_says("takes keys on P-256");
    EVP_PKEY_CTX_free(ctx);
    for (int i = 0; i < 2; i++) { /* P-384, and P-256's neighbour of the same length */
        EVP_PKEY *other = i == 0 ? senders[1].device : brainpool.device;

        ctx = EVP_PKEY_CTX_new_from_pkey(libctx, recipients[0].device, NULL);
        assert_true(EVP_PKEY_auth_decapsulate_init(ctx, other, NULL) <= 0);
        assert_error_says("on the same curve");
        EVP_PKEY_CTX_free(ctx);
        assert_true(encapsulate(recipients[0].device, other, NULL, 0, &wrapped) <= 0);
        assert_error_says("on the same curve");
    }
    assert_true(encapsulate(recipients[0].device, senders[0].device, (unsigned char *)"short", 5,
                            &wrapped) <= 0);
    assert_error_says("the seed may be too short");
    assert_int_equal(stand_in_operations, before);
}

static void operations_are_chosen_as_with_the_default_provider(void **state)
{
    static const char *const names[] = { NULL, "dhkem", "RSASVE", "nonsense" };
    struct wrapped wrapped;

    (void)state;
    assert_int_equal(encapsulate(recipients[0].device, NULL, NULL, 0, &wrapped), 1);
    for (size_t i = 0; i < COUNT(names); i++) {
        EVP_PKEY *const shapes[] = { recipients[0].theirs, recipients[0].software,
                                     recipients[0].device };
        int expected[2] = { 0, 0 };

        for (size_t s = 0; s < COUNT(shapes); s++) {
            EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, shapes[s], NULL);
            unsigned char secret[ROOM];
            size_t len = ROOM;
            OSSL_PARAM params[] = {
                names[i] == NULL ? OSSL_PARAM_construct_end()
                                 : OSSL_PARAM_construct_utf8_string(OSSL_KEM_PARAM_OPERATION,
                                                                    (char *)names[i], 0),
                OSSL_PARAM_construct_end(),
            };
            int seen[2] = { 0, 0 };

            seen[0] = EVP_PKEY_decapsulate_init(ctx, params);
            seen[1] = EVP_PKEY_decapsulate(ctx, secret, &len, wrapped.data, wrapped.len);
            assert_true(seen[1] > 0 ? ERR_peek_error() == 0 : 1);
            ERR_clear_error();
            if (s == 0) {
                memcpy(expected, seen, sizeof(seen));
            }
            assert_int_equal(seen[0], expected[0]);
            assert_int_equal(seen[1], expected[1]);
            EVP_PKEY_CTX_free(ctx);
        }
    }
}

static void hpke(const struct kind *kind, int mode, EVP_PKEY *to, EVP_PKEY *from)
{
    const OSSL_HPKE_SUITE suite = { (uint16_t)kind->id, OSSL_HPKE_KDF_ID_HKDF_SHA256,
                                    OSSL_HPKE_AEAD_ID_AES_GCM_128 };
    static const unsigned char text[] = "to be sealed", psk[32] = "a key that both sides share";
    unsigned char enc[ROOM], public_key[ROOM], auth[ROOM], sealed[ROOM], opened[ROOM];
    size_t enc_len = sizeof(enc), public_len = 0, auth_len = 0, sealed_len = sizeof(sealed),
           opened_len = sizeof(opened);
    OSSL_HPKE_CTX *sender = OSSL_HPKE_CTX_new(mode, suite, OSSL_HPKE_ROLE_SENDER, libctx, NULL);
    OSSL_HPKE_CTX *receiver = OSSL_HPKE_CTX_new(mode, suite, OSSL_HPKE_ROLE_RECEIVER, libctx, NULL);

    assert_non_null(sender);
    assert_non_null(receiver);
    assert_int_equal(EVP_PKEY_get_octet_string_param(to, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY,
                                                     public_key, sizeof(public_key), &public_len),
                     1);
    if (mode == OSSL_HPKE_MODE_PSK || mode == OSSL_HPKE_MODE_PSKAUTH) {
        assert_int_equal(OSSL_HPKE_CTX_set1_psk(sender, "id", psk, sizeof(psk)), 1);
        assert_int_equal(OSSL_HPKE_CTX_set1_psk(receiver, "id", psk, sizeof(psk)), 1);
    }
    if (mode == OSSL_HPKE_MODE_AUTH || mode == OSSL_HPKE_MODE_PSKAUTH) {
        assert_int_equal(EVP_PKEY_get_octet_string_param(from, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY,
                                                         auth, sizeof(auth), &auth_len),
                         1);
        assert_int_equal(OSSL_HPKE_CTX_set1_authpriv(sender, from), 1);
        assert_int_equal(OSSL_HPKE_CTX_set1_authpub(receiver, auth, auth_len), 1);
    }
    assert_int_equal(OSSL_HPKE_encap(sender, enc, &enc_len, public_key, public_len, NULL, 0), 1);
    assert_int_equal(OSSL_HPKE_seal(sender, sealed, &sealed_len, NULL, 0, text, sizeof(text)), 1);
    assert_int_equal(OSSL_HPKE_decap(receiver, enc, enc_len, to, NULL, 0), 1);
    assert_int_equal(OSSL_HPKE_open(receiver, opened, &opened_len, NULL, 0, sealed, sealed_len), 1);
    assert_int_equal(opened_len, sizeof(text));
    assert_memory_equal(opened, text, sizeof(text));
    OSSL_HPKE_CTX_free(sender);
    OSSL_HPKE_CTX_free(receiver);
    assert_no_errors();
}

static void hpke_opens_what_is_sealed_for_a_device(void **state)
{
    static const int modes[] = { OSSL_HPKE_MODE_BASE, OSSL_HPKE_MODE_PSK, OSSL_HPKE_MODE_AUTH,
                                 OSSL_HPKE_MODE_PSKAUTH };

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        for (size_t m = 0; m < COUNT(modes); m++) {
            hpke(&kinds[i], modes[m], recipients[i].theirs, senders[i].theirs);
            hpke(&kinds[i], modes[m], recipients[i].device, senders[i].theirs);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_are_equal),
        cmocka_unit_test(the_vectors_of_the_rfc),
        cmocka_unit_test(what_is_no_public_key_never_reaches_the_device),
        cmocka_unit_test(other_forms_of_a_point_are_the_default_providers),
        cmocka_unit_test(keys_of_small_order_give_no_secret),
        cmocka_unit_test(lengths_cost_nothing),
        cmocka_unit_test(a_device_that_fails_leaves_no_secret),
        cmocka_unit_test(keys_that_do_not_fit_are_refused),
        cmocka_unit_test(operations_are_chosen_as_with_the_default_provider),
        cmocka_unit_test(hpke_opens_what_is_sealed_for_a_device),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

#endif
