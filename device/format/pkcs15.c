/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs15.h"

#include <string.h>

#include "ecx.h"
#include "base/tlv.h"

/* PKCS#15 v1.1 6.1 to 6.9 and protocol reference section 10. */
#define TAG_BOOLEAN 0x01
#define TAG_INTEGER 0x02
#define TAG_BIT_STRING 0x03
#define TAG_OCTET_STRING 0x04
#define TAG_UTF8 0x0C
#define TAG_SEQUENCE 0x30
#define TAG_SUBCLASS 0xA0 /* [0] subclass attributes */
#define TAG_TYPE 0xA1     /* [1] type attributes */
#define TAG_RSA_KEY 0x30
#define TAG_EC_KEY 0xA0
#define TAG_AES_KEY 0xA8
#define CONTEXT_CONSTRUCTED 0xA0 /* class and form of the tags of other kinds of keys */
#define TAG_X509 0x30
#define TAG_ATTRIBUTE 0xA0
#define TAG_CVC 0xA5
#define TAG_DATA 0x30
#define TAG_TOKEN_LABEL 0x80

#define USAGE_BITS 10
#define FLAG_PRIVATE 0 /* bit of CommonObjectFlags */
#define DEPTH_MAX 4    /* of a path below the type attributes */
#define FILE_PRIVATE 0xCD
#define BITS_MAX 65535
#define AUTH_ID 1 /* of the user PIN, as OpenSC numbers it (section 10.1) */

/* CommonObjectFlags as BIT STRINGs (section 10.1) */
static const uint8_t flags_private[] = { 0x06, 0xC0 };    /* private, modifiable */
static const uint8_t flags_modifiable[] = { 0x06, 0x40 }; /* modifiable */

/* The four parts of a PKCS15Object; absent ones have len 0. */
struct object {
    uint32_t tag;
    struct schsm_view common, class, subclass, type;
};

/* The parts are told by tag and order. False where the outer structure is broken. */
static bool read_parts(const uint8_t *file, size_t len, struct object *object)
{
    struct schsm_tlv_reader reader;
    struct schsm_tlv tlv;

    memset(object, 0, sizeof(*object));
    if (!schsm_tlv_first(file, len, &tlv)) {
        return false;
    }
    object->tag = tlv.tag;
    schsm_tlv_read(&reader, tlv.value.data, tlv.value.len);
    while (schsm_tlv_next(&reader, &tlv)) {
        struct schsm_view *part = NULL;

        if (tlv.tag == TAG_SEQUENCE) {
            part = object->common.data == NULL ? &object->common : &object->class;
        } else if (tlv.tag == TAG_SUBCLASS) {
            part = &object->subclass;
        } else if (tlv.tag == TAG_TYPE) {
            part = &object->type;
        }
        if (part != NULL && part->data == NULL) {
            *part = tlv.value;
        }
    }
    return !reader.malformed && object->common.data != NULL;
}

/* Copies text to a string of SCHSM_LABEL_MAX bytes at most, cut before a character that does not
 * fit and before a NUL. */
static void copy_label(char label[SCHSM_LABEL_MAX + 1], struct schsm_view text)
{
    size_t len = text.len;

    if (len > SCHSM_LABEL_MAX) {
        len = SCHSM_LABEL_MAX;
        for (int i = 0; i < 3 && (text.data[len] & 0xC0) == 0x80; i++) {
            len--;
        }
    }
    if (len > 0) {
        memcpy(label, text.data, len);
    }
    label[len] = '\0';
}

static void read_label_element(struct schsm_view content, uint32_t tag,
                               char label[SCHSM_LABEL_MAX + 1])
{
    struct schsm_tlv tlv;

    if (schsm_tlv_find(content.data, content.len, tag, &tlv)) {
        copy_label(label, tlv.value);
    }
}

static void read_id(struct schsm_view content, uint8_t id[SCHSM_ID_MAX], size_t *id_len)
{
    struct schsm_tlv tlv;

    if (schsm_tlv_find(content.data, content.len, TAG_OCTET_STRING, &tlv) && tlv.value.len > 0) {
        *id_len = tlv.value.len < SCHSM_ID_MAX ? tlv.value.len : SCHSM_ID_MAX;
        memcpy(id, tlv.value.data, *id_len);
    }
}

