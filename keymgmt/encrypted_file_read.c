/* SPDX-License-Identifier: Apache-2.0 */
/* Reading encrypted files, written here or by other programs. All that is in them is a stranger's
 * until the tag behind the content was found right. */
#include "encrypted_format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/descriptor.h"
#include "base/hex.h"
#include "ber_stream.h"

#define RECIPIENTS_MAX 65536 /* bytes: hundreds of recipients */
#define ATTEMPTS_MAX 16      /* recipients that the device is asked for */
#define PARAMETERS_MAX 128
#define TAG_MIN 12 /* RFC 5084: 12 to 16 bytes; a shorter one could be guessed */

struct reading {
    OSSL_LIB_CTX *libctx;
    const struct schsm_secret_key *key;
    const struct schsm_bytes_out *out;
    struct schsm_ber ber;
    /* the heads of what encloses the content, to know their ends */
    struct schsm_ber_head content_info;
    uint8_t recipients[RECIPIENTS_MAX];
    size_t recipients_len;
    uint8_t nonce[PARAMETERS_MAX];
    size_t nonce_len;
    size_t tag_len;
    unsigned int key_bits; /* of the content's key */
    struct schsm_secret *content_key;
    EVP_CIPHER_CTX *ctx;
    int scratch; /* the encrypted content, where nothing may be written before its tag; -1: none */
    uint64_t content_len;
    uint8_t plain[SCHSM_CONTENT_PIECE];
};

/* --- up to the content ----------------------------------------------------------------------- */

static bool is_oid(struct schsm_view oid, const char *wanted)
{
    return oid.len == strlen(wanted) && memcmp(oid.data, wanted, oid.len) == 0;
}

/* The last byte of an identifier of NIST's for AES; 0 for others. */
static uint8_t nist_aes(struct schsm_view oid)
{
    size_t len = strlen(SCHSM_OID_NIST_AES);

    return oid.len == len + 1 && memcmp(oid.data, SCHSM_OID_NIST_AES, len) == 0 ? oid.data[len] : 0;
}

static int read_oid(struct schsm_ber *ber, const char *what, uint8_t bytes[32],
                    struct schsm_view *oid, struct schsm_error *err)
{
    struct schsm_ber_head head;

    if (!schsm_ber_expect(ber, 0x06, what, &head, err) ||
        !schsm_ber_content(ber, &head, bytes, 32, err)) {
        return 0;
    }
    *oid = (struct schsm_view){ bytes, (size_t)head.len };
    return 1;
}

static int check_type(struct schsm_view type, struct schsm_error *err)
{
    if (is_oid(type, SCHSM_OID_ENVELOPED_DATA)) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "it is encrypted so that nobody can tell whether it was changed (CMS "
                          "EnvelopedData), which is not decrypted here: have it encrypted with "
                          "AES-GCM, 'openssl cms -encrypt -aes-256-gcm'");
    }
    return is_oid(type, SCHSM_OID_AUTH_ENVELOPED_DATA) ||
           schsm_fail(err, SCHSM_REASON_FILE,
                      "it is another kind of CMS than an encrypted file (AuthEnvelopedData)");
}

/* What people try that is no BER. */
static int check_binary(const struct schsm_ber_head *head, struct schsm_error *err)
{
    if (head->tag == '-' || head->tag == 'M' || head->tag == 'C') {
        return schsm_fail(err, SCHSM_REASON_FILE,
                          "it is a text, and the bytes of CMS are wanted: 'openssl cms -cmsout "
                          "-inform PEM -outform DER -in FILE -out FILE' makes them, with SMIME in "
                          "PEM's place for a mail");
    }
    return head->tag == 0x30 || schsm_fail(err, SCHSM_REASON_FILE, "it is no encrypted file (CMS)");
}

