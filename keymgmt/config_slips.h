/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that no setting has, and that were meant for one. OpenSSL tells a provider the value of a
 * name that it asks for, and not which names its section has: so what people write instead of a
 * name is asked for as well, lest secure_channel = require be no setting at all.
 */
#ifndef SCHSM_KEYMGMT_CONFIG_SLIPS_H
#define SCHSM_KEYMGMT_CONFIG_SLIPS_H

#include <stdbool.h>
#include <stddef.h>

#define SCHSM_SLIP_MAX 24 /* characters and the end of a name */

struct schsm_slip {
    char name[SCHSM_SLIP_MAX];
    const char *meant; /* the setting, as schsm_config_key tells it */
};

/*
 * All of them, some more than once, some of them names: each setting in capitals, with _ or nothing
 * for -, and what one slip makes of it with - or _: a letter missing, one too many, another one,
 * two exchanged. Another letter only in names of more than four; others would be words of their
 * own. NULL where memory runs out; the caller's to free by OPENSSL_free.
 */
struct schsm_slip *schsm_config_slips(size_t *count);

/* Whether it is a setting, or what OpenSSL itself looks for in a provider's section. */
bool schsm_config_is_name(const char *name);

#endif
