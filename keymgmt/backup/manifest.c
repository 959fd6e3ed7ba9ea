/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>
#include <openssl/crypto.h>

#include "base/hex.h"

#define FORMAT "sc-hsm backup v1"

static const char *const kinds[] = {
    [SCHSM_BACKUP_KEY] = "key",
    [SCHSM_BACKUP_CERTIFICATE] = "certificate",
    [SCHSM_BACKUP_DATA] = "data",
};

static const char *const algorithms[] = {
    [SCHSM_KEY_NONE] = "unknown",  [SCHSM_KEY_RSA] = "RSA",         [SCHSM_KEY_EC] = "EC",
    [SCHSM_KEY_AES] = "AES",       [SCHSM_KEY_ED25519] = "ED25519", [SCHSM_KEY_ED448] = "ED448",
    [SCHSM_KEY_X25519] = "X25519", [SCHSM_KEY_X448] = "X448",
};

void schsm_manifest_clear(struct schsm_manifest *manifest)
{
    OPENSSL_free(manifest->entries);
    memset(manifest, 0, sizeof(*manifest));
}

int schsm_manifest_add(struct schsm_manifest *manifest, const struct schsm_backup_entry *entry,
                       struct schsm_error *err)
{
    struct schsm_backup_entry *grown =
        OPENSSL_realloc(manifest->entries, (manifest->count + 1) * sizeof(manifest->entries[0]));

    if (grown == NULL) {
        return schsm_fail_memory(err);
    }
    manifest->entries = grown;
    manifest->entries[manifest->count++] = *entry;
    return 1;
}

void schsm_backup_entry_name(const struct schsm_backup_entry *entry, char *name, size_t size)
{
    const char *kind = kinds[entry->kind];

    if (entry->kind == SCHSM_BACKUP_KEY) {
        (void)snprintf(name, size, "key%s%s%s (key reference %d)",
                       entry->label[0] != '\0' ? " '" : "", entry->label,
                       entry->label[0] != '\0' ? "'" : "", entry->key_ref);
    } else if (entry->key_ref >= 0) {
        (void)snprintf(name, size, "%s%s%s%s of key reference %d", kind,
                       entry->label[0] != '\0' ? " '" : "", entry->label,
                       entry->label[0] != '\0' ? "'" : "", entry->key_ref);
    } else {
        (void)snprintf(name, size, "%s '%s'", kind, entry->label);
    }
}

/* --- writing --------------------------------------------------------------------------------- */

static json_t *hex_json(const uint8_t *bytes, size_t len)
{
    char text[2 * SCHSM_ID_MAX + 1];

    schsm_hex(bytes, len, text);
    return json_string(text);
}

/* Text from a device need not be UTF-8; what is not is written as `?`. */
static json_t *text_json(const char *text)
{
    json_t *value = json_string(text);
    char ascii[SCHSM_LABEL_MAX + 1];
    size_t len = 0;

    if (value != NULL) {
        return value;
    }
    for (; text[len] != '\0' && len < sizeof(ascii) - 1; len++) {
        ascii[len] = text[len];
        if ((unsigned char)text[len] >= 0x80) {
            ascii[len] = '?';
        }
    }
    ascii[len] = '\0';
    return json_string(ascii);
}

/* null: the device told none that could be read. */
static json_t *serial_json(const char *serial)
{
    return serial[0] != '\0' ? text_json(serial) : json_null();
}

bool schsm_manifest_writes(const char *text, const char *written)
{
    json_t *value = text_json(text);
    bool same = value != NULL && strcmp(json_string_value(value), written) == 0;

    json_decref(value);
    return same;
}

/* Adds a member; false where memory ran out. */
static bool put_member(json_t *object, const char *name, json_t *value)
{
    return json_object_set_new(object, name, value) == 0;
}

static json_t *entry_json(const struct schsm_backup_entry *entry)
{
    json_t *object = json_object();
    bool ok = object != NULL && put_member(object, "kind", json_string(kinds[entry->kind])) &&
              put_member(object, "label", text_json(entry->label)) &&
              put_member(object, "id", hex_json(entry->id, entry->id_len));

    if (entry->kind == SCHSM_BACKUP_KEY) {
        ok = ok && put_member(object, "key_ref", json_integer(entry->key_ref)) &&
             put_member(object, "algorithm", json_string(algorithms[entry->key_type])) &&
             put_member(object, "bits", json_integer((json_int_t)entry->bits));
    }
    if (entry->kind == SCHSM_BACKUP_CERTIFICATE) {
        ok = ok && put_member(object, "authority", json_boolean(entry->authority)) &&
             (entry->key_ref < 0 || put_member(object, "key_ref", json_integer(entry->key_ref)));
    }
    if (entry->kind == SCHSM_BACKUP_DATA) {
        ok = ok && put_member(object, "private", json_boolean(entry->private_data)) &&
             put_member(object, "application", text_json(entry->application));
    }
    if (entry->file[0] == '\0') {
        ok = ok && put_member(object, "file", json_null()) &&
             put_member(object, "reason", text_json(entry->reason));
    } else {
        ok = ok && put_member(object, "file", json_string(entry->file)) &&
             put_member(object, "sha256", hex_json(entry->digest, sizeof(entry->digest)));
        if (entry->kind == SCHSM_BACKUP_KEY) {
            ok = ok &&
                 put_member(object, "key_check_value", hex_json(entry->kcv, sizeof(entry->kcv)));
        }
    }
    if (!ok) {
        json_decref(object);
        return NULL;
    }
    return object;
}

