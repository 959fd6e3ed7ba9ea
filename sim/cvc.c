/* SPDX-License-Identifier: Apache-2.0 */
#include "cvc.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include "cvc_format.h"
#include "keys.h"
#include "tlv.h"

/* DER to r‖s, each as long as the group's order (section 11.1). */
static bool put_plain_signature(struct sim_buf *out, const uint8_t *der, size_t len, size_t size)
{
    const unsigned char *at = der;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)len);
    uint8_t *to = sig == NULL ? NULL : sim_buf_reserve(out, 2 * size);
    bool ok = to != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(sig), to, (int)size) == (int)size &&
              BN_bn2binpad(ECDSA_SIG_get0_s(sig), to + size, (int)size) == (int)size;
    ECDSA_SIG_free(sig);
    return ok;
}

/*
 * Edwards keys are a Pico HSM's alone, which takes the two halves of their signatures for big
 * endian numbers here, though not in SIGN.
 */
static void put_reversed_halves(struct sim_buf *out, const uint8_t *sig, size_t len)
{
    for (size_t half = 0; half < len; half += len / 2) {
        for (size_t i = len / 2; i-- > 0;) {
            sim_buf_put_u8(out, sig[half + i]);
        }
    }
}

/* Append 5F37 over `data`: SHA-256 with ECDSA (r‖s) or PKCS#1 v1.5, by the kind of the key. */
static bool put_signature(struct sim_buf *out, const struct sim_key *key, struct sim_slice data)
{
    struct sim_buf plain = { 0 };
    uint8_t sig[1024] = { 0 };
    size_t len = sizeof(sig);
    const char *digest = key->kind == SIM_KEY_EDWARDS ? NULL : "SHA256";
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx != NULL;
    if (key->kind == SIM_KEY_MONTGOMERY) {
        len = 2 * key->size; /* it cannot sign: zeros stand there (section 19.5) */
    } else {
        ok = ok && EVP_DigestSignInit_ex(ctx, NULL, digest, NULL, NULL, key->pkey, NULL) == 1 &&
             EVP_DigestSign(ctx, sig, &len, data.data, data.len) == 1;
    }
    EVP_MD_CTX_free(ctx);
    if (ok && key->kind == SIM_KEY_EC) {
        ok = put_plain_signature(&plain, sig, len, key->size);
    } else if (ok && key->kind == SIM_KEY_EDWARDS) {
        put_reversed_halves(&plain, sig, len);
    } else if (ok) {
        sim_buf_put(&plain, sig, len);
    }
    sim_tlv_put_buf(out, SIM_TAG_SIGNATURE, &plain);
    sim_buf_free(&plain);
    return ok && !out->failed;
}

/* Append 7F21 { body, signature of `signer` over the body's whole encoding }. */
static bool put_signed_body(struct sim_buf *out, const struct sim_buf *body_content,
                            const struct sim_key *signer)
{
    struct sim_buf content = { 0 };
    sim_tlv_put_buf(&content, SIM_TAG_BODY, body_content);
    bool ok = !content.failed && put_signature(&content, signer, sim_buf_slice(&content));
    sim_tlv_put_buf(out, SIM_TAG_CERTIFICATE, &content);
    sim_buf_free(&content);
    return ok && !out->failed;
}

static bool put_device_key(struct sim_buf *out, const struct sim_key *key)
{
    struct sim_buf content = { 0 }, point = { 0 };
    bool ok = sim_key_put_point(key, &point);
    sim_tlv_put(&content, SIM_TAG_OID, sim_oid_ecdsa_sha256.data, sim_oid_ecdsa_sha256.len);
    sim_tlv_put_buf(&content, SIM_TAG_PUBLIC_POINT, &point);
    sim_tlv_put_buf(out, SIM_TAG_PUBLIC_KEY, &content);
    sim_buf_free(&content);
    sim_buf_free(&point);
    return ok;
}

static void put_chat(struct sim_buf *out)
{
    static const uint8_t authorisation = SIM_ROLE_DEVICE;
    struct sim_buf content = { 0 };
    sim_tlv_put(&content, SIM_TAG_OID, sim_oid_device_role.data, sim_oid_device_role.len);
    sim_tlv_put(&content, SIM_TAG_AUTHORISATION, &authorisation, 1);
    sim_tlv_put_buf(out, SIM_TAG_CHAT, &content);
    sim_buf_free(&content);
}

