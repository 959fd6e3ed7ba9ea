/* SPDX-License-Identifier: Apache-2.0 */
/* What is on a token, object by object. All of it is the module's word, and its lengths are
 * checked before they are believed. */
#include "pkcs11_private.h"

#include <string.h>

#include <openssl/crypto.h>

#include "format/pkcs11_public_key.h"
#include "format/spki.h"
#include "base/tlv.h"

#define OBJECTS_MAX 65536 /* of one class: a module that tells of more has no end */
#define VALUE_MAX 65536   /* bytes of one attribute */
#define BATCH 256

/* What is read of each object, and where it is put. */
enum { LABEL, ID, KIND, FIRST, SECOND, THIRD, FOURTH, FIFTH, ATTRIBUTES };

static const struct reading {
    unsigned long class;
    enum schsm_object_type type;
    unsigned long attributes[ATTRIBUTES]; /* 0: no more */
} readings[] = {
    { CKO_PRIVATE_KEY,
      SCHSM_OBJECT_PRIVATE,
      { CKA_LABEL, CKA_ID, CKA_KEY_TYPE, CKA_MODULUS, CKA_PUBLIC_EXPONENT, CKA_EC_PARAMS,
        CKA_EC_POINT, CKA_PUBLIC_KEY_INFO } },
    { CKO_PUBLIC_KEY,
      SCHSM_OBJECT_PUBLIC,
      { CKA_LABEL, CKA_ID, CKA_KEY_TYPE, CKA_MODULUS, CKA_PUBLIC_EXPONENT, CKA_EC_PARAMS,
        CKA_EC_POINT } },
    { CKO_CERTIFICATE,
      SCHSM_OBJECT_CERTIFICATE,
      { CKA_LABEL, CKA_ID, CKA_CERTIFICATE_TYPE, CKA_VALUE } },
    { CKO_DATA, SCHSM_OBJECT_DATA, { CKA_LABEL, CKA_TOKEN, CKA_PRIVATE, CKA_APPLICATION } },
    { CKO_SECRET_KEY, SCHSM_OBJECT_SECRET, { CKA_LABEL, CKA_ID, CKA_KEY_TYPE, CKA_VALUE_LEN } },
};

void schsm_pkcs11_free(struct ck_attribute *attributes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        OPENSSL_clear_free(attributes[i].value, attributes[i].len);
        attributes[i].value = NULL;
        attributes[i].len = 0;
    }
}

/* These only say that some attributes are not there for us. */
static bool is_partial(ck_rv rv)
{
    return rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_ATTRIBUTE_TYPE_INVALID;
}

int schsm_pkcs11_read(struct schsm_pkcs11_token *token, ck_handle object,
                      struct ck_attribute *attributes, size_t count, struct schsm_error *err)
{
    struct ck_attribute wanted[ATTRIBUTES];
    size_t place[ATTRIBUTES], n = 0;
    ck_rv rv;

    for (size_t i = 0; i < count; i++) {
        attributes[i].value = NULL;
        attributes[i].len = 0;
    }
    rv = SCHSM_PKCS11(token, get_attribute_value, object, attributes, count);
    if (rv != CKR_OK && !is_partial(rv)) {
        return schsm_pkcs11_fail(token, rv, err);
    }
    for (size_t i = 0; i < count && n < ATTRIBUTES; i++) {
        unsigned long len = attributes[i].len;

        attributes[i].len = 0;
        if (len == CK_UNAVAILABLE_INFORMATION || len == 0 || len > VALUE_MAX) {
            continue;
        }
        attributes[i].value = OPENSSL_zalloc(len);
        if (attributes[i].value == NULL) {
            schsm_pkcs11_free(attributes, count);
            return schsm_fail_memory(err);
        }
        attributes[i].len = len;
        place[n] = i;
        wanted[n++] = attributes[i];
    }
    rv = n > 0 ? SCHSM_PKCS11(token, get_attribute_value, object, wanted, n) : CKR_OK;
    if (rv != CKR_OK && !is_partial(rv)) {
        schsm_pkcs11_free(attributes, count);
        return schsm_pkcs11_fail(token, rv, err);
    }
    for (size_t i = 0; i < n; i++) {
        struct ck_attribute *attribute = &attributes[place[i]];

        if (wanted[i].len > attribute->len) { /* not there after all, or grown */
            OPENSSL_clear_free(attribute->value, attribute->len);
            attribute->value = NULL;
            attribute->len = 0;
        } else {
            attribute->len = wanted[i].len;
        }
    }
    return 1;
}

bool schsm_pkcs11_is_true(const struct ck_attribute *attribute)
{
    return attribute->len == 1 && *(const unsigned char *)attribute->value != CK_FALSE;
}

