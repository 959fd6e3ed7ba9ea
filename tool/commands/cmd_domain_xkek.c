/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm domain create-signer, export-id, issue-membership, create-exchange-key, derive: devices of
 * a group agree on a key encryption key. */
#include "tool/commands.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/obj_mac.h>

#include "hsm/hsm_attestation.h"
#include "hsm/hsm_xkek.h"
#include "format/roots.h"
#include "keymgmt/certified_key.h"
#include "keymgmt/file.h"
#include "tool/domain.h"
#include "tool/object.h"
#include "tool/out_file.h"
#include "tool/target.h"

/* Section 8.1 of the protocol reference: what the keys may be used for, and nothing else. */
static const uint8_t sign_only[] = { 0x70 };     /* ECDSA over a hash */
static const uint8_t exchange_only[] = { 0x84 }; /* agreement on a key encryption key */

#define UID_COMPARED 32 /* bytes: genuine devices name a domain by these alone (15.2) */

/* --- keys ------------------------------------------------------------------------------------- */

static int make_key(struct schsm_tool *tool, struct schsm_match *match,
                    const struct schsm_generate *policy, struct schsm_error *err)
{
    struct schsm_generate spec = *policy;
    uint8_t id[SCHSM_ID_MAX];
    struct schsm_login login;

    spec.type = SCHSM_KEY_EC;
    spec.curve_nid = NID_brainpoolP256r1;
    spec.key_ref = -1;
    if (!schsm_tool_new_name(tool, id, &spec.id_len, &spec.label, err)) {
        return 0;
    }
    spec.id = spec.id_len > 0 ? id : NULL;
    return schsm_tool_login(tool, match->device, "new key", &login, err) &&
           schsm_device_generate(match->device, &spec, &login, &match->object, err) &&
           schsm_object_report(tool, "Made", match, NULL, err);
}

static const struct schsm_option key_options[] = {
    { "id", 'i', false, "HEX", "object id; default: a free one", NULL },
    { "label", 'l', false, "TEXT", "label; default: none", NULL },
    SCHSM_OPTIONS_END,
};

static const struct schsm_option signer_options[] = {
    { "id", 'i', false, "HEX", "object id; default: a free one", NULL },
    { "label", 'l', false, "TEXT", "label; default: none", NULL },
    { "key-domain", '\0', false, "N", "the key domain it belongs to; default: 0", NULL },
    SCHSM_OPTIONS_END,
};

static int create_signer(struct schsm_tool *tool, struct schsm_error *err)
{
    struct schsm_generate spec = { .algorithms = sign_only, .algorithms_len = sizeof(sign_only) };
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_match match = { 0 };
    long domain = -1;
    int ok = 0;

    if (!schsm_tool_number(tool, "key-domain", 0, 255, &domain, err)) {
        return 0;
    }
    spec.has_key_domain = domain >= 0;
    spec.key_domain = domain >= 0 ? (unsigned int)domain : 0;
    ok = schsm_tool_device(tool, &match.device, serial, err) && make_key(tool, &match, &spec, err);
    schsm_match_clear(&match);
    return ok;
}

const struct schsm_command schsm_command_domain_create_signer = {
    .name = "domain create-signer",
    .synopsis = "",
    .arguments_max = 0,
    .summary = "Make the key that decides which devices are members of a key domain",
    .help =
        "Makes a key (brainpoolP256r1, for signatures alone) that stands for a new group of "
        "devices: whichever device gets a membership signed by it can create the group's key "
        "domain. It stays on this device for ever, and without it nobody can join the group any "
        "more.\n"
        "Like every key it belongs to one of this device's own key domains, which cannot be "
        "deleted before it: to 0 unless --key-domain says another. See 'help domain create' "
        "for all the steps.\n"
        " sc-hsm domain create-signer --label signer\n",
    .options = signer_options,
    .run = create_signer,
};

