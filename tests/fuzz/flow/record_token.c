/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_token FOLDER MODULE [SCENE]: as record_flow, with a token of another PKCS#11 module,
 * SoftHSM's; its configuration is made in the flows' folder.
 */
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/objects.h>

#include "pin/source.h"
#include "registry/registry.h"

#include "fixtures.h"
#include "fuzz.h"
#include "library.h"
#include "module.h"
#include "record_calls.h"
#include "token.h"

#define SEED_MAX 65536
#define PIN "648219"

/* What is on the token before the flow begins, or-ed. */
enum on_token { EC_KEY = 0x01, RSA_KEY = 0x02, AES_KEY = 0x04, AUTHORITY = 0x08, DATA = 0x10 };
#define ALL (EC_KEY | RSA_KEY | AES_KEY | AUTHORITY | DATA)

/* The numbers of the flows, as in kinds.c. */
enum { LIST, STATUS, STORE, REMOVE, LOAD, USE, GENERATE, INITIALISE, PINS, FILES, CIPHER = 20 };

/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): the order that the table is read in */
static const struct scene {
    const char *name;
    uint8_t header[FLOW_HEADER_LEN];
    unsigned int what;
    bool wrong_pin, fails;
} scenes[] = {
    { "list", { LIST }, ALL, false, false },
    { "list-id", { LIST, 3 }, ALL, false, false },
    { "list-token", { LIST, 15 }, EC_KEY, false, false },
    { "status", { STATUS }, 0, false, false },
    { "status-wrong-pin", { STATUS }, 0, true, true },
    { "store-data", { STORE }, 0, false, false },
    { "store-replacing", { STORE, 0x30 }, DATA, false, false },
    { "store-certificates", { STORE, 1 }, EC_KEY, false, false },
    { "store-authority", { STORE, 0x21, 7 }, 0, false, false },
    { "remove-id", { REMOVE, 4 * 3 }, ALL, false, false },
    { "remove-found", { REMOVE, 1 + 4 * 4 }, EC_KEY, false, false },
    { "remove-data", { REMOVE, 1 + 4 * 9 }, DATA, false, false },
    { "reveal", { REMOVE, 3 + 4 * 3 }, EC_KEY, false, false },
    { "load", { LOAD, 1 + 2 * 3 }, EC_KEY, false, false },
    { "load-asked", { LOAD, 1 + 2 * 4, 0x40, 0, 1 }, EC_KEY, false, false },
    { "sign-ecdsa", { USE, 2, 3 }, EC_KEY, false, false },
    { "sign-ecdsa-sha256", { USE, 16, 4 }, EC_KEY, false, true },
    { "sign-rsa", { USE, 0, 5 }, RSA_KEY, false, false },
    { "sign-rsa-pkcs1", { USE, 7, 5 }, RSA_KEY, false, false },
    { "sign-rsa-pss", { USE, 11, 5 }, RSA_KEY, false, false },
    { "decrypt", { USE, 1, 5 }, RSA_KEY, false, false },
    { "derive", { USE, 3, 3 }, EC_KEY, false, false },
    { "generate-ec", { GENERATE, 0, 0x06 }, EC_KEY, false, false },
    { "generate-rsa", { GENERATE, 1, 0x04 }, 0, false, false },
    { "generate-aes", { GENERATE, 2 }, 0, false, false },
    { "change-pin", { PINS, 0, 1 }, 0, false, false },
    { "change-pin-wrong", { PINS, 0, 1 }, 0, true, true },
    { "unblock-new-pin", { PINS, 1 }, 0, false, false },
    { "change-so-pin", { PINS, 3 }, 0, false, false },
    { "random", { FILES, 4 }, 0, false, false },
    { "cipher-encrypt", { CIPHER, 0, 1 }, AES_KEY, false, false },
    { "cipher-decrypt", { CIPHER, 1, 2 }, AES_KEY, false, false },
    { "cipher-cmac", { CIPHER, 2, 2 }, AES_KEY, false, false },
    { "cipher-derive", { CIPHER, 3 }, AES_KEY, false, true },
    { "cipher-wrap", { CIPHER, 4 }, AES_KEY, false, false },
};

/* --- a token ---------------------------------------------------------------------------------- */

static struct schsm_device *device;
static struct schsm_login login;
static struct schsm_error err;

