/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm domain create-signer, export-id, issue-membership, create-exchange-key, derive: devices of
 * a group agree on a key encryption key. */
#include "tool/commands.h"

#include <stdio.h>

#include <openssl/crypto.h>

#include "hsm/hsm_xkek.h"
#include "keymgmt/key_domain.h"
#include "tool/domain.h"
#include "tool/object.h"
#include "tool/out_file.h"
#include "tool/target.h"

/* --- keys ------------------------------------------------------------------------------------- */

static int make_domain_key(struct schsm_tool *tool, struct schsm_match *match,
                           const struct schsm_generate *purpose, struct schsm_error *err)
{
    struct schsm_generate spec = *purpose;
    uint8_t id[SCHSM_ID_MAX];
    struct schsm_login login;

    if (!schsm_tool_new_name(tool, id, &spec.id_len, &spec.label, err)) {
        return 0;
    }
    spec.id = spec.id_len > 0 ? id : NULL;
    return schsm_tool_login(tool, match->device, "new key", &login, err) &&
           schsm_device_generate(match->device, &spec, &login, &match->object, err) &&
           schsm_object_report(tool, "Made", match, NULL, err);
}

static const struct schsm_option domain_create_exchange_key_options[] = {
    { "id", 'i', false, "HEX", "object id; default: a free one", NULL },
    { "label", 'l', false, "TEXT", "label; default: none", NULL },
    SCHSM_OPTIONS_END,
};

static const struct schsm_option domain_create_signer_options[] = {
    { "id", 'i', false, "HEX", "object id; default: a free one", NULL },
    { "label", 'l', false, "TEXT", "label; default: none", NULL },
    { "key-domain", '\0', false, "N", "the key domain it belongs to; default: 0", NULL },
    SCHSM_OPTIONS_END,
};

static int run_domain_create_signer(struct schsm_tool *tool, struct schsm_error *err)
{
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_match match = { 0 };
    struct schsm_generate spec;
    int64_t domain = -1;
    int ok = 0;

    if (!schsm_tool_number(tool, "key-domain", 0, 255, &domain, err)) {
        return 0;
    }
    schsm_key_domain_signer(&spec);
    spec.has_key_domain = domain >= 0;
    spec.key_domain = domain >= 0 ? (unsigned int)domain : 0;
    ok = schsm_tool_device(tool, &match.device, serial, err) &&
         make_domain_key(tool, &match, &spec, err);
    schsm_match_clear(&match);
    return ok;
}

const struct schsm_command schsm_command_domain_create_signer = {
    .name = "domain create-signer",
    .synopsis = "",
    .summary = "Make the key that decides which devices are members of a key domain",
    .help = "Makes a key (brainpoolP256r1, for signatures alone) that stands for a new group of "
            "devices: whichever device gets a membership signed by it can create the group's key "
            "domain. It stays on this device for ever, and without it nobody can join the group "
            "any more.\n"
            "Like every key it belongs to one of this device's own key domains, which cannot be "
            "deleted before it: to 0 unless --key-domain says another. See 'help domain create' "
            "for all the steps.\n"
            " sc-hsm domain create-signer --label signer\n",
    .options = domain_create_signer_options,
    .run = run_domain_create_signer,
};

static int run_domain_create_exchange_key(struct schsm_tool *tool, struct schsm_error *err)
{
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_hsm_domain domain;
    struct schsm_match match = { 0 };
    struct schsm_generate spec;
    unsigned int number = 0;
    int ok = schsm_domain_parse(tool->arguments[0], &number, err) &&
             schsm_tool_device(tool, &match.device, serial, err) &&
             schsm_key_domain_exchange_key(match.device, number, &domain, &spec, err) &&
             make_domain_key(tool, &match, &spec, err);

    schsm_match_clear(&match);
    return ok;
}

const struct schsm_command schsm_command_domain_create_exchange_key = {
    .name = "domain create-exchange-key",
    .synopsis = "DOMAIN",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Make this device's key for agreeing on an XKEK domain's key",
    .help = "Makes a key in the XKEK domain of this number with which the device agrees with "
            "another on the domain's key encryption key, and for nothing else. Send the other "
            "device its public part ('domain export-key'). It may be deleted when both have the "
            "key; kept on both sides it brings the same key back after 'domain clear'.\n"
            " sc-hsm domain create-exchange-key 0 --label exchange\n",
    .options = domain_create_exchange_key_options,
    .run = run_domain_create_exchange_key,
};

/* --- memberships ------------------------------------------------------------------------------ */

static int run_domain_export_id(struct schsm_tool *tool, struct schsm_error *err)
{
    char serial[SCHSM_SERIAL_MAX + 1], what[64];
    struct schsm_device *device = NULL;
    uint8_t id[SCHSM_DEVICE_ID_MAX];
    size_t len = sizeof(id);

    if (!schsm_out_check(tool, err) || !schsm_tool_device(tool, &device, serial, err) ||
        !schsm_device_id(device, id, &len, err)) {
        return 0;
    }
    (void)snprintf(what, sizeof(what), "The id of device %s", serial);
    return schsm_out_write(tool, what, id, len, err);
}

