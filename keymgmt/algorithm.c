/* SPDX-License-Identifier: Apache-2.0 */
#include "algorithm.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>

#include "base/hex.h"
#include "format/curve.h"
#include "format/ecx.h"
#include "format/ecx.h"

#define SEPARATORS ",: "
#define RSA_BITS_MIN 512

/* clang-format off */
static const struct algorithm {
    uint8_t id;
    enum schsm_key_type key_type; /* NONE: of every type */
    const char *name;
} algorithms[] = {
    { 0x10, SCHSM_KEY_AES,  "aes-cbc-encrypt" },
    { 0x11, SCHSM_KEY_AES,  "aes-cbc-decrypt" },
    { 0x18, SCHSM_KEY_AES,  "aes-cmac" },
    { 0x20, SCHSM_KEY_RSA,  "rsa-sign-raw" },
    { 0x21, SCHSM_KEY_RSA,  "rsa-decrypt-raw" },
    { 0x22, SCHSM_KEY_RSA,  "rsa-decrypt-pkcs1" },
    { 0x23, SCHSM_KEY_RSA,  "rsa-decrypt-oaep" },
    { 0x30, SCHSM_KEY_RSA,  "rsa-pkcs1" },
    { 0x31, SCHSM_KEY_RSA,  "rsa-pkcs1-sha1" },
    { 0x32, SCHSM_KEY_RSA,  "rsa-pkcs1-sha224" },
    { 0x33, SCHSM_KEY_RSA,  "rsa-pkcs1-sha256" },
    { 0x34, SCHSM_KEY_RSA,  "rsa-pkcs1-sha384" },
    { 0x35, SCHSM_KEY_RSA,  "rsa-pkcs1-sha512" },
    { 0x40, SCHSM_KEY_RSA,  "rsa-pss" },
    { 0x41, SCHSM_KEY_RSA,  "rsa-pss-sha1" },
    { 0x42, SCHSM_KEY_RSA,  "rsa-pss-sha224" },
    { 0x43, SCHSM_KEY_RSA,  "rsa-pss-sha256" },
    { 0x44, SCHSM_KEY_RSA,  "rsa-pss-sha384" },
    { 0x45, SCHSM_KEY_RSA,  "rsa-pss-sha512" },
    { 0x51, SCHSM_KEY_AES,  "aes-extended-encrypt" },
    { 0x52, SCHSM_KEY_AES,  "aes-extended-decrypt" },
    { 0x70, SCHSM_KEY_EC,   "ecdsa" },
    { 0x71, SCHSM_KEY_EC,   "ecdsa-sha1" },
    { 0x72, SCHSM_KEY_EC,   "ecdsa-sha224" },
    { 0x73, SCHSM_KEY_EC,   "ecdsa-sha256" },
    { 0x74, SCHSM_KEY_EC,   "ecdsa-sha384" },
    { 0x75, SCHSM_KEY_EC,   "ecdsa-sha512" },
    { 0x70, SCHSM_KEY_ED25519, "eddsa" },
    { 0x80, SCHSM_KEY_EC,   "ecdh" },
    { 0x80, SCHSM_KEY_X25519, "xdh" },
    { 0x83, SCHSM_KEY_EC,   "ecdh-authenticated" },
    { 0x84, SCHSM_KEY_EC,   "ecdh-xkek" },
    { 0x92, SCHSM_KEY_NONE, "wrap" },
    { 0x93, SCHSM_KEY_NONE, "unwrap" },
    { 0x94, SCHSM_KEY_NONE, "replace" },
    { 0x98, SCHSM_KEY_EC,   "derive-ec" },
    { 0x99, SCHSM_KEY_AES,  "derive" },
    { 0xA0, SCHSM_KEY_NONE, "default" },
};
/* clang-format on */

#define ALGORITHMS (sizeof(algorithms) / sizeof(algorithms[0]))

static const char *const type_names[] = {
    [SCHSM_KEY_RSA] = "RSA",         [SCHSM_KEY_EC] = "EC",       [SCHSM_KEY_AES] = "AES",
    [SCHSM_KEY_ED25519] = "Ed25519", [SCHSM_KEY_ED448] = "Ed448", [SCHSM_KEY_X25519] = "X25519",
    [SCHSM_KEY_X448] = "X448",
};

/* Whether an algorithm is for keys of a type; in the table Ed25519 and X25519 stand for the longer
 * keys too. */