/* Up to the set of recipients, that included. */
static int read_recipients(struct reading *reading, struct schsm_error *err)
{
    struct schsm_ber *ber = &reading->ber;
    struct schsm_ber_head head;
    struct schsm_view oid;
    uint8_t bytes[32];

    if (!schsm_ber_head(ber, &head, err) || !check_binary(&head, err) ||
        !read_oid(ber, "its type", bytes, &oid, err) || !check_type(oid, err) ||
        !schsm_ber_expect(ber, 0xA0, "its content", &head, err) ||
        !schsm_ber_expect(ber, 0x30, "its content", &head, err) ||
        !schsm_ber_expect(ber, 0x02, "a version", &head, err) ||
        !schsm_ber_content(ber, &head, bytes, sizeof(bytes), err) ||
        !schsm_ber_head(ber, &head, err)) {
        return 0;
    }
    if (head.tag == 0xA0) { /* certificates of who made it, which say nothing here */
        if (!schsm_ber_content(ber, &head, reading->recipients, RECIPIENTS_MAX, err) ||
            !schsm_ber_head(ber, &head, err)) {
            return 0;
        }
    }
    if (head.tag != 0x31) {
        return schsm_fail(err, SCHSM_REASON_FILE, "it is malformed: it has no recipients");
    }
    reading->recipients_len = (size_t)head.len;
    return schsm_ber_content(ber, &head, reading->recipients, RECIPIENTS_MAX, err);
}

/* The content's cipher, and its parameters (RFC 5084, 3.2): nonce and, unless 12, the tag's length.
 */
static int take_cipher(struct reading *reading, const uint8_t *algorithm, size_t len,
                       struct schsm_error *err)
{
    struct schsm_tlv_reader tlvs, inner;
    struct schsm_tlv oid, parameters, nonce, tag_len;

    schsm_tlv_read(&tlvs, algorithm, len);
    if (!schsm_tlv_next(&tlvs, &oid) || oid.tag != 0x06) {
        return schsm_fail(err, SCHSM_REASON_FILE, "it is malformed: it names no cipher");
    }
    for (unsigned int bits = 128; bits <= 256; bits += 64) {
        if (nist_aes(oid.value) == schsm_oid_aes_gcm(bits)) {
            reading->key_bits = bits;
        }
    }
    if (reading->key_bits == 0) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "its content is encrypted with another cipher than AES-GCM");
    }
    reading->tag_len = TAG_MIN;
    if (!schsm_tlv_next(&tlvs, &parameters) || parameters.tag != 0x30) {
        return schsm_fail(err, SCHSM_REASON_FILE, "it is malformed: its cipher has no parameters");
    }
    schsm_tlv_read(&inner, parameters.value.data, parameters.value.len);
    if (!schsm_tlv_next(&inner, &nonce) || nonce.tag != 0x04 || nonce.value.len == 0) {
        return schsm_fail(err, SCHSM_REASON_FILE, "it is malformed: its cipher has no nonce");
    }
    memcpy(reading->nonce, nonce.value.data, nonce.value.len);
    reading->nonce_len = nonce.value.len;
    if (schsm_tlv_next(&inner, &tag_len)) {
        if (tag_len.tag != 0x02 || tag_len.value.len != 1 || tag_len.value.data[0] < TAG_MIN ||
            tag_len.value.data[0] > SCHSM_GCM_TAG_LEN) {
            return schsm_fail(err, SCHSM_REASON_FILE,
                              "its tag is shorter than 12 bytes or longer than 16, as none may be");
        }
        reading->tag_len = tag_len.value.data[0];
    }
    return 1;
}

static int read_cipher(struct reading *reading, struct schsm_error *err)
{
    struct schsm_ber *ber = &reading->ber;
    uint8_t bytes[PARAMETERS_MAX];
    struct schsm_ber_head head;
    struct schsm_view oid;

    if (!schsm_ber_expect(ber, 0x30, "its content", &reading->content_info, err) ||
        !read_oid(ber, "its content's type", bytes, &oid, err)) {
        return 0;
    }
    if (!is_oid(oid, SCHSM_OID_DATA)) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "its content is CMS of another kind, not a file");
    }
    return schsm_ber_expect(ber, 0x30, "its cipher", &head, err) &&
           schsm_ber_content(ber, &head, bytes, sizeof(bytes), err) &&
           take_cipher(reading, bytes, (size_t)head.len, err);
}

