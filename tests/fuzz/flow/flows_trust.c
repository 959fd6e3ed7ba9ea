/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that vouch for each other, and open each other. */
#include "flows.h"

#include <string.h>

#include <openssl/crypto.h>

#include "hsm/hsm_attestation.h"
#include "hsm/hsm_xkek.h"
#include "keymgmt/attest.h"
#include "keymgmt/key_domain.h"
#include "keymgmt/opening.h"

#include "fuzz.h"

/* --- attest ---------------------------------------------------------------------------------- */

/* What was asked of a device says the same out of a file. */
static bool attest_file(struct flow *flow, const struct schsm_evidence *asked)
{
    struct schsm_evidence evidence = { .device = NULL };
    struct schsm_attestation about;
    char id_path[512];
    bool ok;

    (void)flow_write_file(flow, "id", asked->device_id, asked->device_id_len);
    (void)flow_write_file(flow, "request", asked->request.data, asked->request.len);
    (void)OPENSSL_strlcpy(id_path, flow_path(flow, "id"), sizeof(id_path));
    ok = FLOW_TRY(flow, schsm_evidence_read(&evidence, flow_path(flow, "request"), id_path,
                                            &flow->err)) &&
         FLOW_TRY(flow, schsm_attest(&flow->context, &evidence, &about, &flow->err));
    if (ok) {
        REQUIRE(about.presence == SCHSM_PRESENCE_NOT_ASKED);
    }
    schsm_evidence_clear(&evidence);
    return ok;
}

static bool run_attest(struct flow *flow)
{
    const struct schsm_object key = { .type = SCHSM_OBJECT_PRIVATE,
                                      .key_ref = 1 + flow->header[FLOW_A] % 4 };
    struct schsm_evidence evidence = { .device = NULL };
    struct schsm_attestation about;
    bool of_key = (flow->header[FLOW_B] & 0x01) != 0;
    bool ok = FLOW_TRY(flow, schsm_evidence_ask(&evidence, flow->device, of_key ? &key : NULL,
                                                &flow->err)) &&
              FLOW_TRY(flow, schsm_attest(&flow->context, &evidence, &about, &flow->err));

    if (ok) {
        REQUIRE(about.verified == (about.why[0] == '\0'));
        REQUIRE(about.has_key == of_key);
        REQUIRE(!about.has_key || about.certified == (about.key_why[0] == '\0'));
    }
    if (ok && of_key) {
        ok = attest_file(flow, &evidence);
    }
    schsm_evidence_clear(&evidence);
    return ok;
}

/* --- public-key authentication ---------------------------------------------------------------- */

/* The other device's key, as a file for this one; its content is the caller's. */
static bool take_other_key(struct flow *flow, int key_ref, uint8_t **content,
                           struct schsm_container *parts)
{
    struct schsm_certified_key key = { .device = NULL };
    uint8_t *file = NULL;
    size_t len = 0;
    bool ok = flow_find_other(flow) &&
              FLOW_TRY(flow, schsm_certified_key_load(flow->other, key_ref, &key, &flow->err)) &&
              FLOW_TRY(flow, schsm_certified_key_export(&key, &file, &len, &flow->err)) &&
              flow_write_file(flow, "key", file, len);

    ok =
        ok &&
        FLOW_TRY(flow, schsm_certified_file_read(flow_path(flow, "key"), SCHSM_CONTAINER_PUBLIC_KEY,
                                                 "a key is needed", content, parts, &flow->err));
    OPENSSL_free(file);
    schsm_certified_key_clear(&key);
    return ok;
}

static bool register_other(struct flow *flow)
{
    struct schsm_public_key_status status = { false, 0, 0, 0, 0 };
    struct schsm_container parts;
    uint8_t *content = NULL;
    bool ok =
        take_other_key(flow, 1, &content, &parts) &&
        FLOW_TRY(flow, schsm_pka_register(flow->device, &parts,
                                          (flow->header[FLOW_B] & 0x02) != 0 ? &flow->login : NULL,
                                          &status, &flow->err));

    OPENSSL_free(content);
    return ok;
}

static bool open_by_other(struct flow *flow)
{
    struct schsm_certified_key key = { .device = NULL };
    struct schsm_opening opening;
    bool ok = flow_find_other(flow) &&
              FLOW_TRY(flow, schsm_opening_begin(flow->device, &opening, &flow->err));
    int signatures = 0;

    while (ok && !schsm_opening_done(&opening) && signatures < 4) {
        ok = FLOW_TRY(flow, schsm_opening_find_key(&opening, flow->other, &key, &flow->err));
        if (ok && key.device == NULL) {
            break;
        }
        ok = ok && FLOW_TRY(flow, schsm_opening_sign(flow->context.libctx, &opening, &key,
                                                     &flow->login, &flow->err));
        schsm_certified_key_clear(&key);
        signatures++;
    }
    schsm_certified_key_clear(&key);
    return FLOW_TRY(flow, schsm_pka_close(flow->device, &flow->err)) && ok;
}

