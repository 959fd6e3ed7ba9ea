/* SPDX-License-Identifier: Apache-2.0 */
/* What an administrator does with a SmartCard-HSM itself. */
#include "flows.h"

#include <string.h>

#include <openssl/crypto.h>

#include "hsm/hsm_apdu.h"
#include "hsm/hsm_file.h"
#include "hsm/hsm_initialise.h"
#include "hsm/hsm_key_domain.h"
#include "hsm/hsm_label.h"
#include "hsm/hsm_public_key_authentication.h"
#include "hsm/hsm_status.h"
#include "keymgmt/dkek_share.h"
#include "keymgmt/key_domain.h"

#include "fuzz.h"

/* --- init ------------------------------------------------------------------------------------ */

static bool run_initialise(struct flow *flow)
{
    uint8_t a = flow->header[FLOW_A], b = flow->header[FLOW_B];
    const struct schsm_hsm_rules rules = {
        .options = SCHSM_HSM_RESET_RETRY_COUNTER | ((a & 0x01) != 0 ? SCHSM_HSM_TRANSPORT_PIN : 0u),
        .pin_tries = 1 + a / 64,
        .dkek_shares = (a & 0x02) != 0 ? b % 4 : SCHSM_HSM_NO_DKEK,
        .key_domains = (a & 0x04) != 0 ? b % 4u : 0,
        .public_keys = (a & 0x08) != 0 ? 3 : 0,
        .public_keys_required = (a & 0x08) != 0 ? 2 : 0,
        .label = (a & 0x10) != 0 ? "flow" : NULL,
    };
    struct schsm_hsm_status status;
    struct schsm_device_info info;
    bool ok = FLOW_TRY(flow, schsm_hsm_status(flow->device, &status, &flow->err)) &&
              FLOW_TRY(flow, schsm_hsm_initialise(flow->device, &rules, flow->so_pin,
                                                  (a & 0x20) != 0 ? NULL : flow->pin,
                                                  flow->context.config.min_pin_tries, &flow->err));

    return FLOW_TRY(flow, schsm_device_info(flow->device, &info, &flow->err)) && ok;
}

/* --- PINs ------------------------------------------------------------------------------------ */

static bool change_some_pin(struct flow *flow)
{
    struct schsm_device *device = flow->device;
    struct schsm_secret *so_pin = flow->so_pin;
    int min_tries = flow->context.config.min_pin_tries;

    switch (flow->header[FLOW_A] % 4) {
    case 0:
        return FLOW_TRY(
            flow, schsm_device_change_pin(device, flow->pin, flow->new_pin, min_tries, &flow->err));
    case 1:
        return FLOW_TRY(
            flow, schsm_device_unblock_pin(device, so_pin, flow->new_pin, min_tries, &flow->err));
    case 2:
        return FLOW_TRY(flow,
                        schsm_device_unblock_pin(device, so_pin, NULL, min_tries, &flow->err));
    default:
        return FLOW_TRY(flow,
                        schsm_device_change_so_pin(device, so_pin, so_pin, min_tries, &flow->err));
    }
}

static bool run_pins(struct flow *flow)
{
    bool ok = change_some_pin(flow);

    if ((flow->header[FLOW_B] & 0x01) != 0) { /* and what follows in the same process */
        (void)FLOW_TRY(flow, schsm_device_login(flow->device, &flow->login, &flow->err));
        (void)FLOW_TRY(flow,
                       schsm_device_change_pin(flow->device, flow->pin, flow->new_pin,
                                               flow->context.config.min_pin_tries, &flow->err));
    }
    return ok;
}

/* --- files, random numbers, commands --------------------------------------------------------- */

static bool read_files(struct flow *flow)
{
    struct schsm_hsm_file_list list = { NULL, 0 };
    bool ok = FLOW_TRY(flow, schsm_hsm_files(flow->device, &list, &flow->err));

    for (size_t i = 0; ok && i < list.count; i++) {
        uint8_t *content = NULL;
        size_t len = 0;

        if (!schsm_hsm_file_is_key(list.files[i].id)) {
            (void)FLOW_TRY(flow, schsm_hsm_file_read(flow->device, list.files[i].id,
                                                     schsm_hsm_file_is_private(list.files[i].id)
                                                         ? &flow->login
                                                         : NULL,
                                                     &content, &len, &flow->err));
        }
        OPENSSL_free(content);
    }
    OPENSSL_free(list.files);
    return ok;
}

