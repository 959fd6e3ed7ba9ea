/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate_plan.h"

#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>

#include "certificate.h"

void schsm_certificate_key_name(const struct schsm_object *key, char *text, size_t size)
{
    if (key->key_ref >= 0) {
        BIO_snprintf(text, size, "key-ref %d", key->key_ref);
    } else {
        schsm_object_name(key, text, size);
    }
}

static int fail_no_key(const struct schsm_certificate_plan *plan,
                       const struct schsm_certificate_item *item, size_t unknown,
                       struct schsm_error *err)
{
    return schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                      "%s: the certificate '%s' belongs to no key on %s%s; --ca stores it as a "
                      "certificate without a key",
                      plan->wishes.path, item->label, plan->wishes.serial,
                      unknown > 0 ? " whose public part the device knows: name its key with --key"
                                  : "");
}

/* Which certificate goes to which key. */
static int assign_keys(struct schsm_certificate_plan *plan, struct schsm_error *err)
{
    const struct schsm_certificate_wishes *wishes = &plan->wishes;
    struct schsm_context *context = wishes->context;
    bool any = false;
    size_t unknown = 0;

    for (size_t i = 0; i < plan->count; i++) {
        struct schsm_certificate_item *item = &plan->items[i];

        if (i == 0 && wishes->key != NULL) {
            if (!schsm_certificate_check_key(context, wishes->key, item->certificate,
                                             wishes->key_login, err)) {
                return schsm_fail_context(err, "%s", wishes->path);
            }
            item->key = wishes->key->object;
            item->key.value = NULL;
            item->key.value_len = 0;
            item->has_key = true;
        } else if (!schsm_certificate_find_key(context, wishes->device, item->certificate,
                                               &item->key, &item->has_key, &unknown, err)) {
            return schsm_fail_context(err, "%s", wishes->path);
        }
        any = any || item->has_key;
    }
    return any || wishes->keyless ? 1 : fail_no_key(plan, &plan->items[0], unknown, err);
}

static bool is_content(const struct schsm_object *object, const struct schsm_certificate_item *item)
{
    return object->value != NULL && object->value_len == item->der_len &&
           memcmp(object->value, item->der, item->der_len) == 0;
}

/* Two for one key in a file, or one where another certificate is. */
static int check_place(struct schsm_certificate_plan *plan,
                       const struct schsm_certificate_item *item, struct schsm_error *err)
{
    char name[SCHSM_OBJECT_NAME_MAX];

    for (const struct schsm_certificate_item *other = plan->items; other < item; other++) {
        if (other->has_key && schsm_object_same_key(&other->key, &item->key)) {
            return schsm_fail(err, SCHSM_REASON_BAD_INPUT,
                              "%s holds two certificates of the same key, '%s' and '%s': the "
                              "device has room for one",
                              plan->wishes.path, other->label, item->label);
        }
    }
    schsm_certificate_key_name(&item->key, name, sizeof(name));
    for (size_t i = 0; i < plan->there.count; i++) {
        const struct schsm_object *object = &plan->there.objects[i];

        if (!schsm_object_same_key(object, &item->key) || is_content(object, item)) {
            continue;
        }
        if (!plan->wishes.replace) {
            return schsm_fail(
                err, SCHSM_REASON_EXISTS,
                "%s on %s has a certificate already; --replace puts this one in its place", name,
                plan->wishes.serial);
        }
        plan->replaces = true;
    }
    return 1;
}

/* Whether nothing is left to do: a copy without a name is what an interrupted import left. */
static bool is_there(const struct schsm_certificate_plan *plan,
                     const struct schsm_certificate_item *item)
{
    bool there = false;

    for (size_t i = 0; i < plan->there.count; i++) {
        const struct schsm_object *object = &plan->there.objects[i];

        if (!is_content(object, item)) {
            continue;
        }
        if (object->key_ref < 0 && object->id_len == 0 && object->label[0] == '\0') {
            return false;
        }
        there = there ||
                (item->has_key ? schsm_object_same_key(object, &item->key) : object->authority);
    }
    return there;
}

