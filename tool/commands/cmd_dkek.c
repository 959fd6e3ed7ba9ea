/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm dkek status, import-share; files alone are in cmd_dkek_share.c. */
#include "tool/commands.h"

#include <stdio.h>

#include <openssl/crypto.h>

#include "hsm/hsm_key_domain.h"
#include "hsm/hsm_status.h"
#include "tool/domain.h"
#include "tool/output.h"
#include "tool/share_file.h"
#include "tool/configured.h"
#include "tool/target.h"

/* --- status -------------------------------------------------------------------------------- */

static json_t *dkek_domain_json(const struct schsm_hsm_domain *domain)
{
    char kcv[SCHSM_KCV_TEXT_MAX] = "";

    if (domain->complete) {
        schsm_kcv_text(domain->kcv, kcv);
    }
    return json_pack("{s:i, s:b, s:s?, s:o, s:o, s:b, s:o}", "key_domain", (int)domain->number,
                     "created", domain->created ? 1 : 0, "kind",
                     !domain->created ? NULL
                     : domain->xkek   ? "xkek"
                                      : "dkek",
                     "shares", schsm_json_count(domain->created ? (int)domain->shares : -1),
                     "outstanding",
                     schsm_json_count(domain->created ? (int)domain->outstanding : -1), "complete",
                     schsm_domain_has_key(domain) ? 1 : 0, "key_check_value", schsm_json_text(kcv));
}

static int print_dkek_json(const char *serial, const struct schsm_hsm_domain *domains, size_t count,
                           struct schsm_error *err)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++) {
        schsm_json_append(&array, dkek_domain_json(&domains[i]));
    }
    return schsm_json_print(
        json_pack("{s:o, s:o}", "serial", schsm_json_serial(serial), "key_domains", array), err);
}

static void describe_state(struct schsm_table *table, const struct schsm_hsm_domain *domain)
{
    if (!domain->created) {
        schsm_table_add(table, "not created");
    } else if (schsm_domain_has_key(domain)) {
        schsm_table_add(table, "complete");
    } else if (domain->sealed) {
        schsm_table_add(table, SCHSM_TOLD_AFTER_LOGIN);
    } else if (domain->xkek) {
        schsm_table_add(table, "no key yet");
    } else {
        schsm_table_addf(table, "%u %s outstanding", domain->outstanding,
                         domain->outstanding == 1 ? "share" : "shares");
    }
}

static int print_dkek_table(const char *serial, bool initialised,
                            const struct schsm_hsm_domain *domains, size_t count,
                            struct schsm_error *err)
{
    static const char *const headings[] = { "KEY DOMAIN", "KIND", "SHARES", "STATE",
                                            "KEY CHECK VALUE" };
    char kcv[SCHSM_KCV_TEXT_MAX];
    struct schsm_table table;

    if (count == 0) {
        printf(initialised ? "Device %s was initialised without a DKEK: its keys can be neither "
                             "wrapped nor unwrapped.\n"
                           : "Device %s was never initialised, and has no DKEK yet.\n",
               serial);
        return 1;
    }
    schsm_table_init(&table, 5, headings);
    for (size_t i = 0; i < count; i++) {
        const struct schsm_hsm_domain *domain = &domains[i];

        schsm_kcv_text(domain->kcv, kcv);
        schsm_table_addf(&table, "%u", domain->number);
        schsm_table_add(&table, !domain->created ? "-" : domain->xkek ? "XKEK" : "DKEK");
        if (!domain->created || domain->xkek) {
            schsm_table_add(&table, "-");
        } else if (domain->shares == 0) {
            schsm_table_add(&table, "the device's own");
        } else {
            schsm_table_addf(&table, "%u", domain->shares);
        }
        describe_state(&table, domain);
        schsm_table_add(&table, domain->complete ? kcv
                                : domain->sealed ? SCHSM_TOLD_AFTER_LOGIN
                                                 : "-");
    }
    return schsm_table_print(&table, err);
}

static int run_dkek_status(struct schsm_tool *tool, struct schsm_error *err)
{
    struct schsm_hsm_domain domains[SCHSM_HSM_DOMAINS_MAX];
    size_t count = SCHSM_HSM_DOMAINS_MAX;
    struct schsm_hsm_status status = { 0 };
    struct schsm_device *device = NULL;
    char serial[SCHSM_SERIAL_MAX + 1];

    if (!schsm_tool_device(tool, &device, serial, err) ||
        !schsm_hsm_domains(device, domains, &count, err) ||
        (count == 0 && !schsm_hsm_status(device, &status, err))) {
        return 0;
    }
    return tool->json ? print_dkek_json(serial, domains, count, err)
                      : print_dkek_table(serial, status.so_pin_set, domains, count, err);
}

const struct schsm_command schsm_command_dkek_status = {
    .name = "dkek status",
    .synopsis = "",
    .summary = "Show the key encryption keys of the device",
    .help =
        "Shows which key encryption keys (DKEK) the device has: how many shares each has, how many "
        "of them are outstanding, and its key check value. Devices with equal key check values "
        "have the same DKEK: a key wrapped on one of them can be unwrapped on the other. A device "
        "with one DKEK for all keys shows it as key domain 0. No PIN is needed.\n"
        " sc-hsm dkek status\n",
    .run = run_dkek_status,
};

/* --- import-share -------------------------------------------------------------------------- */

