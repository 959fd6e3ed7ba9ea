/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PKCS#11 module in this process. libp11 loads it, initialises it and lists its slots; sessions,
 * PINs and mechanisms are called at the module itself, because libp11 keeps a copy of the PIN in
 * ordinary memory and knows neither raw ECDH nor data objects.
 *
 * A module is initialised once for a process and all who use it, as PKCS#11 wants it: so modules
 * are shared by all registries, and stay initialised until the process ends. Both libp11 and the
 * module are loaded at the first use.
 *
 * A module may use libcrypto with the very configuration that loads us. While we are in one of its
 * functions, the thread finds no devices (schsm_pkcs11_inside), so that it cannot come back to
 * itself.
 */
#ifndef SCHSM_PKCS11_PKCS11_MODULE_H
#define SCHSM_PKCS11_PKCS11_MODULE_H

#include <stdbool.h>

#include "cryptoki.h"
#include "base/error.h"
#include "base/fork_guard.h"

struct schsm_pkcs11_loaded; /* libp11's part */

struct schsm_pkcs11_module {
    struct schsm_fork_member fork; /* its lock is held for each job; first member */
    char *path;
    const struct ck_function_list *functions; /* once it was loaded */
    struct schsm_pkcs11_loaded *loaded;
    bool initialised;
    bool ours;               /* we initialised it, here or in a parent: so we may finalise it */
    unsigned int generation; /* grows whenever sessions and handles of before are void */
    struct schsm_pkcs11_module *next;
};

/* The process's module of that path, which lives as long as the process. Loads nothing. */
struct schsm_pkcs11_module *schsm_pkcs11_module_at(const char *path, struct schsm_error *err);

/* Takes the module for this thread; all below wants that. In a child that inherited it, the module
 * is as if it had not been initialised. Fails where the thread is inside of a module already. */
int schsm_pkcs11_lock(struct schsm_pkcs11_module *module, struct schsm_error *err);
void schsm_pkcs11_unlock(struct schsm_pkcs11_module *module);

/* Loads and initialises the module, if that is not done yet. */
int schsm_pkcs11_initialise(struct schsm_pkcs11_module *module, struct schsm_error *err);

/* Finalises the module: for one that lost its token, so that it looks anew. One that another part
 * of the program initialised goes on as it is, and only our sessions are void; unless that part
 * finalised it (gone). */
void schsm_pkcs11_finalise(struct schsm_pkcs11_module *module, bool gone);

/* A slot with a token in it. */
struct schsm_pkcs11_slot {
    ck_handle id;
    bool initialised;
    char label[33];
    char serial[17];
};

/* Lists what is there, at most *count slots; *count becomes their number. Sessions stay as they
 * are, whoever opened them. */
int schsm_pkcs11_slots(struct schsm_pkcs11_module *module, struct schsm_pkcs11_slot *slots,
                       size_t *count, struct schsm_error *err);

/* Around each call of a function of the module's, see CALL. done returns its argument. */
void schsm_pkcs11_begin(void);
ck_rv schsm_pkcs11_done(const char *function, ck_rv rv);

/* Calls a function of the module's: CALL(module, sign, (session, ...)). */
#define SCHSM_PKCS11_CALL(module, function, arguments)                                             \
    (schsm_pkcs11_begin(), schsm_pkcs11_done(#function, (module)->functions->function arguments))

/* False once the process is about to end: then modules may be gone already, and are left alone. */
bool schsm_pkcs11_usable(void);

#endif