/* The first `count` bits of a BIT STRING among the children, bit n as 1 << n. The number of unused
 * bits is not looked at: CardContact's tools do not always write it as DER wants (section 10.4). */
static unsigned int read_bits(struct schsm_view content, unsigned int count)
{
    struct schsm_tlv tlv;
    unsigned int bits = 0;

    if (!schsm_tlv_find(content.data, content.len, TAG_BIT_STRING, &tlv)) {
        return 0;
    }
    for (unsigned int i = 0; i < count && 1 + i / 8 < tlv.value.len; i++) {
        if ((tlv.value.data[1 + i / 8] & (0x80 >> i % 8)) != 0) {
            bits |= 1u << i;
        }
    }
    return bits;
}

/*
 * The size in bits: the first INTEGER among the children, else among those of the first SEQUENCE.
 * Not deeper, where a path may have one. 0 where there is none or it makes no sense.
 */
static unsigned int read_size(struct schsm_view content)
{
    struct schsm_tlv inner, tlv;
    unsigned int size = 0;

    if (!schsm_tlv_find(content.data, content.len, TAG_INTEGER, &tlv) &&
        (!schsm_tlv_find(content.data, content.len, TAG_SEQUENCE, &inner) ||
         !schsm_tlv_find(inner.value.data, inner.value.len, TAG_INTEGER, &tlv))) {
        return 0;
    }
    for (size_t i = 0; i < tlv.value.len; i++) {
        size = size << 8 | tlv.value.data[i];
        if (size > BITS_MAX) {
            return 0;
        }
    }
    return size;
}

/* The first OCTET STRING at any depth, in the order of the bytes: the path of the file. */
static bool find_path(struct schsm_view content, int depth, struct schsm_view *path)
{
    struct schsm_tlv_reader reader;
    struct schsm_tlv tlv;

    schsm_tlv_read(&reader, content.data, content.len);
    while (schsm_tlv_next(&reader, &tlv)) {
        if (tlv.tag == TAG_OCTET_STRING) {
            *path = tlv.value;
            return true;
        }
        if (tlv.tag == TAG_SEQUENCE && depth < DEPTH_MAX && find_path(tlv.value, depth + 1, path)) {
            return true;
        }
    }
    return false;
}

/* The file that a path names: its last two bytes. */
static unsigned int read_file_id(struct schsm_view type)
{
    struct schsm_view path;
    const uint8_t *end;

    if (!find_path(type, 0, &path) || path.len < 2) {
        return 0;
    }
    end = path.data + path.len;
    return (unsigned int)(end[-2] << 8 | end[-1]);
}

static const struct key_form {
    uint32_t tag;
    enum schsm_key_type type;
    unsigned int usage; /* what is written where the caller has no wish */
} key_forms[] = {
    { TAG_RSA_KEY, SCHSM_KEY_RSA,
      SCHSM_USAGE_DECRYPT | SCHSM_USAGE_SIGN | SCHSM_USAGE_SIGN_RECOVER | SCHSM_USAGE_UNWRAP },
    { TAG_EC_KEY, SCHSM_KEY_EC, SCHSM_USAGE_SIGN | SCHSM_USAGE_DERIVE },
    { TAG_AES_KEY, SCHSM_KEY_AES, SCHSM_USAGE_ENCRYPT | SCHSM_USAGE_DECRYPT },
    /* of EC form on the device that has them (19.5); what tells them apart is size and usage */
    { TAG_EC_KEY, SCHSM_KEY_ED25519, SCHSM_USAGE_SIGN },
    { TAG_EC_KEY, SCHSM_KEY_ED448, SCHSM_USAGE_SIGN },
    { TAG_EC_KEY, SCHSM_KEY_X25519, SCHSM_USAGE_DERIVE },
    { TAG_EC_KEY, SCHSM_KEY_X448, SCHSM_USAGE_DERIVE },
};

#define KEY_FORMS (sizeof(key_forms) / sizeof(key_forms[0]))

/* A key of EC form whose size is that of no Weierstrass curve, and whose usage is as we write it.
 */
static enum schsm_key_type ecx_type(const struct schsm_pkcs15_key *key)
{
    for (size_t i = 0; i < KEY_FORMS; i++) {
        const struct schsm_ecx *ecx = schsm_ecx_by_type(key_forms[i].type);

        if (ecx != NULL && ecx->bits == key->bits && key_forms[i].usage == key->usage) {
            return ecx->type;
        }
    }
    return SCHSM_KEY_EC;
}

