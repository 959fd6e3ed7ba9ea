/* SPDX-License-Identifier: Apache-2.0 */
#include "openssh_key.h"

#include <string.h>

#include <openssl/crypto.h>

#include "base/secret.h"
#include "curve.h"
#include "wrapped_private.h"

#define BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----"
#define END "-----END OPENSSH PRIVATE KEY-----"
#define KEY_MAX 4000 /* decoded; an RSA key of 4096 bits has 2,400 */

static const char magic[] = "openssh-key-v1"; /* with its NUL */

/* Where a piece of text begins; NULL where it is not there. */
static const uint8_t *find_text(const uint8_t *text, size_t len, const char *wanted)
{
    size_t wanted_len = strlen(wanted);

    for (size_t i = 0; i + wanted_len <= len; i++) {
        if (memcmp(text + i, wanted, wanted_len) == 0) {
            return text + i;
        }
    }
    return NULL;
}

bool schsm_openssh_key_is(const uint8_t *text, size_t len)
{
    return find_text(text, len, BEGIN) != NULL;
}

static int fail_openssh(struct schsm_error *err)
{
    return schsm_fail(err, SCHSM_REASON_FILE, "the OpenSSH key is malformed or was cut short");
}

/* The bytes between the two lines. */
static struct schsm_secret *decode(const uint8_t *text, size_t len, struct schsm_view *bytes,
                                   struct schsm_error *err)
{
    const uint8_t *begin = find_text(text, len, BEGIN), *end;
    EVP_ENCODE_CTX *ctx = NULL;
    struct schsm_secret *memory = NULL;
    uint8_t *out = NULL;
    int part = 0, last = 0;

    if (begin != NULL) {
        begin += strlen(BEGIN);
        end = find_text(begin, len - (size_t)(begin - text), END);
    } else {
        end = NULL;
    }
    if (end == NULL || (size_t)(end - begin) > KEY_MAX) {
        fail_openssh(err);
        return NULL;
    }
    memory = schsm_secret_alloc(KEY_MAX, &out, err);
    ctx = EVP_ENCODE_CTX_new();
    if (memory == NULL || ctx == NULL) {
        schsm_fail_memory(err);
        goto failed;
    }
    EVP_DecodeInit(ctx);
    if (EVP_DecodeUpdate(ctx, out, &part, begin, (int)(end - begin)) < 0 ||
        EVP_DecodeFinal(ctx, out + part, &last) != 1) {
        fail_openssh(err);
        goto failed;
    }
    *bytes = (struct schsm_view){ out, (size_t)(part + last) };
    EVP_ENCODE_CTX_free(ctx);
    return memory;

failed:
    EVP_ENCODE_CTX_free(ctx);
    schsm_secret_free(memory);
    return NULL;
}

/* Takes a number of four bytes, big endian. */
static bool take_number(struct schsm_view *from, uint32_t *number)
{
    if (from->len < 4) {
        return false;
    }
    *number = (uint32_t)from->data[0] << 24 | (uint32_t)from->data[1] << 16 |
              (uint32_t)from->data[2] << 8 | from->data[3];
    from->data += 4;
    from->len -= 4;
    return true;
}

/* Takes a string: its length in four bytes, and its bytes. */
static bool take_string(struct schsm_view *from, struct schsm_view *string)
{
    uint32_t len;

    if (!take_number(from, &len) || len > from->len) {
        return false;
    }
    *string = (struct schsm_view){ from->data, len };
    from->data += len;
    from->len -= len;
    return true;
}

static bool is_text(struct schsm_view view, const char *text)
{
    return view.len == strlen(text) && memcmp(view.data, text, view.len) == 0;
}

/* n, e, d, and more that follows from them. */
static EVP_PKEY *read_rsa(OSSL_LIB_CTX *libctx, struct schsm_view content, struct schsm_error *err)
{
    struct schsm_view elements[RSA_E + 1];

    if (!take_string(&content, &elements[RSA_N]) || !take_string(&content, &elements[RSA_E]) ||
        !take_string(&content, &elements[RSA_D])) {
        fail_openssh(err);
        return NULL;
    }
    return schsm_wrapped_rsa(libctx, elements, err);
}

