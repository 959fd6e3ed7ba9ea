/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key domains of a SmartCard-HSM and their key encryption keys (protocol reference sections 6.8
 * and 13). A device that has no key domains but one DKEK has that one as domain 0. Domains whose
 * key devices agree on among themselves are created by hsm_xkek.h, and listed and deleted here.
 * Another kind of device is UNSUPPORTED.
 */
#ifndef SCHSM_HSM_HSM_KEY_DOMAIN_H
#define SCHSM_HSM_HSM_KEY_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/device.h"
#include "format/dkek.h"
#include "base/error.h"

#define SCHSM_HSM_DOMAINS_MAX (SCHSM_KEY_DOMAIN_MAX + 1)

struct schsm_hsm_domain {
    size_t uid_len; /* 0: not an XKEK domain */
    uint8_t uid[SCHSM_DOMAIN_UID_MAX];
    uint8_t kcv[SCHSM_KCV_LEN]; /* of the key, where it is complete */
    unsigned int number;
    unsigned int shares, outstanding;
    bool created;  /* false: a place for one */
    bool xkek;     /* its key is agreed on by devices, there are no shares */
    bool complete; /* it has its key, with that check value */
    bool sealed;   /* the device tells the check value, or that there is no key, only after a login
                    * (a Pico HSM); with shares there is a key */
};

/* All places, created or not. *count is the room at domains, SCHSM_HSM_DOMAINS_MAX suffices, and
 * becomes their number; 0: the device was initialised without any, its keys cannot be wrapped. */
int schsm_hsm_domains(struct schsm_device *dev, struct schsm_hsm_domain *domains, size_t *count,
                      struct schsm_error *err);

/*
 * The domain whose key encryption key has this check value; no login. Where there is none, fails
 * with WRONG_KEY and a sentence that says which key is wanted and which the device has. A sealed
 * domain is taken for the one, until somebody logs in.
 */
int schsm_hsm_find_kek(struct schsm_device *dev, const uint8_t kcv[SCHSM_KCV_LEN],
                       unsigned int *domain, struct schsm_error *err);

/* The same for certain: logs in where the device tells it only then. */
int schsm_hsm_find_kek_by_login(struct schsm_device *dev, const uint8_t kcv[SCHSM_KCV_LEN],
                                const struct schsm_login *login, unsigned int *domain,
                                struct schsm_error *err);

/* Creates a domain whose key has 1..255 shares, all outstanding. EXISTS where it is there. */
int schsm_hsm_create_dkek_domain(struct schsm_device *dev, unsigned int domain, unsigned int shares,
                                 const struct schsm_login *login, struct schsm_error *err);

/*
 * Imports a share of SCHSM_DKEK_LEN bytes; *after is the domain's state then. A share is added at
 * most once, whatever happens to the connection. The login, which may be NULL, is used only where
 * the device wants one. Fails with EXISTS where no share is outstanding.
 */
int schsm_hsm_import_share(struct schsm_device *dev, unsigned int domain,
                           const struct schsm_secret *share, const struct schsm_login *login,
                           struct schsm_hsm_domain *after, struct schsm_error *err);

/* Deletes the key encryption key: keys stay, but can be neither wrapped nor unwrapped until all
 * shares were imported again. */
int schsm_hsm_delete_kek(struct schsm_device *dev, unsigned int domain,
                         const struct schsm_login *login, struct schsm_error *err);

/* Deletes a domain without keys (EXISTS where it has some). */
int schsm_hsm_delete_domain(struct schsm_device *dev, unsigned int domain,
                            const struct schsm_login *login, struct schsm_error *err);

/* Fails, and says why a device that lists no key domains has no key encryption key: it was
 * initialised so (NOT_FOUND), or never (NOT_INITIALISED). */
int schsm_hsm_refuse_without_kek(struct schsm_device *dev, struct schsm_error *err);

#endif
