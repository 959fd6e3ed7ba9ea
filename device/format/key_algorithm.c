/* SPDX-License-Identifier: Apache-2.0 */
#include "key_algorithm.h"

#include <limits.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include "cvc_tags.h"
#include "public_key.h"
#include "spki.h"
#include "base/tlv.h"

/* Below it, 1 is RSA and 2 is ECDSA (section 11.2). */
static const uint8_t id_ta[] = { SCHSM_OID_TA };

static bool is_known_to_cvc(struct schsm_view oid)
{
    return oid.len == sizeof(id_ta) + 2 && memcmp(oid.data, id_ta, sizeof(id_ta)) == 0 &&
           (oid.data[sizeof(id_ta)] == 1 || oid.data[sizeof(id_ta)] == 2);
}

/* Goes into the element of that tag. */
static bool step_into(struct schsm_tlv *at, uint32_t tag)
{
    return schsm_tlv_find(at->value.data, at->value.len, tag, at);
}

static bool oid_of_cvc(struct schsm_tlv element, struct schsm_view *oid)
{
    if ((element.tag != SCHSM_CVC_CERTIFICATE && !step_into(&element, SCHSM_CVC_CERTIFICATE)) ||
        !step_into(&element, SCHSM_CVC_BODY) || !step_into(&element, SCHSM_CVC_KEY) ||
        !step_into(&element, SCHSM_CVC_OID)) {
        return false;
    }
    *oid = element.value;
    return !is_known_to_cvc(*oid);
}

static bool oid_of_spki(const uint8_t *spki, size_t len, struct schsm_view *oid)
{
    enum schsm_key_type type = SCHSM_KEY_NONE;
    unsigned int bits = 0;
    struct schsm_tlv at;

    schsm_spki_describe(spki, len, &type, &bits);
    if (type != SCHSM_KEY_NONE || !schsm_tlv_first(spki, len, &at) || !step_into(&at, 0x30) ||
        !step_into(&at, 0x06)) {
        return false;
    }
    *oid = at.value;
    return true;
}

static void write_oid(struct schsm_view oid, char *text, size_t size)
{
    ASN1_OBJECT *object = NULL;
    uint8_t der[2 + 127];
    const unsigned char *at = der;

    if (oid.len == 0 || oid.len > sizeof(der) - 2 || size == 0 || size > INT_MAX) {
        return;
    }
    der[0] = 0x06;
    der[1] = (uint8_t)oid.len;
    memcpy(der + 2, oid.data, oid.len);
    object = d2i_ASN1_OBJECT(NULL, &at, (long)oid.len + 2);
    if (object == NULL || OBJ_obj2txt(text, (int)size, object, 1) <= 0) {
        text[0] = '\0';
    }
    ASN1_OBJECT_free(object);
}

bool schsm_key_algorithm_unknown(const uint8_t *file, size_t len, char *oid, size_t size)
{
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    struct schsm_view found = { NULL, 0 };
    struct schsm_tlv element;
    uint8_t *spki = NULL;
    size_t spki_len = 0;
    bool unknown = false;

    oid[0] = '\0';
    if (!schsm_tlv_first(file, len, &element)) {
        return false;
    }
    if (element.tag == 0x30) {
        unknown = schsm_public_key_from_ce(file, len, &spki, &spki_len, &ignored) &&
                  oid_of_spki(spki, spki_len, &found);
    } else if (element.tag == SCHSM_CVC_CERTIFICATE || element.tag == SCHSM_CVC_REQUEST) {
        /* a Pico HSM has other object identifiers for keys that we know (19.5) */
        unknown = !schsm_public_key_from_ce(file, len, &spki, &spki_len, &ignored) &&
                  oid_of_cvc(element, &found);
    }
    if (unknown) {
        (void)ERR_set_mark(); /* what it says of a malformed one helps nobody */
        write_oid(found, oid, size);
        (void)ERR_pop_to_mark();
    }
    OPENSSL_free(spki);
    return oid[0] != '\0';
}