int schsm_pkcs15_decode_key(const uint8_t *file, size_t len, struct schsm_pkcs15_key *key,
                            struct schsm_error *err)
{
    struct object object;
    bool known = false;

    memset(key, 0, sizeof(*key));
    if (!read_parts(file, len, &object)) {
        return schsm_fail_malformed(err, "a key's description");
    }
    for (size_t i = 0; i < KEY_FORMS && !known; i++) {
        if (key_forms[i].tag == object.tag) {
            key->type = key_forms[i].type;
            known = true;
        }
    }
    if (!known && (object.tag & 0xE0) != CONTEXT_CONSTRUCTED) {
        return schsm_fail_malformed(err, "a key's description");
    }
    read_label_element(object.common, TAG_UTF8, key->label);
    read_id(object.class, key->id, &key->id_len);
    key->usage = read_bits(object.class, USAGE_BITS);
    key->bits = read_size(key->type == SCHSM_KEY_AES ? object.subclass : object.type);
    if (key->type == SCHSM_KEY_EC && key->bits % 8 == 0) { /* the bytes of the field, for some */
        key->bits = schsm_field_bits(key->bits / 8);
    }
    if (key->type == SCHSM_KEY_EC) {
        key->type = ecx_type(key);
    }
    return 1;
}

/* A BIT STRING as DER has it for named bits: without zeros at the end (X.690 11.2.2). */
static void put_bits(struct schsm_tlv_writer *writer, unsigned int bits)
{
    uint8_t value[3] = { 0, 0, 0 };
    unsigned int last = 0;

    for (unsigned int i = 0; i < USAGE_BITS; i++) {
        if ((bits & 1u << i) != 0) {
            value[1 + i / 8] |= (uint8_t)(0x80 >> i % 8);
            last = i;
        }
    }
    value[0] = (uint8_t)(7 - last % 8);
    schsm_tlv_put(writer, TAG_BIT_STRING, value, 2 + last / 8);
}

static void put_label(struct schsm_tlv_writer *writer, uint32_t tag, const char *label)
{
    char cut[SCHSM_LABEL_MAX + 1];

    copy_label(cut, (struct schsm_view){ (const uint8_t *)label, strlen(label) });
    if (*cut != '\0') {
        schsm_tlv_put_text(writer, tag, cut);
    }
}

static void put_size(struct schsm_tlv_writer *writer, unsigned int bits)
{
    if (bits != 0) {
        schsm_tlv_put_integer(writer, bits);
    }
}

/* Section 10.2: [1] { { path, size } }, the path being empty. */
static void put_type(struct schsm_tlv_writer *writer, unsigned int bits)
{
    size_t type = schsm_tlv_begin(writer, TAG_TYPE);
    size_t attributes = schsm_tlv_begin(writer, TAG_SEQUENCE);
    size_t path = schsm_tlv_begin(writer, TAG_SEQUENCE);

    schsm_tlv_put(writer, TAG_OCTET_STRING, NULL, 0);
    schsm_tlv_end(writer, path);
    put_size(writer, bits);
    schsm_tlv_end(writer, attributes);
    schsm_tlv_end(writer, type);
}

/* Section 10.4: [0] { { size } } */
static void put_subclass(struct schsm_tlv_writer *writer, unsigned int bits)
{
    size_t subclass = schsm_tlv_begin(writer, TAG_SUBCLASS);
    size_t attributes = schsm_tlv_begin(writer, TAG_SEQUENCE);

    put_size(writer, bits);
    schsm_tlv_end(writer, attributes);
    schsm_tlv_end(writer, subclass);
}

/* Hands out what was written. */
static int finish_description(const struct schsm_tlv_writer *writer, size_t *out_len,
                              struct schsm_error *err)
{
    if (writer->failed) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "the buffer for a description is too small");
    }
    *out_len = writer->len;
    return 1;
}

int schsm_pkcs15_encode_key(const struct schsm_pkcs15_key *key, uint8_t *out, size_t *out_len,
                            struct schsm_error *err)
{
    const struct key_form *form = NULL;
    struct schsm_tlv_writer writer;
    size_t object, part;