static int create_exchange_key(struct schsm_tool *tool, struct schsm_error *err)
{
    struct schsm_generate spec = { .algorithms = exchange_only,
                                   .algorithms_len = sizeof(exchange_only),
                                   .has_key_domain = true };
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_hsm_domain domain;
    struct schsm_match match = { 0 };
    int ok = 0;

    if (!schsm_domain_parse(tool->arguments[0], &spec.key_domain, err) ||
        !schsm_tool_device(tool, &match.device, serial, err) ||
        !schsm_domain_read(match.device, spec.key_domain, &domain, err)) {
        goto done;
    }
    if (!domain.created || !domain.xkek) {
        schsm_fail(err, SCHSM_REASON_NOT_FOUND,
                   "key domain %u of device %s is no XKEK domain: only devices of such a domain "
                   "agree on its key among themselves",
                   domain.number, serial);
        goto done;
    }
    spec.domain_uid = domain.uid;
    spec.domain_uid_len = domain.uid_len;
    ok = make_key(tool, &match, &spec, err);

done:
    schsm_match_clear(&match);
    return ok;
}

const struct schsm_command schsm_command_domain_create_exchange_key = {
    .name = "domain create-exchange-key",
    .synopsis = "DOMAIN",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Make this device's key for agreeing on an XKEK domain's key",
    .help =
        "Makes a key in the XKEK domain of this number with which the device agrees with another "
        "on the domain's key encryption key, and for nothing else. Send the other device its "
        "public part ('domain export-key'). It may be deleted when both have the key; kept on both "
        "sides it brings the same key back after 'domain clear'.\n"
        " sc-hsm domain create-exchange-key 0 --label exchange\n",
    .options = key_options,
    .run = create_exchange_key,
};

/* --- memberships ------------------------------------------------------------------------------ */

static int export_id(struct schsm_tool *tool, struct schsm_error *err)
{
    uint8_t *file = NULL, id[SCHSM_DEVICE_ID_MAX];
    char serial[SCHSM_SERIAL_MAX + 1], what[64];
    struct schsm_container container;
    struct schsm_device *device = NULL;
    size_t len = 0, id_len = sizeof(id);
    int ok = schsm_out_check(tool, err) && schsm_tool_device(tool, &device, serial, err) &&
             schsm_hsm_certificates(device, &file, &len, err) &&
             schsm_container_parse(file, len, &container, err) &&
             schsm_container_device_id(&container, id, &id_len, err);

    if (ok) {
        (void)snprintf(what, sizeof(what), "The id of device %s", serial);
        ok = schsm_out_write(tool, what, id, id_len, err);
    }
    OPENSSL_free(file);
    return ok;
}

static const struct schsm_option out_options[] = { SCHSM_OPTION_OUT, SCHSM_OPTION_OVERWRITE,
                                                   SCHSM_OPTIONS_END };

const struct schsm_command schsm_command_domain_export_id = {
    .name = "domain export-id",
    .synopsis = "",
    .arguments_max = 0,
    .summary = "Write the device's certificates into a file, to become a key domain's member",
    .help =
        "Writes the device's own certificate and its issuer's. Whoever holds the key domain's "
        "signer issues a membership for it ('domain issue-membership'). The file holds no secret, "
        "and no PIN is needed.\n"
        " sc-hsm domain export-id --out b.id\n",
    .options = out_options,
    .run = export_id,
};

/* Whom a membership is for must be a device: a program's key would get a part in the group. */
static int check_member(const struct schsm_tool *tool, const char *path,
                        const struct schsm_container *member, struct schsm_error *err)
{
    struct schsm_device_identity identity;
    uint8_t id[SCHSM_DEVICE_ID_MAX];
    size_t len = sizeof(id);

    if (!schsm_container_device_id(member, id, &len, err)) {
        return schsm_fail_context(err, "%s", path);
    }
    if (schsm_tool_flag(tool, "unverified") ||
        schsm_roots_verify_device(tool->context.config.roots, id, len, &identity, err)) {
        return 1;
    }
    return schsm_fail(
        err, SCHSM_REASON_WRONG_KEY,
        "%s: nothing proves that this is a device, so no membership was issued: trust "
        "its maker with --root FILE, or say --unverified",
        path);
}

