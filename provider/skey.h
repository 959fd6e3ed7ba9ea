/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AES keys on a device as EVP_SKEY has them: OpenSSL 3.5 and later. They are named by their URI,
 * and their bytes come out nowhere and go in nowhere.
 */
#ifndef SCHSM_PROVIDER_SKEY_H
#define SCHSM_PROVIDER_SKEY_H

#include "keymgmt/loaded_secret.h"
#include "provider.h"

#ifdef OSSL_OP_SKEYMGMT

#define SCHSM_SKEY_NAME "SC-HSM-AES"

struct schsm_skey {
    struct schsm_provider *prov;
    struct schsm_loaded_secret *secret;
    struct schsm_skey *next_offered;
};

/* Takes over the secret. NULL: then it is NULL, and err says why and is raised, or memory ran out.
 */
struct schsm_skey *schsm_skey_new(struct schsm_provider *prov, struct schsm_loaded_secret *secret,
                                  const struct schsm_error *err);

/* For contexts that use a key: libcrypto may free it before them. */
struct schsm_skey *schsm_skey_dup(const struct schsm_skey *key);
void schsm_skey_free(struct schsm_skey *key);

/*
 * For a store, which hands a key over by reference: libcrypto (4.0 and later) gives that to the
 * import, among parameters that anybody could make up. So whether it is one is looked up. A key
 * that was not taken is freed when it is withdrawn, and of one that was only the address is used.
 */
void schsm_skey_offer(struct schsm_skey *key);
void schsm_skey_withdraw(struct schsm_provider *prov, struct schsm_skey *key);

/* The key for operations; *login and what is returned are good as long as it is. */
struct schsm_secret_key schsm_skey_operand(const struct schsm_skey *key, struct schsm_login *login);

/* The answer to whoever brings the bytes of a key; raises it and returns 0. */
int schsm_skey_refuse_bytes(const struct schsm_provider *prov);

/* Leaves a line in the log, with the key's name. key: NULL where there is none. */
void schsm_trace_skey(const char *function, const struct schsm_skey *key);

#endif

#endif
