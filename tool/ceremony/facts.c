/* SPDX-License-Identifier: Apache-2.0 */
/* What of a command's JSON goes into a record. Only what is named here does. */
#include "tool/ceremony.h"

#include <string.h>

/* Members of the documents of --json, as people read them. What they hold is of the public kind:
 * names, numbers, key check values, digests. Contents (text, base64, hex) are not among them. */
static const struct fact {
    const char *name, *words;
} known[] = {
    { "objects", "objects" },
    { "devices", "devices" },
    { "device", "device" },
    { "key", "key" },
    { "keys", "keys" },
    { "pin", "PIN" },
    { "so_pin", "SO-PIN" },
    { "dkek", "DKEK" },
    { "key_domains", "key domains" },
    { "password_shares", "password shares" },
    { "public_keys", "public keys" },
    { "certificates", "certificates" },
    { "left_out", "left out" },
    { "not_in_backup", "not in the backup" },
    { "bad", "bad" },
    { "failed", "failed" },
    { "missing", "missing" },
    { "findings", "findings" },
    { "serial", "serial number" },
    { "kind", "kind" },
    { "version", "version" },
    { "manufacturer", "manufacturer" },
    { "model", "model" },
    { "label", "label" },
    { "initialised", "initialised" },
    { "state", "state" },
    { "options", "options" },
    { "pin_tries", "PIN tries" },
    { "tries_left", "tries left" },
    { "unblock", "the SO-PIN may" },
    { "so_pin_set", "SO-PIN set for ever" },
    { "dkek_shares", "DKEK shares" },
    { "key_domain", "key domain" },
    { "number", "number" },
    { "created", "created" },
    { "exists", "exists" },
    { "complete", "complete" },
    { "shares", "shares" },
    { "outstanding", "outstanding" },
    { "key_check_value", "key check value" },
    { "key_check_value_alone", "key check value as the only share" },
    { "threshold", "needed" },
    { "total", "in all" },
    { "required", "needed" },
    { "registered", "registered" },
    { "authenticated", "authenticated" },
    { "type", "type" },
    { "key_ref", "key reference" },
    { "id", "id" },
    { "algorithm", "algorithm" },
    { "bits", "bits" },
    { "permitted", "permitted" },
    { "uses_left", "uses left" },
    { "uri", "URI" },
    { "public_key_sha256", "public key, SHA-256" },
    { "sha256", "SHA-256" },
    { "subject", "subject" },
    { "issuer", "issuer" },
    { "serial_number", "certificate's number" },
    { "not_before", "valid from" },
    { "not_after", "valid to" },
    { "file", "file" },
    { "wrote", "wrote" },
    { "bytes", "bytes" },
    { "folder", "folder" },
    { "saved", "saved" },
    { "backup_of", "backup of" },
    { "restored", "restored" },
    { "present", "there already" },
    { "copied", "copied" },
    { "others", "others" },
    { "object", "object" },
    { "reason", "reason" },
    { "level", "level" },
    { "what", "what" },
    { "sentence", "sentence" },
    { "name", "name" },
    { "maker", "maker" },
    { "root", "root" },
    { "built_in_root", "root is built in" },
    { "test_root", "root is for tests" },
    { "verified", "maker is proven" },
    { "holds_device_key", "holds the device key" },
    { "expired", "past its date" },
    { "certified", "certified by the device" },
    { "certified_by", "certified by" },
    { "why_not", "not proven, because" },
    { "may_be_exported", "may be exported" },
    { "made_on_device", "made on this device" },
    /* what a ceremony adds itself */
    { "attestation", "attestation" },
    { "absent", "not there" },
};

static const struct fact *find_fact(const char *name)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i].name, name) == 0) {
            return &known[i];
        }
    }
    return NULL;
}

static bool is_empty(const json_t *value)
{
    return json_is_null(value) || (json_is_array(value) && json_array_size(value) == 0) ||
           (json_is_object(value) && json_object_size(value) == 0);
}

/* Whether a member may be told. Of a device alone `attest` says that no key was made on it. */
static bool is_fact(const json_t *told, const char *name)
{
    return find_fact(name) != NULL &&
           (strcmp(name, "made_on_device") != 0 || !json_is_null(json_object_get(told, "key")));
}

static json_t *object_facts(const json_t *told)
{
    json_t *facts = json_object(), *value;
    const char *name;

    json_object_foreach((json_t *)told, name, value)
    {
        json_t *fact = is_fact(told, name) ? schsm_ceremony_facts(value) : json_null();

        if (fact == NULL || (!is_empty(fact) && json_object_set(facts, name, fact) != 0)) {
            json_decref(facts);
            facts = NULL;
        }
        json_decref(fact);
        if (facts == NULL) {
            return NULL;
        }
    }
    return facts;
}

json_t *schsm_ceremony_facts(const json_t *told)
{
    json_t *facts;

    if (json_is_object(told)) {
        return object_facts(told);
    }
    if (!json_is_array(told)) {
        return json_deep_copy(told);
    }
    facts = json_array();
    for (size_t i = 0; facts != NULL && i < json_array_size(told); i++) {
        if (json_array_append_new(facts, schsm_ceremony_facts(json_array_get(told, i))) != 0) {
            json_decref(facts);
            facts = NULL;
        }
    }
    return facts;
}

/* --- for people ----------------------------------------------------------------------------- */

#define STEP 2 /* columns that a part is indented */

/* "name: value" for what is one value. */
static void show_scalar(FILE *out, const char *words, const json_t *value, size_t indent)
{
    size_t hang = indent + STEP;

    if (json_is_string(value)) {
        schsm_ceremony_show(out, indent, hang, "%s: %s", words, json_string_value(value));
    } else if (json_is_boolean(value)) {
        schsm_ceremony_show(out, indent, hang, "%s: %s", words, json_is_true(value) ? "yes" : "no");
    } else if (json_is_integer(value)) {
        schsm_ceremony_show(out, indent, hang, "%s: %" JSON_INTEGER_FORMAT, words,
                            json_integer_value(value));
    }
}

static void show_entries(FILE *out, const char *words, const json_t *list, size_t indent)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);

        if (json_is_object(entry)) {
            schsm_ceremony_show(out, indent, indent, "%s, %zu of %zu:", words, i + 1,
                                json_array_size(list));
            schsm_ceremony_show_facts(out, entry, indent + STEP);
        } else {
            show_scalar(out, words, entry, indent);
        }
    }
}

void schsm_ceremony_show_facts(FILE *out, const json_t *facts, size_t indent)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)facts, name, value)
    {
        const struct fact *fact = find_fact(name);

        if (fact == NULL || indent > 40) {
            continue;
        }
        if (json_is_object(value)) {
            schsm_ceremony_show(out, indent, indent, "%s:", fact->words);
            schsm_ceremony_show_facts(out, value, indent + STEP);
        } else if (json_is_array(value)) {
            show_entries(out, fact->words, value, indent);
        } else {
            show_scalar(out, fact->words, value, indent);
        }
    }
}
