/* SPDX-License-Identifier: Apache-2.0 */
/* Whole flows over a PKCS#11 module that answers what the input says (script.h, token.h). */
#include "fuzz.h"

#include <stdio.h>

#include "fixtures.h"
#include "flow.h"
#include "library.h"
#include "module.h"
#include "token.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

static void next_command(void *arg)
{
    (void)arg;
    flow_token_next_command();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    flow_library_start();
    flow_make_fixtures();
    flow_start();
    flow_module_load(flow_token_functions());
    return 0;
}

/* As in fuzz_flow.c. */
static const char *next_pin(void)
{
    static char pin[16];
    static unsigned int runs;

    (void)snprintf(pin, sizeof(pin), "p%07u", runs++ % 10000000);
    return pin;
}

static void run(const uint8_t *data, size_t len)
{
    static const struct flow_world world = { .open = flow_module_open,
                                             .next_command = next_command };
    static struct flow_script script;

    flow_script_parse(&script, data, len);
    flow_token_start(&script);
    (void)flow_run(&world, script.header, next_pin());
    flow_token_start(NULL);
    flow_module_forget();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    flow_run_without_leak(run, data, len);
    return 0;
}
