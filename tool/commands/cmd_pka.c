/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm pka register, pka status: the keys of public-key authentication. */
#include "tool/commands.h"

#include <stdio.h>

#include <openssl/crypto.h>

#include "hsm/hsm_public_key_authentication.h"
#include "keymgmt/certified_key.h"
#include "tool/output.h"
#include "tool/target.h"

/* --- register --------------------------------------------------------------------------------- */

/* A device whose places are not all taken wants no login; others say so. */
static int register_key(struct schsm_tool *tool, struct schsm_device *device,
                        const struct schsm_container *key, struct schsm_public_key_status *status,
                        struct schsm_error *err)
{
    struct schsm_error found = SCHSM_ERROR_INIT;
    struct schsm_login login;

    if (schsm_pka_register(device, key, NULL, status, &found)) {
        return 1;
    }
    if (found.reason != SCHSM_REASON_ACCESS_DENIED) {
        *err = found;
        return 0;
    }
    return schsm_tool_login(tool, device, "registration of public keys", &login, err) &&
           schsm_pka_register(device, key, &login, status, err);
}

/* One file. EXISTS: this key, or another of its name, is registered. */
static int register_file(struct schsm_tool *tool, struct schsm_device *device, const char *serial,
                         const char *path, struct schsm_public_key_status *status,
                         struct schsm_error *err)
{
    struct schsm_container key;
    uint8_t *file = NULL;
    int ok = schsm_certified_file_read(
        path, SCHSM_CONTAINER_PUBLIC_KEY,
        "a key with its certificates is needed, as 'sc-hsm pka export' writes it", &file, &key,
        err);

    if (ok && !register_key(tool, device, &key, status, err)) {
        ok = err->reason == SCHSM_REASON_EXISTS
                 ? schsm_fail(err, SCHSM_REASON_EXISTS,
                              "%s: this key, or one of its name, is registered on device %s "
                              "already; '" SCHSM_TOOL_NAME " pka status' lists what is",
                              path, serial)
                 : schsm_fail_context(err, "%s", path);
    }
    if (ok && !tool->json) {
        (void)printf("Registered %.*s of %s on device %s.\n", (int)key.request.cvc.chr.len,
                     (const char *)key.request.cvc.chr.data, path, serial);
    }
    OPENSSL_free(file);
    return ok;
}

/* A key that is there already does not stop the others: an earlier run may have been interrupted.
 */
static int register_files(struct schsm_tool *tool, struct schsm_device *device, const char *serial,
                          struct schsm_public_key_status *status, struct schsm_error *already,
                          struct schsm_error *err)
{
    for (size_t i = 0; i < tool->argument_count; i++) {
        struct schsm_error found = SCHSM_ERROR_INIT;

        if (register_file(tool, device, serial, tool->arguments[i], status, &found)) {
            continue;
        }
        if (found.reason != SCHSM_REASON_EXISTS) {
            return schsm_fail_as(err, &found);
        }
        if (already->reason == SCHSM_REASON_NONE) {
            *already = found;
        }
    }
    return 1;
}

static int run_pka_register(struct schsm_tool *tool, struct schsm_error *err)
{
    struct schsm_public_key_status status = { 0 };
    struct schsm_error already = SCHSM_ERROR_INIT;
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_device *device = NULL;

    if (!schsm_tool_device(tool, &device, serial, err) ||
        !register_files(tool, device, serial, &status, &already, err)) {
        return 0;
    }
    if (already.reason != SCHSM_REASON_NONE) {
        return schsm_fail_as(err, &already);
    }
    if (tool->json) {
        return schsm_json_print(json_pack("{s:o, s:i, s:i, s:i}", "serial",
                                          schsm_json_serial(serial), "places", (int)status.total,
                                          "free", (int)status.missing, "required",
                                          (int)status.required),
                                err);
    }
    if (status.missing > 0) {
        (void)printf("%u of %u keys are still missing.\n", status.missing, status.total);
    } else {
        (void)printf("All %u keys are registered; %u of them open the device.\n", status.total,
                     status.required);
    }
    return 1;
}

const struct schsm_command schsm_command_pka_register = {
    .name = "pka register",
    .synopsis = "FILE...",
    .arguments_min = 1,
    .arguments_max = SCHSM_PKA_KEYS_MAX,
    .summary = "Register custodians' keys that together open the device",
    .help = "Registers the keys in the files, which 'pka export' wrote on the custodians' devices. "
            "The device verifies their certificates, and so takes keys of devices of its own maker "
            "only. It must have been initialised with public-key authentication: how many keys "
            "there are, and how many of them open it, was said then.\n"
            "Until all keys are registered, whoever has the device can register one. So do it all "
            "at once, and look at 'pka status' afterwards.\n"
            " sc-hsm pka register alice.pka bob.pka carol.pka\n",
    .run = run_pka_register,
};

/* --- status ----------------------------------------------------------------------------------- */

static const char *state_text(const struct schsm_pka_key *key)
{
    if (key->name[0] == '\0') {
        return "not registered";
    }
    return key->authenticated ? "has authenticated" : "has not authenticated";
}

static json_t *status_json(const struct schsm_pka *pka, const char *serial)
{
    json_t *keys = json_array();

    for (size_t i = 0; i < pka->count; i++) {
        const struct schsm_pka_key *key = &pka->keys[i];

        schsm_json_append(&keys, json_pack("{s:o, s:b, s:b}", "name", schsm_json_text(key->name),
                                           "registered", key->name[0] != '\0', "authenticated",
                                           key->authenticated ? 1 : 0));
    }
    return json_pack("{s:o, s:i, s:i, s:i, s:i, s:b, s:o}", "serial", schsm_json_serial(serial),
                     "places", (int)pka->status.total, "free", (int)pka->status.missing, "required",
                     (int)pka->status.required, "authenticated", (int)pka->status.authenticated,
                     "open", pka->status.authenticated >= pka->status.required, "keys", keys);
}

static int run_pka_status(struct schsm_tool *tool, struct schsm_error *err)
{
    static const char *const headings[] = { "PLACE", "KEY", "STATE" };
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_device *device = NULL;
    struct schsm_table table;
    struct schsm_pka pka;

    if (!schsm_tool_device(tool, &device, serial, err) || !schsm_pka_read(device, &pka, err)) {
        return 0;
    }
    if (tool->json) {
        return schsm_json_print(status_json(&pka, serial), err);
    }
    (void)printf("Device %s opens with %u of %u keys; %u registered, %u authenticated: it is %s.\n",
                 serial, pka.status.required, pka.status.total,
                 pka.status.total - pka.status.missing, pka.status.authenticated,
                 pka.status.authenticated >= pka.status.required ? "open" : "closed");
    schsm_table_init(&table, 3, headings);
    for (size_t i = 0; i < pka.count; i++) {
        schsm_table_addf(&table, "%zu", i + 1);
        schsm_table_add(&table, pka.keys[i].name[0] != '\0' ? pka.keys[i].name : "-");
        schsm_table_add(&table, state_text(&pka.keys[i]));
    }
    return schsm_table_print(&table, err);
}

const struct schsm_command schsm_command_pka_status = {
    .name = "pka status",
    .synopsis = "",
    .summary = "Show the registered keys, and who has authenticated",
    .help = "Shows how many keys open the device, which are registered, and which have "
            "authenticated since it was last closed. No PIN is needed.\n"
            " sc-hsm pka status\n",
    .run = run_pka_status,
};
