/* SPDX-License-Identifier: Apache-2.0 */
/* Listing, storing and deleting what is on a device. */
#include "flows.h"

#include <string.h>

#include <openssl/crypto.h>

#include "keymgmt/certificate_plan.h"
#include "keymgmt/defect.h"
#include "keymgmt/login.h"
#include "keymgmt/remove.h"
#include "keymgmt/reveal.h"

#include "fuzz.h"
#include "memory.h"

#define READERS_MAX 8
#define ALL_TYPES (SCHSM_OBJECT_ANY | (unsigned int)SCHSM_OBJECT_ORPHAN)

/* --- list, readers, status ------------------------------------------------------------------- */

static void look_at_match(struct flow *flow, struct schsm_match *match)
{
    char text[SCHSM_DEFECT_TEXT_MAX];
    struct schsm_key_policy policy = { 0 };
    char *uri;

    REQUIRE(match->object.id_len <= sizeof(match->object.id));
    (void)FLOW_TRY(flow,
                   schsm_device_read(match->device, &match->object, &flow->login, &flow->err));
    schsm_object_describe(&match->object, text, sizeof(text));
    schsm_object_name(&match->object, text, sizeof(text));
    if (match->object.defect != SCHSM_DEFECT_NONE) {
        schsm_defect_text(match, text);
        REQUIRE(text[0] != '\0');
    }
    if (match->object.type == SCHSM_OBJECT_ORPHAN) {
        REQUIRE(schsm_orphan_text(&match->object) != NULL);
    }
    if (match->object.type == SCHSM_OBJECT_PRIVATE && match->object.key_ref > 0) {
        (void)FLOW_TRY(flow,
                       schsm_device_key_policy(match->device, &match->object, &policy, &flow->err));
        REQUIRE(policy.algorithms_len <= SCHSM_ALGORITHMS_MAX);
    }
    uri = schsm_match_uri(match, true, &flow->err);
    if (flow_check(flow, uri != NULL, "schsm_match_uri")) {
        struct schsm_uri again;

        (void)FLOW_TRY(flow, schsm_uri_parse(&again, uri, &flow->err));
        schsm_uri_clear(&again);
    }
    OPENSSL_free(uri);
}

static bool run_list(struct flow *flow)
{
    struct schsm_match_list list = { NULL, 0 }, defects = { NULL, 0 };
    struct schsm_uri uri;
    bool ok = flow_uri(flow, flow->header[FLOW_A], &uri) &&
              FLOW_TRY(flow, schsm_find(&flow->context, &uri, ALL_TYPES, &list, &flow->err));

    for (size_t i = 0; i < list.count; i++) {
        look_at_match(flow, &list.matches[i]);
    }
    if (ok) {
        ok = FLOW_TRY(flow, schsm_defects_split(&list, SCHSM_OBJECT_ANY, &defects, &flow->err));
    }
    schsm_match_list_clear(&list);
    schsm_match_list_clear(&defects);
    schsm_uri_clear(&uri);
    return ok;
}

static bool run_status(struct flow *flow)
{
    struct schsm_reader readers[READERS_MAX];
    char serial[SCHSM_SERIAL_MAX + 1], name[SCHSM_DEVICE_NAME_MAX];
    char token[SCHSM_TOKEN_LABEL_MAX + 1];
    struct schsm_device_info info;
    struct schsm_pin_prospect prospect;
    size_t count = READERS_MAX;
    bool hides = false;
    bool ok = FLOW_TRY(flow, schsm_registry_readers(flow->context.registry, readers, &count,
                                                    &flow->err)) &&
              FLOW_TRY(flow, schsm_device_serial(flow->device, serial, &flow->err)) &&
              FLOW_TRY(flow, schsm_device_info(flow->device, &info, &flow->err));

    schsm_device_name(flow->device, name);
    schsm_device_token(flow->device, token);
    (void)schsm_device_connection(flow->device);
    ok = FLOW_TRY(flow, schsm_device_hides_objects(flow->device, &hides, &flow->err)) && ok;
    return FLOW_TRY(flow, schsm_device_prepare_login(flow->device, &flow->login, &prospect,
                                                     &flow->err)) &&
           FLOW_TRY(flow, schsm_device_login(flow->device, &flow->login, &flow->err)) &&
           FLOW_TRY(flow, schsm_device_login(flow->device, &flow->login, &flow->err)) && ok;
}