/* What the user calls the one certificate without a key. */
static int name_items(struct schsm_certificate_plan *plan, struct schsm_error *err)
{
    const struct schsm_certificate_wishes *wishes = &plan->wishes;
    struct schsm_certificate_item *alone = NULL;
    size_t count = 0;

    if (wishes->id_len == 0 && wishes->label == NULL) {
        return 1;
    }
    for (size_t i = 0; i < plan->count; i++) {
        if (!plan->items[i].has_key) {
            alone = &plan->items[i];
            count++;
        }
    }
    if (count != 1) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "--id and --label name one certificate without a key, and %s holds %zu; "
                          "a key's certificate has its key's id and label",
                          wishes->path, count);
    }
    if (wishes->label != NULL) {
        BIO_snprintf(alone->label, sizeof(alone->label), "%s", wishes->label);
    }
    if (wishes->id_len > 0) {
        memcpy(alone->id, wishes->id, wishes->id_len);
        alone->id_len = wishes->id_len;
    }
    return 1;
}

static int describe_item(struct schsm_certificate_item *item, X509 *certificate,
                         struct schsm_error *err)
{
    unsigned char *der = NULL;
    int len = i2d_X509(certificate, &der);

    item->certificate = certificate;
    item->der = der;
    item->der_len = len > 0 ? (size_t)len : 0;
    schsm_certificate_label(certificate, item->label);
    return len > 0 ? schsm_certificate_id(certificate, item->id, &item->id_len, err)
                   : schsm_fail_memory(err);
}

int schsm_certificates_plan(const struct schsm_certificate_wishes *wishes,
                            struct schsm_certificate_plan *plan, struct schsm_error *err)
{
    const struct schsm_object_filter filter = { .types = SCHSM_OBJECT_CERTIFICATE, .key_ref = -1 };

    memset(plan, 0, sizeof(*plan));
    plan->wishes = *wishes;
    plan->count = wishes->count;
    plan->items = OPENSSL_zalloc((wishes->count + 1) * sizeof(*plan->items));
    if (plan->items == NULL) {
        return schsm_fail_memory(err);
    }
    for (size_t i = 0; i < plan->count; i++) {
        if (!describe_item(&plan->items[i], wishes->certificates[i], err)) {
            return 0;
        }
    }
    if (!assign_keys(plan, err) || !name_items(plan, err) ||
        !schsm_device_find(wishes->device, &filter, &plan->there, err)) {
        return 0;
    }
    for (size_t i = 0; i < plan->count; i++) {
        struct schsm_certificate_item *item = &plan->items[i];

        item->present = is_there(plan, item);
        if (!item->present && item->has_key && !check_place(plan, item, err)) {
            return 0;
        }
    }
    return 1;
}

void schsm_certificate_plan_clear(struct schsm_certificate_plan *plan)
{
    for (size_t i = 0; plan->items != NULL && i < plan->count; i++) {
        OPENSSL_free(plan->items[i].der);
    }
    OPENSSL_free(plan->items);
    schsm_object_list_clear(&plan->there);
    memset(plan, 0, sizeof(*plan));
}

int schsm_certificate_store(const struct schsm_certificate_plan *plan,
                            const struct schsm_certificate_item *item,
                            const struct schsm_login *login, struct schsm_error *err)
{
    const struct schsm_store spec = { .type = SCHSM_OBJECT_CERTIFICATE,
                                      .key = item->has_key ? &item->key : NULL,
                                      .id = item->has_key ? NULL : item->id,
                                      .id_len = item->has_key ? 0 : item->id_len,
                                      .label = item->has_key ? NULL : item->label,
                                      .value = item->der,
                                      .value_len = item->der_len };
    struct schsm_object made = { 0 };
    int ok = schsm_device_store(plan->wishes.device, &spec, login, &made, err);

    schsm_object_clear(&made);
    return ok;
}