static int read_member(const struct schsm_tool *tool, const char *path, uint8_t **file,
                       struct schsm_container *member, struct schsm_error *err)
{
    size_t len = 0;

    if (!schsm_file_read(path, SCHSM_CONTAINER_MAX, file, &len, err)) {
        return 0;
    }
    if (!schsm_container_parse(*file, len, member, err)) {
        return schsm_fail_context(err, "%s", path);
    }
    if (member->kind != SCHSM_CONTAINER_DEVICE_ID) {
        return schsm_fail(
            err, SCHSM_REASON_BAD_INPUT,
            "%s is %s, but a device id is needed, as 'sc-hsm domain export-id' writes "
            "it",
            path, schsm_container_text(member->kind));
    }
    return check_member(tool, path, member, err);
}

static int write_membership(struct schsm_tool *tool, const struct schsm_certified_key *signer,
                            const struct schsm_container *member, const struct schsm_login *login,
                            struct schsm_error *err)
{
    uint8_t message[1 + SCHSM_FIELD_MAX], signature[SCHSM_ECDSA_RAW_MAX];
    size_t message_len = sizeof(message), signature_len = sizeof(signature);
    size_t len = SCHSM_CONTAINER_MAX;
    uint8_t *file = OPENSSL_malloc(len);
    char name[SCHSM_CVC_NAME_MAX + 1], what[64];
    int ok = 0;

    if (file == NULL) {
        return schsm_fail_memory(err);
    }
    ok = schsm_cvc_holder(&member->device, name, sizeof(name), err) &&
         schsm_membership_message(&member->device, message, &message_len, err) &&
         schsm_certified_key_sign(tool->context.libctx, signer, login, message, message_len,
                                  signature, &signature_len, err) &&
         schsm_container_build_membership(signer->request, signer->request_len, signer->device_id,
                                          signer->device_id_len, signature, signature_len, file,
                                          &len, err);
    if (ok) {
        (void)snprintf(what, sizeof(what), "The membership of device %s", name);
        ok = schsm_out_write(tool, what, file, len, err);
    }
    OPENSSL_free(file);
    return ok;
}

static int issue_membership(struct schsm_tool *tool, struct schsm_error *err)
{
    struct schsm_certified_key signer = { 0 };
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_container member;
    struct schsm_match match = { 0 };
    struct schsm_login login;
    uint8_t *file = NULL;
    int ok =
        schsm_out_check(tool, err) && read_member(tool, tool->arguments[1], &file, &member, err) &&
        schsm_tool_object(tool, tool->arguments[0], SCHSM_OBJECT_PRIVATE, &match, serial, err) &&
        schsm_certified_key_load(match.device, match.object.key_ref, &signer, err) &&
        schsm_tool_login(tool, match.device, "key domain membership", &login, err) &&
        write_membership(tool, &signer, &member, &login, err);

    OPENSSL_free(file);
    schsm_certified_key_clear(&signer);
    schsm_match_clear(&match);
    return ok;
}

static const struct schsm_option membership_options[] = {
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
    .help =
        "Signs, with the key domain's signer that URI names, that the device whose id is in the "
        "file DEVICE-ID is a member. That device can then create the domain ('domain create "
        "--membership'), and with the exchange that follows have every key that any member wraps. "
        "A "
        "membership cannot be taken back.\n"
        "The device's certificates have to lead to a maker that is known (see 'attest').\n"
        " sc-hsm domain issue-membership label=signer b.id --out b.kdm\n",
    .options = membership_options,
    .run = issue_membership,
};

/* --- the exchange ----------------------------------------------------------------------------- */

/* Genuine devices have 32 bytes, the Pico HSM appends as many; the first name the domain. */
static bool same_domain(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    return a_len >= UID_COMPARED && b_len >= UID_COMPARED && memcmp(a, b, UID_COMPARED) == 0;
}

