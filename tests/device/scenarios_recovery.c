/* SPDX-License-Identifier: Apache-2.0 */
/* What goes wrong on the way to the card. */
#include "device_test.h"

#include <time.h>

#include <openssl/obj_mac.h>

#include "card/transport.h"

static struct schsm_pcsc_settings patience = { .wait = 60 };

/* repeat KEY_REF COMMAND...: signs, runs each command by the shell, signs after each */
void scenario_repeat(char **args)
{
    int key_ref = number(args[0]);
    EVP_PKEY *key;

    open_device();
    key = public_key(key_ref);
    EXPECT_OK(sign_once(key, key_ref, err));
    EXPECT_OK(sign_once(key, key_ref, err));
    for (args++; *args != NULL; args++) {
        if (system(*args) != 0) { /* NOLINT(cert-env33-c): the test's own command */
            die("failed: %s", *args);
        }
        EXPECT_OK(sign_once(key, key_ref, err));
    }
    EVP_PKEY_free(key);
    close_device();
}

/* relist COMMAND...: looks for devices, runs each command by the shell, looks again after each */
void scenario_relist(char **args)
{
    const struct schsm_device_selector selector = { .serial = getenv("SERIAL"),
                                                    .reader = getenv("READER") };

    open_device();
    for (; *args != NULL; args++) {
        if (system(*args) != 0) { /* NOLINT(cert-env33-c): the test's own command */
            die("failed: %s", *args);
        }
        EXPECT_OK(schsm_registry_device(registry, &selector, &device, err));
    }
    close_device();
}

/* A transport over PC/SC that spoils one command. */
static struct schsm_transport faulty;
static enum { FAULT_REFUSED, FAULT_RESET_BEFORE, FAULT_LOST_AFTER, FAULTS } fault;
static int fault_at; /* commands until then; negative: past */

static enum schsm_transport_result faulty_transmit(void *handle, const uint8_t *command,
                                                   size_t command_len, uint8_t *response,
                                                   size_t *response_len, struct schsm_error *err)
{
    enum schsm_transport_result result;

    if (fault_at < 0 || fault_at-- > 0) {
        return schsm_transport_pcsc.transmit(handle, command, command_len, response, response_len,
                                             err);
    }
    if (fault == FAULT_REFUSED) {
        response[0] = 0x6A; /* no memory */
        response[1] = 0x84;
        *response_len = 2;
        return SCHSM_TRANSPORT_OK;
    }
    if (fault == FAULT_LOST_AFTER) {
        result = schsm_transport_pcsc.transmit(handle, command, command_len, response, response_len,
                                               err);
        if (result != SCHSM_TRANSPORT_OK) {
            return result;
        }
    }
    schsm_fail(err, SCHSM_REASON_TRANSPORT, "spoiled");
    return fault == FAULT_LOST_AFTER ? SCHSM_TRANSPORT_REMOVED : SCHSM_TRANSPORT_RESET;
}

static size_t count_keys(void)
{
    struct schsm_object_filter filter = { .types = SCHSM_OBJECT_PRIVATE, .key_ref = -1 };
    struct schsm_object_list list = { 0 };
    size_t count;

    EXPECT_OK(schsm_device_find(device, &filter, &list, err));
    for (size_t i = 0; i < list.count; i++) {
        EXPECT(list.objects[i].id_len > 0);
    }
    count = list.count;
    schsm_object_list_clear(&list);
    return count;
}

/* faults: makes keys while one command after the other is spoiled; a key is there with its
 * description or not at all */
void scenario_faults(char **args)
{
    const struct schsm_generate spec = {
        .type = SCHSM_KEY_EC, .curve_nid = NID_X9_62_prime256v1, .key_ref = -1, .label = "fault"
    };
    const struct schsm_device_selector selector = { .serial = NULL };
    struct schsm_error error = SCHSM_ERROR_INIT;
    struct schsm_object made;
    size_t before;
    int ok;

    (void)args;
    open_device();
    schsm_registry_free(registry);
    faulty = schsm_transport_pcsc;
    faulty.transmit = faulty_transmit;
    for (fault = FAULT_REFUSED; fault < FAULTS; fault++) {
        for (int at = 0; at < 12; at++) {
            fault_at = -1;
            EXPECT_OK((registry = schsm_registry_new_on(&faulty, &patience, err)) != NULL);
            EXPECT_OK(schsm_registry_device(registry, &selector, &device, err));
            before = count_keys();
            fault_at = at;
            ok = schsm_device_generate(device, &spec, &login, &made, &error);
            printf("fault %d at command %d: %s\n", (int)fault, at, ok ? "done" : error.text);
            EXPECT(ok || fault == FAULT_REFUSED);
            EXPECT(ok || error.text[0] != 0);
            fault_at = -1;
            EXPECT(count_keys() == before + (ok ? 1 : 0));
            if (ok) {
                try_key(made.key_ref);
                EXPECT_OK(schsm_device_remove(device, &made, &login, err));
                schsm_object_clear(&made);
            }
            EXPECT(count_keys() == before);
            schsm_registry_free(registry);
        }
    }
    schsm_pin_source_free(login.source);
}

/* hold MILLISECONDS: keeps the card for itself, as a program does that makes a key */
void scenario_hold(char **args)
{
    const long milliseconds = number(args[0]);
    const struct timespec pause = { milliseconds / 1000, milliseconds % 1000 * 1000000 };
    struct schsm_slot slots[16];
    size_t count = 16;
    struct schsm_atr atr;
    void *handle;

    EXPECT_OK(schsm_transport_pcsc.list(NULL, slots, &count, err) == SCHSM_TRANSPORT_OK);
    EXPECT_OK(schsm_transport_pcsc.open(&patience, slots[0].reader, &handle, &atr, err) ==
              SCHSM_TRANSPORT_OK);
    EXPECT_OK(schsm_transport_pcsc.begin(handle, err) == SCHSM_TRANSPORT_OK);
    printf("held\n");
    (void)fflush(stdout);
    (void)nanosleep(&pause, NULL);
    schsm_transport_pcsc.end(handle);
    schsm_transport_pcsc.close(handle);
}