static bool is_for(const struct algorithm *algorithm, enum schsm_key_type type)
{
    enum schsm_key_type listed = type == SCHSM_KEY_ED448  ? SCHSM_KEY_ED25519
                                 : type == SCHSM_KEY_X448 ? SCHSM_KEY_X25519
                                                          : type;

    return algorithm->key_type == SCHSM_KEY_NONE || algorithm->key_type == listed;
}

static const struct algorithm *algorithm_by_id(uint8_t id)
{
    for (size_t i = 0; i < ALGORITHMS; i++) {
        if (algorithms[i].id == id) {
            return &algorithms[i];
        }
    }
    return NULL;
}

static const struct algorithm *algorithm_by_name(const char *name, size_t len)
{
    for (size_t i = 0; i < ALGORITHMS; i++) {
        if (strlen(algorithms[i].name) == len && strncasecmp(algorithms[i].name, name, len) == 0) {
            return &algorithms[i];
        }
    }
    return NULL;
}

static int append_algorithm(uint8_t ids[SCHSM_ALGORITHMS_MAX], size_t *len, uint8_t id,
                            struct schsm_error *err)
{
    if (*len == SCHSM_ALGORITHMS_MAX) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "algorithms: a key takes at most %d",
                          SCHSM_ALGORITHMS_MAX);
    }
    ids[(*len)++] = id;
    return 1;
}

const char *schsm_algorithm_at(size_t index)
{
    return index < ALGORITHMS ? algorithms[index].name : NULL;
}

/* What a key of this type may have, from the table. */
static void name_all(enum schsm_key_type type, char *text, size_t size)
{
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; i < ALGORITHMS; i++) {
        if (is_for(&algorithms[i], type)) {
            BIO_snprintf(text + len, size - len, "%s%s (%02x)", len > 0 ? ", " : "",
                         algorithms[i].name, algorithms[i].id);
            len = strlen(text);
        }
    }
}

static int fail_word(const char *word, size_t len, enum schsm_key_type type,
                     struct schsm_error *err)
{
    char names[512];

    if (type == SCHSM_KEY_NONE) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "algorithms: '%.*s' is neither the name of an algorithm, such as "
                          "ecdsa-sha256, nor a card algorithm id in hex, such as 73",
                          (int)(len < 40 ? len : 40), word);
    }
    name_all(type, names, sizeof(names));
    return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                      "algorithms: '%.*s' is neither the name of an algorithm nor a card algorithm "
                      "id in hex; for an %s key there are %s",
                      (int)(len < 40 ? len : 40), word, type_names[type], names);
}

static int parse_word(const char *word, size_t len, enum schsm_key_type type,
                      uint8_t ids[SCHSM_ALGORITHMS_MAX], size_t *count, struct schsm_error *err)
{
    const struct algorithm *algorithm = algorithm_by_name(word, len);

    if (algorithm != NULL) {
        if (type != SCHSM_KEY_NONE && !is_for(algorithm, type)) {
            return schsm_fail(err, SCHSM_REASON_ARGUMENT, "algorithms: %s is nothing for an %s key",
                              algorithm->name, type_names[type]);
        }
        return append_algorithm(ids, count, algorithm->id, err);
    }
    if (len % 2 != 0) {
        return fail_word(word, len, type, err);
    }
    for (size_t i = 0; i < len; i += 2) {
        int high = schsm_hex_digit(word[i]), low = schsm_hex_digit(word[i + 1]);

        if (high < 0 || low < 0) {
            return fail_word(word, len, type, err);
        }
        if (!append_algorithm(ids, count, (uint8_t)(high << 4 | low), err)) {
            return 0;
        }
    }
    return 1;
}

int schsm_algorithms_parse(const char *text, enum schsm_key_type type,
                           uint8_t ids[SCHSM_ALGORITHMS_MAX], size_t *len, struct schsm_error *err)
{
    const char *word = text + strspn(text, SEPARATORS);

    *len = 0;
    while (*word != '\0') {
        size_t word_len = strcspn(word, SEPARATORS);

        if (!parse_word(word, word_len, type, ids, len, err)) {
            return 0;
        }
        word += word_len;
        word += strspn(word, SEPARATORS);
    }
    if (*len == 0) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "algorithms: the list is empty");
    }
    return 1;
}

void schsm_algorithm_name(uint8_t id, char name[SCHSM_ALGORITHM_NAME_MAX])
{
    const struct algorithm *algorithm = algorithm_by_id(id);

    if (algorithm != NULL) {
        BIO_snprintf(name, SCHSM_ALGORITHM_NAME_MAX, "%s", algorithm->name);
    } else {
        BIO_snprintf(name, SCHSM_ALGORITHM_NAME_MAX, "%02x", id);
    }
}