/* A CK_ULONG; what is none fits nothing that we ask for. */
static unsigned long number_of(const struct ck_attribute *attribute)
{
    unsigned long number = CK_UNAVAILABLE_INFORMATION;

    if (attribute->len == sizeof(number)) {
        memcpy(&number, attribute->value, sizeof(number));
    }
    return number;
}

/* Text of the object's; some modules count a terminator in. */
static void take_text(char text[SCHSM_LABEL_MAX + 1], const struct ck_attribute *attribute)
{
    size_t len = attribute->len < SCHSM_LABEL_MAX ? attribute->len : SCHSM_LABEL_MAX;

    if (attribute->value != NULL) {
        memcpy(text, attribute->value, len);
    }
    text[attribute->value != NULL ? len : 0] = 0;
}

static struct schsm_view view(const struct ck_attribute *attribute)
{
    return (struct schsm_view){ attribute->value, attribute->len };
}

static bool is_sequence(const struct ck_attribute *attribute)
{
    struct schsm_tlv tlv;

    return schsm_tlv_first(attribute->value, attribute->len, &tlv) && tlv.tag == 0x30 &&
           tlv.whole.len == attribute->len;
}

/* The public part, where the attributes tell it; what is malformed stays unknown. Private EC keys
 * have no point by the standard, but some modules show it nevertheless. */
static void take_key_attributes(struct schsm_object *object, const struct ck_attribute *attributes)
{
    unsigned long type = number_of(&attributes[KIND]);
    struct schsm_error ignored = SCHSM_ERROR_INIT;

    if (object->type == SCHSM_OBJECT_PRIVATE && is_sequence(&attributes[FIFTH])) {
        object->value = OPENSSL_memdup(attributes[FIFTH].value, attributes[FIFTH].len);
        object->value_len = object->value != NULL ? attributes[FIFTH].len : 0;
    } else if (type == CKK_RSA && attributes[FIRST].len > 0) {
        (void)schsm_pkcs11_rsa_key(view(&attributes[FIRST]), view(&attributes[SECOND]),
                                   &object->value, &object->value_len, &ignored);
    } else if (type == CKK_EC && attributes[FOURTH].len > 0) {
        (void)schsm_pkcs11_ec_key(view(&attributes[THIRD]), view(&attributes[FOURTH]),
                                  &object->value, &object->value_len, &ignored);
    }
    object->key_type = type == CKK_RSA  ? SCHSM_KEY_RSA
                       : type == CKK_EC ? SCHSM_KEY_EC
                                        : SCHSM_KEY_NONE;
    if (object->value != NULL) {
        schsm_spki_describe(object->value, object->value_len, &object->key_type, &object->bits);
    } else if (type == CKK_RSA && attributes[FIRST].len > 0) {
        object->bits = (unsigned int)attributes[FIRST].len * 8;
    }
}

/* False for what is none of our affair, such as certificates other than X.509. */
static bool take_attributes(struct schsm_object *object, const struct ck_attribute *attributes)
{
    object->key_ref = -1;
    object->described = true;
    take_text(object->label, &attributes[LABEL]);
    if (object->type != SCHSM_OBJECT_DATA && attributes[ID].len > 0 &&
        attributes[ID].len <= SCHSM_ID_MAX) {
        memcpy(object->id, attributes[ID].value, attributes[ID].len);
        object->id_len = attributes[ID].len;
    }
    switch (object->type) {
    case SCHSM_OBJECT_PRIVATE:
    case SCHSM_OBJECT_PUBLIC:
        take_key_attributes(object, attributes);
        return true;
    case SCHSM_OBJECT_CERTIFICATE:
        if (number_of(&attributes[KIND]) != CKC_X_509 || attributes[FIRST].len == 0) {
            return false;
        }
        object->value = OPENSSL_memdup(attributes[FIRST].value, attributes[FIRST].len);
        object->value_len = attributes[FIRST].len;
        return object->value != NULL;
    case SCHSM_OBJECT_DATA:
        take_text(object->application, &attributes[FIRST]);
        object->private_data = schsm_pkcs11_is_true(&attributes[KIND]);
        return true;
    case SCHSM_OBJECT_SECRET:
        break;
    case SCHSM_OBJECT_ORPHAN: /* a token has none */
        return false;
    }
    if (number_of(&attributes[KIND]) != CKK_AES) {
        return false;
    }
    object->key_type = SCHSM_KEY_AES;
    object->bits = attributes[FIRST].len > 0 ? (unsigned int)number_of(&attributes[FIRST]) * 8 : 0;
    return true;
}