bool sim_cvc_put_certificate(struct sim_buf *out, const struct sim_cvc_certificate *certificate,
                             const struct sim_key *holder, const struct sim_key *issuer)
{
    struct sim_buf body = { 0 };
    sim_tlv_put(&body, SIM_TAG_PROFILE, "\x00", 1);
    sim_tlv_put(&body, SIM_TAG_CAR, certificate->car, strlen(certificate->car));
    bool ok = put_device_key(&body, holder);
    sim_tlv_put(&body, SIM_TAG_CHR, certificate->chr, strlen(certificate->chr));
    put_chat(&body);
    sim_tlv_put(&body, SIM_TAG_EFFECTIVE, certificate->effective, SIM_DATE_LEN);
    sim_tlv_put(&body, SIM_TAG_EXPIRES, certificate->expires, SIM_DATE_LEN);
    ok = ok && put_signed_body(out, &body, issuer);
    sim_buf_free(&body);
    return ok;
}

bool sim_cvc_put_request(struct sim_buf *out, const struct sim_cvc_request *request,
                         const struct sim_key *holder, const struct sim_key *signer)
{
    struct sim_buf body = { 0 }, content = { 0 };
    sim_tlv_put(&body, SIM_TAG_PROFILE, "\x00", 1);
    sim_tlv_put(&body, SIM_TAG_CAR, request->car.data, request->car.len);
    sim_tlv_put(&body, SIM_TAG_PUBLIC_KEY, request->public_key.data, request->public_key.len);
    sim_tlv_put(&body, SIM_TAG_CHR, request->chr.data, request->chr.len);
    if (request->extensions.data != NULL) {
        sim_tlv_put(&body, SIM_TAG_EXTENSIONS, request->extensions.data, request->extensions.len);
    }
    bool ok = put_signed_body(&content, &body, holder);
    sim_tlv_put(&content, SIM_TAG_CAR, request->outer_car.data, request->outer_car.len);
    /* the outer signature covers 7F21 and 42 as they stand, without the header of 67 */
    ok = ok && put_signature(&content, signer, sim_buf_slice(&content));
    sim_tlv_put_buf(out, SIM_TAG_REQUEST, &content);
    sim_buf_free(&body);
    sim_buf_free(&content);
    return ok && !out->failed;
}

bool sim_cvc_put_own_certificate(struct sim_buf *out, struct sim_slice name,
                                 struct sim_slice public_key, const struct sim_key *holder)
{
    /* id-AT, a terminal that may do nothing, and the dates that every Pico writes */
    static const uint8_t role[] = { 0x04, 0x00, 0x7F, 0x00, 0x07, 0x03, 0x01, 0x02, 0x02 };
    static const uint8_t effective[SIM_DATE_LEN] = { 2, 3, 0, 3, 2, 1 };
    static const uint8_t expires[SIM_DATE_LEN] = { 7, 0, 1, 2, 3, 1 };
    struct sim_buf body = { 0 }, chat = { 0 };
    sim_tlv_put(&body, SIM_TAG_PROFILE, "\x00", 1);
    sim_tlv_put(&body, SIM_TAG_CAR, name.data, name.len);
    sim_tlv_put(&body, SIM_TAG_PUBLIC_KEY, public_key.data, public_key.len);
    sim_tlv_put(&body, SIM_TAG_CHR, name.data, name.len);
    sim_tlv_put(&chat, SIM_TAG_OID, role, sizeof(role));
    sim_tlv_put(&chat, SIM_TAG_AUTHORISATION, "\x00", 1);
    sim_tlv_put_buf(&body, SIM_TAG_CHAT, &chat);
    sim_tlv_put(&body, SIM_TAG_EFFECTIVE, effective, SIM_DATE_LEN);
    sim_tlv_put(&body, SIM_TAG_EXPIRES, expires, SIM_DATE_LEN);
    bool ok = put_signed_body(out, &body, holder);
    sim_buf_free(&body);
    sim_buf_free(&chat);
    return ok;
}
