/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm cert import: certificates onto the device. */
#include "tool/commands.h"

#include <stdio.h>

#include <openssl/crypto.h>

#include "keymgmt/certificate_plan.h"
#include "tool/ask.h"
#include "tool/certificate_file.h"
#include "tool/object.h"
#include "tool/output.h"
#include "tool/target.h"

/* The device, and the key where the user named one. */
static int find_import_target(struct schsm_tool *tool, struct schsm_match *target,
                              char serial[SCHSM_SERIAL_MAX + 1], struct schsm_error *err)
{
    const char *name = schsm_tool_setting(tool, "key");

    if (name == NULL) {
        return schsm_tool_device(tool, &target->device, serial, err);
    }
    if (schsm_tool_flag(tool, "ca")) {
        return schsm_fail(
            err, SCHSM_REASON_ARGUMENT,
            "--ca is for a certificate without a key, --key for one with a key: give one of them");
    }
    return schsm_tool_object(tool, name, SCHSM_OBJECT_PRIVATE, target, serial, err);
}

static int confirm_replacing(const struct schsm_tool *tool,
                             const struct schsm_certificate_plan *plan, struct schsm_error *err)
{
    char text[SCHSM_SERIAL_MAX + 256];

    if (!plan->replaces) {
        return 1;
    }
    (void)snprintf(text, sizeof(text),
                   "This deletes the certificates that the keys on the device %s have now, where "
                   "the file holds others for them.",
                   plan->wishes.serial);
    return schsm_tool_confirm(tool, plan->wishes.serial, text, err);
}

static int print_item(const struct schsm_certificate_item *item, const char *serial,
                      struct schsm_error *err)
{
    char name[SCHSM_OBJECT_NAME_MAX];

    schsm_certificate_key_name(&item->key, name, sizeof(name));
    return schsm_say(err, "%s the certificate '%s'%s%s on %s",
                     item->present ? "Already there:" : "Stored", item->label,
                     item->has_key ? " of " : " without a key", item->has_key ? name : "", serial);
}

static json_t *item_json(const struct schsm_certificate_item *item)
{
    char id[2 * SCHSM_ID_MAX + 1];

    schsm_hex(item->id, item->has_key ? 0 : item->id_len, id);
    return json_pack("{s:s, s:o, s:o, s:o}", "action", item->present ? "present" : "stored",
                     "key_ref", schsm_json_count(item->has_key ? item->key.key_ref : -1), "id",
                     schsm_json_text(id), "subject", schsm_json_text(item->label));
}

/* A certificate that belongs to a key has that one's label. */
static void note_label(const struct schsm_tool *tool, const struct schsm_certificate_wishes *wishes,
                       const struct schsm_certificate_item *item)
{
    struct schsm_object made = { .type = SCHSM_OBJECT_CERTIFICATE,
                                 .key_ref = -1,
                                 .authority = true };

    if (!item->has_key && !item->present) {
        (void)snprintf(made.label, sizeof(made.label), "%s", item->label);
        schsm_object_note_label(tool, wishes->device, wishes->serial, &made);
    }
}

/* known: the login where it was asked for already, else NULL. */
static int store_items(struct schsm_tool *tool, const struct schsm_certificate_plan *plan,
                       const struct schsm_login *known, struct schsm_error *err)
{
    const struct schsm_certificate_wishes *wishes = &plan->wishes;
    json_t *array = json_array();
    struct schsm_login login;
    int ok = 1;

    for (size_t i = 0; i < plan->count && ok; i++) {
        const struct schsm_certificate_item *item = &plan->items[i];

        if (!item->present && known == NULL) {
            ok = schsm_tool_login(tool, wishes->device, "new certificate", &login, err);
            known = &login;
        }
        ok = ok && (item->present || schsm_certificate_store(plan, item, known, err));
        if (!ok) {
            schsm_fail_context(err, "%s, certificate %zu of %zu ('%s')", wishes->path, i + 1,
                               plan->count, item->label);
            break;
        }
        note_label(tool, wishes, item);
        if (tool->json) {
            schsm_json_append(&array, item_json(item));
        } else {
            ok = print_item(item, wishes->serial, err);
        }
    }
    if (ok && tool->json) {
        return schsm_json_print(json_pack("{s:o, s:o}", "serial", schsm_json_serial(wishes->serial),
                                          "certificates", array),
                                err);
    }
    json_decref(array);
    return ok;
}

