/* SPDX-License-Identifier: Apache-2.0 */
/* What the provider does: loading a key, using it, making one. */
#include "flows.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "format/curve.h"
#include "format/ecx.h"
#include "keymgmt/key.h"

#include "fuzz.h"
#include "memory.h"

#define RESULT_MAX SCHSM_MODULUS_MAX
#define USES 3 /* of one key: at the second, devices are asked for more */

/* --- load ------------------------------------------------------------------------------------ */

static int give_pin(void *arg, char *pass, size_t size, size_t *len, const char *info)
{
    const struct flow *flow = arg;

    REQUIRE(info != NULL && size >= schsm_secret_len(flow->pin));
    *len = (flow->header[FLOW_B] & 0x10) != 0 ? 0 : schsm_secret_len(flow->pin);
    memcpy(pass, schsm_secret_data(flow->pin), *len);
    return (flow->header[FLOW_B] & 0x20) == 0;
}

/* The key of a URI, as `openssl pkey -in URI` loads it. */
static struct schsm_key *load_by_uri(struct flow *flow, unsigned int number)
{
    struct schsm_match match = { 0 };
    struct schsm_key *key = NULL;
    struct schsm_uri uri;

    if (flow_uri(flow, number, &uri) &&
        FLOW_TRY(flow,
                 schsm_find_one(&flow->context, &uri, SCHSM_OBJECT_PRIVATE, &match, &flow->err))) {
        key = schsm_key_from_match(&flow->context, &match, &uri, &flow->err);
        (void)flow_check(flow, key != NULL, "schsm_key_from_match");
    }
    schsm_match_clear(&match);
    schsm_uri_clear(&uri);
    return key;
}

/* The key of a reference file without its public part, as servers load it. */
static struct schsm_key *load_by_reference(struct flow *flow)
{
    const struct schsm_passphrase passphrase = { give_pin, flow };
    char text[] = "sc-hsm:key-ref=1";
    const struct schsm_reference reference = { .uri = text };
    struct schsm_key *key =
        schsm_key_from_reference(&flow->context, &reference, &passphrase, &flow->err);

    (void)flow_check(flow, key != NULL, "schsm_key_from_reference");
    return key;
}

/* A reference that was written is read again, and says the same. */
static struct schsm_key *write_and_read(struct flow *flow, struct schsm_key *key)
{
    struct schsm_reference reference = { NULL, NULL, 0 };
    struct schsm_key *again = NULL;
    uint8_t *der = NULL;
    size_t len = 0;

    if (!FLOW_TRY(flow, schsm_key_reference(key, &der, &len, &flow->err))) {
        return NULL;
    }
    if (schsm_reference_decode(der, len, &reference, &flow->err) == SCHSM_REFERENCE_OK) {
        again = schsm_key_from_reference(&flow->context, &reference, NULL, &flow->err);
    }
    if (flow_check(flow, again != NULL, "schsm_reference_decode")) {
        flow_memory_hold();
        REQUIRE(EVP_PKEY_eq(schsm_key_public(key), schsm_key_public(again)) == 1);
        flow_memory_go_on();
    }
    schsm_reference_clear(&reference);
    OPENSSL_free(der);
    return again;
}

static bool run_load(struct flow *flow)
{
    const struct schsm_passphrase passphrase = { give_pin, flow };
    struct schsm_key *key = flow->header[FLOW_A] % 2 == 0
                                ? load_by_reference(flow)
                                : load_by_uri(flow, flow->header[FLOW_A] / 2);
    struct schsm_key *again = NULL;
    bool ok = false;

    if (key == NULL) {
        return false;
    }
    REQUIRE(schsm_key_name(key) != NULL && schsm_key_public(key) != NULL);
    ok = FLOW_TRY(flow, schsm_key_login_at_load(key, &passphrase, &flow->err)) &&
         FLOW_TRY(flow, schsm_key_check(key, &flow->err));
    again = write_and_read(flow, key);
    if (again != NULL) {
        ok = FLOW_TRY(flow, schsm_key_login_at_load(again, &passphrase, &flow->err)) &&
             FLOW_TRY(flow, schsm_key_check(again, &flow->err)) && ok;
    }
    ok = ok && again != NULL;
    if ((flow->header[FLOW_B] & 0x40) != 0) {
        ok = FLOW_TRY(flow, schsm_key_remove(key, &flow->err)) && ok;
    }
    schsm_key_free(again);
    schsm_key_free(key);
    return ok;
}