static bool run_custodians(struct flow *flow)
{
    struct schsm_pka pka;

    switch (flow->header[FLOW_A] % 4) {
    case 0:
        if (!FLOW_TRY(flow, schsm_pka_read(flow->device, &pka, &flow->err))) {
            return false;
        }
        REQUIRE(pka.count <= SCHSM_PKA_KEYS_MAX);
        return true;
    case 1:
        return register_other(flow);
    case 2:
        return register_other(flow) && open_by_other(flow);
    default:
        return open_by_other(flow);
    }
}

/* --- key domains whose devices agree ---------------------------------------------------------- */

/* A membership of the first device, signed by the other's key. */
static bool make_membership(struct flow *flow)
{
    uint8_t id[SCHSM_DEVICE_ID_MAX], *file = NULL, *membership = NULL;
    struct schsm_certified_key signer = { .device = NULL };
    char name[SCHSM_CVC_NAME_MAX + 1];
    struct schsm_container member;
    size_t id_len = sizeof(id), len = 0;
    bool ok =
        flow_find_other(flow) &&
        FLOW_TRY(flow, schsm_device_id(flow->device, id, &id_len, &flow->err)) &&
        flow_write_file(flow, "id", id, id_len) &&
        FLOW_TRY(flow, schsm_member_read(flow_path(flow, "id"), flow_fixtures.roots,
                                         (flow->header[FLOW_B] & 0x01) != 0, &file, &member,
                                         &flow->err)) &&
        FLOW_TRY(flow, schsm_certified_key_load(flow->other, 1, &signer, &flow->err)) &&
        FLOW_TRY(flow, schsm_member_admit(flow->context.libctx, &signer, &member, &flow->login,
                                          name, &membership, &len, &flow->err)) &&
        flow_write_file(flow, "membership", membership, len);

    OPENSSL_free(membership);
    OPENSSL_free(file);
    schsm_certified_key_clear(&signer);
    return ok;
}

static bool create_domain(struct flow *flow, unsigned int domain)
{
    struct schsm_container membership;
    uint8_t *file = NULL;
    bool ok = FLOW_TRY(flow, schsm_certified_file_read(
                                 flow_path(flow, "membership"), SCHSM_CONTAINER_MEMBERSHIP,
                                 "a membership is needed", &file, &membership, &flow->err)) &&
              FLOW_TRY(flow, schsm_xkek_create_domain(flow->device, domain, &membership,
                                                      &flow->login, &flow->err));

    OPENSSL_free(file);
    return ok;
}

static bool make_key(struct flow *flow, unsigned int domain, bool signer)
{
    struct schsm_hsm_domain about;
    struct schsm_object made = { 0 };
    struct schsm_generate spec;
    bool ok = true;

    if (signer) {
        schsm_key_domain_signer(&spec);
    } else {
        ok = FLOW_TRY(
            flow, schsm_key_domain_exchange_key(flow->device, domain, &about, &spec, &flow->err));
    }
    ok = ok && FLOW_TRY(flow, schsm_device_generate(flow->device, &spec, &flow->login, &made,
                                                    &flow->err));
    schsm_object_clear(&made);
    return ok;
}

/* The first device's exchange key is 2, the other's 3. */
static bool agree(struct flow *flow)
{
    struct schsm_container other_key, peer;
    uint8_t *content = NULL, *file = NULL;
    struct schsm_view uid = { NULL, 0 };
    unsigned int domain = 0;
    bool ok =
        take_other_key(flow, 3, &content, &other_key) &&
        FLOW_TRY(flow, schsm_peer_read(flow_path(flow, "key"), &file, &peer, &uid, &flow->err)) &&
        FLOW_TRY(flow, schsm_peer_check(flow->device, 2, uid, &domain, &flow->err)) &&
        FLOW_TRY(flow, schsm_xkek_derive(flow->device, 2, &peer, &flow->login, &flow->err));

    OPENSSL_free(file);
    OPENSSL_free(content);
    return ok;
}

static bool run_exchange(struct flow *flow)
{
    unsigned int domain = flow->header[FLOW_B] / 2 % 4;

    switch (flow->header[FLOW_A] % 4) {
    case 0:
        return make_key(flow, domain, true);
    case 1:
        return make_membership(flow) && create_domain(flow, domain);
    case 2:
        return make_key(flow, domain, false);
    default:
        return agree(flow);
    }
}

const struct flow_kind flow_attest = { "attest", run_attest };
const struct flow_kind flow_custodians = { "custodians", run_custodians };
const struct flow_kind flow_exchange = { "exchange", run_exchange };
