/* SPDX-License-Identifier: Apache-2.0 */
/* Logins, and what comes of them. */
#include "device_test.h"

#include <sys/wait.h>
#include <unistd.h>

/* cold KEY_REF: what `openssl req` with a key reference file does */
void scenario_cold(char **args)
{
    int key_ref = number(args[0]);
    uint8_t hash[32] = { 1 }, out[200];
    size_t len = sizeof(out);

    open_device();
    EXPECT_OK(schsm_device_login(device, &login, err));
    EXPECT_OK(schsm_device_operate(device, SCHSM_OP_ECDSA_SIGN, key_at(key_ref), &login, hash, 32,
                                   out, &len, err));
    close_device();
}

/* wrong PIN...: none of them may be the right one; the same one again spends nothing */
void scenario_wrong(char **args)
{
    struct schsm_error error = SCHSM_ERROR_INIT;
    struct schsm_device_info before, after, again;
    int child;

    open_device();
    EXPECT_OK(schsm_device_info(device, &before, err));
    EXPECT_REASON(schsm_device_login(device, &login, err), SCHSM_REASON_PIN_INCORRECT);
    EXPECT_OK(schsm_device_info(device, &after, err));
    EXPECT(after.pin_tries == before.pin_tries - 1);
    for (int i = 0; i < 5; i++) {
        EXPECT_REASON(schsm_device_login(device, &login, err), SCHSM_REASON_PIN_KNOWN_WRONG);
    }
    if (fork() == 0) {
        EXPECT_REASON(schsm_device_login(device, &login, err), SCHSM_REASON_PIN_KNOWN_WRONG);
        close_device();
        exit(0);
    }
    EXPECT(wait(&child) > 0 && child == 0);
    EXPECT_OK(schsm_device_info(device, &again, err));
    EXPECT(again.pin_tries == after.pin_tries);
    (void)args;
    (void)error;
    close_device();
}

/* login-reason REASON: the login fails so */
void scenario_login_reason(char **args)
{
    open_device();
    EXPECT_REASON(schsm_device_login(device, &login, err), reason(args[0]));
    close_device();
}

/* operate-reason KEY_REF REASON */
void scenario_operate_reason(char **args)
{
    uint8_t hash[32] = { 1 }, out[200];
    size_t len = sizeof(out);

    open_device();
    EXPECT_REASON(schsm_device_operate(device, SCHSM_OP_ECDSA_SIGN, key_at(number(args[0])), &login,
                                       hash, 32, out, &len, err),
                  reason(args[1]));
    close_device();
}

/* open-reason REASON: finding the device fails so */
void scenario_open_reason(char **args)
{
    struct schsm_device_selector selector = { .serial = getenv("SERIAL"),
                                              .reader = getenv("READER") };

    EXPECT_OK((registry = schsm_registry_new(err)) != NULL);
    EXPECT_REASON(schsm_registry_device(registry, &selector, &device, err), reason(args[0]));
    close_device();
}