static int read_peer(const char *path, uint8_t **file, struct schsm_container *peer,
                     struct schsm_view *uid, struct schsm_error *err)
{
    size_t len = 0;

    if (!schsm_file_read(path, SCHSM_CONTAINER_MAX, file, &len, err)) {
        return 0;
    }
    if (!schsm_container_parse(*file, len, peer, err)) {
        return schsm_fail_context(err, "%s", path);
    }
    if (peer->kind != SCHSM_CONTAINER_PUBLIC_KEY) {
        return schsm_fail(err, SCHSM_REASON_BAD_INPUT,
                          "%s is %s, but the other device's exchange key is needed, as 'sc-hsm "
                          "domain export-key' writes it",
                          path, schsm_container_text(peer->kind));
    }
    if (!schsm_container_verify(peer, err)) {
        return schsm_fail_context(err, "%s", path);
    }
    schsm_cvc_domain_uid(&peer->request.cvc, uid);
    if (uid->len == 0) {
        return schsm_fail(err, SCHSM_REASON_BAD_INPUT,
                          "%s holds a key that is of no key domain: make one with 'sc-hsm domain "
                          "create-exchange-key'",
                          path);
    }
    return 1;
}

/* The domain of that UID on this device. */
static int find_domain(struct schsm_device *device, struct schsm_view uid,
                       struct schsm_hsm_domain *domain, struct schsm_error *err)
{
    size_t count = SCHSM_HSM_DOMAINS_MAX;
    struct schsm_hsm_domain *domains = OPENSSL_malloc(count * sizeof(*domains));
    int ok = 0;

    if (domains == NULL) {
        return schsm_fail_memory(err);
    }
    if (schsm_hsm_domains(device, domains, &count, err)) {
        for (size_t i = 0; i < count && !ok; i++) {
            if (same_domain(domains[i].uid, domains[i].uid_len, uid.data, uid.len)) {
                *domain = domains[i];
                ok = 1;
            }
        }
        if (!ok) {
            schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                       "the other device's exchange key is of a key domain that this device is no "
                       "member of");
        }
    }
    OPENSSL_free(domains);
    return ok;
}

/* Whether the key with which this device answers is of the same domain. */
static int check_own(const struct schsm_certified_key *own, struct schsm_view peer_uid,
                     struct schsm_error *err)
{
    struct schsm_view uid;

    schsm_cvc_domain_uid(&own->parts.request.cvc, &uid);
    if (!same_domain(uid.data, uid.len, peer_uid.data, peer_uid.len)) {
        return schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                          "key reference %d is no exchange key of the other key's key domain",
                          own->key_ref);
    }
    return 1;
}

static int derive(struct schsm_tool *tool, struct schsm_error *err)
{
    struct schsm_certified_key own = { 0 };
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_hsm_domain domain = { 0 };
    struct schsm_container peer;
    struct schsm_match match = { 0 };
    struct schsm_view uid = { NULL, 0 };
    struct schsm_login login;
    uint8_t *file = NULL;
    int ok =
        read_peer(tool->arguments[1], &file, &peer, &uid, err) &&
        schsm_tool_object(tool, tool->arguments[0], SCHSM_OBJECT_PRIVATE, &match, serial, err) &&
        find_domain(match.device, uid, &domain, err) &&
        schsm_certified_key_load(match.device, match.object.key_ref, &own, err) &&
        check_own(&own, uid, err) &&
        schsm_tool_login(tool, match.device, "exchange key", &login, err) &&
        schsm_xkek_derive(match.device, own.key_ref, &peer, &login, err) &&
        schsm_domain_read(match.device, domain.number, &domain, err) &&
        schsm_domain_report(tool, "Derived the key of", &domain, err);

    OPENSSL_free(file);
    schsm_certified_key_clear(&own);
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
    .options = NULL,
    .run = derive,
};
