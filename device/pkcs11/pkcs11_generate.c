/* SPDX-License-Identifier: Apache-2.0 */
/* Making keys on a token: what was made is checked, and nothing is left behind by a failure. */
#include "pkcs11_private.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include "format/ecx.h"
#include "base/log.h"

#define PARAMS_MAX 32 /* DER of a curve's OBJECT IDENTIFIER */
#define ATTRIBUTES_MAX 12
#define CURVE_NAME_MAX 80

struct generation {
    const struct schsm_generate *spec;
    struct schsm_object *made;
    uint8_t id[SCHSM_ID_MAX];
    size_t id_len;
    uint8_t params[PARAMS_MAX];
    size_t params_len;
    ck_handle public, private; /* what this attempt made; 0: nothing */
};

struct template
{
    struct ck_attribute at[ATTRIBUTES_MAX];
    unsigned long count;
};

static unsigned char yes = CK_TRUE, no = CK_FALSE;

/* The public exponent where none is asked for. */
static const uint8_t f4[] = { 0x01, 0x00, 0x01 };

static void put_attribute(struct template *template, unsigned long type, const void *value,
                          size_t len)
{
    /* the standard's structure serves both directions, and so is not constant */
    template->at[template->count++] = (struct ck_attribute){ type, (void *)value, len };
}

static void put_bool(struct template *template, unsigned long type, bool value)
{
    put_attribute(template, type, value ? &yes : &no, 1);
}

static void put_common(struct template *template, const struct generation *generation, bool private)
{
    const char *label = generation->spec->label != NULL ? generation->spec->label : "";

    put_bool(template, CKA_TOKEN, true);
    put_bool(template, CKA_PRIVATE, private);
    put_attribute(template, CKA_LABEL, label, strlen(label));
    put_attribute(template, CKA_ID, generation->id, generation->id_len);
}

/* --- the id -------------------------------------------------------------------------------- */

static int look_at_ids(const struct generation *generation,
                       const struct schsm_pkcs11_objects *objects, bool taken[256],
                       struct schsm_error *err)
{
    const struct schsm_generate *spec = generation->spec;

    for (size_t i = 0; i < objects->count; i++) {
        const struct schsm_object *object = &objects->at[i].object;

        if (object->id_len == 1) {
            taken[object->id[0]] = true;
        }
        if (spec->id != NULL && object->id_len == spec->id_len &&
            memcmp(object->id, spec->id, spec->id_len) == 0) {
            return schsm_fail(err, SCHSM_REASON_EXISTS,
                              "%s%s%s already has this id: choose another",
                              object->label[0] != 0 ? "'" : "an object", object->label,
                              object->label[0] != 0 ? "'" : "");
        }
    }
    return 1;
}

static int choose_id(struct schsm_pkcs11_token *token, struct generation *generation,
                     struct schsm_error *err)
{
    const struct schsm_generate *spec = generation->spec;
    struct schsm_pkcs11_keys keys = { { NULL, 0 }, { NULL, 0 }, { NULL, 0 } };
    bool taken[256] = { true }; /* 00 is what many programs take for none */
    unsigned int next = 1;
    int ok = schsm_pkcs11_list_keys(token, spec->id, spec->id_len, &keys, err) &&
             schsm_pkcs11_list(token, CKO_SECRET_KEY, NULL, 0, &keys.private, err) &&
             look_at_ids(generation, &keys.private, taken, err) &&
             look_at_ids(generation, &keys.public, taken, err) &&
             look_at_ids(generation, &keys.certificates, taken, err);

    schsm_pkcs11_keys_clear(&keys);
    if (!ok) {
        return 0;
    }
    if (spec->id != NULL) {
        memcpy(generation->id, spec->id, spec->id_len);
        generation->id_len = spec->id_len;
        return 1;
    }
    while (next < 256 && taken[next]) {
        next++;
    }
    if (next == 256) {
        return schsm_fail(err, SCHSM_REASON_DEVICE_FULL,
                          "all ids of one byte are taken: name an id");
    }
    generation->id[0] = (uint8_t)next;
    generation->id_len = 1;
    return 1;
}

/* --- the key ------------------------------------------------------------------------------- */

static ck_rv make_pair_on_token(struct schsm_pkcs11_token *token, struct generation *generation)
{
    const struct schsm_generate *spec = generation->spec;
    struct template public = { .count = 0 }, private = { .count = 0 };
    unsigned long bits = spec->bits;
    bool rsa = spec->type == SCHSM_KEY_RSA;
    const struct ck_mechanism mechanism = { rsa ? CKM_RSA_PKCS_KEY_PAIR_GEN : CKM_EC_KEY_PAIR_GEN,
                                            NULL, 0 };

    put_common(&public, generation, false);
    put_bool(&public, CKA_VERIFY, true);
    if (rsa) {
        put_bool(&public, CKA_ENCRYPT, true);
        put_attribute(&public, CKA_MODULUS_BITS, &bits, sizeof(bits));
        put_attribute(&public, CKA_PUBLIC_EXPONENT, spec->exponent != NULL ? spec->exponent : f4,
                      spec->exponent != NULL ? spec->exponent_len : sizeof(f4));
    } else {
        put_attribute(&public, CKA_EC_PARAMS, generation->params, generation->params_len);
    }
    put_common(&private, generation, true);
    put_bool(&private, CKA_SENSITIVE, true);
    put_bool(&private, CKA_EXTRACTABLE, false);
    put_bool(&private, CKA_SIGN, true);
    put_bool(&private, rsa ? CKA_DECRYPT : CKA_DERIVE, true);
    return SCHSM_PKCS11_WRITE(token, generate_key_pair, &mechanism, public.at, public.count,
                              private.at, private.count, &generation->public, &generation->private);
}