/* --- store ----------------------------------------------------------------------------------- */

static bool store_data(struct flow *flow)
{
    static const uint8_t content[] = "what a program keeps on its device";
    const uint8_t place = flow->header[FLOW_B];
    const struct schsm_object_filter filter = { .types = SCHSM_OBJECT_DATA,
                                                .key_ref = -1,
                                                .label = "flow" };
    struct schsm_object_list before = { NULL, 0 };
    struct schsm_store spec = { .type = SCHSM_OBJECT_DATA,
                                .id = place != 0 ? &place : NULL,
                                .id_len = place != 0 ? 1 : 0,
                                .label = "flow",
                                .application = "fuzz",
                                .private_data = (flow->header[FLOW_A] & 0x10) != 0,
                                .value = content,
                                .value_len = sizeof(content) };
    struct schsm_object stored = { 0 };
    bool ok = FLOW_TRY(flow, schsm_device_find(flow->device, &filter, &before, &flow->err));

    if (ok && before.count > 0 && (flow->header[FLOW_A] & 0x20) != 0) {
        spec.replaces = &before.objects[0];
    }
    ok = ok &&
         FLOW_TRY(flow, schsm_device_store(flow->device, &spec, &flow->login, &stored, &flow->err));
    if (ok) {
        REQUIRE(stored.type == SCHSM_OBJECT_DATA);
        schsm_object_clear(&stored);
    }
    schsm_object_list_clear(&before);
    return ok;
}

/* The key on the device that a certificate is made of; false where it has none. */
static bool find_certified_key(struct flow *flow, struct schsm_match *match)
{
    struct schsm_uri uri;
    bool ok = flow_uri(flow, 1, &uri) &&
              FLOW_TRY(flow, schsm_find_one(&flow->context, &uri, SCHSM_OBJECT_PRIVATE, match,
                                            &flow->err));

    schsm_uri_clear(&uri);
    return ok;
}

/* An authority's certificate of it, NULL where the device does not tell its public part. */
static X509 *certify_key(const struct flow *flow, const struct schsm_object *object)
{
    const uint8_t *at = object->value;
    X509 *certificate = NULL;
    EVP_PKEY *key;

    if (object->value == NULL) {
        return NULL;
    }
    flow_memory_hold();
    key = d2i_PUBKEY_ex(NULL, &at, (long)object->value_len, flow->context.libctx, NULL);
    certificate = key != NULL ? flow_certify(key, "the card's") : NULL;
    EVP_PKEY_free(key);
    flow_memory_go_on();
    return certificate;
}

static bool store_planned(struct flow *flow, const struct schsm_certificate_wishes *wishes)
{
    struct schsm_certificate_plan plan;
    bool ok = FLOW_TRY(flow, schsm_certificates_plan(wishes, &plan, &flow->err));

    for (size_t i = 0; ok && i < plan.count; i++) {
        ok = plan.items[i].present ||
             FLOW_TRY(flow,
                      schsm_certificate_store(&plan, &plan.items[i], &flow->login, &flow->err));
    }
    schsm_certificate_plan_clear(&plan);
    return ok;
}

/* By the bits of FLOW_A: 10 in place of others, 20 with a label, 40 to the key that is named, 80
 * where the device does not tell the key's public part. */
