/* SPDX-License-Identifier: Apache-2.0 */
#include "flows.h"

#include <stdio.h>

#include <openssl/crypto.h>

/* The order is that of the seeds. */
static const struct flow_kind *const kinds[] = {
    &flow_list,     &flow_status,     &flow_store,   &flow_remove, &flow_load,       &flow_use,
    &flow_generate, &flow_initialise, &flow_pins,    &flow_files,  &flow_domains,    &flow_wrap,
    &flow_import,   &flow_backup,     &flow_restore, &flow_attest, &flow_custodians, &flow_exchange,
    &flow_pool,     &flow_copy,       &flow_cipher,
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

const struct flow_kind *flow_kind_of(const uint8_t *header)
{
    return kinds[header[FLOW_KIND] % KINDS];
}

const struct flow_kind *flow_kind_at(size_t i)
{
    return i < KINDS ? kinds[i] : NULL;
}

bool flow_uri(struct flow *flow, unsigned int number, struct schsm_uri *uri)
{
    static const char *const uris[] = {
        "sc-hsm:",
        "sc-hsm:key-ref=1",
        "sc-hsm:key-ref=2",
        "sc-hsm:id=01",
        "sc-hsm:label=web",
        "sc-hsm:id=02;type=private",
        "sc-hsm:type=cert",
        "sc-hsm:label=web;type=cert",
        "sc-hsm:serial=UTSIM00001;key-ref=1",
        "sc-hsm:label=data;type=data",
        "sc-hsm:key-ref=3",
        "sc-hsm:key-ref=4",
        "sc-hsm:handle=C401",
        "sc-hsm:handle=CD02",
        "sc-hsm:reader=Plain;id=03",
        "sc-hsm:token=flow;label=web",
        "sc-hsm:label=authority",
        "sc-hsm:key-ref=8",
        "sc-hsm:key-ref=7",
    };

    return FLOW_TRY(
        flow, schsm_uri_parse(uri, uris[number % (sizeof(uris) / sizeof(uris[0]))], &flow->err));
}
