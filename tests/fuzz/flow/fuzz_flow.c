/* SPDX-License-Identifier: Apache-2.0 */
/* Whole flows over a card that answers what the input says (script.h). */
#include "fuzz.h"

#include <stdio.h>

#include "registry/registry.h"

#include "fixtures.h"
#include "flow.h"
#include "library.h"
#include "readers.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct schsm_registry *open_readers(void *arg, struct schsm_error *err)
{
    return schsm_registry_new_on(&flow_readers_transport, arg, err);
}

static void next_command(void *arg)
{
    struct flow_readers *readers = arg;

    for (size_t i = 0; i < FLOW_READERS; i++) {
        flow_tries_next_command(&readers->tries[i]);
    }
    REQUIRE(flow_readers_are_free(readers));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    flow_library_start();
    flow_make_fixtures();
    flow_start();
    return 0;
}

/* No two runs of a process use one PIN: what was refused in one is not remembered in the next. */
static const char *next_pin(void)
{
    static char pin[16];
    static unsigned int runs;

    (void)snprintf(pin, sizeof(pin), "p%07u", runs++ % 10000000);
    return pin;
}

static void run(const uint8_t *data, size_t len)
{
    static struct flow_script script;
    static struct flow_readers readers;
    const struct flow_world world = { .open = open_readers,
                                      .arg = &readers,
                                      .first = "Plain",
                                      .second = "Other",
                                      .next_command = next_command };
    const char *pin = next_pin();

    flow_script_parse(&script, data, len);
    flow_readers_start(&readers, &script, 8);
    (void)flow_run(&world, script.header, pin);
    REQUIRE(flow_readers_are_closed(&readers));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    flow_run_without_leak(run, data, len);
    return 0;
}
