/* SPDX-License-Identifier: Apache-2.0 */
#include "latency.h"

#include <string.h>

#include "card.h"

static const struct {
    const char *name;
    enum sim_latency latency;
} names[] = {
    { "none", SIM_LATENCY_NONE },
    { "real", SIM_LATENCY_JCOP2 },
    { "jcop3", SIM_LATENCY_JCOP3 },
    { "jcop4", SIM_LATENCY_JCOP4 },
};

/*
 * The vendors' figures for the first generation are 100 signatures a minute with RSA-2048 and 360
 * with P-256, 2 new keys a minute with RSA-2048 and 10 with P-256. The other sizes follow the
 * growth that RSA-CRT, ECDSA and the search for primes have on such chips; the newer generations
 * are estimates. Of each operation and kind the sizes stand in rising order.
 */
static const struct figure {
    enum sim_operation operation;
    enum sim_key_kind kind;
    unsigned bits;
    unsigned ms[3]; /* JCOP 2, 3, 4 */
} figures[] = {
    { SIM_OPERATION_USE, SIM_KEY_RSA, 1024, { 120, 60, 40 } },
    { SIM_OPERATION_USE, SIM_KEY_RSA, 1536, { 300, 130, 80 } },
    { SIM_OPERATION_USE, SIM_KEY_RSA, 2048, { 600, 250, 150 } },
    { SIM_OPERATION_USE, SIM_KEY_RSA, 3072, { 1700, 700, 420 } },
    { SIM_OPERATION_USE, SIM_KEY_RSA, 4096, { 3600, 1500, 900 } },
    { SIM_OPERATION_USE, SIM_KEY_EC, 192, { 110, 55, 40 } },
    { SIM_OPERATION_USE, SIM_KEY_EC, 224, { 140, 65, 45 } },
    { SIM_OPERATION_USE, SIM_KEY_EC, 256, { 170, 75, 50 } },
    { SIM_OPERATION_USE, SIM_KEY_EC, 320, { 240, 100, 70 } },
    { SIM_OPERATION_USE, SIM_KEY_EC, 384, { 320, 135, 90 } },
    { SIM_OPERATION_USE, SIM_KEY_EC, 512, { 560, 230, 150 } },
    { SIM_OPERATION_USE, SIM_KEY_EC, 521, { 580, 240, 160 } },
    { SIM_OPERATION_USE, SIM_KEY_AES, 128, { 60, 40, 30 } },
    { SIM_OPERATION_USE, SIM_KEY_AES, 256, { 70, 45, 35 } },
    { SIM_OPERATION_GENERATE, SIM_KEY_RSA, 1024, { 5000, 2200, 1400 } },
    { SIM_OPERATION_GENERATE, SIM_KEY_RSA, 1536, { 13000, 5500, 3400 } },
    { SIM_OPERATION_GENERATE, SIM_KEY_RSA, 2048, { 30000, 12000, 7500 } },
    { SIM_OPERATION_GENERATE, SIM_KEY_RSA, 3072, { 110000, 45000, 28000 } },
    { SIM_OPERATION_GENERATE, SIM_KEY_RSA, 4096, { 280000, 115000, 70000 } },
    { SIM_OPERATION_GENERATE, SIM_KEY_EC, 192, { 4500, 600, 380 } },
    { SIM_OPERATION_GENERATE, SIM_KEY_EC, 256, { 6000, 800, 500 } },
    { SIM_OPERATION_GENERATE, SIM_KEY_EC, 384, { 9500, 1250, 800 } },
    { SIM_OPERATION_GENERATE, SIM_KEY_EC, 521, { 16000, 2100, 1350 } },
    { SIM_OPERATION_GENERATE, SIM_KEY_AES, 128, { 80, 60, 50 } },
};

bool sim_latency_parse(enum sim_latency *latency, const char *name)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i].name, name) == 0) {
            *latency = names[i].latency;
            return true;
        }
    }
    return false;
}

unsigned sim_latency_ms(enum sim_latency latency, enum sim_operation operation,
                        enum sim_key_kind kind, unsigned bits)
{
    const struct figure *below = NULL;
    if (latency == SIM_LATENCY_NONE) {
        return 0;
    }
    size_t column = (size_t)latency - SIM_LATENCY_JCOP2;
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
        const struct figure *at = &figures[i];
        if (at->operation != operation || at->kind != kind) {
            continue;
        }
        if (at->bits == bits || (at->bits > bits && below == NULL)) {
            return at->ms[column];
        }
        if (at->bits > bits) {
            return below->ms[column] + (at->ms[column] - below->ms[column]) * (bits - below->bits) /
                                           (at->bits - below->bits);
        }
        below = at;
    }
    return below == NULL ? 0 : below->ms[column];
}

void sim_latency_add(struct sim_card *card, enum sim_operation operation, const struct sim_key *key)
{
    card->busy_ms += sim_latency_ms(card->latency, operation, key->kind, key->bits);
}
