/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm attest: what can be proven of a device and of a key. */
#include "tool/commands.h"

#include <stdio.h>

#include "keymgmt/attest.h"
#include "tool/configured.h"
#include "tool/object.h"
#include "tool/output.h"
#include "tool/target.h"
#include "tool/tell.h"

/* The one device, or that of the key that the URI names. */
static int attest_ask_device(struct schsm_tool *tool, struct schsm_evidence *evidence,
                             struct schsm_error *err)
{
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_device *device = NULL;
    struct schsm_match match = { 0 };
    int ok = 0;

    if (tool->argument_count == 0) {
        ok = schsm_tool_device(tool, &device, serial, err) &&
             schsm_evidence_ask(evidence, device, NULL, err);
    } else {
        ok = schsm_tool_object(tool, tool->arguments[0], SCHSM_OBJECT_PRIVATE, &match, serial,
                               err) &&
             schsm_evidence_ask(evidence, match.device, &match.object, err);
    }
    schsm_match_clear(&match);
    return ok;
}

static int attest_collect(struct schsm_tool *tool, struct schsm_evidence *evidence,
                          struct schsm_error *err)
{
    const char *file = schsm_tool_setting(tool, "file");
    const char *device_id = schsm_tool_setting(tool, "device-id");

    if (file != NULL && tool->argument_count > 0) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "give a URI or --file, not both");
    }
    if (device_id != NULL && file == NULL) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "--device-id goes with --file");
    }
    return (file == NULL || schsm_evidence_read(evidence, file, device_id, err)) &&
           (evidence->device_id != NULL || attest_ask_device(tool, evidence, err));
}

static void attest_print(const struct schsm_attestation *about, struct schsm_table *table)
{
    static const char *const presences[] = {
        [SCHSM_PRESENCE_NOT_ASKED] = "not asked: files alone were looked at",
        [SCHSM_PRESENCE_NOT_OFFERED] = "not proven: the device does not offer chip authentication",
        [SCHSM_PRESENCE_PROVEN] = "the device proved that it holds it",
    };
    static const char *const exports[] = {
        [SCHSM_EXPORT_UNKNOWN] =
            "not told: its policy and key domain decide, and no request proves them",
        [SCHSM_EXPORT_PERMITTED] =
            "its policy permits it, under a key encryption key of its key domain",
        [SCHSM_EXPORT_FORBIDDEN] = "its policy forbids it",
    };
    char hash[2 * SCHSM_KEY_HASH_LEN + 1];

    schsm_table_row(table, "Device:", "%s", about->serial);
    if (about->verified) {
        schsm_table_row(table, "Maker:", "%s (root %s%s)", about->identity.maker,
                        about->identity.root,
                        about->identity.built_in ? "" : ", trusted because you say so");
    } else {
        schsm_table_row(table, "Maker:", "not proven: %s", about->why);
    }
    if (about->expired[0] != '\0') {
        schsm_table_row(table, "Warning:", "past its date: %s; devices outlive their certificates",
                        about->expired);
    }
    if (about->identity.test) {
        schsm_table_row(
            table, "Warning:", "a root for tests: it says nothing about how keys are protected");
    }
    schsm_table_row(table, "Device key:", "%s", presences[about->presence]);
    if (!about->has_key) {
        return;
    }
    schsm_hex(about->key_hash, SCHSM_KEY_HASH_LEN, hash);
    schsm_table_row(table, "Key:", "%s", about->key_name);
    schsm_table_row(table, "Public key (SHA-256):", "%s", hash);
    if (about->certified) {
        schsm_table_row(table, "Certified:", "by device %s%s", about->serial,
                        about->pico ? ", a Pico HSM, which does so for imported keys too"
                                    : ", when it made the key");
    } else {
        schsm_table_row(table, "Certified:", "not proven: %s", about->key_why);
    }
    schsm_table_row(table, "Export:", "%s", exports[about->may_be_exported]);
}

static json_t *attest_key_json(const struct schsm_attestation *about)
{
    char hash[2 * SCHSM_KEY_HASH_LEN + 1];

    if (!about->has_key) {
        return json_null();
    }
    schsm_hex(about->key_hash, SCHSM_KEY_HASH_LEN, hash);
    return json_pack("{s:o, s:o, s:s, s:b, s:o, s:o}", "name", schsm_json_text(about->key_name),
                     "certified_by", schsm_json_text(about->made_by), "sha256", hash, "certified",
                     about->certified ? 1 : 0, "why_not", schsm_json_text(about->key_why),
                     "may_be_exported",
                     about->may_be_exported == SCHSM_EXPORT_UNKNOWN
                         ? json_null()
                         : json_boolean(about->may_be_exported == SCHSM_EXPORT_PERMITTED));
}