#define DO(call)                                                                                   \
    do {                                                                                           \
        if (!(call)) {                                                                             \
            (void)fprintf(stderr, "%s: %s\n", #call, err.text);                                    \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static void make(enum schsm_key_type type, unsigned int bits, uint8_t id, const char *label)
{
    const struct schsm_generate spec = { .type = type,
                                         .bits = bits,
                                         .curve_nid = NID_X9_62_prime256v1,
                                         .key_ref = -1,
                                         .id = &id,
                                         .id_len = 1,
                                         .label = label };
    struct schsm_object made;

    DO(schsm_device_generate(device, &spec, &login, &made, &err));
    schsm_object_clear(&made);
}

static void store(enum schsm_object_type type, const uint8_t *value, size_t len, bool private_data)
{
    static const uint8_t id = 0x21;
    const struct schsm_store spec = { .type = type,
                                      .id = type == SCHSM_OBJECT_CERTIFICATE ? &id : NULL,
                                      .id_len = type == SCHSM_OBJECT_CERTIFICATE ? 1 : 0,
                                      .label = type == SCHSM_OBJECT_CERTIFICATE ? "authority"
                                               : private_data                   ? "flow"
                                                                                : "data",
                                      .application = "flow",
                                      .private_data = private_data,
                                      .value = value,
                                      .value_len = len };
    struct schsm_object stored;

    DO(schsm_device_store(device, &spec, &login, &stored, &err));
    schsm_object_clear(&stored);
}

static void prepare(unsigned int what)
{
    const struct schsm_device_selector any = { .serial = NULL };
    struct schsm_secret *pin = schsm_secret_new(PIN, strlen(PIN), NULL);
    struct schsm_registry *registry = flow_module_open(NULL, &err);

    DO(registry != NULL && schsm_registry_device(registry, &any, &device, &err));
    DO((login.source = schsm_pin_source_from_secret(pin, &err)) != NULL);
    if ((what & EC_KEY) != 0) {
        make(SCHSM_KEY_EC, 0, 0x01, "web");
    }
    if ((what & RSA_KEY) != 0) {
        make(SCHSM_KEY_RSA, 1024, 0x02, "rsa");
    }
    if ((what & AES_KEY) != 0) {
        make(SCHSM_KEY_AES, 128, 0x03, "aes");
    }
    if ((what & AUTHORITY) != 0) {
        unsigned char *der = NULL;
        int len = i2d_X509(flow_fixtures.authority_certificate, &der);

        store(SCHSM_OBJECT_CERTIFICATE, der, (size_t)len, false);
        OPENSSL_free(der);
    }
    if ((what & DATA) != 0) {
        store(SCHSM_OBJECT_DATA, (const uint8_t *)"content", 7, false);
        store(SCHSM_OBJECT_DATA, (const uint8_t *)"private", 7, true);
    }
    schsm_pin_source_free(login.source);
    schsm_secret_free(pin);
    schsm_registry_free(registry);
    flow_module_forget();
}

/* --- recording -------------------------------------------------------------------------------- */

static void no_next_command(void *arg)
{
    (void)arg;
}

static const struct flow_world world = { .open = flow_module_open,
                                         .next_command = no_next_command };

static bool replay(const uint8_t *seed, size_t len, const char *pin)
{
    static struct flow_script script;
    bool succeeded;

    flow_script_parse(&script, seed, len);
    flow_module_be(flow_token_functions());
    flow_token_start(&script);
    succeeded = flow_run(&world, script.header, pin);
    flow_token_start(NULL);
    flow_module_forget();
    flow_module_be(record_calls_functions());
    return succeeded;
}

static bool write_seed(const char *folder, const char *name, const uint8_t *seed, size_t len)
{
    char path[512];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "wb");
    return file != NULL && fwrite(seed, 1, len, file) == len && fclose(file) == 0;
}

static bool record_scene(const struct scene *scene, const char *folder)
{
    static struct flow_script script;
    static uint8_t seed[SEED_MAX];
    const char *pin = scene->wrong_pin ? "wrong-pin" : PIN;
    bool succeeded, again;
    size_t len;

    memset(&script, 0, sizeof(script));
    memcpy(script.header, scene->header, sizeof(script.header));
    flow_library_rewind();
    record_calls_new_token("flow", PIN);
    prepare(scene->what);
    record_calls_into(&script);
    succeeded = flow_run(&world, script.header, pin);
    record_calls_into(NULL);
    flow_module_forget();
    len = flow_script_write(&script, seed, sizeof(seed));
    for (size_t i = 0; i < script.count; i++) {
        free((void *)script.records[i].content);
    }
    REQUIRE(len > 0);
    again = replay(seed, len, pin);
    (void)printf("%-24s %5zu bytes, %3zu answers: %s%s\n", scene->name, len, script.count,
                 succeeded ? "succeeds" : "fails", again == succeeded ? "" : ", NOT SO AGAIN");
    return write_seed(folder, scene->name, seed, len) && succeeded != scene->fails &&
           again == succeeded;
}

int main(int argc, char **argv)
{
    int bad = 0;

    if (argc < 3) {
        (void)fprintf(stderr, "usage: record_token FOLDER MODULE [SCENE]\n");
        return 2;
    }
    flow_library_start();
    flow_make_fixtures();
    flow_start();
    record_calls_load(argv[2]);
    flow_module_load(record_calls_functions());
    for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
        if ((argc < 4 || strcmp(argv[3], scenes[i].name) == 0) &&
            !record_scene(&scenes[i], argv[1])) {
            (void)printf("%s: not as it was meant\n", scenes[i].name);
            bad++;
        }
    }
    return bad > 0 ? 1 : 0;
}
