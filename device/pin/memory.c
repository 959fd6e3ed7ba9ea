/* SPDX-License-Identifier: Apache-2.0 */
/* A fixed table, in memory that a process shares with its children. The key is guarded by the
 * process-wide guard, so that a child of a fork finds it whole. */
#include "memory.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/fork_guard.h"

/* A device blocks its PIN after at most ten wrong ones; beyond this many the oldest is forgotten.
 */
#define REFUSED_MAX 64

/* Written and read by several processes without a lock, as one of them may be killed in the middle:
 * an entry whose parts belong to two PINs is the fingerprint of neither. */
struct refused {
    _Atomic(uint64_t) fingerprint[SCHSM_PIN_FINGERPRINT / sizeof(uint64_t)];
    atomic_int tries_left;
};

struct memory {
    atomic_uint used; /* entries ever added */
    struct refused refused[REFUSED_MAX];
};

static uint8_t key[SCHSM_PIN_FINGERPRINT];
static bool key_made;
static struct memory private_memory;
static _Atomic(struct memory *) shared; /* NULL: not shared, `private_memory` is used */

static struct memory *get_memory(void)
{
    struct memory *memory = atomic_load(&shared);

    return memory != NULL ? memory : &private_memory;
}

/* A module that is unloaded leaves nothing behind; others of the family keep their view of it. */
__attribute__((destructor)) static void unmap_memory(void)
{
    struct memory *memory = atomic_exchange(&shared, NULL);

    if (memory != NULL) {
        (void)munmap(memory, sizeof(*memory));
    }
}

static int get_key(uint8_t copy[SCHSM_PIN_FINGERPRINT], struct schsm_error *err)
{
    bool made;

    schsm_guard_lock();
    if (!key_made) {
        key_made = getrandom(key, sizeof(key), 0) == (ssize_t)sizeof(key);
    }
    made = key_made;
    memcpy(copy, key, sizeof(key));
    schsm_guard_unlock();
    if (!made) {
        return schsm_fail(err, SCHSM_REASON_CRYPTO, "the system gives no random numbers");
    }
    return 1;
}

void schsm_pin_memory_share(void)
{
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    uint8_t copy[sizeof(key)];
    struct memory *memory, *none = NULL;

    if (atomic_load(&shared) != NULL || !get_key(copy, &ignored)) {
        return;
    }
    OPENSSL_cleanse(copy, sizeof(copy));
    memory = mmap(NULL, sizeof(*memory), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return;
    }
    memcpy(memory, &private_memory, sizeof(*memory));
    if (!atomic_compare_exchange_strong(&shared, &none, memory)) {
        (void)munmap(memory, sizeof(*memory)); /* another thread was quicker */
    }
}

int schsm_pin_fingerprint(const char *device, const struct schsm_secret *pin,
                          uint8_t fingerprint[SCHSM_PIN_FINGERPRINT], struct schsm_error *err)
{
    uint8_t message[512], own[sizeof(key)];
    size_t device_len = strlen(device) + 1; /* its NUL parts it from the PIN */
    size_t pin_len = schsm_secret_len(pin);
    OSSL_LIB_CTX *context = NULL;
    size_t len = 0;
    int ok = 0;

    if (device_len + pin_len > sizeof(message)) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "the PIN is too long");
    }
    if (!get_key(own, err)) {
        return 0;
    }
    memcpy(message, device, device_len);
    memcpy(message + device_len, schsm_secret_data(pin), pin_len);
    context = OSSL_LIB_CTX_new();
    ok = context != NULL &&
         EVP_Q_mac(context, "HMAC", NULL, "SHA256", NULL, own, sizeof(own), message,
                   device_len + pin_len, fingerprint, SCHSM_PIN_FINGERPRINT, &len) != NULL &&
         len == SCHSM_PIN_FINGERPRINT;
    OSSL_LIB_CTX_free(context);
    OPENSSL_cleanse(message, sizeof(message));
    OPENSSL_cleanse(own, sizeof(own));
    if (!ok) {
        return schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto could not make an HMAC");
    }
    return 1;
}

bool schsm_pin_memory_in_use(void)
{
    return atomic_load(&get_memory()->used) != 0;
}

/* The entry of this fingerprint, NULL if there is none. */
static struct refused *find_refused(const uint8_t fingerprint[SCHSM_PIN_FINGERPRINT])
{
    struct memory *memory = get_memory();
    unsigned int used = atomic_load(&memory->used);
    uint64_t words[SCHSM_PIN_FINGERPRINT / sizeof(uint64_t)];

    memcpy(words, fingerprint, sizeof(words));
    for (unsigned int i = 0; i < used && i < REFUSED_MAX; i++) {
        uint64_t difference = 0;

        for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++) {
            difference |= atomic_load(&memory->refused[i].fingerprint[k]) ^ words[k];
        }
        if (difference == 0) {
            return &memory->refused[i];
        }
    }
    return NULL;
}

static void write_fingerprint(struct refused *entry, const uint8_t *fingerprint)
{
    uint64_t words[SCHSM_PIN_FINGERPRINT / sizeof(uint64_t)];

    memcpy(words, fingerprint, sizeof(words));
    for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++) {
        atomic_store(&entry->fingerprint[k], words[k]);
    }
}

void schsm_pin_memory_add(const uint8_t fingerprint[SCHSM_PIN_FINGERPRINT], int tries_left)
{
    struct memory *memory = get_memory();
    struct refused *entry = &memory->refused[atomic_fetch_add(&memory->used, 1) % REFUSED_MAX];

    atomic_store(&entry->tries_left, tries_left);
    write_fingerprint(entry, fingerprint);
}

bool schsm_pin_memory_knows(const uint8_t fingerprint[SCHSM_PIN_FINGERPRINT], int *tries_left)
{
    struct refused *entry = find_refused(fingerprint);

    if (entry != NULL) {
        *tries_left = atomic_load(&entry->tries_left);
    }
    return entry != NULL;
}

void schsm_pin_memory_forget(const uint8_t fingerprint[SCHSM_PIN_FINGERPRINT])
{
    static const uint8_t nobodys[SCHSM_PIN_FINGERPRINT]; /* no HMAC anybody will see */
    struct refused *entry = find_refused(fingerprint);

    if (entry != NULL) {
        write_fingerprint(entry, nobodys);
    }
}