static json_t *attest_json(const struct schsm_attestation *about)
{
    json_t *device =
        json_pack("{s:o, s:o, s:b, s:o, s:o, s:o, s:b, s:b, s:o, s:o}", "serial",
                  schsm_json_text(about->serial), "name", schsm_json_text(about->name), "verified",
                  about->verified ? 1 : 0, "why_not", schsm_json_text(about->why), "root",
                  schsm_json_text(about->identity.root), "maker",
                  schsm_json_text(about->verified ? about->identity.maker : ""), "built_in_root",
                  about->identity.built_in ? 1 : 0, "test_root", about->identity.test ? 1 : 0,
                  "expired", schsm_json_text(about->expired), "holds_device_key",
                  about->presence == SCHSM_PRESENCE_NOT_ASKED
                      ? json_null()
                      : json_boolean(about->presence == SCHSM_PRESENCE_PROVEN));

    return json_pack("{s:o, s:o, s:b}", "device", device, "key", attest_key_json(about),
                     "made_on_device", about->verified && about->certified && !about->pico ? 1 : 0);
}

/* The one sentence. */
static int attest_conclude(const struct schsm_tool *tool, const struct schsm_attestation *about,
                           struct schsm_error *err)
{
    if (about->has_key && !about->certified) {
        return schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                          "nothing proves that this key was made on device %s: %s", about->serial,
                          about->key_why);
    }
    if (!about->verified) {
        return schsm_fail(
            err, SCHSM_REASON_WRONG_KEY,
            "nothing proves who made device %s: %s; --root FILE names a root that you trust",
            about->serial, about->why);
    }
    if (about->has_key && about->pico) {
        return schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                          "device %s is a Pico HSM, which certifies imported keys as well: that "
                          "this key was made on it is not proven",
                          about->serial);
    }
    if (tool->json) {
        return 1;
    }
    if (about->has_key) {
        (void)printf("This key was made on device %s.\n", about->serial);
    } else {
        (void)printf("Device %s is what it says%s.\n", about->serial,
                     about->presence == SCHSM_PRESENCE_PROVEN ? "" : ", by its certificates");
    }
    return 1;
}

/* Files can be judged without any settings; these may name roots to trust. */
static int attest_configure(struct schsm_tool *tool, struct schsm_error *err)
{
    struct schsm_error why = SCHSM_ERROR_INIT;

    if (schsm_tool_configure(tool, &why)) {
        return 1;
    }
    if (!schsm_tool_flag(tool, "file")) {
        return schsm_fail_as(err, &why);
    }
    schsm_tell_warning(tool, &why);
    return schsm_tool_registry(tool, err);
}

static int run_attest(struct schsm_tool *tool, struct schsm_error *err)
{
    struct schsm_evidence evidence = { 0 };
    struct schsm_attestation about;
    struct schsm_table table;
    int ok = attest_configure(tool, err) && attest_collect(tool, &evidence, err) &&
             schsm_attest(&tool->context, &evidence, &about, err);

    if (ok && tool->json) {
        ok = schsm_json_print(attest_json(&about), err);
    } else if (ok) {
        schsm_table_init(&table, 2, NULL);
        attest_print(&about, &table);
        ok = schsm_table_print(&table, err);
    }
    ok = ok && attest_conclude(tool, &about, err);
    schsm_evidence_clear(&evidence);
    return ok;
}

static const struct schsm_option attest_options[] = {
    { "file", '\0', false, "FILE",
      "judge the key in this file: its request, or a key with its certificates", NULL },
    { "device-id", '\0', false, "FILE",
      "with --file: the certificates of the device, instead of a device that is there", NULL },
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_attest = {
    .name = "attest",
    .synopsis = "[URI]",
    .arguments_max = 1,
    .summary = "Prove who made the device, and that a key was made on it",
    .help = "Verifies the device's certificates up to the root of its maker, and has the device "
            "prove that it holds the key they are for. The roots of CardContact (SmartCard-HSM, "
            "Nitrokey HSM), GoID and Pico HSM are built in; --root FILE names others.\n"
            "With a URI, or with a key's request in a file, verifies as well that this device "
            "certified the key when it made it. A key that was imported has no such request. A "
            "Pico HSM certifies imported keys too, so there it proves nothing.\n"
            "What is proven is that the key was made on the device. Whether it can be exported is "
            "its policy's and its key domain's matter, and told where the device tells it.\n"
            "The request is overwritten when a certificate is stored for the key: export it "
            "before. No PIN is needed. Ends with status 0 only if all was proven.\n"
            " sc-hsm attest\n"
            " sc-hsm attest sc-hsm:label=web\n"
            " sc-hsm attest --file web.req --device-id device.id\n",
    .options = attest_options,
    .by_itself = true, /* configures itself */
    .run = run_attest,
};
