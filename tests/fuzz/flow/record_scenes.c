/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include <string.h>

#include <openssl/objects.h>

#include "hsm/hsm_apdu.h"
#include "hsm/hsm_initialise.h"
#include "hsm/hsm_key_domain.h"
#include "hsm/hsm_xkek.h"
#include "keymgmt/import_key.h"
#include "keymgmt/key_domain.h"
#include "keymgmt/wrap_key.h"
#include "pin/source.h"
#include "registry/registry.h"

#include "fuzz.h"
#include "library.h"
#include "readers.h"

/* What is on a card before the flow begins, or-ed; in this order. */
enum on_card {
    INITIALISED = 0x0001,
    DOMAINS = 0x0002,     /* four key domains in place of the DKEK */
    CUSTODIANS = 0x0004,  /* two of three public keys open it, too */
    DKEK = 0x0008,        /* that of the fixtures; or in domain 0 */
    EC_KEY = 0x0010,      /* key reference 1, id 01, "web" */
    RSA_KEY = 0x0020,     /* 2, id 02 */
    AES_KEY = 0x0040,     /* 3 */
    OUR_KEY = 0x0080,     /* 4: imported, with its certificate */
    AUTHORITY = 0x0100,   /* its certificate */
    DATA = 0x0200,        /* one for all, one behind the PIN */
    LEFTOVERS = 0x0400,   /* of an interrupted deletion */
    COUNTED_KEY = 0x0800, /* 5: with a use counter */
    EDWARDS_KEY = 0x1000, /* 6: of a Pico HSM */
    ANOTHER_PIN = 0x2000, /* than the flow has */
    TRANSPORT_PIN = 0x4000,
    RSA_CRT_KEY = 0x8000,     /* 7: imported */
    MONTGOMERY_KEY = 0x10000, /* 8: of a Pico HSM */
    UNFINISHED_KEY = 0x20000, /* the other card's; its coming was interrupted */
    EXCHANGE_KEY = 0x40000    /* 2 on the first card, 3 on the second, in an XKEK domain */
};
#define KEYS (INITIALISED | DKEK | EC_KEY | RSA_KEY | AES_KEY)

#define SO_PIN "57621880"

static struct {
    struct schsm_registry *registry;
    struct schsm_device *device;
    struct schsm_login login;
    struct schsm_error err;
} on;