/* The number 32-bit FNV-1a makes of what tells objects apart. */
unsigned int schsm_pkcs11_number(const struct schsm_object *object)
{
    const uint8_t type = (uint8_t)object->type;
    const struct schsm_view parts[] = {
        { &type, 1 },
        { object->id, object->id_len },
        { (const uint8_t *)object->label, strlen(object->label) + 1 },
        { (const uint8_t *)object->application, strlen(object->application) + 1 },
        { object->value, object->value_len }
    };
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        for (size_t k = 0; k < parts[i].len; k++) {
            hash = (hash ^ parts[i].data[k]) * 16777619u;
        }
    }
    return hash != 0 ? hash : 1;
}

int schsm_pkcs11_get(struct schsm_pkcs11_token *token, unsigned long class, ck_handle handle,
                     struct schsm_pkcs11_objects *objects, struct schsm_error *err)
{
    const struct reading *reading = readings;
    struct ck_attribute attributes[ATTRIBUTES] = { { 0, NULL, 0 } };
    struct schsm_pkcs11_object *grown;
    struct schsm_object object = { .key_ref = -1 };
    size_t count = 0;
    bool ours;

    while (reading->class != class) {
        reading++;
    }
    object.type = reading->type;
    while (count < ATTRIBUTES && reading->attributes[count] != 0) {
        attributes[count].type = reading->attributes[count];
        count++;
    }
    if (!schsm_pkcs11_read(token, handle, attributes, count, err)) {
        return 0;
    }
    ours = take_attributes(&object, attributes);
    schsm_pkcs11_free(attributes, ATTRIBUTES);
    if (!ours) {
        schsm_object_clear(&object);
        return 1;
    }
    grown = OPENSSL_realloc(objects->at, (objects->count + 1) * sizeof(*grown));
    if (grown == NULL) {
        schsm_object_clear(&object);
        return schsm_fail_memory(err);
    }
    objects->at = grown;
    object.handle = schsm_pkcs11_number(&object);
    grown[objects->count++] =
        (struct schsm_pkcs11_object){ .handle = handle, .class = reading->class, .object = object };
    return 1;
}

/* Appends the next handles of a search; *found becomes their number. */
static int find_more(struct schsm_pkcs11_token *token, ck_handle **handles, size_t *count,
                     unsigned long *found, struct schsm_error *err)
{
    ck_handle *grown;
    ck_rv rv;

    *found = 0;
    if (*count > OBJECTS_MAX) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "the token has more than %d objects of one kind", OBJECTS_MAX);
    }
    grown = OPENSSL_realloc(*handles, (*count + BATCH) * sizeof(**handles));
    if (grown == NULL) {
        return schsm_fail_memory(err);
    }
    *handles = grown;
    rv = SCHSM_PKCS11(token, find_objects, grown + *count, BATCH, found);
    if (rv != CKR_OK) {
        return schsm_pkcs11_fail(token, rv, err);
    }
    *found = *found <= BATCH ? *found : 0;
    *count += *found;
    return 1;
}

/* The handles of a class; *handles is the caller's. */
static int find_handles(struct schsm_pkcs11_token *token, unsigned long class, const uint8_t *id,
                        size_t id_len, ck_handle **handles, size_t *count, struct schsm_error *err)
{
    unsigned char yes = CK_TRUE;
    uint8_t id_copy[SCHSM_ID_MAX];
    struct ck_attribute template[] = { { CKA_CLASS, &class, sizeof(class) },
                                       { CKA_TOKEN, &yes, sizeof(yes) },
                                       { CKA_ID, id_copy, id_len } };
    unsigned long found = 0;
    ck_rv rv;
    int ok;

    if (id != NULL) {
        memcpy(id_copy, id, id_len);
    }
    *count = 0;
    *handles = NULL;
    rv = SCHSM_PKCS11(token, find_objects_init, template, id != NULL ? 3 : 2);
    if (rv != CKR_OK) {
        return schsm_pkcs11_fail(token, rv, err);
    }
    do {
        ok = find_more(token, handles, count, &found, err);
    } while (ok && found > 0);
    (void)SCHSM_PKCS11_CALL(token->module, find_objects_final, (token->session));
    return ok;
}

int schsm_pkcs11_list(struct schsm_pkcs11_token *token, unsigned long class, const uint8_t *id,
                      size_t id_len, struct schsm_pkcs11_objects *objects, struct schsm_error *err)
{
    ck_handle *handles = NULL;
    size_t count = 0;
    int ok;

    ok = find_handles(token, class, id, id_len, &handles, &count, err);
    for (size_t i = 0; ok && i < count; i++) {
        ok = schsm_pkcs11_get(token, class, handles[i], objects, err);
    }
    OPENSSL_free(handles);
    return ok;
}

void schsm_pkcs11_objects_clear(struct schsm_pkcs11_objects *objects)
{
    for (size_t i = 0; i < objects->count; i++) {
        schsm_object_clear(&objects->at[i].object);
    }
    OPENSSL_free(objects->at);
    objects->at = NULL;
    objects->count = 0;
}