/* --- the content's key ----------------------------------------------------------------------- */

struct recipient {
    struct schsm_view id, wrapped;
};

/* RFC 5652, 6.2.3; false for others than that, with AES key wrap. Which length of key it names is
 * not looked at: where the device describes the key wrongly, it says so as well. */
static bool read_recipient(struct schsm_view value, struct recipient *recipient)
{
    struct schsm_tlv_reader tlvs;
    struct schsm_tlv version, kek, algorithm, wrapped, inner;

    schsm_tlv_read(&tlvs, value.data, value.len);
    if (!schsm_tlv_next(&tlvs, &version) || version.tag != 0x02 || !schsm_tlv_next(&tlvs, &kek) ||
        kek.tag != 0x30 || !schsm_tlv_next(&tlvs, &algorithm) || algorithm.tag != 0x30 ||
        !schsm_tlv_next(&tlvs, &wrapped) || wrapped.tag != 0x04 ||
        !schsm_tlv_first(kek.value.data, kek.value.len, &inner) || inner.tag != 0x04) {
        return false;
    }
    recipient->id = inner.value;
    recipient->wrapped = wrapped.value;
    return schsm_tlv_first(algorithm.value.data, algorithm.value.len, &inner) &&
           inner.tag == 0x06 &&
           (nist_aes(inner.value) == schsm_oid_aes_wrap(128) ||
            nist_aes(inner.value) == schsm_oid_aes_wrap(192) ||
            nist_aes(inner.value) == schsm_oid_aes_wrap(256));
}

/* Those with the key's id in the first round, the others in the second. */
static int try_recipients(struct reading *reading, bool same_id, unsigned int *attempts, char *ids,
                          size_t ids_size, struct schsm_error *err)
{
    const struct schsm_object *object = reading->key->object;
    struct schsm_tlv_reader tlvs;
    struct schsm_tlv tlv;

    schsm_tlv_read(&tlvs, reading->recipients, reading->recipients_len);
    while (reading->content_key == NULL && *attempts < ATTEMPTS_MAX &&
           schsm_tlv_next(&tlvs, &tlv)) {
        struct schsm_error found = SCHSM_ERROR_INIT;
        struct recipient recipient;
        size_t used = strlen(ids);
        bool same;

        if (tlv.tag != 0xA2 || !read_recipient(tlv.value, &recipient)) {
            continue;
        }
        same = recipient.id.len == object->id_len &&
               memcmp(recipient.id.data, object->id, object->id_len) == 0;
        if (same != same_id) {
            continue;
        }
        if (used + 2 * recipient.id.len + 3 < ids_size) {
            (void)snprintf(ids + used, ids_size - used, "%s", used > 0 ? ", " : "");
            schsm_hex(recipient.id.data, recipient.id.len, ids + strlen(ids));
        }
        if (recipient.wrapped.len != reading->key_bits / 8 + SCHSM_KEY_WRAP_MORE) {
            continue;
        }
        (*attempts)++;
        reading->content_key = schsm_secret_key_unwrap(reading->key, recipient.wrapped.data,
                                                       recipient.wrapped.len, &found);
        if (reading->content_key == NULL && found.reason != SCHSM_REASON_WRONG_KEY) {
            return schsm_fail_as(err, &found);
        }
    }
    return 1;
}

static int open_content_key(struct reading *reading, struct schsm_error *err)
{
    unsigned int attempts = 0;
    char ids[200] = "";

    if (!try_recipients(reading, true, &attempts, ids, sizeof(ids), err) ||
        !try_recipients(reading, false, &attempts, ids, sizeof(ids), err)) {
        return 0;
    }
    if (reading->content_key != NULL) {
        return 1;
    }
    return ids[0] == '\0'
               ? schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                            "it is encrypted for no AES key, but for certificates or a password")
               : schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                            "it is encrypted for another key than this one, or was changed: it "
                            "names AES keys with the ids %s",
                            ids);
}