static ck_rv make_aes_on_token(struct schsm_pkcs11_token *token, struct generation *generation)
{
    const struct ck_mechanism mechanism = { CKM_AES_KEY_GEN, NULL, 0 };
    unsigned long len = generation->spec->bits / 8;
    struct template secret = { .count = 0 };
    ck_rv rv;

    put_common(&secret, generation, true);
    put_bool(&secret, CKA_SENSITIVE, true);
    put_bool(&secret, CKA_EXTRACTABLE, false);
    put_bool(&secret, CKA_ENCRYPT, true);
    put_bool(&secret, CKA_DECRYPT, true);
    put_attribute(&secret, CKA_VALUE_LEN, &len, sizeof(len));
    put_bool(&secret, CKA_SIGN, true); /* CMAC */
    put_bool(&secret, CKA_VERIFY, true);
    rv = SCHSM_PKCS11_WRITE(token, generate_key, &mechanism, secret.at, secret.count,
                            &generation->private);
    if (rv == CKR_TEMPLATE_INCONSISTENT || rv == CKR_ATTRIBUTE_VALUE_INVALID ||
        rv == CKR_ATTRIBUTE_TYPE_INVALID) {
        secret.count -= 2; /* of a token that has no CMAC */
        rv = SCHSM_PKCS11_WRITE(token, generate_key, &mechanism, secret.at, secret.count,
                                &generation->private);
    }
    return rv;
}

static bool is_exponent(const EVP_PKEY *key, const struct schsm_generate *spec)
{
    BIGNUM *told = NULL, *asked = spec->exponent != NULL
                                      ? BN_bin2bn(spec->exponent, (int)spec->exponent_len, NULL)
                                      : BN_bin2bn(f4, sizeof(f4), NULL);
    bool same = asked != NULL && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &told) == 1 &&
                BN_cmp(told, asked) == 0;

    BN_free(told);
    BN_free(asked);
    return same;
}

static bool is_curve(const EVP_PKEY *key, int nid)
{
    char name[CURVE_NAME_MAX];

    return EVP_PKEY_get_group_name(key, name, sizeof(name), NULL) == 1 && OBJ_txt2nid(name) == nid;
}

/* Whether a pair's public part is one, and on the curve or with the exponent that was asked for: so
 * nobody trusts a weaker one. Its type and size were looked at. */
static bool is_pair_as_asked(const struct schsm_generate *spec, const struct schsm_object *made)
{
    OSSL_LIB_CTX *library = OSSL_LIB_CTX_new(); /* the default one is the program's */
    const unsigned char *at = made->value;
    EVP_PKEY *key = NULL;
    bool as_asked = false;

    (void)ERR_set_mark();
    if (library != NULL && made->value != NULL) {
        key = d2i_PUBKEY_ex(NULL, &at, (long)made->value_len, library, NULL);
    }
    as_asked = key != NULL && (spec->type == SCHSM_KEY_EC ? is_curve(key, spec->curve_nid)
                                                          : is_exponent(key, spec));
    (void)ERR_pop_to_mark(); /* our own error says it */
    EVP_PKEY_free(key);
    OSSL_LIB_CTX_free(library);
    return as_asked;
}

/* What the token says that it made; the public part of a pair is in the value. */
static int take_made_key(struct schsm_pkcs11_token *token, struct generation *generation,
                         struct schsm_error *err)
{
    const struct schsm_generate *spec = generation->spec;
    bool secret = spec->type == SCHSM_KEY_AES;
    struct schsm_pkcs11_objects made = { NULL, 0 };
    struct schsm_object *object = NULL;
    int ok = schsm_pkcs11_get(token, secret ? CKO_SECRET_KEY : CKO_PUBLIC_KEY,
                              secret ? generation->private : generation->public, &made, err);

    if (!ok) {
        goto done;
    }
    object = made.count > 0 ? &made.at[0].object : NULL;
    if (object == NULL || object->key_type != spec->type ||
        (spec->type != SCHSM_KEY_EC && object->bits != spec->bits) ||
        (!secret && !is_pair_as_asked(spec, object)) || object->id_len != generation->id_len ||
        memcmp(object->id, generation->id, object->id_len) != 0) {
        ok = schsm_fail(err, SCHSM_REASON_DEVICE_DATA,
                        "the token made another key than it was asked for");
        goto done;
    }
    *generation->made = *object;
    generation->made->type = secret ? SCHSM_OBJECT_SECRET : SCHSM_OBJECT_PRIVATE;
    generation->made->handle = schsm_pkcs11_number(generation->made);
    object->value = NULL; /* it has moved */
    object->value_len = 0;

done:
    schsm_pkcs11_objects_clear(&made);
    return ok;
}

