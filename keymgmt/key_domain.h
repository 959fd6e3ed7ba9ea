/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key domains whose devices agree on their key encryption key (protocol reference section 15): the
 * keys that this takes, who becomes a member, and with whom a key is agreed on.
 */
#ifndef SCHSM_KEYMGMT_KEY_DOMAIN_H
#define SCHSM_KEYMGMT_KEY_DOMAIN_H

#include "format/roots.h"
#include "hsm/hsm_key_domain.h"
#include "certified_key.h"

/* Whether a key can be made in a domain: its place is there and it has been created; else as below,
 * or NOT_FOUND. The device itself would only call the key's parameters bad. */
int schsm_key_domain_check(struct schsm_device *device, unsigned int number,
                           struct schsm_error *err);

/* One domain's state, as the device tells it. Fails with NOT_FOUND where there is no such place,
 * UNSUPPORTED where there are none at all. */
int schsm_key_domain_read(struct schsm_device *device, unsigned int number,
                          struct schsm_hsm_domain *domain, struct schsm_error *err);

/* Makes spec that of a domain's signer; which of the device's own domains it is in, and its names,
 * are the caller's to add. */
void schsm_key_domain_signer(struct schsm_generate *spec);

/*
 * Makes spec that of a key for the exchange in the domain of this number, likewise; *domain is
 * filled, and spec points into it. Fails with NOT_FOUND where that is no XKEK domain.
 */
int schsm_key_domain_exchange_key(struct schsm_device *device, unsigned int number,
                                  struct schsm_hsm_domain *domain, struct schsm_generate *spec,
                                  struct schsm_error *err);

/* The device's certificates, for whoever issues memberships. *len is the capacity,
 * SCHSM_DEVICE_ID_MAX suffices, and becomes the length. */
int schsm_device_id(struct schsm_device *device, uint8_t *id, size_t *len, struct schsm_error *err);

/*
 * Reads the device id of a member to be from a file, as schsm_certified_file_read does. Whom a
 * membership is for must be a device under the built-in roots or these, else WRONG_KEY, unless
 * unverified: a program's key would get a part in the group.
 */
int schsm_member_read(const char *path, const struct schsm_roots *roots, bool unverified,
                      uint8_t **file, struct schsm_container *member, struct schsm_error *err);

/* Signs the membership; name becomes the member's, *membership is OPENSSL_malloc'ed for the caller.
 */
int schsm_member_admit(OSSL_LIB_CTX *libctx, const struct schsm_certified_key *signer,
                       const struct schsm_container *member, const struct schsm_login *login,
                       char name[SCHSM_CVC_NAME_MAX + 1], uint8_t **membership, size_t *len,
                       struct schsm_error *err);

/* Reads the other device's exchange key from a file, likewise, and the UID of its domain. */
int schsm_peer_read(const char *path, uint8_t **file, struct schsm_container *peer,
                    struct schsm_view *uid, struct schsm_error *err);

/*
 * Whether the key of this reference can answer an exchange key of that domain. *number becomes the
 * domain's on this device. Fails with WRONG_KEY where the device is no member, or its key is of
 * another domain. No login.
 */
int schsm_peer_check(struct schsm_device *device, int key_ref, struct schsm_view uid,
                     unsigned int *number, struct schsm_error *err);

#endif
