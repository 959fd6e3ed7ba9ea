/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several devices as one: all that have a private key, together, are one device (model/device.h)
 * for the operations with that key. A key is its public key; what a device calls it does not
 * matter. So secret keys have no such device: nothing shows that two devices have the same one.
 * Which of the devices does an operation is chosen anew for each, and one that fails is replaced by
 * another within the same call.
 *
 * Making such a device asks nobody. The first operation opens one device of the several; others
 * join when there is work for them, found by a thread of the pool's own, which ends when the pool
 * was not used for some seconds.
 */
#ifndef SCHSM_POOL_POOL_H
#define SCHSM_POOL_POOL_H

#include <stdbool.h>

#include "check/check.h"
#include "registry/registry.h"

enum schsm_pool_mode {
    SCHSM_POOL_OFF,
    SCHSM_POOL_SHARE,   /* each operation goes where the fewest wait */
    SCHSM_POOL_FAILOVER /* each goes to the first device that works */
};

struct schsm_pool;

/*
 * A pool of the registry's devices; registry and libctx are borrowed and outlive it. serials: those
 * that take part, parted by commas, and for failover their order; NULL: all. NULL where memory runs
 * out. To be made before a process forks the workers that are to know of each other's load.
 */
struct schsm_pool *schsm_pool_new(struct schsm_registry *registry, enum schsm_pool_mode mode,
                                  const char *serials, struct schsm_error *err);

/*
 * Ends the pool's thread and frees its devices, not the registry's. False where a device still owes
 * an answer that nobody waits for: the pool stays then, and so must all that it borrowed.
 */
bool schsm_pool_free(struct schsm_pool *pool);

/*
 * The device that stands for all that have this key: one for each key, and the pool's. object:
 * where the key was named or seen, with its DER SubjectPublicKeyInfo as value. What of the two is
 * needed is copied. It compares each result with the public part. NULL where memory runs out.
 *
 * It does the operations of a key, and logs in for them. All else names one device, and fails here
 * with UNSUPPORTED.
 */
struct schsm_device *schsm_pool_device(struct schsm_pool *pool,
                                       const struct schsm_expected_key *expected,
                                       const struct schsm_object *object, struct schsm_error *err);

/* Whether a device has been seen that has the key. */
bool schsm_pool_has_member(struct schsm_device *pooled);

/* Whether a device of this serial number, NULL: of whichever, comes before all others, so that a
 * key is to be looked for there first. */
bool schsm_pool_begins_with(const struct schsm_pool *pool, const char *serial);

/* The key's own device takes part: object is the key as it is there. Where it does not
 * belong to the pool's devices nothing happens. */
void schsm_pool_add(struct schsm_device *pooled, struct schsm_device *device,
                    const struct schsm_object *object);

/* Why the key's own device does not take part, for the sentence where none does. */
void schsm_pool_miss(struct schsm_device *pooled, const struct schsm_error *why);

#endif
