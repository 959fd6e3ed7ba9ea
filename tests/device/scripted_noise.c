/* SPDX-License-Identifier: Apache-2.0 */
/* Cards that answer nonsense to everything. */
#include "world.h"

#include <openssl/crypto.h>
#include <openssl/objects.h>

#include "hsm/hsm_apdu.h"
#include "hsm/hsm_file.h"
#include "hsm/hsm_label.h"
#include "hsm/hsm_status.h"

static void administer(void)
{
    static const uint8_t command[] = { 0x00, 0x84, 0x00, 0x00, 0x08 };
    struct schsm_hsm_exchange exchange = { .command = command, .command_len = sizeof(command) };
    struct schsm_hsm_file_list files;
    struct schsm_hsm_status status;
    struct schsm_secret *so_pin = secret("12345678");
    uint8_t *content = NULL, random[300];
    size_t len = 0;

    (void)initialise_device();
    (void)change_pin("123456", "654321");
    (void)schsm_device_change_so_pin(device, so_pin, so_pin, 0, &err);
    (void)schsm_device_unblock_pin(device, so_pin, NULL, 0, &err);
    (void)schsm_hsm_set_label(device, "noise", &login, &err);
    (void)schsm_hsm_status(device, &status, &err);
    (void)schsm_device_random(device, random, sizeof(random), &err);
    if (schsm_hsm_files(device, &files, &err)) {
        OPENSSL_free(files.files);
    }
    if (schsm_hsm_file_read(device, 0x2F03, &login, &content, &len, &err)) {
        OPENSSL_free(content);
    }
    (void)schsm_hsm_transmit(device, &exchange, 1, NULL, &err);
    schsm_hsm_exchanges_clear(&exchange, 1);
    schsm_secret_free(so_pin);
}

/* Every operation against a card that answers nonsense: it ends, and says something. */
static void test_noise(unsigned int rounds)
{
    for (unsigned int seed = 1; seed <= rounds; seed++) {
        struct schsm_object_filter filter = { .types = SCHSM_OBJECT_ANY,
                                              .key_ref = seed % 3 == 0 ? 5 : -1 };
        struct schsm_generate spec = {
            .type = SCHSM_KEY_EC, .curve_nid = NID_X9_62_prime256v1, .key_ref = -1, .label = "noise"
        };
        struct schsm_object_list list = { 0 };
        struct schsm_device_info info;
        struct schsm_object made;

        start("123456", NULL);
        login.min_pin_tries = 0;
        world.noise = seed;
        err.text[0] = 0;
        if (schsm_device_find(device, &filter, &list, &err)) {
            for (size_t i = 0; i < list.count && i < 8; i++) {
                (void)schsm_device_read(device, &list.objects[i], &login, &err);
            }
            if (list.count > 0) {
                (void)schsm_device_remove(device, &list.objects[0], &login, &err);
            }
        }
        schsm_object_list_clear(&list);
        (void)schsm_device_info(device, &info, &err);
        (void)sign(256);
        (void)sign(128);
        if (schsm_device_generate(device, &spec, &login, &made, &err)) {
            EXPECT(false); /* no noise is a request with a valid signature */
        }
        EXPECT(err.text[0] != 0 && err.reason != SCHSM_REASON_NONE);
        administer();
        world.noise = 0;
        finish();
    }
}

int main(int argc, char **argv)
{
    test_noise(argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 200);
    return 0;
}