static bool store_certificates(struct flow *flow)
{
    const uint8_t id[] = { flow->header[FLOW_B], 0x77 }, a = flow->header[FLOW_A];
    struct schsm_match match = { .device = NULL };
    X509 *certificates[2] = { NULL, flow_fixtures.authority_certificate };
    struct schsm_certificate_wishes wishes = { .context = &flow->context,
                                               .path = "a file",
                                               .certificates = certificates,
                                               .count = 2,
                                               .device = flow->device,
                                               .serial = "UTSIM00001",
                                               .keyless = (a & 0x40) == 0,
                                               .replace = (a & 0x10) != 0 };
    bool ok;

    if (find_certified_key(flow, &match)) {
        certificates[0] = certify_key(flow, &match.object);
    }
    if (certificates[0] == NULL) { /* then only the other one */
        wishes.certificates++;
        wishes.count = 1;
        wishes.id = id;
        wishes.id_len = flow->header[FLOW_B] != 0 ? sizeof(id) : 0;
        wishes.label = (a & 0x20) != 0 ? "authority's" : NULL;
    } else if ((a & 0x40) != 0) {
        wishes.key = &match;
        wishes.key_login = &flow->login;
    }
    if ((a & 0x80) != 0) {
        OPENSSL_free(match.object.value);
        match.object.value = NULL;
        match.object.value_len = 0;
    }
    ok = store_planned(flow, &wishes);
    schsm_match_clear(&match);
    X509_free(certificates[0]);
    return ok;
}

static bool run_store(struct flow *flow)
{
    return flow->header[FLOW_A] % 2 == 0 ? store_data(flow) : store_certificates(flow);
}

/* --- delete ---------------------------------------------------------------------------------- */

static int ask_flow(void *arg, char *pass, size_t size, size_t *len, const char *info)
{
    const struct flow *flow = arg;

    REQUIRE(info != NULL && size >= schsm_secret_len(flow->pin));
    *len = schsm_secret_len(flow->pin);
    memcpy(pass, schsm_secret_data(flow->pin), *len);
    return 1;
}

static bool remove_named(struct flow *flow)
{
    const struct schsm_passphrase passphrase = { ask_flow, flow };
    struct schsm_uri uri;
    bool ok =
        flow_uri(flow, flow->header[FLOW_A] / 4, &uri) &&
        FLOW_TRY(flow, schsm_remove(&flow->context, &uri,
                                    flow->login.source == NULL ? &passphrase : NULL, &flow->err));

    schsm_uri_clear(&uri);
    return ok;
}

static bool remove_found(struct flow *flow)
{
    struct schsm_match match = { 0 };
    struct schsm_uri uri;
    bool ok =
        flow_uri(flow, flow->header[FLOW_A] / 4, &uri) &&
        FLOW_TRY(flow, schsm_remove_find(&flow->context, &uri, ALL_TYPES, &match, &flow->err)) &&
        FLOW_TRY(flow, schsm_device_remove(match.device, &match.object, &flow->login, &flow->err));

    schsm_match_clear(&match);
    schsm_uri_clear(&uri);
    return ok;
}

static bool tidy(struct flow *flow)
{
    const struct schsm_object_filter filter = { .types = SCHSM_OBJECT_ORPHAN, .key_ref = -1 };
    struct schsm_object_list list = { NULL, 0 };
    bool ok = FLOW_TRY(flow, schsm_device_find(flow->device, &filter, &list, &flow->err));

    for (size_t i = 0; ok && i < list.count; i++) {
        ok = FLOW_TRY(
            flow, schsm_device_remove(flow->device, &list.objects[i], &flow->login, &flow->err));
    }
    schsm_object_list_clear(&list);
    return ok;
}

/* A login first, where the device hides what is to be found. */
static bool reveal(struct flow *flow)
{
    const struct schsm_passphrase passphrase = { ask_flow, flow };
    struct schsm_match match = { 0 };
    struct schsm_uri uri;
    bool ok = flow_uri(flow, flow->header[FLOW_A] / 4, &uri) &&
              FLOW_TRY(flow, schsm_reveal_key(&flow->context, &uri, SCHSM_OBJECT_PRIVATE,
                                              &passphrase, &match, &flow->err));

    schsm_match_clear(&match);
    schsm_uri_clear(&uri);
    return ok;
}

static bool run_remove(struct flow *flow)
{
    switch (flow->header[FLOW_A] % 4) {
    case 0:
        return remove_named(flow);
    case 1:
        return remove_found(flow);
    case 2:
        return tidy(flow);
    default:
        return reveal(flow);
    }
}

const struct flow_kind flow_list = { "list", run_list };
const struct flow_kind flow_status = { "status", run_status };
const struct flow_kind flow_store = { "store", run_store };
const struct flow_kind flow_remove = { "remove", run_remove };
