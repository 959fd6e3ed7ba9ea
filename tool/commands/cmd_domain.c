/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm domain list, create, clear, delete: the key domains of a device. */
#include "tool/commands.h"

#include <stdio.h>

#include <openssl/crypto.h>

#include "hsm/hsm_status.h"
#include "hsm/hsm_xkek.h"
#include "tool/ask.h"
#include "tool/domain.h"
#include "tool/output.h"
#include "tool/target.h"

#define UID_SHOWN 8 /* bytes of a UID in the table */

/* --- list ------------------------------------------------------------------------------------- */

static int print_domains_json(const struct schsm_hsm_domain *domains, size_t count,
                              const char *serial, struct schsm_error *err)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++) {
        schsm_json_append(&array, schsm_domain_json(&domains[i]));
    }
    return schsm_json_print(
        json_pack("{s:o, s:o}", "serial", schsm_json_serial(serial), "domains", array), err);
}

static int print_domains_table(const struct schsm_hsm_domain *domains, size_t count,
                               struct schsm_error *err)
{
    static const char *const headings[] = { "DOMAIN", "KIND", "KEY CHECK VALUE", "UID", "STATE" };
    struct schsm_table table;

    schsm_table_init(&table, 5, headings);
    for (size_t i = 0; i < count; i++) {
        const struct schsm_hsm_domain *domain = &domains[i];
        size_t uid_len = domain->uid_len < UID_SHOWN ? domain->uid_len : UID_SHOWN;
        char kcv[SCHSM_KCV_TEXT_MAX] = "-", uid[2 * UID_SHOWN + 1] = "", text[64];

        if (domain->complete) {
            schsm_kcv_text(domain->kcv, kcv);
        }
        schsm_hex(domain->uid, uid_len, uid);
        schsm_table_addf(&table, "%u", domain->number);
        schsm_table_add(&table, !domain->created ? "-" : domain->xkek ? "XKEK" : "DKEK");
        schsm_table_add(&table, kcv);
        schsm_table_addf(&table, "%s%s", uid_len > 0 ? uid : "-", uid_len > 0 ? ".." : "");
        schsm_table_add(&table, schsm_domain_state(domain, text, sizeof(text)));
    }
    return schsm_table_print(&table, err);
}

static int print_none(struct schsm_device *device, const char *serial, struct schsm_error *err)
{
    struct schsm_hsm_status status;

    if (!schsm_hsm_status(device, &status, err)) {
        return 0;
    }
    return schsm_say(err,
                     status.so_pin_set
                         ? "Device %s has no key domains: it was initialised without, and its keys "
                           "cannot leave it."
                         : "Device %s was never initialised, and has no key domains yet.",
                     serial);
}

static int run_domain_list(struct schsm_tool *tool, struct schsm_error *err)
{
    size_t count = SCHSM_HSM_DOMAINS_MAX;
    struct schsm_hsm_domain *domains = OPENSSL_malloc(count * sizeof(*domains));
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_device *device = NULL;
    int ok = 0;

    if (domains == NULL) {
        return schsm_fail_memory(err);
    }
    if (!schsm_tool_device(tool, &device, serial, err) ||
        !schsm_hsm_domains(device, domains, &count, err)) {
        goto done;
    }
    if (tool->json) {
        ok = print_domains_json(domains, count, serial, err);
    } else if (count == 0) {
        ok = print_none(device, serial, err);
    } else {
        ok = print_domains_table(domains, count, err);
    }

done:
    OPENSSL_free(domains);
    return ok;
}

const struct schsm_command schsm_command_domain_list = {
    .name = "domain list",
    .synopsis = "",
    .summary = "Show the key domains of the device",
    .help = "Shows the device's key domains. Each key belongs to one, and leaves the device only "
            "wrapped under its domain's key encryption key (KEK), for another device that has the "
            "same one. A DKEK domain's is made of key shares, an XKEK domain's is agreed on by the "
            "devices of a group among themselves. Equal key check values mean equal keys.\n"
            "How many domains there are was said at 'init --key-domains'. A device with one DKEK "
            "has that as domain 0. No PIN is needed.\n",
    .run = run_domain_list,
};

/* --- create ----------------------------------------------------------------------------------- */

static int run_domain_create(struct schsm_tool *tool, struct schsm_error *err)
{
    const char *membership_path = schsm_tool_setting(tool, "membership");
    struct schsm_container membership;
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_device *device = NULL;
    struct schsm_hsm_domain domain;
    struct schsm_login login;
    uint8_t *file = NULL;
    unsigned int number = 0;
    int64_t shares = 0;
    int ok = 0;

    if (!schsm_domain_parse(tool->arguments[0], &number, err) ||
        !schsm_tool_number(tool, "dkek-shares", 1, 255, &shares, err)) {
        goto done;
    }
    if ((membership_path != NULL) == (shares != 0)) {
        schsm_fail(err, SCHSM_REASON_ARGUMENT,
                   "say what kind of key domain to create: --dkek-shares N or --membership FILE");
        goto done;
    }
    if (membership_path != NULL &&
        !schsm_certified_file_read(
            membership_path, SCHSM_CONTAINER_MEMBERSHIP,
            "a key domain membership is needed, as 'sc-hsm domain issue-membership' writes it",
            &file, &membership, err)) {
        goto done;
    }
    if (!schsm_tool_device(tool, &device, serial, err) ||
        !schsm_key_domain_read(device, number, &domain, err)) {
        goto done;
    }
    if (domain.created) {
        schsm_fail(err, SCHSM_REASON_EXISTS,
                   "key domain %u of device %s exists already: choose another, or delete it first",
                   number, serial);
        goto done;
    }
    if (!schsm_tool_login(tool, device, "new key domain", &login, err)) {
        goto done;
    }
    ok = membership_path != NULL
             ? schsm_xkek_create_domain(device, number, &membership, &login, err)
             : schsm_hsm_create_dkek_domain(device, number, (unsigned int)shares, &login, err);
    ok = ok && schsm_key_domain_read(device, number, &domain, err) &&
         schsm_domain_report(tool, "Created", &domain, err);

done:
    OPENSSL_free(file);
    return ok;
}