    for (size_t i = 0; i < KEY_FORMS; i++) {
        if (key_forms[i].type == key->type) {
            form = &key_forms[i];
        }
    }
    if (form == NULL || key->id_len == 0 || key->id_len > SCHSM_ID_MAX || key->bits > BITS_MAX ||
        (key->bits == 0 && key->type != SCHSM_KEY_EC)) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "a key's description needs a type, an identifier and a size");
    }
    schsm_tlv_write(&writer, out, *out_len);
    object = schsm_tlv_begin(&writer, form->tag);
    part = schsm_tlv_begin(&writer, TAG_SEQUENCE);
    put_label(&writer, TAG_UTF8, key->label);
    schsm_tlv_end(&writer, part);
    part = schsm_tlv_begin(&writer, TAG_SEQUENCE);
    schsm_tlv_put(&writer, TAG_OCTET_STRING, key->id, key->id_len);
    put_bits(&writer, key->usage == 0 ? form->usage : key->usage);
    schsm_tlv_end(&writer, part);
    if (key->type == SCHSM_KEY_AES) {
        put_subclass(&writer, key->bits);
    } else {
        put_type(&writer, key->bits);
    }
    schsm_tlv_end(&writer, object);
    return finish_description(&writer, out_len, err);
}

int schsm_pkcs15_decode_certificate(const uint8_t *file, size_t len,
                                    struct schsm_pkcs15_certificate *certificate,
                                    struct schsm_error *err)
{
    static const struct {
        uint32_t tag;
        enum schsm_pkcs15_certificate_kind kind;
    } kinds[] = {
        { TAG_X509, SCHSM_CERTIFICATE_X509 },
        { TAG_ATTRIBUTE, SCHSM_CERTIFICATE_ATTRIBUTE },
        { TAG_CVC, SCHSM_CERTIFICATE_CVC },
    };
    struct object object;
    struct schsm_tlv authority;
    bool known = false;

    memset(certificate, 0, sizeof(*certificate));
    if (!read_parts(file, len, &object)) {
        return schsm_fail_malformed(err, "a certificate's description");
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kinds[i].tag == object.tag) {
            certificate->kind = kinds[i].kind;
            known = true;
        }
    }
    if (!known) {
        return schsm_fail_malformed(err, "a certificate's description");
    }
    read_label_element(object.common, TAG_UTF8, certificate->label);
    read_id(object.class, certificate->id, &certificate->id_len);
    certificate->authority =
        schsm_tlv_find(object.class.data, object.class.len, TAG_BOOLEAN, &authority) &&
        authority.value.len == 1 && authority.value.data[0] != 0;
    certificate->file_id = read_file_id(object.type);
    return 1;
}

/* A path: the file's id alone, as OpenSC and CardContact's tools write it (sections 10.5, 10.7). */
static void put_path(struct schsm_tlv_writer *writer, unsigned int file)
{
    const uint8_t path[] = { (uint8_t)(file >> 8), (uint8_t)file };
    size_t sequence = schsm_tlv_begin(writer, TAG_SEQUENCE);

    schsm_tlv_put(writer, TAG_OCTET_STRING, path, sizeof(path));
    schsm_tlv_end(writer, sequence);
}

int schsm_pkcs15_encode_certificate(const struct schsm_pkcs15_certificate *certificate,
                                    uint8_t *out, size_t *out_len, struct schsm_error *err)
{
    struct schsm_tlv_writer writer;
    size_t object, part, attributes;

    if (certificate->id_len == 0 || certificate->id_len > SCHSM_ID_MAX ||
        certificate->kind != SCHSM_CERTIFICATE_X509 || certificate->file_id == 0 ||
        certificate->file_id > 0xFFFF) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "a certificate's description needs an identifier and a file");
    }
    schsm_tlv_write(&writer, out, *out_len);
    object = schsm_tlv_begin(&writer, TAG_X509);
    part = schsm_tlv_begin(&writer, TAG_SEQUENCE);
    put_label(&writer, TAG_UTF8, certificate->label);
    schsm_tlv_put(&writer, TAG_BIT_STRING, flags_modifiable, sizeof(flags_modifiable));
    schsm_tlv_end(&writer, part);
    part = schsm_tlv_begin(&writer, TAG_SEQUENCE);
    schsm_tlv_put(&writer, TAG_OCTET_STRING, certificate->id, certificate->id_len);
    if (certificate->authority) {
        schsm_tlv_put_byte(&writer, TAG_BOOLEAN, 0xFF);
    }
    schsm_tlv_end(&writer, part);
    part = schsm_tlv_begin(&writer, TAG_TYPE);
    attributes = schsm_tlv_begin(&writer, TAG_SEQUENCE);
    put_path(&writer, certificate->file_id);
    schsm_tlv_end(&writer, attributes);
    schsm_tlv_end(&writer, part);
    schsm_tlv_end(&writer, object);
    return finish_description(&writer, out_len, err);
}

