/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libcrypto asked for, in its order: each function of a dispatch table leaves one line in the
 * log at level debug, with its name as provider-base(7) and its kin have it, and the key's. At any
 * other level it costs one atomic load. Nothing is asked of a device for it.
 */
#ifndef SCHSM_PROVIDER_TRACE_H
#define SCHSM_PROVIDER_TRACE_H

#include "base/log.h"
#include "pkey.h"

void schsm_trace_key_line(const char *function, const struct schsm_pkey *key);

/* key: NULL where there is none, or where it is the one from before. */
static inline void schsm_trace(const char *function, const struct schsm_pkey *key)
{
    if (schsm_log_wants(SCHSM_LOG_DEBUG)) {
        schsm_trace_key_line(function, key);
    }
}

/* For functions that have no key yet; what: a name of OpenSSL's or ours, never an argument of the
 * user's, as a PIN may stand in it. */
static inline void schsm_trace_of(const char *function, const char *what)
{
    if (schsm_log_wants(SCHSM_LOG_DEBUG)) {
        schsm_log(SCHSM_LOG_DEBUG, "%s: %s", function, what);
    }
}

#endif
