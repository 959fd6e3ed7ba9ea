/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that a device shows only to who is logged in, as PKCS#11 tokens do with a private key that
 * has nothing public beside it. A search sees none of these. Who wants such a key logs in, with the
 * PIN that is at hand, and looks again.
 *
 * A PIN belongs to one device. So nobody is logged in where a URI may mean several: the wrong one
 * would count a try.
 */
#ifndef SCHSM_KEYMGMT_REVEAL_H
#define SCHSM_KEYMGMT_REVEAL_H

#include <stdbool.h>

#include "context.h"
#include "find.h"
#include "login.h"
#include "uri.h"

/* Of the devices that a URI may mean. */
struct schsm_hiding {
    struct schsm_device *device; /* the one that hides something, the registry's; NULL: none does */
    bool several; /* it is not the only device that the URI may mean, or not the only one to hide */
};

/* Which device shows some of its objects only after a login that has not been. No PIN, and nobody
 * is logged in. */
int schsm_hiding_find(struct schsm_context *context, const struct schsm_uri *uri,
                      struct schsm_hiding *hiding, struct schsm_error *err);

/*
 * After a search that found nothing of these types (or-ed): the sentence for it, which tells that
 * the device shows its keys only after a login, where it does. PIN_MISSING; NOT_FOUND where the
 * device is to be named first. Returns 0.
 */
int schsm_hiding_fail(const struct schsm_uri *uri, unsigned int types,
                      const struct schsm_hiding *hiding, struct schsm_error *err);

/*
 * Logs in to the one device that the URI may mean, if it hides anything, with the PIN of the URI or
 * the configuration, or the application's answer (passphrase may be NULL). *revealed: it was done,
 * so it is worth to look again. Without a PIN, and where the device is not the only one, nothing is
 * done. At most one try is spent. Fails where the PIN is refused, the device says that none can
 * help, or the application's answer is empty.
 */
int schsm_reveal(struct schsm_context *context, const struct schsm_uri *uri,
                 const struct schsm_hiding *hiding, const struct schsm_passphrase *passphrase,
                 bool *revealed, struct schsm_error *err);

/*
 * The one key of that type that the URI names, as schsm_find_one finds it, or after a login as
 * above. *match is the caller's, to be cleared.
 */
int schsm_reveal_key(struct schsm_context *context, const struct schsm_uri *uri,
                     enum schsm_object_type type, const struct schsm_passphrase *passphrase,
                     struct schsm_match *match, struct schsm_error *err);

#endif
