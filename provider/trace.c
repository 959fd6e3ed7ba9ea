/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"

void schsm_trace_key_line(const char *function, const struct schsm_pkey *key)
{
    if (key == NULL) {
        schsm_log(SCHSM_LOG_DEBUG, "%s", function);
    } else if (key->device != NULL) {
        schsm_log(SCHSM_LOG_DEBUG, "%s: %s, %s on the device", function, key->type,
                  schsm_key_name(key->device));
    } else {
        schsm_log(SCHSM_LOG_DEBUG, "%s: %s %s", function, key->type,
                  key->has_private  ? "software key"
                  : key->has_public ? "public key"
                                    : "parameters");
    }
}
