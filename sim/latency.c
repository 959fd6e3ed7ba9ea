/* SPDX-License-Identifier: Apache-2.0 */
#include "latency.h"

#include <time.h>

/*
 * RSA-2048 and P-256 are measured on devices of the first generation (JCOP 2.4); the other sizes
 * follow the growth that RSA-CRT and ECDSA have on such chips.
 */
static const struct figure {
    enum sim_key_kind kind;
    unsigned bits;
    unsigned ms;
} figures[] = {
    { SIM_KEY_RSA, 1024, 120 },  { SIM_KEY_RSA, 1536, 300 },  { SIM_KEY_RSA, 2048, 600 },
    { SIM_KEY_RSA, 3072, 1700 }, { SIM_KEY_RSA, 4096, 3600 }, { SIM_KEY_EC, 192, 110 },
    { SIM_KEY_EC, 224, 140 },    { SIM_KEY_EC, 256, 170 },    { SIM_KEY_EC, 320, 240 },
    { SIM_KEY_EC, 384, 320 },    { SIM_KEY_EC, 512, 560 },    { SIM_KEY_EC, 521, 580 },
};

unsigned sim_latency_ms(const struct sim_key *key)
{
    const struct figure *below = NULL;
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
        const struct figure *at = &figures[i];
        if (at->kind != key->kind) {
            continue;
        }
        if (at->bits == key->bits || (at->bits > key->bits && below == NULL)) {
            return at->ms;
        }
        if (at->bits > key->bits) {
            return below->ms +
                   (at->ms - below->ms) * (key->bits - below->bits) / (at->bits - below->bits);
        }
        below = at;
    }
    return below == NULL ? 0 : below->ms;
}

void sim_latency_wait(const struct sim_key *key)
{
    unsigned ms = sim_latency_ms(key);
    struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };
    while (nanosleep(&left, &left) != 0) {
        ;
    }
}