#define DO(call)                                                                                   \
    do {                                                                                           \
        if (!(call)) {                                                                             \
            (void)fprintf(stderr, "%s: %s\n", #call, on.err.text);                                 \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static void initialise(unsigned int what)
{
    const struct schsm_hsm_rules rules = {
        .options = SCHSM_HSM_RESET_RETRY_COUNTER |
                   ((what & TRANSPORT_PIN) != 0 ? SCHSM_HSM_TRANSPORT_PIN : 0u),
        .pin_tries = 3,
        .dkek_shares = (what & DOMAINS) != 0 ? SCHSM_HSM_NO_DKEK : 1,
        .key_domains = (what & DOMAINS) != 0 ? 4 : 0,
        .public_keys = (what & CUSTODIANS) != 0 ? 3 : 0,
        .public_keys_required = (what & CUSTODIANS) != 0 ? 1 : 0,
    };
    const char *text = (what & ANOTHER_PIN) != 0 ? "another1" : RECORD_PIN;
    struct schsm_secret *pin = schsm_secret_new(text, strlen(text), NULL);
    struct schsm_secret *so_pin = schsm_secret_new(SO_PIN, strlen(SO_PIN), NULL);

    DO(schsm_hsm_initialise(on.device, &rules, so_pin, pin, 0, &on.err));
    DO((on.login.source = schsm_pin_source_from_secret(pin, &on.err)) != NULL);
    schsm_secret_free(pin);
    schsm_secret_free(so_pin);
}

static void set_dkek(unsigned int what)
{
    struct schsm_hsm_domain after;

    if ((what & DOMAINS) != 0) {
        DO(schsm_hsm_create_dkek_domain(on.device, 0, 1, &on.login, &on.err));
    }
    DO(schsm_hsm_import_share(on.device, 0, flow_fixtures.dkek, &on.login, &after, &on.err));
}

static void make(const struct schsm_generate *spec)
{
    struct schsm_object made;

    DO(schsm_device_generate(on.device, spec, &on.login, &made, &on.err));
    schsm_object_clear(&made);
}

static void make_keys(unsigned int what)
{
    static const uint8_t one = 0x01, two = 0x02;
    const struct schsm_generate ec = { .type = SCHSM_KEY_EC,
                                       .curve_nid = NID_X9_62_prime256v1,
                                       .key_ref = 1,
                                       .id = &one,
                                       .id_len = 1,
                                       .label = "web" };
    const struct schsm_generate rsa = {
        .type = SCHSM_KEY_RSA, .bits = 1024, .key_ref = 2, .id = &two, .id_len = 1, .label = "rsa"
    };
    const struct schsm_generate aes = {
        .type = SCHSM_KEY_AES, .bits = 128, .key_ref = 3, .label = "aes"
    };
    struct schsm_generate counted = ec;
    const struct schsm_generate edwards = { .type = SCHSM_KEY_ED25519, .key_ref = 6 };
    const struct schsm_generate montgomery = { .type = SCHSM_KEY_X25519, .key_ref = 8 };

    counted.key_ref = 5;
    counted.id = NULL;
    counted.use_count = 2;
    if ((what & EC_KEY) != 0) {
        make(&ec);
    }
    if ((what & RSA_KEY) != 0) {
        make(&rsa);
    }
    if ((what & AES_KEY) != 0) {
        make(&aes);
    }
    if ((what & COUNTED_KEY) != 0) {
        make(&counted);
    }
    if ((what & EDWARDS_KEY) != 0) {
        make(&edwards);
    }
    if ((what & MONTGOMERY_KEY) != 0) {
        make(&montgomery);
    }
}

static void bring_key(int key_ref, EVP_PKEY *key, X509 *certificate)
{
    const struct schsm_import import = { .key = key,
                                         .certificate = certificate,
                                         .dkek = flow_fixtures.dkek,
                                         .key_ref = key_ref,
                                         .label = "ours" };
    struct schsm_object made;
    size_t stored = 0;

    DO(schsm_import_key(NULL, on.device, &import, &on.login, &made, &stored, &on.err));
    schsm_object_clear(&made);
}

static void store_authority(void)
{
    static const uint8_t id = 0x21;
    struct schsm_store spec = {
        .type = SCHSM_OBJECT_CERTIFICATE, .id = &id, .id_len = 1, .label = "authority"
    };
    struct schsm_object stored;
    unsigned char *der = NULL;
    int len = i2d_X509(flow_fixtures.authority_certificate, &der);

    REQUIRE(len > 0);
    spec.value = der;
    spec.value_len = (size_t)len;
    DO(schsm_device_store(on.device, &spec, &on.login, &stored, &on.err));
    schsm_object_clear(&stored);
    OPENSSL_free(der);
}

static void store_data(void)
{
    struct schsm_store spec = { .type = SCHSM_OBJECT_DATA,
                                .label = "data",
                                .application = "flow",
                                .value = (const uint8_t *)"content",
                                .value_len = 7 };
    struct schsm_object stored;

    DO(schsm_device_store(on.device, &spec, &on.login, &stored, &on.err));
    schsm_object_clear(&stored);
    spec.label = "private";
    spec.private_data = true;
    DO(schsm_device_store(on.device, &spec, &on.login, &stored, &on.err));
    schsm_object_clear(&stored);
}

/* The key alone is deleted, and what belongs to it stays. */
static void leave_leftovers(void)
{
    static const uint8_t delete[] = { 0x00, 0xE4, 0x02, 0x00, 0x02, 0xCC, 0x01 };
    struct schsm_hsm_exchange exchange = { .command = delete, .command_len = sizeof(delete) };

    DO(schsm_hsm_transmit(on.device, &exchange, 1, &on.login, &on.err));
    REQUIRE(exchange.status_word == 0x9000);
    schsm_hsm_exchanges_clear(&exchange, 1);
}

static void use_card(const char *reader)
{
    const struct schsm_device_selector selector = { .reader = reader };

    DO(schsm_registry_device(on.registry, &selector, &on.device, &on.err));
}

static void prepare_card(const char *reader, unsigned int what)
{
    if (what == 0) {
        return;
    }
    use_card(reader);
    initialise(what);
    if ((what & DKEK) != 0) {
        set_dkek(what);
    }
    make_keys(what);
    if ((what & OUR_KEY) != 0) {
        bring_key(4, flow_fixtures.ec, flow_fixtures.ec_certificate);
    }
    if ((what & RSA_CRT_KEY) != 0) {
        bring_key(7, flow_fixtures.rsa, NULL);
    }
    if ((what & AUTHORITY) != 0) {
        store_authority();
    }
    if ((what & DATA) != 0) {
        store_data();
    }
    if ((what & LEFTOVERS) != 0) {
        leave_leftovers();
    }
    schsm_pin_source_free(on.login.source);
    on.login.source = NULL;
}

static void log_in(void)
{
    struct schsm_secret *pin = schsm_secret_new(RECORD_PIN, strlen(RECORD_PIN), NULL);

    DO((on.login.source = schsm_pin_source_from_secret(pin, &on.err)) != NULL);
    schsm_secret_free(pin);
}

/* A membership by the second card's key 1, a domain, and a key for the exchange in it. */
static void join_domain(const char *reader, int key_ref)
{
    uint8_t id[SCHSM_DEVICE_ID_MAX], *membership = NULL;
    struct schsm_certified_key signer = { .device = NULL };
    struct schsm_container member, parts;
    struct schsm_hsm_domain domain;
    struct schsm_generate spec;
    char name[SCHSM_CVC_NAME_MAX + 1];
    size_t id_len = sizeof(id), len = 0;

    use_card(reader);
    DO(schsm_device_id(on.device, id, &id_len, &on.err));
    DO(schsm_container_parse(id, id_len, &member, &on.err));
    use_card(record_world.second);
    DO(schsm_certified_key_load(on.device, 1, &signer, &on.err));
    DO(schsm_member_admit(flow_library(), &signer, &member, &on.login, name, &membership, &len,
                          &on.err));
    use_card(reader);
    DO(schsm_container_parse(membership, len, &parts, &on.err));
    DO(schsm_xkek_create_domain(on.device, 1, &parts, &on.login, &on.err));
    DO(schsm_key_domain_exchange_key(on.device, 1, &domain, &spec, &on.err));
    spec.key_ref = key_ref;
    make(&spec);
    OPENSSL_free(membership);
    schsm_certified_key_clear(&signer);
}

/* The first card's key 1 comes to the second one, and is not described any more. */
static void leave_unfinished(void)
{
    uint8_t *file = NULL;
    struct schsm_wrapped_file wrapped;
    const struct schsm_unwrap wishes = { .key_ref = 1, .libctx = flow_library() };
    struct schsm_object made = { 0 };
    size_t len = 0;

    use_card(record_world.first);
    DO(schsm_wrap_key(on.device, 1, &on.login, &file, &len, &on.err));
    use_card(record_world.second);
    DO(schsm_wrapped_file_read(file, len, &wrapped, &on.err));
    record_break_after(SCHSM_INS_UNWRAP_KEY);
    REQUIRE(!schsm_unwrap_key(on.device, &wrapped, &wishes, &on.login, &made, &on.err));
    record_break_after(0);
    on.err = (struct schsm_error)SCHSM_ERROR_INIT;
    OPENSSL_free(file);
}

void record_prepare(const struct record_scene *scene)
{
    memset(&on, 0, sizeof(on));
    DO((on.registry = record_world.open(NULL, &on.err)) != NULL);
    prepare_card(record_world.first, scene->on_first);
    prepare_card(record_world.second, scene->on_second);
    log_in();
    if ((scene->on_second & EXCHANGE_KEY) != 0) {
        join_domain(record_world.first, 2);
        join_domain(record_world.second, 3);
    }
    if ((scene->on_second & UNFINISHED_KEY) != 0) {
        leave_unfinished();
    }
    schsm_pin_source_free(on.login.source);
    schsm_registry_free(on.registry);
}

/* The numbers of the flows, as in kinds.c. */
enum {
    LIST,
    STATUS,
    STORE,
    REMOVE,
    LOAD,
    USE,
    GENERATE,
    INITIALISE,
    PINS,
    FILES,
    SHARES,
    WRAP,
    IMPORT,
    BACKUP,
    RESTORE,
    ATTEST,
    CUSTODY,
    EXCHANGE,
    POOL,
    COPY,
    CIPHER
};

/* clang-format off */
const struct record_scene record_scenes[] = {
    { "list", { LIST }, NULL, NULL, KEYS | OUR_KEY | AUTHORITY | DATA, 0, false },
    { "list-leftovers", { LIST }, NULL, NULL, KEYS | LEFTOVERS, 0, false },
    { "list-key-ref", { LIST, 1 }, NULL, NULL, KEYS, 0, false },
    { "list-serial", { LIST, 8 }, NULL, NULL, KEYS, 0, false },
    { "list-certificates", { LIST, 6 }, NULL, NULL, KEYS | OUR_KEY | AUTHORITY, 0, false },
    { "list-pico", { LIST }, "pico", NULL, KEYS | EDWARDS_KEY, 0, false },
    { "status", { STATUS }, NULL, NULL, KEYS, 0, false },
    { "status-fresh", { STATUS }, NULL, NULL, 0, 0, true },
    { "status-wrong-pin", { STATUS }, NULL, NULL, INITIALISED | ANOTHER_PIN, 0, true },
    { "status-transport-pin", { STATUS }, NULL, NULL, INITIALISED | TRANSPORT_PIN, 0, true },
    { "status-two", { STATUS }, NULL, "", INITIALISED, INITIALISED, false },
    { "status-auto", { STATUS, 0, 0, FLOW_CHANNEL_AUTO }, NULL, NULL, INITIALISED, 0, false },
    { "status-require", { STATUS, 0, 0, FLOW_CHANNEL_REQUIRE }, NULL, NULL, INITIALISED, 0, false },
    { "status-pico-require", { STATUS, 0, 0, FLOW_CHANNEL_REQUIRE }, "pico", NULL, INITIALISED, 0, true },
    { "store-data", { STORE }, NULL, NULL, INITIALISED, 0, false },
    { "store-private-data", { STORE, 0x10, 5 }, NULL, NULL, INITIALISED | DATA, 0, false },
    { "store-certificates", { STORE, 1 }, NULL, NULL, INITIALISED | EC_KEY, 0, false },
    { "store-authority", { STORE, 0x21, 7 }, NULL, NULL, INITIALISED, 0, false },
    { "remove-key", { REMOVE, 4 }, NULL, NULL, KEYS, 0, false },
    { "remove-id", { REMOVE, 1 + 4 * 3 }, NULL, NULL, KEYS, 0, false },
    { "remove-data", { REMOVE, 1 + 4 * 9 }, NULL, NULL, INITIALISED | DATA, 0, false },
    { "remove-authority", { REMOVE, 4 * 16 }, NULL, NULL, INITIALISED | AUTHORITY, 0, false },
    { "remove-leftovers", { REMOVE, 4 }, NULL, NULL, KEYS | LEFTOVERS, 0, false },
    { "tidy", { REMOVE, 2 }, NULL, NULL, KEYS | LEFTOVERS, 0, false },
    { "reveal", { REMOVE, 3 + 4 * 3 }, NULL, NULL, KEYS, 0, false },
    { "remove-pico", { REMOVE, 4 }, "pico", NULL, KEYS, 0, false },
    { "store-certificate-of-key", { STORE, 0x51 }, NULL, NULL, INITIALISED | EC_KEY, 0, false },
    { "store-certificate-unproven", { STORE, 0xC1 }, NULL, NULL, INITIALISED | EC_KEY, 0, false },
    { "load-file", { LOAD, 0, 0, FLOW_KEEP_PIN, 4 }, NULL, NULL, KEYS, 0, false },
    { "load-log", { LOAD, 0, 0, 0, FLOW_WITH_LOG }, NULL, NULL, KEYS, 0, false },
    { "load", { LOAD }, NULL, NULL, KEYS, 0, false },
    { "load-id", { LOAD, 1 + 2 * 3, 0x40 }, NULL, NULL, KEYS, 0, false },
    { "load-asked", { LOAD, 0, 0, 0, 1 }, NULL, NULL, KEYS, 0, false },
    { "load-asked-later", { LOAD, 0, 0, 0, 1 + 8 }, NULL, NULL, KEYS, 0, false },
    { "load-env", { LOAD, 0, 0, FLOW_KEEP_PIN, 3 }, NULL, NULL, KEYS, 0, false },
    { "sign-ecdsa", { USE, 2, 1 }, NULL, NULL, KEYS, 0, false },
    { "sign-ecdsa-sha256", { USE, 16, 0xFF }, NULL, NULL, KEYS, 0, false },
    { "sign-rsa", { USE, 0, 2 }, NULL, NULL, KEYS, 0, false },
    { "sign-rsa-pkcs1", { USE, 7, 2 }, NULL, NULL, KEYS, 0, false },
    { "sign-rsa-pss", { USE, 11, 2 }, NULL, NULL, KEYS, 0, false },
    { "sign-counted", { USE, 2, 1 }, NULL, NULL, INITIALISED | COUNTED_KEY, 0, true },
    { "sign-eddsa-pico", { USE, 19, 0 }, "pico", NULL, INITIALISED | EDWARDS_KEY, 0, false },
    { "sign-rsa-pss-hash", { USE, 5, 2 }, NULL, NULL, KEYS, 0, false },
    { "derive-x25519-pico", { USE, 20, 17 }, "pico", NULL, INITIALISED | MONTGOMERY_KEY, 0, false },
    { "decrypt", { USE, 1, 2 }, NULL, NULL, KEYS, 0, false },
    { "derive", { USE, 3, 1 }, NULL, NULL, KEYS, 0, false },
    { "derive-pico", { USE, 3, 1 }, "pico", NULL, KEYS, 0, false },
    { "generate-ec", { GENERATE }, NULL, NULL, INITIALISED, 0, false },
    { "generate-ec-all", { GENERATE, 0x10, 0x1F }, NULL, NULL, KEYS, 0, false },
    { "generate-rsa", { GENERATE, 1, 0x04 }, NULL, NULL, INITIALISED, 0, false },
    { "generate-aes", { GENERATE, 2, 0x02 }, NULL, NULL, INITIALISED, 0, false },
    { "generate-brainpool", { GENERATE, 3 }, NULL, NULL, INITIALISED, 0, false },
    { "generate-domain", { GENERATE, 0, 0x60 }, NULL, NULL, INITIALISED | DOMAINS | DKEK, 0, false },
    { "generate-ed25519-pico", { GENERATE, 4 }, "pico", NULL, INITIALISED, 0, false },
    { "generate-x25519-pico", { GENERATE, 5 }, "pico", NULL, INITIALISED, 0, false },
    { "initialise", { INITIALISE }, NULL, NULL, 0, 0, false },
    { "initialise-all", { INITIALISE, 0x5B, 2 }, NULL, NULL, INITIALISED, 0, false },
    { "initialise-domains", { INITIALISE, 0x14, 3 }, NULL, NULL, 0, 0, false },
    { "initialise-require", { INITIALISE, 0, 0, FLOW_CHANNEL_REQUIRE }, NULL, NULL, 0, 0, false },
    { "initialise-pico", { INITIALISE, 0x02, 1 }, "pico", NULL, 0, 0, false },
    { "change-pin", { PINS, 0, 1 }, NULL, NULL, INITIALISED, 0, false },
    { "change-pin-wrong", { PINS, 0, 1 }, NULL, NULL, INITIALISED | ANOTHER_PIN, 0, true },
    { "change-transport-pin", { PINS, 0 }, NULL, NULL, INITIALISED | TRANSPORT_PIN, 0, false },
    { "change-pin-require", { PINS, 0, 0, FLOW_CHANNEL_REQUIRE }, NULL, NULL, INITIALISED, 0, false },
    { "unblock-new-pin", { PINS, 1 }, NULL, NULL, INITIALISED, 0, false },
    { "unblock", { PINS, 2 }, NULL, NULL, INITIALISED, 0, false },
    { "change-so-pin", { PINS, 3 }, NULL, NULL, INITIALISED, 0, false },
    { "files", { FILES, 0 }, NULL, NULL, INITIALISED | EC_KEY | DATA, 0, false },
    { "random", { FILES, 1 }, NULL, NULL, INITIALISED, 0, false },
    { "apdu", { FILES, 2 }, NULL, NULL, INITIALISED, 0, false },
    { "label", { FILES, 3 }, NULL, NULL, INITIALISED, 0, false },
    { "files-pico", { FILES, 0 }, "pico", NULL, INITIALISED | EC_KEY, 0, false },
    { "domains", { SHARES, 0 }, NULL, NULL, INITIALISED | DOMAINS | DKEK, 0, false },
    { "domains-dkek", { SHARES, 0 }, NULL, NULL, INITIALISED | DKEK, 0, false },
    { "share", { SHARES, 1, 0x80 }, NULL, NULL, INITIALISED, 0, false },
    { "domain-create", { SHARES, 2, 1 }, NULL, NULL, INITIALISED | DOMAINS, 0, false },
    { "kek-delete", { SHARES, 3 }, NULL, NULL, INITIALISED | DOMAINS | DKEK, 0, false },
    { "domain-delete", { SHARES, 4 }, NULL, NULL, INITIALISED | DOMAINS | DKEK, 0, false },
    { "share-pico", { SHARES, 1 }, "pico", NULL, INITIALISED, 0, false },
    { "wrap-ec", { WRAP, 0, 0 }, NULL, "", KEYS, INITIALISED | DKEK, false },
    { "wrap-ec-replaced", { WRAP, 0, 0x08 }, NULL, "", KEYS, INITIALISED | DKEK | EC_KEY, false },
    { "wrap-rsa", { WRAP, 1, 0x07 }, NULL, "", KEYS, INITIALISED | DKEK, false },
    { "wrap-aes", { WRAP, 2, 0x24 }, NULL, "", KEYS, INITIALISED | DKEK, false },
    { "wrap-to-pico", { WRAP, 0, 0 }, NULL, "pico", KEYS, INITIALISED | DKEK, false },
    { "wrap-from-pico", { WRAP, 0, 0 }, "pico", "pico", KEYS, INITIALISED | DKEK, false },
    { "import-ec", { IMPORT, 0, 0x2D }, NULL, NULL, INITIALISED | DKEK, 0, false },
    { "import-rsa", { IMPORT, 1, 0x02 }, NULL, NULL, INITIALISED | DKEK, 0, false },
    { "import-aes", { IMPORT, 2, 0x18 }, NULL, NULL, INITIALISED | DKEK, 0, false },
    { "import-ec-pico", { IMPORT, 0, 0x01 }, "pico", NULL, INITIALISED | DKEK, 0, false },
    { "backup", { BACKUP, 0x1D }, NULL, NULL, KEYS | OUR_KEY | AUTHORITY | DATA, 0, false },
    { "backup-counted", { BACKUP, 0x02 }, NULL, NULL, INITIALISED | DKEK | COUNTED_KEY, 0, false },
    { "backup-without-dkek", { BACKUP }, NULL, NULL, INITIALISED | EC_KEY, 0, false },
    { "restore", { RESTORE, 0x09 }, NULL, "", KEYS | AUTHORITY | DATA, INITIALISED | DKEK, false },
    { "restore-certified", { RESTORE }, NULL, "", INITIALISED | DKEK | OUR_KEY, INITIALISED | DKEK | EC_KEY, false },
    { "restore-to-pico", { RESTORE }, NULL, "pico", INITIALISED | DKEK | EC_KEY | DATA, INITIALISED | DKEK, false },
    { "restore-unfinished-pico", { RESTORE }, "pico", "pico", INITIALISED | DKEK | EC_KEY, INITIALISED | DKEK | UNFINISHED_KEY, false },
    { "wrap-unfinished-pico", { WRAP }, "pico", "pico", INITIALISED | DKEK | EC_KEY, INITIALISED | DKEK | UNFINISHED_KEY, false },
    { "restore-other-dkek", { RESTORE }, NULL, "", INITIALISED | DKEK | EC_KEY, INITIALISED, true },
    { "attest-device", { ATTEST }, NULL, NULL, INITIALISED, 0, false },
    { "attest-key", { ATTEST, 0, 1 }, NULL, NULL, INITIALISED | EC_KEY, 0, false },
    { "attest-rsa", { ATTEST, 1, 1 }, NULL, NULL, INITIALISED | RSA_KEY, 0, false },
    { "attest-pico", { ATTEST, 0, 1 }, "pico", NULL, INITIALISED | EC_KEY, 0, false },
    { "custodians", { CUSTODY, 0 }, NULL, NULL, INITIALISED | CUSTODIANS, 0, false },
    { "custodian-register", { CUSTODY, 1 }, NULL, "", INITIALISED | CUSTODIANS, INITIALISED | EC_KEY, false },
    { "custodian-open", { CUSTODY, 2 }, NULL, "", INITIALISED | CUSTODIANS, INITIALISED | EC_KEY, false },
    { "signer", { EXCHANGE, 0 }, NULL, NULL, INITIALISED | DOMAINS, 0, false },
    { "membership", { EXCHANGE, 1 }, NULL, "", INITIALISED | DOMAINS, INITIALISED | EC_KEY, false },
    { "exchange-key", { EXCHANGE, 2, 2 }, NULL, "", INITIALISED | DOMAINS, INITIALISED | DOMAINS | EC_KEY | EXCHANGE_KEY, false },
    { "exchange", { EXCHANGE, 3 }, NULL, "", INITIALISED | DOMAINS, INITIALISED | DOMAINS | EC_KEY | EXCHANGE_KEY, false },
    { "pool-share", { POOL, 2, 11 }, NULL, "", INITIALISED | DKEK | OUR_KEY, INITIALISED | DKEK | OUR_KEY, false },
    { "pool-failover", { POOL, 0x93, 18 }, NULL, "", INITIALISED | DKEK | RSA_CRT_KEY, INITIALISED | DKEK | RSA_CRT_KEY, false },
    { "pool-pico", { POOL, 3, 11 }, NULL, "pico", INITIALISED | DKEK | OUR_KEY, INITIALISED | DKEK | OUR_KEY, false },
    { "pool-one", { POOL, 2, 1 }, NULL, NULL, KEYS, 0, false },
    { "copy", { COPY, 0x0A }, NULL, "", KEYS | AUTHORITY | DATA, INITIALISED | DKEK, false },
    { "copy-present", { COPY }, NULL, "", INITIALISED | DKEK | OUR_KEY | EC_KEY, INITIALISED | DKEK | OUR_KEY, false },
    { "copy-other-dkek", { COPY }, NULL, "", INITIALISED | DKEK | EC_KEY, INITIALISED, true },
    { "cipher-encrypt", { CIPHER, 0, 1 }, NULL, NULL, KEYS, 0, false },
    { "cipher-decrypt", { CIPHER, 1, 2 }, NULL, NULL, KEYS, 0, false },
    { "cipher-cmac", { CIPHER, 2, 2 }, NULL, NULL, KEYS, 0, false },
    { "cipher-derive", { CIPHER, 3 }, NULL, NULL, KEYS, 0, false },
    { "cipher-derive-pico", { CIPHER, 3, 1 }, "pico", NULL, KEYS, 0, false },
    { "cipher-wrap", { CIPHER, 4 }, NULL, NULL, KEYS, 0, false },
    { "cipher-require", { CIPHER, 0, 2, FLOW_CHANNEL_REQUIRE }, NULL, NULL, KEYS, 0, false },
    { NULL, { 0 }, NULL, NULL, 0, 0, false },
};
