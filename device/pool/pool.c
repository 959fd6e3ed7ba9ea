/* SPDX-License-Identifier: Apache-2.0 */
#include "pool_private.h"

#include <string.h>
#include <time.h>

#include <openssl/crypto.h>

#include "base/fork_guard.h"
#include "load.h"

uint64_t schsm_pool_now(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

struct schsm_pool *schsm_pool_new(struct schsm_registry *registry, enum schsm_pool_mode mode,
                                  const char *serials, struct schsm_error *err)
{
    struct schsm_pool *pool = OPENSSL_zalloc(sizeof(*pool));

    if (pool == NULL || (serials != NULL && (pool->serials = OPENSSL_strdup(serials)) == NULL)) {
        OPENSSL_free(pool);
        schsm_fail_memory(err);
        return NULL;
    }
    pool->registry = registry;
    pool->mode = mode;
    schsm_load_share();
    return pool;
}

static void free_key(struct schsm_pooled_key *key)
{
    for (struct schsm_member *member = key->members, *next; member != NULL; member = next) {
        next = member->next;
        OPENSSL_free(member);
    }
    EVP_PKEY_free(key->expected.public_key);
    schsm_object_clear(&key->object);
    schsm_pin_source_free(key->source);
    OPENSSL_free(key->name);
    OPENSSL_free(key);
}

static bool owes_answers(const struct schsm_pool *pool)
{
    bool owes = schsm_answers_missing(&pool->looks);

    for (struct schsm_pooled_key *key = pool->keys; key != NULL; key = key->next) {
        for (struct schsm_member *member = key->members; member != NULL; member = member->next) {
            owes = owes || schsm_answers_missing(&member->answers);
        }
    }
    return owes;
}

bool schsm_pool_free(struct schsm_pool *pool)
{
    if (pool == NULL) {
        return true;
    }
    schsm_pool_unwatch(pool);
    if (owes_answers(pool)) {
        return false;
    }
    for (struct schsm_pooled_key *key = pool->keys, *next; key != NULL; key = next) {
        next = key->next;
        free_key(key);
    }
    OPENSSL_free(pool->serials);
    OPENSSL_free(pool);
    return true;
}

static struct schsm_pooled_key *find_pooled(struct schsm_pool *pool,
                                            const struct schsm_object *object)
{
    struct schsm_pooled_key *key = pool->keys;

    while (key != NULL && (key->object.value_len != object->value_len ||
                           memcmp(key->object.value, object->value, object->value_len) != 0)) {
        key = key->next;
    }
    return key;
}

static struct schsm_pooled_key *new_key(struct schsm_pool *pool,
                                        const struct schsm_expected_key *expected,
                                        const struct schsm_object *object)
{
    struct schsm_pooled_key *key = OPENSSL_zalloc(sizeof(*key));

    if (key == NULL) {
        return NULL;
    }
    key->device.ops = &schsm_pooled_ops;
    key->pool = pool;
    key->object = *object;
    key->object.value = OPENSSL_memdup(object->value, object->value_len);
    key->name = OPENSSL_strdup(expected->name);
    if (key->object.value == NULL || key->name == NULL || !EVP_PKEY_up_ref(expected->public_key)) {
        free_key(key);
        return NULL;
    }
    key->expected = *expected;
    key->expected.name = key->name;
    return key;
}

struct schsm_device *schsm_pool_device(struct schsm_pool *pool,
                                       const struct schsm_expected_key *expected,
                                       const struct schsm_object *object, struct schsm_error *err)
{
    struct schsm_pooled_key *key, *made = new_key(pool, expected, object);

    if (made == NULL) {
        schsm_fail_memory(err);
        return NULL;
    }
    schsm_guard_lock();
    key = find_pooled(pool, object);
    if (key == NULL) {
        key = made;
        key->next = pool->keys;
        pool->keys = key;
        made = NULL;
    }
    schsm_guard_unlock();
    if (made != NULL) {
        free_key(made);
    }
    return &key->device;
}

bool schsm_pool_has_member(struct schsm_device *pooled)
{
    struct schsm_pooled_key *key = (struct schsm_pooled_key *)pooled;
    bool has;

    schsm_guard_lock();
    has = key->members != NULL;
    schsm_guard_unlock();
    return has;
}

void schsm_pool_miss(struct schsm_device *pooled, const struct schsm_error *why)
{
    struct schsm_pooled_key *key = (struct schsm_pooled_key *)pooled;

    schsm_guard_lock();
    key->missing = *why;
    schsm_guard_unlock();
}
