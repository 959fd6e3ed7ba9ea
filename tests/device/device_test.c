/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drives the device layer against a real PC/SC service, one scenario for each invocation:
 *
 *     device_test SCENARIO [ARGUMENTS]
 *
 * The PIN source is taken from PIN_SOURCE (file:, env:, ...). Ends with status 0 if all that was
 * expected came true, and says what did not.
 */
#include "device_test.h"

static const struct {
    const char *name;
    void (*run)(char **args);
    int args;
} scenarios[] = {
    { "generate", scenario_generate, 1 },
    { "list", scenario_list, 0 },
    { "find", scenario_find, 2 },
    { "info", scenario_info, 0 },
    { "cold", scenario_cold, 1 },
    { "many", scenario_many, 2 },
    { "wrong", scenario_wrong, 0 },
    { "login-reason", scenario_login_reason, 1 },
    { "operate-reason", scenario_operate_reason, 2 },
    { "open-reason", scenario_open_reason, 1 },
    { "repeat", scenario_repeat, 1 },
    { "relist", scenario_relist, 1 },
    { "threads", scenario_threads, 3 },
    { "fork", scenario_fork, 2 },
    { "remove", scenario_remove, 1 },
    { "exists", scenario_exists, 1 },
    { "faults", scenario_faults, 0 },
    { "hold", scenario_hold, 1 },
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        if (argc > 1 && strcmp(argv[1], scenarios[i].name) == 0 && argc - 2 >= scenarios[i].args) {
            scenarios[i].run(argv + 2);
            return 0;
        }
    }
    die("usage: device_test SCENARIO [ARGUMENTS]");
}