static bool transmit(struct flow *flow)
{
    static const uint8_t challenge[] = { 0x00, 0x84, 0x00, 0x00, 0x08 };
    static const uint8_t list[] = { 0x80, 0x58, 0x00, 0x00, 0x00, 0x00, 0x00 };
    struct schsm_hsm_exchange exchanges[] = { { .command = challenge,
                                                .command_len = sizeof(challenge) },
                                              { .command = list, .command_len = sizeof(list) } };
    struct schsm_hsm_apdu_traits traits;
    bool ok =
        FLOW_TRY(flow, schsm_hsm_apdu_traits(challenge, sizeof(challenge), &traits, &flow->err)) &&
        FLOW_TRY(flow, schsm_hsm_transmit(flow->device, exchanges, 2, &flow->login, &flow->err));

    for (size_t i = 0; i < 2; i++) {
        REQUIRE(exchanges[i].status_word == 0 || exchanges[i].meaning != NULL);
    }
    schsm_hsm_exchanges_clear(exchanges, 2);
    return ok;
}

static bool run_files(struct flow *flow)
{
    uint8_t random[300];
    struct schsm_hsm_status status;

    switch (flow->header[FLOW_A] % 5) {
    case 0:
        return read_files(flow);
    case 1:
        return FLOW_TRY(flow,
                        schsm_device_random(flow->device, random, sizeof(random), &flow->err)) &&
               FLOW_TRY(flow, schsm_hsm_status(flow->device, &status, &flow->err));
    case 2:
        return transmit(flow);
    case 3:
        return FLOW_TRY(flow, schsm_hsm_check_label("flow", &flow->err)) &&
               FLOW_TRY(flow, schsm_hsm_check_labels(flow->device, &flow->err)) &&
               FLOW_TRY(flow, schsm_hsm_set_label(flow->device, "flow", &flow->login, &flow->err));
    default:
        return FLOW_TRY(flow,
                        schsm_device_random(flow->device, random, sizeof(random), &flow->err));
    }
}

/* --- key domains and shares ------------------------------------------------------------------ */

static bool import_shares(struct flow *flow, unsigned int domain)
{
    const struct schsm_login *login = (flow->header[FLOW_B] & 0x80) != 0 ? NULL : &flow->login;
    struct schsm_hsm_domain after = { .number = 0 };

    return FLOW_TRY(flow, schsm_hsm_import_share(flow->device, domain, flow_fixtures.dkek, login,
                                                 &after, &flow->err)) &&
           FLOW_TRY(flow, schsm_key_domain_read(flow->device, domain, &after, &flow->err));
}

static bool list_domains(struct flow *flow)
{
    struct schsm_hsm_domain domains[SCHSM_HSM_DOMAINS_MAX];
    size_t count = SCHSM_HSM_DOMAINS_MAX;
    uint8_t kcv[SCHSM_KCV_LEN];
    unsigned int domain = 0;
    bool ok = FLOW_TRY(flow, schsm_hsm_domains(flow->device, domains, &count, &flow->err));

    if (ok) {
        REQUIRE(count <= SCHSM_HSM_DOMAINS_MAX);
    }
    return FLOW_TRY(flow,
                    schsm_dkek_kcv(flow->context.libctx, flow_fixtures.dkek, kcv, &flow->err)) &&
           FLOW_TRY(flow, schsm_hsm_find_kek(flow->device, kcv, &domain, &flow->err)) &&
           FLOW_TRY(flow, schsm_hsm_find_kek_by_login(flow->device, kcv, &flow->login, &domain,
                                                      &flow->err)) &&
           ok;
}

static bool run_domains(struct flow *flow)
{
    unsigned int domain = flow->header[FLOW_B] % 4;

    switch (flow->header[FLOW_A] % 6) {
    case 0:
        return list_domains(flow);
    case 1:
        return import_shares(flow, domain);
    case 2:
        return FLOW_TRY(flow, schsm_hsm_create_dkek_domain(flow->device, domain, 1, &flow->login,
                                                           &flow->err)) &&
               import_shares(flow, domain);
    case 3:
        return FLOW_TRY(flow, schsm_hsm_delete_kek(flow->device, domain, &flow->login, &flow->err));
    case 4:
        return FLOW_TRY(flow,
                        schsm_hsm_delete_domain(flow->device, domain, &flow->login, &flow->err));
    default:
        return FLOW_TRY(flow, schsm_key_domain_check(flow->device, domain, &flow->err));
    }
}

const struct flow_kind flow_initialise = { "initialise", run_initialise };
const struct flow_kind flow_pins = { "pins", run_pins };
const struct flow_kind flow_files = { "files", run_files };
const struct flow_kind flow_domains = { "domains", run_domains };
