/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fixed table in static memory: unloading the library leaves nothing behind. All of it is guarded
 * by the process-wide guard, so that a child of a fork finds it whole.
 */
#include "memory.h"

#include <string.h>
#include <sys/random.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/fork_guard.h"

/* A device blocks its PIN after at most ten wrong ones; beyond this many the oldest is forgotten.
 */
#define REFUSED_MAX 64

static uint8_t key[SCHSM_PIN_FINGERPRINT];
static bool key_made;
static struct {
    uint8_t fingerprint[SCHSM_PIN_FINGERPRINT];
    int tries_left;
} refused[REFUSED_MAX];
static unsigned int used; /* entries ever added */

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
    bool in_use;

    schsm_guard_lock();
    in_use = used != 0;
    schsm_guard_unlock();
    return in_use;
}

void schsm_pin_memory_add(const uint8_t fingerprint[SCHSM_PIN_FINGERPRINT], int tries_left)
{
    schsm_guard_lock();
    memcpy(refused[used % REFUSED_MAX].fingerprint, fingerprint, SCHSM_PIN_FINGERPRINT);
    refused[used % REFUSED_MAX].tries_left = tries_left;
    used++;
    schsm_guard_unlock();
}

bool schsm_pin_memory_knows(const uint8_t fingerprint[SCHSM_PIN_FINGERPRINT], int *tries_left)
{
    bool known = false;

    schsm_guard_lock();
    for (unsigned int i = 0; i < used && i < REFUSED_MAX && !known; i++) {
        known = CRYPTO_memcmp(refused[i].fingerprint, fingerprint, SCHSM_PIN_FINGERPRINT) == 0;
        if (known) {
            *tries_left = refused[i].tries_left;
        }
    }
    schsm_guard_unlock();
    return known;
}

void schsm_pin_memory_forget(const uint8_t fingerprint[SCHSM_PIN_FINGERPRINT])
{
    schsm_guard_lock();
    for (unsigned int i = 0; i < used && i < REFUSED_MAX; i++) {
        if (CRYPTO_memcmp(refused[i].fingerprint, fingerprint, SCHSM_PIN_FINGERPRINT) == 0) {
            /* no HMAC anybody will see */
            memset(refused[i].fingerprint, 0, SCHSM_PIN_FINGERPRINT);
        }
    }
    schsm_guard_unlock();
}