/* --- use ------------------------------------------------------------------------------------- */

#define PAIR_OPERATIONS (SCHSM_OP_ECX_DERIVE + 1) /* all behind it are for secret keys */

struct use {
    enum schsm_operation operation;
    uint8_t in[RESULT_MAX];
    size_t in_len;
    uint8_t out[RESULT_MAX];
    size_t out_len;
};

/* PKCS#1 v1.5 padding around a few bytes; what no key refuses. */
static void make_block(struct use *use, size_t modulus)
{
    memset(use->in, 0xFF, modulus);
    use->in[0] = 0x00;
    use->in[1] = 0x01;
    use->in[modulus - 33] = 0x00;
    memset(use->in + modulus - 32, 0x17, 32);
    use->in_len = modulus;
}

/* The point of the pair that the host has on the key's curve. */
static bool make_peer(struct use *use, EVP_PKEY *key)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    EVP_PKEY *peer = NULL;
    bool ok = ctx != NULL && EVP_PKEY_keygen_init(ctx) > 0 && EVP_PKEY_generate(ctx, &peer) > 0 &&
              EVP_PKEY_get_octet_string_param(peer, OSSL_PKEY_PARAM_PUB_KEY, use->in,
                                              sizeof(use->in), &use->in_len) == 1;

    EVP_PKEY_free(peer);
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

/* What the operation is done with. */
static bool make_input(struct use *use, EVP_PKEY *key)
{
    size_t size = (size_t)EVP_PKEY_get_size(key);

    memset(use->in, 0x17, sizeof(use->in));
    switch (schsm_operation_traits(use->operation)->input) {
    case SCHSM_INPUT_BLOCK:
        if (size < 64 || size > sizeof(use->in)) {
            return false;
        }
        make_block(use, size);
        return true;
    case SCHSM_INPUT_POINT:
    case SCHSM_INPUT_ECX_PUBLIC:
        return make_peer(use, key);
    case SCHSM_INPUT_DIGEST_INFO:
    case SCHSM_INPUT_HASH:
    case SCHSM_INPUT_MESSAGE:
    case SCHSM_INPUT_PURE_MESSAGE:
    case SCHSM_INPUT_CIPHER_BLOCKS:
    case SCHSM_INPUT_CIPHER_TEXT:
    case SCHSM_INPUT_INFO:
        break;
    }
    use->in_len = 32;
    return true;
}

static bool verifies_hash(EVP_PKEY *key, int padding, const EVP_MD *digest, const struct use *use,
                          const uint8_t *hash, size_t hash_len)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    bool fits = EVP_PKEY_verify_init(ctx) > 0 &&
                (padding == 0 || EVP_PKEY_CTX_set_rsa_padding(ctx, padding) > 0) &&
                (digest == NULL || EVP_PKEY_CTX_set_signature_md(ctx, digest) > 0) &&
                EVP_PKEY_verify(ctx, use->out, use->out_len, hash, hash_len) == 1;

    EVP_PKEY_CTX_free(ctx);
    return fits;
}

/* Raw RSA with the public key, of the result: the input again. */
static bool returns_to_input(EVP_PKEY *key, const uint8_t *result, size_t result_len,
                             const uint8_t *wanted, size_t wanted_len)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    uint8_t block[RESULT_MAX];
    size_t len = sizeof(block);
    bool fits = EVP_PKEY_encrypt_init(ctx) > 0 &&
                EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) > 0 &&
                EVP_PKEY_encrypt(ctx, block, &len, result, result_len) > 0 && len == wanted_len &&
                memcmp(block, wanted, len) == 0;

    EVP_PKEY_CTX_free(ctx);
    return fits;
}

static bool verifies_message(EVP_PKEY *key, const struct use *use)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool fits = EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) > 0 &&
                EVP_DigestVerify(ctx, use->out, use->out_len, use->in, use->in_len) == 1;

    EVP_MD_CTX_free(ctx);
    return fits;
}