/* After a failure, which stays what it was but tells what could not be removed. */
static void remove_made(struct schsm_pkcs11_token *token, struct generation *generation,
                        struct schsm_error *err)
{
    const ck_handle made[] = { generation->private, generation->public };

    generation->private = generation->public = CK_INVALID_HANDLE;
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
        if (made[i] != CK_INVALID_HANDLE &&
            SCHSM_PKCS11_WRITE(token, destroy_object, made[i]) != CKR_OK) {
            schsm_fail_context(err, "the %s it made is still there and should be deleted",
                               i == 0 ? "key" : "public key");
        }
    }
}

static int generate_on_token(struct schsm_pkcs11_token *token, void *arg, struct schsm_error *err)
{
    struct generation *generation = arg;
    ck_rv rv;

    if (!choose_id(token, generation, err)) {
        return 0;
    }
    schsm_log(SCHSM_LOG_INFO, "device %s makes a key", token->name);
    rv = generation->spec->type == SCHSM_KEY_AES ? make_aes_on_token(token, generation)
                                                 : make_pair_on_token(token, generation);
    if (rv != CKR_OK) {
        generation->private = generation->public = CK_INVALID_HANDLE;
        schsm_pkcs11_fail_to(token, rv, "make this key", err);
        if (err->reason == SCHSM_REASON_NOT_PERMITTED) {
            err->reason = SCHSM_REASON_UNSUPPORTED; /* it is the token that cannot */
        }
        return 0;
    }
    if (!take_made_key(token, generation, err)) {
        remove_made(token, generation, err);
        return 0;
    }
    return 1;
}

/* --- what is asked for --------------------------------------------------------------------- */

/* What only a SmartCard-HSM gives its keys. */
static int check_wishes(const struct schsm_generate *spec, struct schsm_error *err)
{
    const struct {
        bool wished;
        const char *what;
    } wishes[] = {
        { spec->key_ref >= 0, "key references: leave key-ref out, and name keys by id or label" },
        { spec->algorithms != NULL, "lists of algorithms for its keys" },
        { spec->use_count != 0, "use counters for its keys" },
        { spec->has_key_domain || spec->domain_uid != NULL, "key domains" },
    };

    for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
        if (wishes[i].wished) {
            return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                              "it is a PKCS#11 token and no SmartCard-HSM, and has no %s",
                              wishes[i].what);
        }
    }
    return 1;
}

static int check_key_for_token(struct generation *generation, struct schsm_error *err)
{
    const struct schsm_generate *spec = generation->spec;
    unsigned char *at = generation->params;
    const ASN1_OBJECT *curve = NULL;
    int len = 0;

    if (!check_wishes(spec, err)) {
        return 0;
    }
    if (spec->id != NULL && (spec->id_len == 0 || spec->id_len > SCHSM_ID_MAX)) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "an id has 1 to %d bytes", SCHSM_ID_MAX);
    }
    if (spec->label != NULL && strlen(spec->label) > SCHSM_LABEL_MAX) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "a label has at most %d bytes",
                          SCHSM_LABEL_MAX);
    }
    if (spec->type == SCHSM_KEY_AES && spec->bits != 128 && spec->bits != 192 &&
        spec->bits != 256) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "AES keys have 128, 192 or 256 bits, not %u",
                          spec->bits);
    }
    if (spec->type == SCHSM_KEY_RSA && spec->bits > OPENSSL_RSA_MAX_MODULUS_BITS) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "OpenSSL uses RSA keys of at most %d bits, not of %u",
                          OPENSSL_RSA_MAX_MODULUS_BITS, spec->bits);
    }
    if (schsm_ecx_by_type(spec->type) != NULL) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "%s keys are offered on a Pico HSM only, not through a PKCS#11 module",
                          schsm_ecx_by_type(spec->type)->name);
    }
    if (spec->type != SCHSM_KEY_EC) {
        return 1;
    }
    curve = OBJ_nid2obj(spec->curve_nid);
    len = curve != NULL ? i2d_ASN1_OBJECT(curve, NULL) : 0;
    if (len <= 0 || len > PARAMS_MAX) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED, "the curve has no name");
    }
    generation->params_len = (size_t)i2d_ASN1_OBJECT(curve, &at);
    return 1;
}

int schsm_pkcs11_device_generate(struct schsm_device *dev, const struct schsm_generate *spec,
                                 const struct schsm_login *login, struct schsm_object *made,
                                 struct schsm_error *err)
{
    struct generation generation = { .spec = spec, .made = made };
    const struct schsm_pkcs11_job job = { .run = generate_on_token,
                                          .arg = &generation,
                                          .login = login,
                                          .write = true,
                                          .object = "new key" };

    if (!check_key_for_token(&generation, err)) {
        return schsm_fail_context(err, "device %s", schsm_pkcs11_token(dev)->name);
    }
    return schsm_pkcs11_run(schsm_pkcs11_token(dev), &job, err);
}