/* The curve's name, the point, d. */
static EVP_PKEY *read_ec(OSSL_LIB_CTX *libctx, struct schsm_view content, struct schsm_error *err)
{
    static const struct {
        const char *name, *ours;
    } curves[] = { { "nistp256", "P-256" }, { "nistp384", "P-384" }, { "nistp521", "P-521" } };
    const struct schsm_curve *curve = NULL;
    struct schsm_curve_parameters domain;
    struct schsm_view name, point, d;

    if (!take_string(&content, &name) || !take_string(&content, &point) ||
        !take_string(&content, &d)) {
        fail_openssh(err);
        return NULL;
    }
    for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
        if (is_text(name, curves[i].name)) {
            curve = schsm_curve_by_name(curves[i].ours);
        }
    }
    if (curve == NULL) {
        fail_openssh(err);
        return NULL;
    }
    if (!schsm_curve_parameters(curve, &domain, err)) {
        return NULL;
    }
    const struct schsm_view elements[SCHSM_WRAPPED_ELEMENTS_MAX] = {
        [EC_A] = { domain.a, domain.field_len },
        [EC_B] = { domain.b, domain.field_len },
        [EC_P] = { domain.p, domain.field_len },
        [EC_N] = { domain.n, domain.field_len },
        [EC_G] = { domain.g, 1 + 2 * domain.field_len },
        [EC_D] = d,
        [EC_Q] = point,
    };

    return schsm_wrapped_ec(libctx, elements, err);
}

/* The private part: two equal numbers, a type, and what the type has. */
static EVP_PKEY *read_private(OSSL_LIB_CTX *libctx, struct schsm_view content,
                              struct schsm_error *err)
{
    static const char ecdsa[] = "ecdsa-sha2-";
    uint32_t first, second;
    struct schsm_view type;

    if (!take_number(&content, &first) || !take_number(&content, &second) || first != second ||
        !take_string(&content, &type)) {
        fail_openssh(err);
        return NULL;
    }
    if (is_text(type, "ssh-rsa")) {
        return read_rsa(libctx, content, err);
    }
    if (type.len > strlen(ecdsa) && memcmp(type.data, ecdsa, strlen(ecdsa)) == 0) {
        return read_ec(libctx, content, err);
    }
    schsm_fail(err, SCHSM_REASON_UNSUPPORTED, "a SmartCard-HSM has RSA and EC keys, not %.*s keys",
               (int)(type.len < 40 ? type.len : 40), (const char *)type.data);
    return NULL;
}

EVP_PKEY *schsm_openssh_key_read(OSSL_LIB_CTX *libctx, const uint8_t *text, size_t len,
                                 struct schsm_error *err)
{
    struct schsm_view bytes, cipher, kdf, options, public_part, private_part;
    struct schsm_secret *memory = decode(text, len, &bytes, err);
    EVP_PKEY *key = NULL;
    uint32_t count;

    if (memory == NULL) {
        return NULL;
    }
    if (bytes.len < sizeof(magic) || memcmp(bytes.data, magic, sizeof(magic)) != 0) {
        fail_openssh(err);
        goto done;
    }
    bytes.data += sizeof(magic);
    bytes.len -= sizeof(magic);
    if (!take_string(&bytes, &cipher) || !take_string(&bytes, &kdf) ||
        !take_string(&bytes, &options) || !take_number(&bytes, &count) || count != 1 ||
        !take_string(&bytes, &public_part) || !take_string(&bytes, &private_part)) {
        fail_openssh(err);
        goto done;
    }
    if (!is_text(cipher, "none")) {
        schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                   "an encrypted key in OpenSSH's own format cannot be opened here: turn a copy of "
                   "it into PKCS#8, which stays encrypted, with 'ssh-keygen -p -m PKCS8 -f COPY'");
        goto done;
    }
    key = read_private(libctx, private_part, err);

done:
    schsm_secret_free(memory);
    return key;
}