/* Whether a result that was handed out is right, asked of libcrypto alone. */
static bool is_right(EVP_PKEY *key, const struct use *use)
{
    const struct schsm_operation_traits *traits = schsm_operation_traits(use->operation);
    const EVP_MD *digest = traits->digest != NULL ? EVP_get_digestbyname(traits->digest) : NULL;
    int padding = traits->padding == SCHSM_PADDING_PSS     ? RSA_PKCS1_PSS_PADDING
                  : traits->padding == SCHSM_PADDING_PKCS1 ? RSA_PKCS1_PADDING
                                                           : 0;
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned int hash_len = 0;

    switch (traits->input) {
    case SCHSM_INPUT_BLOCK:
        return returns_to_input(key, use->out, use->out_len, use->in, use->in_len);
    case SCHSM_INPUT_DIGEST_INFO: /* without a digest: the bytes as they are */
        return verifies_hash(key, padding, NULL, use, use->in, use->in_len);
    case SCHSM_INPUT_HASH:
        return verifies_hash(key, padding,
                             traits->padding == SCHSM_PADDING_PSS ? EVP_sha256() : NULL, use,
                             use->in, use->in_len);
    case SCHSM_INPUT_MESSAGE:
        REQUIRE(EVP_Digest(use->in, use->in_len, hash, &hash_len, digest, NULL) == 1);
        return verifies_hash(key, padding, digest, use, hash, hash_len);
    case SCHSM_INPUT_PURE_MESSAGE:
        return verifies_message(key, use);
    case SCHSM_INPUT_POINT:
    case SCHSM_INPUT_ECX_PUBLIC:
    case SCHSM_INPUT_CIPHER_BLOCKS:
    case SCHSM_INPUT_CIPHER_TEXT:
    case SCHSM_INPUT_INFO:
        break;
    }
    return use->out_len > 0; /* nobody but the device can tell */
}

static bool use_key(struct flow *flow, struct schsm_key *key)
{
    EVP_PKEY *public_key = schsm_key_public(key);
    struct use use = { .operation =
                           (enum schsm_operation)(flow->header[FLOW_A] % PAIR_OPERATIONS) };
    bool ok;

    flow_memory_hold();
    ok = make_input(&use, public_key);
    flow_memory_go_on();
    for (int i = 0; ok && i < USES; i++) {
        use.out_len = sizeof(use.out);
        ok = schsm_key_operate(key, use.operation, use.in, use.in_len, use.out, &use.out_len,
                               &flow->err) != 0;
        REQUIRE(use.out_len == 0 || (flow->err.reason != SCHSM_REASON_WRONG_KEY &&
                                     flow->err.reason != SCHSM_REASON_DEVICE_DATA));
        (void)flow_check(flow, ok, "schsm_key_operate");
        flow_memory_hold();
        REQUIRE(!ok || flow->context.config.verify_first || is_right(public_key, &use));
        flow_memory_go_on();
    }
    return ok;
}

static bool run_use(struct flow *flow)
{
    struct schsm_key *key = flow->header[FLOW_B] == 0xFF ? load_by_reference(flow)
                                                         : load_by_uri(flow, flow->header[FLOW_B]);
    bool ok = key != NULL && use_key(flow, key);

    schsm_key_free(key);
    return ok;
}

/* With the key on several devices, which do it in turn, or the second where the first fails. */
static bool run_pool(struct flow *flow)
{
    const enum schsm_pool_mode mode =
        (flow->header[FLOW_A] & 0x80) != 0 ? SCHSM_POOL_FAILOVER : SCHSM_POOL_SHARE;
    bool ok;

    flow->context.pool = schsm_pool_new(flow->context.registry, mode, NULL, &flow->err);
    ok = flow_check(flow, flow->context.pool != NULL, "schsm_pool_new") && run_use(flow);
    REQUIRE(schsm_pool_free(flow->context.pool));
    flow->context.pool = NULL;
    return ok;
}

/* --- generate -------------------------------------------------------------------------------- */

/* What kind of key, by the lower half of FLOW_A. */
static void choose_key(const struct flow *flow, struct schsm_generate *spec)
{
    static const struct {
        enum schsm_key_type type;
        unsigned int bits;
        const char *curve;
    } keys[] = {
        { SCHSM_KEY_EC, 0, "prime256v1" }, { SCHSM_KEY_RSA, 1024, NULL },
        { SCHSM_KEY_AES, 128, NULL },      { SCHSM_KEY_EC, 0, "brainpoolP256r1" },
        { SCHSM_KEY_ED25519, 0, NULL },    { SCHSM_KEY_X25519, 0, NULL },
        { SCHSM_KEY_EC, 0, "secp521r1" },  { SCHSM_KEY_AES, 256, NULL },
        { SCHSM_KEY_RSA, 2048, NULL },     { SCHSM_KEY_ED448, 0, NULL },
    };
    size_t i = flow->header[FLOW_A] % 16 % (sizeof(keys) / sizeof(keys[0]));

    spec->type = keys[i].type;
    spec->bits = keys[i].bits;
    spec->curve_nid = keys[i].curve != NULL ? OBJ_sn2nid(keys[i].curve) : 0;
}

