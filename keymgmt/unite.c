/* SPDX-License-Identifier: Apache-2.0 */
#include "unite.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "format/same_key.h"

static bool is_key(const struct schsm_object *object)
{
    return object->type == SCHSM_OBJECT_PRIVATE || object->type == SCHSM_OBJECT_PUBLIC;
}

static bool have_one_key(OSSL_LIB_CTX *libctx, const struct schsm_object *a,
                         const struct schsm_object *b)
{
    const unsigned char *p = a->value;
    EVP_PKEY *key;
    bool same;

    ERR_set_mark();
    key = d2i_PUBKEY_ex(NULL, &p, (long)a->value_len, libctx, NULL);
    same = key != NULL && schsm_public_key_is(libctx, b->value, b->value_len, key);
    EVP_PKEY_free(key);
    ERR_pop_to_mark();
    return same;
}

/* Whether two matches are one thing on two devices. Reads what it has to compare. */
static bool are_one(OSSL_LIB_CTX *libctx, struct schsm_match *a, struct schsm_match *b)
{
    struct schsm_error ignored = SCHSM_ERROR_INIT;

    if (a->device == b->device || a->object.type != b->object.type ||
        !(is_key(&a->object) || a->object.type == SCHSM_OBJECT_CERTIFICATE) ||
        !schsm_device_read(a->device, &a->object, NULL, &ignored) ||
        !schsm_device_read(b->device, &b->object, NULL, &ignored)) {
        return false;
    }
    return is_key(&a->object)
               ? have_one_key(libctx, &a->object, &b->object)
               : a->object.value_len == b->object.value_len &&
                     memcmp(a->object.value, b->object.value, a->object.value_len) == 0;
}

void schsm_match_list_unite(const struct schsm_context *context, struct schsm_match_list *list)
{
    size_t kept = 0;

    if (context->pool == NULL) {
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        bool known = false;

        for (size_t k = 0; k < kept && !known; k++) {
            known = are_one(context->libctx, &list->matches[k], &list->matches[i]);
        }
        if (known) {
            schsm_match_clear(&list->matches[i]);
        } else {
            list->matches[kept++] = list->matches[i];
        }
    }
    list->count = kept;
}
