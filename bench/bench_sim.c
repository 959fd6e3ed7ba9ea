/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the virtual card itself needs, without reader and service: the same commands handed to it
 * inside this process.
 *
 *     bench_sim COUNT STATE-FILE KEY-REF rsa|ec PIN
 */
#include <stdio.h>
#include <stdlib.h>

#include "card.h"
#include "card_command.h"
#include "measure.h"

struct bench_sim {
    struct sim_card card;
    struct sim_buf response;
    struct bench_command sign;
};

static int transmit(struct bench_sim *sim, const struct bench_command *command, const char *what)
{
    const struct sim_buf *response = &sim->response;

    sim_card_transmit(&sim->card, command->bytes, command->len, &sim->response);
    if (response->len >= 2 && response->data[response->len - 2] == 0x90 &&
        response->data[response->len - 1] == 0x00) {
        return 1;
    }
    (void)fprintf(stderr, "%s: the virtual card refuses\n", what);
    return 0;
}

static int sign(void *arg)
{
    struct bench_sim *sim = arg;

    return transmit(sim, &sim->sign, "SIGN");
}

int main(int argc, char **argv)
{
    struct sim_store store = { .lock_fd = -1 };
    struct bench_sim sim = { .card = { .store = &store } };
    struct bench_plan plan = { .operate = sign, .arg = &sim };
    struct sim_buf content = { 0 };
    struct bench_command verify;
    int next = bench_plan_parse(&plan, argc, argv);
    int status = 1;

    if (next < 0 || argc - next != 4 || plan.workers != 1 ||
        !bench_sign(&sim.sign, (unsigned int)strtoul(argv[next + 1], NULL, 0), argv[next + 2])) {
        (void)fprintf(stderr, "usage: bench_sim COUNT STATE-FILE KEY-REF rsa|ec PIN\n");
        return 2;
    }
    bench_verify(&verify, argv[next + 3]);
    if (sim_store_open(&store, argv[next], &content) == SIM_STORE_LOADED &&
        sim_state_decode(&sim.card.state, sim_buf_slice(&content)) && sim_card_start(&sim.card)) {
        sim_card_reset(&sim.card);
        if (transmit(&sim, &bench_select, "SELECT") && transmit(&sim, &verify, "VERIFY")) {
            status = bench_run(&plan);
        }
    } else {
        (void)fprintf(stderr, "%s: no card\n", argv[next]);
    }
    sim_buf_free(&content);
    sim_buf_free(&sim.response);
    sim_card_free(&sim.card);
    sim_store_close(&store);
    return status;
}
