/* SPDX-License-Identifier: Apache-2.0 */
#include "object_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "certificate_view.h"
#include "format/ecx.h"
#include "keymgmt/algorithm.h"
#include "keymgmt/defect.h"
#include "object.h"
#include "output.h"

#define POLICY_TEXT_MAX 512

/* What a key's policy forbids or says beyond the usual, in words; "" where that is nothing. */
static void policy_text(const struct schsm_object *object, const struct schsm_key_policy *policy,
                        char text[POLICY_TEXT_MAX])
{
    bool all =
        schsm_algorithms_are_all(object->key_type, policy->algorithms, policy->algorithms_len);
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; i < policy->algorithms_len && !all; i++) {
        char name[SCHSM_ALGORITHM_NAME_MAX];

        schsm_algorithm_name(policy->algorithms[i], name);
        (void)snprintf(text + len, POLICY_TEXT_MAX - len, "%s%s", i > 0 ? "," : "only ", name);
        len = strlen(text);
    }
    if (policy->limited) {
        (void)snprintf(text + len, POLICY_TEXT_MAX - len, "%s%u uses left", len > 0 ? "; " : "",
                       policy->uses_left);
        len = strlen(text);
    }
    if (policy->key_domain > 0) {
        (void)snprintf(text + len, POLICY_TEXT_MAX - len, "%skey domain %d", len > 0 ? "; " : "",
                       policy->key_domain);
    }
}

/* policy: NULL where no key has one worth a column */
static void object_row(struct schsm_table *table, const struct schsm_object *object,
                       const char *policy, const char *uri)
{
    char id[2 * SCHSM_ID_MAX + 1];

    schsm_hex(object->id, object->id_len, id);
    schsm_table_addf(table, "%s%s",
                     object->type == SCHSM_OBJECT_ORPHAN ? "orphan: "
                     : object->private_data              ? "private "
                                                         : "",
                     schsm_object_type_text(object));
    if (object->key_ref >= 0) {
        schsm_table_addf(table, "%d", object->key_ref);
    } else {
        schsm_table_add(table, "-");
    }
    schsm_table_add(table, object->id_len > 0 ? id : "-");
    schsm_table_add(table, object->label[0] != '\0' ? object->label : "-");
    if (object->oid[0] != '\0' && schsm_object_is_key(object)) {
        schsm_table_addf(table, "unknown, oid %s", object->oid);
    } else if (schsm_object_is_key(object) && object->bits > 0 &&
               schsm_ecx_by_type(object->key_type) == NULL) { /* whose names tell the size */
        schsm_table_addf(table, "%s %u", schsm_object_algorithm(object), object->bits);
    } else if (object->key_type != SCHSM_KEY_NONE && schsm_object_is_key(object)) {
        schsm_table_add(table, schsm_object_algorithm(object));
    } else if (schsm_object_bytes(object) >= 0) {
        schsm_table_addf(table, "%d bytes", schsm_object_bytes(object));
    } else {
        schsm_table_add(table, "-");
    }
    if (policy != NULL) {
        schsm_table_add(table, policy[0] != '\0' ? policy : "-");
    }
    schsm_table_add(table, uri);
}

int schsm_object_read_sizes(struct schsm_match_list *list, struct schsm_error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        struct schsm_object *object = &list->matches[i].object;
        struct schsm_error found = SCHSM_ERROR_INIT;

        if (object->type != SCHSM_OBJECT_DATA || object->private_data ||
            schsm_device_read(list->matches[i].device, object, NULL, &found)) {
            continue;
        }
        if (schsm_failure_is_general(&found)) {
            return schsm_fail_as(err, &found);
        }
        object->defect = SCHSM_DEFECT_UNREADABLE;
    }
    return 1;
}

/* --- order --------------------------------------------------------------------------------- */

/* A match with its policy and what it is sorted by. */
struct entry {
    const struct schsm_match *match;
    const struct schsm_key_policy *policy; /* NULL: not asked for */
    size_t device;                         /* the how-manieth that was met */
    size_t position;
};

static int rank_of(const struct schsm_object *object)
{
    switch (object->type) {
    case SCHSM_OBJECT_PRIVATE:
    case SCHSM_OBJECT_SECRET:
        return 0;
    case SCHSM_OBJECT_PUBLIC:
        return 1;
    case SCHSM_OBJECT_CERTIFICATE:
        return 2;
    case SCHSM_OBJECT_DATA:
        return 3;
    case SCHSM_OBJECT_ORPHAN:
        break;
    }
    return 4;
}

static int order_of(unsigned long a, unsigned long b)
{
    return a < b ? -1 : a > b;
}

/* Device by device: keys by their reference, each with what belongs to it, then everything else. */
static int compare_entries(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    const struct schsm_object *one = &a->match->object, *other = &b->match->object;
    int order = order_of(a->device, b->device);

    if (order == 0) { /* -1, for none, becomes the largest */
        order = order_of((unsigned int)one->key_ref, (unsigned int)other->key_ref);
    }
    if (order == 0) {
        order = rank_of(one) - rank_of(other);
    }
    return order != 0 ? order : order_of(a->position, b->position);
}