/* A key that nobody sees before a login may be the one that the certificate belongs to. */
static int plan_import(struct schsm_tool *tool, const struct schsm_certificate_wishes *wishes,
                       struct schsm_certificate_plan *plan, struct schsm_error *err)
{
    struct schsm_error found = SCHSM_ERROR_INIT;
    struct schsm_login login;
    bool hides = false;

    if (schsm_certificates_plan(wishes, plan, &found)) {
        return 1;
    }
    if (found.reason != SCHSM_REASON_WRONG_KEY || wishes->key != NULL ||
        !schsm_device_hides_objects(wishes->device, &hides, &found) || !hides) {
        return schsm_fail_as(err, &found);
    }
    schsm_certificate_plan_clear(plan);
    return schsm_tool_login(tool, wishes->device, "new certificate", &login, err) &&
           schsm_device_login(wishes->device, &login, err) &&
           schsm_certificates_plan(wishes, plan, err);
}

static int run_cert_import(struct schsm_tool *tool, struct schsm_error *err)
{
    char serial[SCHSM_SERIAL_MAX + 1];
    uint8_t id[SCHSM_ID_MAX];
    struct schsm_chain chain;
    struct schsm_match target = { 0 };
    struct schsm_login login;
    struct schsm_certificate_plan plan = { .items = NULL };
    bool by_key = schsm_tool_flag(tool, "key");
    struct schsm_certificate_wishes wishes = { .context = &tool->context,
                                               .path = tool->arguments[0],
                                               .certificates = chain.certificates,
                                               .serial = serial,
                                               .key = by_key ? &target : NULL,
                                               .key_login = by_key ? &login : NULL,
                                               .keyless = schsm_tool_flag(tool, "ca"),
                                               .replace = schsm_tool_flag(tool, "replace"),
                                               .id = id };
    int ok = 0;

    if (!schsm_chain_read(tool, wishes.path, &chain, err) ||
        !find_import_target(tool, &target, serial, err) ||
        (by_key && !schsm_tool_login(tool, target.device, "new certificate", &login, err)) ||
        !schsm_tool_new_name(tool, id, &wishes.id_len, &wishes.label, err)) {
        goto done;
    }
    wishes.count = chain.count;
    wishes.device = target.device;
    ok = plan_import(tool, &wishes, &plan, err) && confirm_replacing(tool, &plan, err) &&
         store_items(tool, &plan, wishes.key_login, err);

done:
    schsm_certificate_plan_clear(&plan);
    schsm_match_clear(&target);
    schsm_chain_clear(&chain);
    return ok;
}

static const struct schsm_option cert_import_options[] = {
    { "key", 'k', false, "URI", "the key of the first certificate; default: the one that fits",
      NULL },
    { "ca", '\0', false, NULL, "store it although it fits no key: an authority's, for example",
      NULL },
    { "id", 'i', false, "HEX", "object id of the one certificate without a key", NULL },
    { "label", 'l', false, "TEXT", "its label; default: the common name in it", NULL },
    { "replace", '\0', false, NULL, "take the place of the certificate that the key has", NULL },
    SCHSM_OPTION_YES,
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_cert_import = {
    .name = "cert import",
    .synopsis = "FILE",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Store certificates beside their keys",
    .help = "Stores the certificates of FILE, PEM or DER, on the device. Each is compared with the "
            "keys: one that fits a key becomes that key's certificate and has its id and label "
            "from then on; the others of a chain are stored beside, without a key. If none fits, "
            "nothing is stored, but for --ca. What the device has already is left alone, so that "
            "the same file can be imported again.\n"
            "A key's certificate takes the place of the request that the device made with the key, "
            "and by which 'attest' shows that the key was made there: attest first, if you need "
            "that. The place of an older certificate is taken only with --replace, once you have "
            "typed the device's serial number, or at once with --yes. At every moment the old or "
            "the new one is whole; after an interruption run the command again.\n"
            "Where the device does not know the public part of a key, name the key with --key; it "
            "then makes a signature to show that the certificate is its own.\n"
            " sc-hsm cert import web-with-chain.pem\n"
            " sc-hsm cert import --ca root.pem --label root\n",
    .options = cert_import_options,
    .run = run_cert_import,
};