int schsm_pkcs15_decode_data(const uint8_t *file, size_t len, struct schsm_pkcs15_data *data,
                             struct schsm_error *err)
{
    struct object object;

    memset(data, 0, sizeof(*data));
    if (!read_parts(file, len, &object) || object.tag != TAG_DATA) {
        return schsm_fail_malformed(err, "a data object's description");
    }
    read_label_element(object.common, TAG_UTF8, data->label);
    read_label_element(object.class, TAG_UTF8, data->application);
    data->file_id = read_file_id(object.type);
    data->private_data = (read_bits(object.common, FLAG_PRIVATE + 1) & 1u << FLAG_PRIVATE) != 0 ||
                         data->file_id >> 8 == FILE_PRIVATE;
    return 1;
}

int schsm_pkcs15_encode_data(const struct schsm_pkcs15_data *data, uint8_t *out, size_t *out_len,
                             struct schsm_error *err)
{
    struct schsm_tlv_writer writer;
    size_t object, part;

    if (data->file_id == 0 || data->file_id > 0xFFFF) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "a data object's description needs a file");
    }
    schsm_tlv_write(&writer, out, *out_len);
    object = schsm_tlv_begin(&writer, TAG_DATA);
    part = schsm_tlv_begin(&writer, TAG_SEQUENCE);
    put_label(&writer, TAG_UTF8, data->label);
    if (data->private_data) {
        schsm_tlv_put(&writer, TAG_BIT_STRING, flags_private, sizeof(flags_private));
        schsm_tlv_put_byte(&writer, TAG_OCTET_STRING, AUTH_ID);
    } else {
        schsm_tlv_put(&writer, TAG_BIT_STRING, flags_modifiable, sizeof(flags_modifiable));
    }
    schsm_tlv_end(&writer, part);
    part = schsm_tlv_begin(&writer, TAG_SEQUENCE);
    put_label(&writer, TAG_UTF8, data->application);
    schsm_tlv_end(&writer, part);
    part = schsm_tlv_begin(&writer, TAG_TYPE);
    put_path(&writer, data->file_id);
    schsm_tlv_end(&writer, part);
    schsm_tlv_end(&writer, object);
    return finish_description(&writer, out_len, err);
}

int schsm_pkcs15_decode_token(const uint8_t *file, size_t len, struct schsm_pkcs15_token *token,
                              struct schsm_error *err)
{
    struct schsm_tlv_reader reader;
    struct schsm_tlv tlv;

    memset(token, 0, sizeof(*token));
    if (!schsm_tlv_first(file, len, &tlv) || tlv.tag != TAG_SEQUENCE) {
        return schsm_fail_malformed(err, "the token's description");
    }
    schsm_tlv_read(&reader, tlv.value.data, tlv.value.len);
    while (schsm_tlv_next(&reader, &tlv)) {
        if (tlv.tag == TAG_TOKEN_LABEL) {
            copy_label(token->label, tlv.value);
        } else if (tlv.tag == TAG_UTF8) {
            copy_label(token->manufacturer, tlv.value);
        }
    }
    if (reader.malformed) {
        memset(token, 0, sizeof(*token));
        return schsm_fail_malformed(err, "the token's description");
    }
    return 1;
}

int schsm_pkcs15_encode_token(const struct schsm_pkcs15_token *token, uint8_t *out, size_t *out_len,
                              struct schsm_error *err)
{
    static const uint8_t prn_generation[] = { 0x05, 0x20 };
    struct schsm_tlv_writer writer;
    size_t info;

    schsm_tlv_write(&writer, out, *out_len);
    info = schsm_tlv_begin(&writer, TAG_SEQUENCE);
    schsm_tlv_put_integer(&writer, 0); /* version v1 */
    put_label(&writer, TAG_TOKEN_LABEL, token->label);
    schsm_tlv_put(&writer, TAG_BIT_STRING, prn_generation, sizeof(prn_generation));
    schsm_tlv_end(&writer, info);
    return finish_description(&writer, out_len, err);
}
