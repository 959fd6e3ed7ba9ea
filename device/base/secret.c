/* SPDX-License-Identifier: Apache-2.0 */
#include "secret.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "fork_guard.h"

#define SECRET_MAX 4000 /* bytes: with the struct it fits the smallest page, 4096 */

#define GUARD_TRIES 100 /* a millisecond each; the guard is held for much less */

struct schsm_secret {
    atomic_uint references;
    size_t mapped;
    atomic_size_t len;
    struct schsm_secret *next, **link; /* of all secrets, under the guard */
    uint8_t data[];
};

_Static_assert(sizeof(struct schsm_secret) + SECRET_MAX <= 4096, "a secret fits a page");

static struct schsm_secret *secrets;

/*
 * At the end of the process, or when this code is unloaded, nothing secret is left, whoever still
 * holds it: nobody calls the provider's teardown where libcrypto was told not to clean up, nor with
 * OpenSSL 4.0. Threads may still run, so the pages stay, and a PIN is first made one of no length,
 * which is never sent. exit may have been called in the middle of anything: so it does not wait for
 * the guard for ever, and calls nothing of libcrypto.
 */
__attribute__((destructor)) static void wipe_all(void)
{
    const struct timespec pause = { 0, 1000000 };
    int tries = 0;

    while (!schsm_guard_try()) {
        if (++tries == GUARD_TRIES) {
            return;
        }
        (void)nanosleep(&pause, NULL);
    }
    for (struct schsm_secret *secret = secrets; secret != NULL; secret = secret->next) {
        size_t len = atomic_exchange(&secret->len, 0);

        explicit_bzero(secret->data, len);
    }
    schsm_guard_unlock();
}

/*
 * A child inherits the pages, but not their locks. At once rather than at a first use: a worker may
 * have none, and its pages be written to the disk. It has one thread, and the list is whole,
 * because it changes under the guard, which the fork waited for.
 */
static void lock_in_child(void)
{
    int saved = errno;

    for (struct schsm_secret *secret = secrets; secret != NULL; secret = secret->next) {
        (void)mlock(secret, secret->mapped);
    }
    errno = saved;
}

/* As in fork_guard.c, when this code is loaded. Without it the secrets are only less guarded. */
__attribute__((constructor)) static void register_child_handler(void)
{
    (void)pthread_atfork(NULL, NULL, lock_in_child);
}

struct schsm_secret *schsm_secret_alloc(size_t len, uint8_t **data, struct schsm_error *err)
{
    struct schsm_secret *secret;
    long page = sysconf(_SC_PAGESIZE);
    size_t size = page > 0 ? (size_t)page : 4096;
    void *pages;

    if (len > SECRET_MAX) {
        schsm_fail(err, SCHSM_REASON_ARGUMENT, "a secret of %zu bytes is too long", len);
        return NULL;
    }
    pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) {
        schsm_fail_memory(err);
        return NULL;
    }
    /* Both may be refused (RLIMIT_MEMLOCK, old kernels); the secret is then only less guarded. */
    (void)mlock(pages, size);
    (void)madvise(pages, size, MADV_DONTDUMP);
    secret = pages;
    atomic_init(&secret->references, 1);
    secret->mapped = size;
    atomic_init(&secret->len, len);
    schsm_guard_lock();
    secret->next = secrets;
    secret->link = &secrets;
    if (secrets != NULL) {
        secrets->link = &secret->next;
    }
    secrets = secret;
    schsm_guard_unlock();
    *data = secret->data;
    return secret;
}

struct schsm_secret *schsm_secret_new(const void *data, size_t len, struct schsm_error *err)
{
    uint8_t *copy;
    struct schsm_secret *secret = schsm_secret_alloc(len, &copy, err);

    if (secret != NULL && len > 0) {
        memcpy(copy, data, len);
    }
    return secret;
}

struct schsm_secret *schsm_secret_ref(struct schsm_secret *secret)
{
    if (secret != NULL) {
        (void)atomic_fetch_add_explicit(&secret->references, 1, memory_order_relaxed);
    }
    return secret;
}

void schsm_secret_free(struct schsm_secret *secret)
{
    size_t mapped;

    if (secret == NULL ||
        atomic_fetch_sub_explicit(&secret->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    schsm_guard_lock();
    *secret->link = secret->next;
    if (secret->next != NULL) {
        secret->next->link = secret->link;
    }
    schsm_guard_unlock();
    mapped = secret->mapped;
    OPENSSL_cleanse(secret, mapped);
    (void)munmap(secret, mapped); /* takes the lock with it */
}

const uint8_t *schsm_secret_data(const struct schsm_secret *secret)
{
    return secret->data;
}

size_t schsm_secret_len(const struct schsm_secret *secret)
{
    return secret->len;
}