bool schsm_algorithms_are_all(enum schsm_key_type type, const uint8_t *ids, size_t len)
{
    /* what a key made without a list has (device/card/card_generate.c) */
    static const uint8_t aes[] = { 0x10, 0x11, 0x18, 0x92, 0x99 };
    size_t found = 0;

    for (size_t i = 0; i < sizeof(aes) && len > 0; i++) {
        found += memchr(ids, aes[i], len) != NULL;
    }
    return len == 0 || (type == SCHSM_KEY_AES && found == sizeof(aes));
}

static int fail_type(const char *text, struct schsm_error *err)
{
    return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                      "'%.60s' is no type of key: rsa:1024, rsa:1536, rsa:2048, rsa:3072, "
                      "rsa:4096 (a PKCS#11 token may make other sizes), ec:CURVE such as ec:P-256, "
                      "ed25519, ed448, x25519, x448, aes:128, aes:192 or aes:256",
                      text);
}

/* A curve that no card has, but perhaps a token. */
static int curve_of_libcrypto(const char *name)
{
    size_t count = EC_get_builtin_curves(NULL, 0);
    EC_builtin_curve *curves = OPENSSL_zalloc((count + 1) * sizeof(*curves));
    int nid = EC_curve_nist2nid(name), found = NID_undef;

    nid = nid != NID_undef ? nid : OBJ_sn2nid(name);
    if (curves != NULL && nid != NID_undef) {
        count = EC_get_builtin_curves(curves, count);
        for (size_t i = 0; i < count; i++) {
            found = curves[i].nid == nid ? nid : found;
        }
    }
    OPENSSL_free(curves);
    return found;
}

/* Which sizes there are is the device's to say, as long as libcrypto can use the key. */
static unsigned int rsa_bits(const char *text)
{
    unsigned long bits = 0;

    for (const char *at = text; *at != '\0'; at++) {
        if (*at < '0' || *at > '9' || text[0] == '0' || bits > OPENSSL_RSA_MAX_MODULUS_BITS) {
            return 0;
        }
        bits = 10 * bits + (unsigned long)(*at - '0');
    }
    return bits >= RSA_BITS_MIN && bits <= OPENSSL_RSA_MAX_MODULUS_BITS && bits % 8 == 0
               ? (unsigned int)bits
               : 0;
}

int schsm_key_type_parse(const char *text, struct schsm_generate *spec, struct schsm_error *err)
{
    static const struct {
        const char *prefix;
        enum schsm_key_type type;
        unsigned int sizes[6]; /* 0 ends them */
    } types[] = {
        { "rsa:", SCHSM_KEY_RSA, { 0 } },
        { "aes:", SCHSM_KEY_AES, { 128, 192, 256, 0 } },
        { "ec:", SCHSM_KEY_EC, { 0 } },
    };
    const struct schsm_ecx *ecx = schsm_ecx_by_name(text);
    const struct schsm_curve *curve;
    size_t i = 0;

    if (ecx != NULL) {
        spec->type = ecx->type;
        return 1;
    }
    while (i < sizeof(types) / sizeof(types[0]) &&
           strncasecmp(text, types[i].prefix, strlen(types[i].prefix)) != 0) {
        i++;
    }
    if (i == sizeof(types) / sizeof(types[0])) {
        return fail_type(text, err);
    }
    text += strlen(types[i].prefix);
    spec->type = types[i].type;
    if (spec->type == SCHSM_KEY_EC) {
        curve = schsm_curve_by_name(text);
        spec->curve_nid = curve != NULL ? curve->nid : curve_of_libcrypto(text);
        if (spec->curve_nid == NID_undef) {
            return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                              "a SmartCard-HSM has no curve '%.40s': P-192, P-256, P-384, P-521, "
                              "secp192k1, secp256k1, or brainpoolP192r1 to brainpoolP512r1",
                              text);
        }
        return 1;
    }
    if (spec->type == SCHSM_KEY_RSA && (spec->bits = rsa_bits(text)) != 0) {
        return 1;
    }
    for (const unsigned int *size = types[i].sizes; *size != 0; size++) {
        char number[8];

        BIO_snprintf(number, sizeof(number), "%u", *size);
        if (strcmp(number, text) == 0) {
            spec->bits = *size;
            return 1;
        }
    }
    return fail_type(text - strlen(types[i].prefix), err);
}