/* --- the content ----------------------------------------------------------------------------- */

static int fail_scratch(struct schsm_error *err)
{
    return schsm_fail(err, SCHSM_REASON_FILE,
                      "the encrypted content cannot be kept in a temporary file until it is known "
                      "to be authentic: %s; make room there, set TMPDIR, or write to a file with "
                      "--out",
                      strerror(errno));
}

/* A file without a name, for the encrypted content. */
static int open_scratch(struct reading *reading, struct schsm_error *err)
{
    const char *folder = getenv("TMPDIR");
    char name[4096];

    folder = folder != NULL && folder[0] != '\0' ? folder : "/tmp";
    reading->scratch = schsm_descriptor_open(folder, O_TMPFILE | O_RDWR, 0600);
    if (reading->scratch < 0 &&
        snprintf(name, sizeof(name), "%s/sc-hsm.XXXXXX", folder) < (int)sizeof(name)) {
        reading->scratch = schsm_descriptor_above(mkostemp(name, O_CLOEXEC));
        if (reading->scratch >= 0) {
            (void)unlink(name);
        }
    }
    return reading->scratch >= 0 ? 1 : fail_scratch(err);
}

static int decrypt_piece(struct reading *reading, const uint8_t *bytes, size_t len,
                         struct schsm_error *err)
{
    int made = 0;

    if (EVP_DecryptUpdate(reading->ctx, reading->plain, &made, bytes, (int)len) != 1 ||
        made != (int)len) {
        return schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto could not decrypt");
    }
    return 1;
}

static int take_piece(struct reading *reading, const uint8_t *bytes, size_t len,
                      struct schsm_error *err)
{
    reading->content_len += len;
    if (reading->content_len > SCHSM_GCM_MAX) {
        return schsm_fail(err, SCHSM_REASON_FILE, "it has more than the 64 GB that AES-GCM allows");
    }
    if (!decrypt_piece(reading, bytes, len, err)) {
        return 0;
    }
    if (reading->scratch >= 0) {
        return schsm_descriptor_write(reading->scratch, bytes, len) ? 1 : fail_scratch(err);
    }
    return reading->out->write(reading->out->arg, reading->plain, len, err);
}

static int take_primitive(struct reading *reading, const struct schsm_ber_head *head,
                          struct schsm_error *err)
{
    const uint8_t *bytes = NULL;
    size_t len = 0;

    if (head->indefinite) {
        return schsm_fail(err, SCHSM_REASON_FILE, "it is malformed: its content has no length");
    }
    for (uint64_t left = head->len; left > 0; left -= len) {
        uint64_t most = left < SCHSM_CONTENT_PIECE ? left : SCHSM_CONTENT_PIECE;

        if (!schsm_ber_some(&reading->ber, most, &bytes, &len, err) ||
            !take_piece(reading, bytes, len, err)) {
            return 0;
        }
    }
    return 1;
}

/* [0] IMPLICIT OCTET STRING: in one piece, or in several strings. */
static int take_content(struct reading *reading, struct schsm_error *err)
{
    struct schsm_ber_head whole, part;
    uint64_t from;

    if (!schsm_ber_head(&reading->ber, &whole, err)) {
        return 0;
    }
    if (whole.tag == 0x80) {
        return take_primitive(reading, &whole, err);
    }
    if (whole.tag != 0xA0) {
        return schsm_fail(err, SCHSM_REASON_FILE, "its content is not in it");
    }
    from = reading->ber.position;
    while (whole.indefinite || reading->ber.position - from < whole.len) {
        if (!schsm_ber_head(&reading->ber, &part, err)) {
            return 0;
        }
        if (whole.indefinite && part.tag == 0x00 && part.len == 0) {
            return 1;
        }
        if (part.tag != 0x04) {
            return schsm_fail(err, SCHSM_REASON_FILE, "it is malformed in its content");
        }
        if (!take_primitive(reading, &part, err)) {
            return 0;
        }
    }
    return reading->ber.position - from == whole.len ||
           schsm_fail(err, SCHSM_REASON_FILE, "it is malformed in its content");
}