/* Before anybody types a password and waits for it. */
static int check_outstanding(struct schsm_device *device, const char *serial, unsigned int number,
                             struct schsm_error *err)
{
    struct schsm_hsm_domain domains[SCHSM_HSM_DOMAINS_MAX];
    char kcv[SCHSM_KCV_TEXT_MAX];
    size_t count = SCHSM_HSM_DOMAINS_MAX;

    if (!schsm_hsm_domains(device, domains, &count, err)) {
        return 0;
    }
    if (count == 0) {
        return schsm_hsm_refuse_without_kek(device, err);
    }
    if (number >= count || !domains[number].created) {
        return schsm_fail(err, SCHSM_REASON_NOT_FOUND,
                          "device %s has no key domain %u: 'sc-hsm dkek status' shows them", serial,
                          number);
    }
    if (domains[number].xkek) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "key domain %u of device %s has no shares: its devices agree on the key",
                          number, serial);
    }
    if (domains[number].sealed) {
        return schsm_fail(err, SCHSM_REASON_EXISTS,
                          "device %s has its DKEK already, or takes no shares: none is outstanding",
                          serial);
    }
    if (domains[number].outstanding == 0) {
        schsm_kcv_text(domains[number].kcv, kcv);
        return schsm_fail(
            err, SCHSM_REASON_EXISTS,
            "device %s has its DKEK already, with key check value %s: no share is outstanding",
            serial, kcv);
    }
    return 1;
}

static int report_share_import(const struct schsm_tool *tool, const char *serial,
                               const struct schsm_hsm_domain *after, struct schsm_error *err)
{
    char kcv[SCHSM_KCV_TEXT_MAX] = "";

    if (after->complete) {
        schsm_kcv_text(after->kcv, kcv);
    }
    if (tool->json) {
        return schsm_json_print(
            json_pack("{s:o, s:i, s:i, s:i, s:o}", "serial", schsm_json_serial(serial),
                      "key_domain", (int)after->number, "shares", (int)after->shares, "outstanding",
                      (int)after->outstanding, "key_check_value", schsm_json_text(kcv)),
            err);
    }
    if (after->outstanding > 0) {
        printf("Share imported to device %s; %u of %u %s outstanding.\n", serial,
               after->outstanding, after->shares, after->outstanding == 1 ? "is" : "are");
    } else {
        printf("Share imported to device %s; its DKEK is complete, key check value %s.\n", serial,
               after->complete ? kcv : SCHSM_TOLD_AFTER_LOGIN);
    }
    return 1;
}

static int run_dkek_import_share(struct schsm_tool *tool, struct schsm_error *err)
{
    const char *path = tool->arguments[0];
    struct schsm_device *device = NULL;
    struct schsm_hsm_domain after;
    struct schsm_secret *share = NULL;
    /* a device that wants a login for this gets one only where a source gives the PIN */
    struct schsm_login login = { .source = tool->context.config.pin_source,
                                 .min_pin_tries = tool->context.config.min_pin_tries,
                                 .by_option = true };
    char serial[SCHSM_SERIAL_MAX + 1];
    uint8_t file[SCHSM_SHARE_FILE_LEN];
    int64_t domain = 0;
    int ok = 0;

    if (!schsm_tool_number(tool, "key-domain", 0, SCHSM_HSM_DOMAINS_MAX - 1, &domain, err) ||
        !schsm_share_file_read(path, file, err) || !schsm_tool_device(tool, &device, serial, err) ||
        !check_outstanding(device, serial, (unsigned int)domain, err)) {
        return 0;
    }
    if (tool->origins.pin != NULL) {
        login.source = schsm_tool_configured_pin(tool, device, false);
    }
    share =
        schsm_share_file_open(tool, path, file, schsm_tool_setting(tool, "password-source"), err);
    if (share == NULL) {
        return 0;
    }
    ok = schsm_hsm_import_share(device, (unsigned int)domain, share, &login, &after, err) &&
         report_share_import(tool, serial, &after, err);
    schsm_secret_free(share);
    return ok;
}

static const struct schsm_option dkek_import_share_options[] = {
    { .name = "password-source",
      .argument = "SRC",
      .summary =
          "where the password comes from: file:PATH, env:NAME, fd:N or prompt, the default" },
    { .name = "password-shares",
      .argument = "T",
      .summary = "the password was split: T custodians type their parts, one after the other" },
    { .name = "key-domain", .argument = "N", .summary = "the key domain it is for; default: 0" },
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_dkek_import_share = {
    .name = "dkek import-share",
    .synopsis = "FILE",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Import a share of the DKEK to the device",
    .help = "Decrypts the share in FILE with its password and gives it to the device, which was "
            "initialised to expect shares. Says how many shares are outstanding then; after the "
            "last one the DKEK is complete, and its key check value is told. The order does not "
            "matter. No PIN is needed by most devices.\n"
            "A device does not notice a share that is imported twice, and there is no way to take "
            "one back but deleting the DKEK: compare the key check value with that of your other "
            "devices before you make keys.\n"
            "Working on the password takes some seconds, on purpose. FILE may be one that OpenSC's "
            "sc-hsm-tool made.\n"
            " sc-hsm dkek import-share dkek-1.pbe\n"
            " sc-hsm dkek import-share dkek-1.pbe --password-source file:password\n"
            " sc-hsm dkek import-share dkek-1.pbe --password-shares 3\n",
    .options = dkek_import_share_options,
    .run = run_dkek_import_share,
};