int schsm_manifest_format(const struct schsm_manifest *manifest, char **text, size_t *len,
                          struct schsm_error *err)
{
    json_t *objects = json_array();
    json_t *document = NULL;
    bool ok = objects != NULL;

    *text = NULL;
    for (size_t i = 0; ok && i < manifest->count; i++) {
        ok = json_array_append_new(objects, entry_json(&manifest->entries[i])) == 0;
    }
    document = ok ? json_pack("{s:s, s:o, s:o, s:s, s:b, s:O}", "format", FORMAT, "serial",
                              serial_json(manifest->serial), "label", text_json(manifest->label),
                              "created", manifest->created, "complete", manifest->complete ? 1 : 0,
                              "objects", objects)
                  : NULL;
    if (document != NULL) {
        *len = json_dumpb(document, NULL, 0, JSON_INDENT(2) | JSON_ENSURE_ASCII) + 1;
        *text = OPENSSL_malloc(*len);
    }
    if (*text != NULL) {
        (void)json_dumpb(document, *text, *len, JSON_INDENT(2) | JSON_ENSURE_ASCII);
        (*text)[*len - 1] = '\n';
    }
    json_decref(document);
    json_decref(objects);
    return *text != NULL ? 1 : schsm_fail_memory(err);
}

/* --- reading --------------------------------------------------------------------------------- */

static int fail_manifest(struct schsm_error *err, const char *member)
{
    return schsm_fail(err, SCHSM_REASON_FILE,
                      "the manifest of the backup is damaged: its member '%s' is missing or wrong",
                      member);
}

static bool member_text(const json_t *object, const char *name, char *text, size_t size)
{
    const json_t *value = json_object_get(object, name);

    if (!json_is_string(value) || json_string_length(value) >= size ||
        strlen(json_string_value(value)) != json_string_length(value)) {
        return false;
    }
    memcpy(text, json_string_value(value), json_string_length(value) + 1);
    return true;
}

/* exact: the length that it must have, 0: up to room. */
static bool member_hex(const json_t *object, const char *name, uint8_t *bytes, size_t room,
                       size_t exact, size_t *len)
{
    const json_t *value = json_object_get(object, name);
    const char *text = json_string_value(value);
    size_t digits = json_string_length(value);

    if (!json_is_string(value) || digits % 2 != 0 || digits / 2 > room ||
        (exact != 0 && digits / 2 != exact) || !schsm_hex_parse(text, bytes, digits / 2)) {
        return false;
    }
    *len = digits / 2;
    return true;
}

static bool member_number(const json_t *object, const char *name, int min, int max, int *number)
{
    const json_t *value = json_object_get(object, name);
    json_int_t found = json_integer_value(value);

    if (!json_is_integer(value) || found < min || found > max) {
        return false;
    }
    *number = (int)found;
    return true;
}

static bool get_flag(const json_t *object, const char *name, bool *flag)
{
    const json_t *value = json_object_get(object, name);

    *flag = json_is_true(value);
    return json_is_boolean(value);
}

