/* SPDX-License-Identifier: Apache-2.0 */
/* What the scenarios of device_test share. */
#ifndef SCHSM_TEST_DEVICE_TEST_H
#define SCHSM_TEST_DEVICE_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "model/device.h"
#include "pin/source.h"
#include "registry/registry.h"

/* The device of the scenario, and what is there to log in to it. */
extern struct schsm_registry *registry;
extern struct schsm_device *device;
extern struct schsm_login login;

/* Ends the program with status 1 and this sentence. */
__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition))                                                                          \
            die("%s:%d: expected: %s", __FILE__, __LINE__, #condition);                            \
    } while (0)

#define EXPECT_OK(call)                                                                            \
    do {                                                                                           \
        struct schsm_error error_ = SCHSM_ERROR_INIT, *err = &error_;                              \
        if (!(call))                                                                               \
            die("%s:%d: %s: reason %d: %s", __FILE__, __LINE__, #call, (int)err->reason,           \
                err->text);                                                                        \
    } while (0)

#define EXPECT_REASON(call, wanted)                                                                \
    do {                                                                                           \
        struct schsm_error error_ = SCHSM_ERROR_INIT, *err = &error_;                              \
        if (call)                                                                                  \
            die("%s:%d: %s: should have failed", __FILE__, __LINE__, #call);                       \
        printf("%s\n", err->text);                                                                 \
        if (err->reason != (wanted))                                                               \
            die("%s:%d: %s: reason %d, wanted %d: %s", __FILE__, __LINE__, #call,                  \
                (int)err->reason, (int)(wanted), err->text);                                       \
    } while (0)

/* A number of the command line; another text ends the program. */
int number(const char *text);

/* By its name without the prefix. */
enum schsm_reason reason(const char *name);

/* What stands for the key of that reference until the next call. */
const struct schsm_object *key_at(int key_ref);

/* Finds the device that SERIAL and READER tell, with the login of PIN_SOURCE, MIN_TRIES and
 * KEEP_PIN. */
void open_device(void);
void close_device(void);

/* The caller's to free. */
EVP_PKEY *public_key(int key_ref);

/* A signature that libcrypto verifies. Returns 0 with err set where the device failed; a wrong
 * result ends the program. */
int sign_once(EVP_PKEY *key, int key_ref, struct schsm_error *err);

/* Makes a key: RSA of so many bits, or EC on the curve. Returns its reference. id, label: may be
 * NULL. */
int generate(int nid_or_bits, const char *id, const char *label);

/* Signs with a key, and decrypts or derives. */
void try_key(int key_ref);

/* scenarios_keys.c */
void scenario_generate(char **args);
void scenario_list(char **args);
void scenario_find(char **args);
void scenario_info(char **args);
void scenario_remove(char **args);
void scenario_exists(char **args);
void scenario_many(char **args);

/* scenarios_pins.c */
void scenario_cold(char **args);
void scenario_wrong(char **args);
void scenario_login_reason(char **args);
void scenario_operate_reason(char **args);
void scenario_open_reason(char **args);

/* scenarios_recovery.c */
void scenario_repeat(char **args);
void scenario_relist(char **args);
void scenario_faults(char **args);
void scenario_hold(char **args);

/* scenarios_sharing.c */
void scenario_threads(char **args);
void scenario_fork(char **args);

#endif