/* What stands behind the content shows whether it is authentic. */
static int check_tag(struct reading *reading, struct schsm_error *err)
{
    uint8_t tag[SCHSM_GCM_TAG_LEN], rest[SCHSM_GCM_TAG_LEN];
    struct schsm_ber_head head;
    int none = 0;

    if (!schsm_ber_end(&reading->ber, &reading->content_info, err) ||
        !schsm_ber_head(&reading->ber, &head, err)) {
        return 0;
    }
    if (head.tag == 0xA1) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "it has authenticated attributes, which are not read here");
    }
    if (head.tag != 0x04 || head.indefinite || head.len != reading->tag_len) {
        return schsm_fail(err, SCHSM_REASON_FILE,
                          "it is malformed: it has no tag of the length "
                          "that it tells");
    }
    if (!schsm_ber_content(&reading->ber, &head, tag, sizeof(tag), err)) {
        return 0;
    }
    if (EVP_CIPHER_CTX_ctrl(reading->ctx, EVP_CTRL_AEAD_SET_TAG, (int)reading->tag_len, tag) != 1 ||
        EVP_DecryptFinal_ex(reading->ctx, rest, &none) != 1) {
        return schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                          "it was changed since it was encrypted: nothing of it can be trusted, "
                          "and nothing was written");
    }
    return 1;
}

static int begin_cipher(struct reading *reading, struct schsm_error *err)
{
    EVP_CIPHER_CTX_free(reading->ctx);
    reading->ctx = schsm_gcm_begin(reading->libctx, false, reading->content_key,
                                   (struct schsm_view){ reading->nonce, reading->nonce_len }, err);
    return reading->ctx != NULL;
}

/* Decrypts the content that was found authentic once more, from the scratch file. */
static int write_authentic(struct reading *reading, struct schsm_error *err)
{
    uint8_t *bytes = reading->ber.buffer; /* of no use any more */

    if (lseek(reading->scratch, 0, SEEK_SET) != 0) {
        return fail_scratch(err);
    }
    if (!begin_cipher(reading, err)) {
        return 0;
    }
    for (uint64_t left = reading->content_len; left > 0;) {
        size_t most = left < SCHSM_CONTENT_PIECE ? (size_t)left : SCHSM_CONTENT_PIECE;
        ssize_t got = read(reading->scratch, bytes, most);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            errno = got == 0 ? EIO : errno;
            return fail_scratch(err);
        }
        if (!decrypt_piece(reading, bytes, (size_t)got, err) ||
            !reading->out->write(reading->out->arg, reading->plain, (size_t)got, err)) {
            return 0;
        }
        left -= (uint64_t)got;
    }
    return 1;
}

int schsm_decrypt_file(OSSL_LIB_CTX *libctx, const struct schsm_secret_key *key,
                       const struct schsm_bytes_in *in, const struct schsm_bytes_out *out,
                       struct schsm_error *err)
{
    struct reading *reading = OPENSSL_zalloc(sizeof(*reading));
    int ok = 0;

    if (reading == NULL) {
        return schsm_fail_memory(err);
    }
    reading->libctx = libctx;
    reading->key = key;
    reading->out = out;
    reading->ber.in = in;
    reading->scratch = -1;
    ERR_set_mark();
    ok = read_recipients(reading, err) && read_cipher(reading, err) &&
         open_content_key(reading, err) && begin_cipher(reading, err) &&
         (out->can_abandon || open_scratch(reading, err)) && take_content(reading, err) &&
         check_tag(reading, err) && (out->can_abandon || write_authentic(reading, err));
    ERR_pop_to_mark();
    if (reading->scratch >= 0) {
        (void)close(reading->scratch);
    }
    EVP_CIPHER_CTX_free(reading->ctx);
    schsm_secret_free(reading->content_key);
    OPENSSL_clear_free(reading, sizeof(*reading));
    return ok;
}