/* Which of the names the member has; -1: none. */
static int get_name(const json_t *object, const char *name, const char *const *names, size_t count)
{
    const char *text = json_string_value(json_object_get(object, name));

    for (size_t i = 0; text != NULL && i < count; i++) {
        if (strcmp(text, names[i]) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* A name that stays in the folder, and is none of the manifest's or of another entry. */
static bool file_name_is_valid(const struct schsm_manifest *manifest, const char *name)
{
    if (name[0] == '\0' || name[0] == '.' || strcmp(name, SCHSM_MANIFEST_NAME) == 0 ||
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") != strlen(name)) {
        return false;
    }
    for (size_t i = 0; i < manifest->count; i++) {
        if (strcmp(manifest->entries[i].file, name) == 0) {
            return false;
        }
    }
    return true;
}

static int parse_key_entry(const json_t *object, struct schsm_backup_entry *entry,
                           struct schsm_error *err)
{
    size_t len = 0;
    int bits = 0;
    int type =
        get_name(object, "algorithm", algorithms, sizeof(algorithms) / sizeof(algorithms[0]));

    if (!member_number(object, "key_ref", 1, 255, &entry->key_ref)) {
        return fail_manifest(err, "key_ref");
    }
    if (type < 0) {
        return fail_manifest(err, "algorithm");
    }
    if (!member_number(object, "bits", 0, 65536, &bits)) {
        return fail_manifest(err, "bits");
    }
    if (entry->file[0] != '\0' && !member_hex(object, "key_check_value", entry->kcv,
                                              sizeof(entry->kcv), sizeof(entry->kcv), &len)) {
        return fail_manifest(err, "key_check_value");
    }
    entry->key_type = (enum schsm_key_type)type;
    entry->bits = (unsigned int)bits;
    return 1;
}

static int parse_entry(const struct schsm_manifest *manifest, const json_t *object,
                       struct schsm_backup_entry *entry, struct schsm_error *err)
{
    int kind = get_name(object, "kind", kinds, sizeof(kinds) / sizeof(kinds[0]));
    size_t len = 0;

    memset(entry, 0, sizeof(*entry));
    entry->key_ref = -1;
    if (kind < 0) {
        return fail_manifest(err, "kind");
    }
    entry->kind = (enum schsm_backup_kind)kind;
    if (!member_text(object, "label", entry->label, sizeof(entry->label))) {
        return fail_manifest(err, "label");
    }
    if (!member_hex(object, "id", entry->id, sizeof(entry->id), 0, &entry->id_len)) {
        return fail_manifest(err, "id");
    }
    if (json_is_null(json_object_get(object, "file"))) {
        if (!member_text(object, "reason", entry->reason, sizeof(entry->reason))) {
            return fail_manifest(err, "reason");
        }
    } else {
        if (!member_text(object, "file", entry->file, sizeof(entry->file)) ||
            !file_name_is_valid(manifest, entry->file)) {
            return fail_manifest(err, "file");
        }
        if (!member_hex(object, "sha256", entry->digest, sizeof(entry->digest),
                        sizeof(entry->digest), &len)) {
            return fail_manifest(err, "sha256");
        }
    }
    switch (entry->kind) {
    case SCHSM_BACKUP_KEY:
        return parse_key_entry(object, entry, err);
    case SCHSM_BACKUP_CERTIFICATE:
        if (json_object_get(object, "key_ref") != NULL &&
            !member_number(object, "key_ref", 1, 255, &entry->key_ref)) {
            return fail_manifest(err, "key_ref");
        }
        return get_flag(object, "authority", &entry->authority) ? 1
                                                                : fail_manifest(err, "authority");
    case SCHSM_BACKUP_DATA:
        break;
    }
    return get_flag(object, "private", &entry->private_data) &&
                   member_text(object, "application", entry->application,
                               sizeof(entry->application))
               ? 1
               : fail_manifest(err, "application");
}

static int parse_document(const json_t *document, struct schsm_manifest *manifest,
                          struct schsm_error *err)
{
    const json_t *objects = json_object_get(document, "objects");
    char format[sizeof(FORMAT)];
    struct schsm_backup_entry entry;

    if (!member_text(document, "format", format, sizeof(format)) || strcmp(format, FORMAT) != 0) {
        return schsm_fail(err, SCHSM_REASON_FILE,
                          "the manifest is not that of a backup in the format \"" FORMAT "\"");
    }
    if (!json_is_null(json_object_get(document, "serial")) &&
        !member_text(document, "serial", manifest->serial, sizeof(manifest->serial))) {
        return fail_manifest(err, "serial");
    }
    if (!member_text(document, "label", manifest->label, sizeof(manifest->label))) {
        return fail_manifest(err, "label");
    }
    if (!member_text(document, "created", manifest->created, sizeof(manifest->created))) {
        return fail_manifest(err, "created");
    }
    if (!get_flag(document, "complete", &manifest->complete)) {
        return fail_manifest(err, "complete");
    }
    if (!json_is_array(objects)) {
        return fail_manifest(err, "objects");
    }
    for (size_t i = 0; i < json_array_size(objects); i++) {
        if (!parse_entry(manifest, json_array_get(objects, i), &entry, err) ||
            !schsm_manifest_add(manifest, &entry, err)) {
            return 0;
        }
    }
    return 1;
}

int schsm_manifest_parse(const uint8_t *text, size_t len, struct schsm_manifest *manifest,
                         struct schsm_error *err)
{
    json_error_t problem;
    json_t *document = json_loadb((const char *)text, len, JSON_REJECT_DUPLICATES, &problem);
    int ok = 0;

    memset(manifest, 0, sizeof(*manifest));
    if (document == NULL) {
        return schsm_fail(err, SCHSM_REASON_FILE,
                          "the manifest of the backup is damaged: line %d is no JSON",
                          problem.line);
    }
    ok = parse_document(document, manifest, err);
    json_decref(document);
    if (!ok) {
        schsm_manifest_clear(manifest);
    }
    return ok;
}