/* What else is wished, by the bits of FLOW_B. */
static void choose_wishes(const struct flow *flow, struct schsm_generate *spec)
{
    static const uint8_t id[] = { 0x0A, 0x0B }, algorithms[] = { 0x73, 0x80, 0x20, 0x21 };
    static const uint8_t uid[32] = { 0x11 }, exponent[] = { 0x03 };
    uint8_t wishes = flow->header[FLOW_B];

    spec->key_ref = (wishes & 0x01) != 0 ? 7 : -1;
    spec->id = (wishes & 0x02) != 0 ? id : NULL;
    spec->id_len = (wishes & 0x02) != 0 ? sizeof(id) : 0;
    spec->label = (wishes & 0x04) != 0 ? "made" : NULL;
    spec->algorithms = (wishes & 0x08) != 0 ? algorithms : NULL;
    spec->algorithms_len = (wishes & 0x08) != 0 ? sizeof(algorithms) : 0;
    spec->use_count = (wishes & 0x10) != 0 ? 5 : 0;
    spec->has_key_domain = (wishes & 0x20) != 0;
    spec->domain_uid = (wishes & 0x40) != 0 ? uid : NULL;
    spec->domain_uid_len = (wishes & 0x40) != 0 ? sizeof(uid) : 0;
    spec->exponent = (wishes & 0x80) != 0 ? exponent : NULL;
    spec->exponent_len = (wishes & 0x80) != 0 ? sizeof(exponent) : 0;
}

/* A key that was made is what was asked for. */
static void check_made(const struct schsm_generate *spec, const struct schsm_object *made)
{
    const unsigned char *at = made->value;
    char curve[80];
    EVP_PKEY *key;

    REQUIRE(made->key_type == spec->type && made->id_len > 0);
    REQUIRE(spec->key_ref < 0 || made->key_ref == spec->key_ref);
    REQUIRE(spec->id == NULL ||
            (made->id_len == spec->id_len && memcmp(made->id, spec->id, spec->id_len) == 0));
    if (spec->type == SCHSM_KEY_AES) {
        return;
    }
    key = d2i_PUBKEY(NULL, &at, (long)made->value_len);
    REQUIRE(key != NULL);
    if (spec->type == SCHSM_KEY_RSA) {
        REQUIRE(EVP_PKEY_is_a(key, "RSA") && (unsigned int)EVP_PKEY_get_bits(key) == spec->bits);
    } else if (spec->type == SCHSM_KEY_EC) {
        REQUIRE(EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL) == 1);
        REQUIRE(OBJ_txt2nid(curve) == spec->curve_nid);
    } else {
        REQUIRE(EVP_PKEY_is_a(key, schsm_ecx_by_type(spec->type)->name));
    }
    EVP_PKEY_free(key);
}

static bool generate_on_device(struct flow *flow, const struct schsm_generate *spec)
{
    struct schsm_object made = { 0 };
    bool ok =
        FLOW_TRY(flow, schsm_device_generate(flow->device, spec, &flow->login, &made, &flow->err));

    if (ok) {
        flow_memory_hold();
        check_made(spec, &made);
        flow_memory_go_on();
    }
    schsm_object_clear(&made);
    return ok;
}

static bool run_generate(struct flow *flow)
{
    struct schsm_generate spec = { .type = SCHSM_KEY_NONE };
    struct schsm_key *key = NULL;
    struct schsm_uri uri;

    choose_key(flow, &spec);
    choose_wishes(flow, &spec);
    if (spec.type == SCHSM_KEY_AES || flow->context.config.pin_source == NULL ||
        (flow->header[FLOW_A] & 0x10) != 0) {
        return generate_on_device(flow, &spec);
    }
    schsm_uri_init(&uri);
    key = schsm_key_generate(&flow->context, &uri, &spec, &flow->err);
    if (flow_check(flow, key != NULL, "schsm_key_generate")) {
        schsm_key_free(write_and_read(flow, key));
    }
    schsm_key_free(key);
    return key != NULL;
}

const struct flow_kind flow_load = { "load", run_load };
const struct flow_kind flow_use = { "use", run_use };
const struct flow_kind flow_generate = { "generate", run_generate };
const struct flow_kind flow_pool = { "pool", run_pool };