static const struct schsm_option domain_export_id_options[] = { SCHSM_OPTION_OUT,
                                                                SCHSM_OPTION_OVERWRITE,
                                                                SCHSM_OPTIONS_END };

const struct schsm_command schsm_command_domain_export_id = {
    .name = "domain export-id",
    .synopsis = "",
    .summary = "Write the device's certificates into a file, to become a key domain's member",
    .help = "Writes the device's own certificate and its issuer's. Whoever holds the key domain's "
            "signer issues a membership for it ('domain issue-membership'). The file holds no "
            "secret, and no PIN is needed.\n"
            " sc-hsm domain export-id --out b.id\n",
    .options = domain_export_id_options,
    .run = run_domain_export_id,
};

static int run_domain_issue_membership(struct schsm_tool *tool, struct schsm_error *err)
{
    char serial[SCHSM_SERIAL_MAX + 1], name[SCHSM_CVC_NAME_MAX + 1], what[64];
    uint8_t *file = NULL, *membership = NULL;
    struct schsm_certified_key signer = { 0 };
    struct schsm_container member;
    struct schsm_match match = { 0 };
    struct schsm_login login;
    size_t len = 0;
    int ok =
        schsm_out_check(tool, err) &&
        schsm_member_read(tool->arguments[1], tool->context.config.roots,
                          schsm_tool_flag(tool, "unverified"), &file, &member, err) &&
        schsm_tool_object(tool, tool->arguments[0], SCHSM_OBJECT_PRIVATE, &match, serial, err) &&
        schsm_certified_key_load(match.device, match.object.key_ref, &signer, err) &&
        schsm_tool_login(tool, match.device, "key domain membership", &login, err) &&
        schsm_member_admit(tool->context.libctx, &signer, &member, &login, name, &membership, &len,
                           err);

    if (ok) {
        (void)snprintf(what, sizeof(what), "The membership of device %s", name);
        ok = schsm_out_write(tool, what, membership, len, err);
    }
    OPENSSL_free(membership);
    OPENSSL_free(file);
    schsm_certified_key_clear(&signer);
    schsm_match_clear(&match);
    return ok;
}

static const struct schsm_option domain_issue_membership_options[] = {
    SCHSM_OPTION_OUT,
    SCHSM_OPTION_OVERWRITE,
    { "unverified", '\0', false, NULL, "even if nothing proves who made the device", NULL },
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_domain_issue_membership = {
    .name = "domain issue-membership",
    .synopsis = "URI DEVICE-ID",
    .arguments_min = 2,
    .arguments_max = 2,
    .summary = "Sign a device's membership in a key domain",
    .help = "Signs, with the key domain's signer that URI names, that the device whose id is in "
            "the file DEVICE-ID is a member. That device can then create the domain ('domain "
            "create --membership'), and with the exchange that follows have every key that any "
            "member wraps. A membership cannot be taken back.\n"
            "The device's certificates have to lead to a maker that is known (see 'attest').\n"
            " sc-hsm domain issue-membership label=signer b.id --out b.kdm\n",
    .options = domain_issue_membership_options,
    .run = run_domain_issue_membership,
};

/* --- the exchange ----------------------------------------------------------------------------- */

static int run_domain_derive(struct schsm_tool *tool, struct schsm_error *err)
{
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_hsm_domain domain;
    struct schsm_container peer;
    struct schsm_match match = { 0 };
    struct schsm_view uid = { NULL, 0 };
    struct schsm_login login;
    unsigned int number = 0;
    uint8_t *file = NULL;
    int ok =
        schsm_peer_read(tool->arguments[1], &file, &peer, &uid, err) &&
        schsm_tool_object(tool, tool->arguments[0], SCHSM_OBJECT_PRIVATE, &match, serial, err) &&
        schsm_peer_check(match.device, match.object.key_ref, uid, &number, err) &&
        schsm_tool_login(tool, match.device, "exchange key", &login, err) &&
        schsm_xkek_derive(match.device, match.object.key_ref, &peer, &login, err) &&
        schsm_key_domain_read(match.device, number, &domain, err) &&
        schsm_domain_report(tool, "Derived the key of", &domain, err);

    OPENSSL_free(file);
    schsm_match_clear(&match);
    return ok;
}

const struct schsm_command schsm_command_domain_derive = {
    .name = "domain derive",
    .synopsis = "URI PEER-FILE",
    .arguments_min = 2,
    .arguments_max = 2,
    .summary = "Agree with another device on a key domain's key encryption key",
    .help =
        "Computes the key encryption key of an XKEK domain from this device's exchange key, which "
        "URI names, and the other device's, which 'domain export-key' wrote into PEER-FILE there. "
        "This device verifies the other's certificates itself, and the key never leaves the two "
        "devices. When both have done it, both show the same key check value.\n"
        " sc-hsm domain derive label=exchange b.xkey\n",
    .run = run_domain_derive,
};