static const struct schsm_option domain_create_options[] = {
    { "dkek-shares", '\0', false, "N", "a DKEK domain, whose key is made of N shares, 1 to 255",
      NULL },
    { "membership", '\0', false, "FILE",
      "an XKEK domain, with the membership that was issued for this device", NULL },
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_domain_create = {
    .name = "domain create",
    .synopsis = "DOMAIN",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Create a key domain",
    .help =
        "Creates the key domain of this number, from 0, on a device that was initialised with room "
        "for it ('init --key-domains').\n"
        "With --dkek-shares its key encryption key is made of so many shares, which are imported "
        "next ('dkek import-share --key-domain').\n"
        "With --membership it is one of a group of devices, which agree on the key among "
        "themselves, and nobody ever has it or a share of it. The steps, for devices A and B:\n"
        " sc-hsm --serial A domain create-signer --label signer\n"
        " sc-hsm --serial A domain export-id --out a.id\n"
        " sc-hsm --serial B domain export-id --out b.id\n"
        " sc-hsm --serial A domain issue-membership label=signer a.id --out a.kdm\n"
        " sc-hsm --serial A domain issue-membership label=signer b.id --out b.kdm\n"
        " sc-hsm --serial A domain create 0 --membership a.kdm\n"
        " sc-hsm --serial B domain create 0 --membership b.kdm\n"
        "and then on each of them, with the other's file:\n"
        " sc-hsm domain create-exchange-key 0 --label exchange\n"
        " sc-hsm domain export-key label=exchange --out mine.xkey\n"
        " sc-hsm domain derive label=exchange theirs.xkey\n"
        "From then on 'wrap' on one device and 'unwrap' on the other move keys of that domain.\n",
    .options = domain_create_options,
    .run = run_domain_create,
};

/* --- clear and delete ------------------------------------------------------------------------- */

/* The domain that the command line names, which must have been created, and the login to it. */
static int target(struct schsm_tool *tool, struct schsm_device **device,
                  char serial[SCHSM_SERIAL_MAX + 1], struct schsm_hsm_domain *domain,
                  struct schsm_error *err)
{
    unsigned int number = 0;

    if (!schsm_domain_parse(tool->arguments[0], &number, err) ||
        !schsm_tool_device(tool, device, serial, err) ||
        !schsm_key_domain_read(*device, number, domain, err)) {
        return 0;
    }
    if (!domain->created) {
        return schsm_fail(err, SCHSM_REASON_NOT_FOUND,
                          "key domain %u of device %s has not been created", number, serial);
    }
    return 1;
}

static int run_domain_clear(struct schsm_tool *tool, struct schsm_error *err)
{
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_device *device = NULL;
    struct schsm_hsm_domain domain;
    struct schsm_login login;

    if (!target(tool, &device, serial, &domain, err) ||
        !schsm_tool_confirm(
            tool, serial,
            domain.xkek
                ? "The key domain's key encryption key is erased. Keys stay and work, but can be "
                  "neither wrapped nor unwrapped until the devices have agreed on a key again, and "
                  "that opens keys wrapped before only if the same two exchange keys are used."
                : "The key domain's key encryption key is erased. Keys stay and work, but can be "
                  "neither wrapped nor unwrapped until all its shares were imported again. Without "
                  "the shares, backups that were made under it are worthless.",
            err) ||
        !schsm_tool_login(tool, device, "key domain", &login, err)) {
        return 0;
    }
    return schsm_hsm_delete_kek(device, domain.number, &login, err) &&
           schsm_key_domain_read(device, domain.number, &domain, err) &&
           schsm_domain_report(tool, "Cleared", &domain, err);
}

static int run_domain_delete(struct schsm_tool *tool, struct schsm_error *err)
{
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_device *device = NULL;
    struct schsm_hsm_domain domain;
    struct schsm_login login;

    if (!target(tool, &device, serial, &domain, err) ||
        !schsm_tool_confirm(
            tool, serial,
            "The key domain and its key encryption key are erased. It must hold no keys.", err) ||
        !schsm_tool_login(tool, device, "key domain", &login, err)) {
        return 0;
    }
    return schsm_hsm_delete_domain(device, domain.number, &login, err) &&
           schsm_key_domain_read(device, domain.number, &domain, err) &&
           schsm_domain_report(tool, "Deleted", &domain, err);
}

static const struct schsm_option yes_options[] = { SCHSM_OPTION_YES, SCHSM_OPTIONS_END };

const struct schsm_command schsm_command_domain_clear = {
    .name = "domain clear",
    .synopsis = "DOMAIN",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Erase the key encryption key of a key domain",
    .help = "Erases the domain's key encryption key; the domain and its keys stay. So after a "
            "migration no more keys can leave the device or come in, until the key is there again: "
            "by its shares, or by 'domain derive' with the same exchange keys.\n"
            " sc-hsm domain clear 0\n",
    .options = yes_options,
    .run = run_domain_clear,
};

const struct schsm_command schsm_command_domain_delete = {
    .name = "domain delete",
    .synopsis = "DOMAIN",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Delete a key domain that holds no keys",
    .help = "Deletes a key domain, which must hold no keys any more; delete or migrate them first. "
            "Its number can then be used for another.\n"
            " sc-hsm domain delete 0\n",
    .options = yes_options,
    .run = run_domain_delete,
};