/* The entries in order; OPENSSL_malloc'ed for the caller, NULL where memory runs out. */
static struct entry *sort_entries(const struct schsm_match_list *list,
                                  const struct schsm_key_policy *policies)
{
    struct entry *entries = OPENSSL_zalloc((list->count + 1) * sizeof(*entries));

    if (entries == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < list->count; i++) {
        struct entry *entry = &entries[i];

        entry->match = &list->matches[i];
        entry->policy = policies != NULL ? &policies[i] : NULL;
        entry->position = i;
        while (list->matches[entry->device].device != entry->match->device) {
            entry->device++;
        }
    }
    qsort(entries, list->count, sizeof(*entries), compare_entries);
    return entries;
}

/* --- tables -------------------------------------------------------------------------------- */

static bool any_policy(const struct entry *entries, size_t count)
{
    char text[POLICY_TEXT_MAX] = "";

    for (size_t i = 0; i < count && text[0] == '\0'; i++) {
        if (entries[i].policy != NULL) {
            policy_text(&entries[i].match->object, entries[i].policy, text);
        }
    }
    return text[0] != '\0';
}

static int print_objects(const struct entry *entries, size_t count, struct schsm_error *err)
{
    static const char *const headings[] = { "TYPE", "KEY-REF", "ID", "LABEL", "SIZE", "URI" };
    static const char *const with_policy[] = { "TYPE", "KEY-REF", "ID", "LABEL",
                                               "SIZE", "POLICY",  "URI" };
    bool wide = any_policy(entries, count);
    char policy[POLICY_TEXT_MAX];
    struct schsm_table table;

    schsm_table_init(&table, wide ? 7 : 6, wide ? with_policy : headings);
    schsm_table_fit(&table, 2, SCHSM_FIT_SHORTEN); /* the URI has all of id and label */
    schsm_table_fit(&table, 3, SCHSM_FIT_SHORTEN);
    schsm_table_fit(&table, 5, SCHSM_FIT_WRAP);
    schsm_table_fit(&table, wide ? 6 : 5, SCHSM_FIT_WRAP);
    for (size_t i = 0; i < count; i++) {
        char *uri = schsm_match_uri(entries[i].match, true, err);

        if (uri == NULL) {
            schsm_table_clear(&table);
            return 0;
        }
        if (wide) {
            policy_text(&entries[i].match->object, entries[i].policy, policy);
        }
        object_row(&table, &entries[i].match->object, wide ? policy : NULL, uri);
        OPENSSL_free(uri);
    }
    return schsm_table_print(&table, err);
}

static int add_certificate(const struct schsm_tool *tool, struct schsm_table *table,
                           const struct schsm_object *object, struct schsm_error *err)
{
    struct schsm_certificate_view view;
    char name[SCHSM_OBJECT_NAME_MAX];
    int ok = schsm_certificate_view_read(tool->context.libctx, object->value, object->value_len,
                                         &view, err);

    if (ok) {
        schsm_object_name(object, name, sizeof(name));
        schsm_table_add(table, name);
        schsm_certificate_add_end(table, &view);
        schsm_table_add(table, view.subject != NULL ? view.subject : "-");
        schsm_table_add(table, view.issuer != NULL ? view.issuer : "-");
    }
    schsm_certificate_view_clear(&view);
    return ok;
}

static int print_certificates(const struct schsm_tool *tool, const struct entry *entries,
                              size_t count, struct schsm_error *err)
{
    static const char *const headings[] = { "CERTIFICATE", "ENDS", "SUBJECT", "ISSUER" };
    struct schsm_table table;
    size_t found = 0;

    schsm_table_init(&table, 4, headings);
    schsm_table_fit(&table, 0, SCHSM_FIT_SHORTEN);
    schsm_table_fit(&table, 2, SCHSM_FIT_SHORTEN);
    schsm_table_fit(&table, 3, SCHSM_FIT_SHORTEN);
    for (size_t i = 0; i < count; i++) {
        if (entries[i].match->object.type != SCHSM_OBJECT_CERTIFICATE) {
            continue;
        }
        found++;
        if (!add_certificate(tool, &table, &entries[i].match->object, err)) {
            schsm_table_clear(&table);
            return 0;
        }
    }
    if (found == 0) {
        schsm_table_clear(&table);
        return 1;
    }
    (void)putchar('\n');
    return schsm_table_print(&table, err);
}

int schsm_object_table_print(const struct schsm_tool *tool, const struct schsm_match_list *list,
                             const struct schsm_key_policy *policies, struct schsm_error *err)
{
    struct entry *entries = sort_entries(list, policies);
    int ok;

    if (entries == NULL) {
        return schsm_fail_memory(err);
    }
    ok = print_objects(entries, list->count, err) &&
         print_certificates(tool, entries, list->count, err);
    OPENSSL_free(entries);
    return ok;
}
