/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11_module.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

/* libp11.h names types that OpenSSL hides from who wants nothing deprecated. */
typedef struct rsa_meth_st RSA_METHOD;
typedef struct ec_key_method_st EC_KEY_METHOD;
#include <libp11.h>

#include "base/descriptor.h"
#include "base/fork_gate.h"
#include "base/log.h"
#include "pkcs11_device.h"
#include "pkcs11_error.h"

#define SLOTS_LISTED 4096ul /* of a module; how many of them are taken is the caller's to say */
#define SLOT_LOOKS 3

/* Not linked but loaded: who configures no module has no libp11 in his process. */
static struct {
    void *library;
    __typeof__(PKCS11_CTX_new) *ctx_new;
    __typeof__(PKCS11_CTX_load) *ctx_load;
    __typeof__(PKCS11_CTX_unload) *ctx_unload;
    __typeof__(PKCS11_CTX_free) *ctx_free;
    __typeof__(ERR_get_CKR_code) *get_error_library;
    /* Of its libcrypto, which need not be ours: two versions may live in one process. */
    __typeof__(ERR_set_mark) *set_mark;
    __typeof__(ERR_pop_to_mark) *pop_to_mark;
    __typeof__(ERR_peek_last_error) *peek_last_error;
} libp11;

/*
 * What packaging reads in our file to learn which library is loaded so, and what for
 * (https://systemd.io/ELF_DLOPEN_METADATA): a note whose content is JSON.
 */
#define DLOPEN_NOTE                                                                                \
    "[{\"feature\":\"pkcs11\",\"description\":\"Tokens of PKCS#11 modules as devices\","           \
    "\"priority\":\"suggested\",\"soname\":[\"" SC_HSM_LIBP11 "\"]}]"

__attribute__((used, section(".note.dlopen"), aligned(4))) static const struct {
    uint32_t name_len, len, type;
    char name[sizeof("FDO")];
    _Alignas(4) char content[sizeof(DLOPEN_NOTE)];
} dlopen_note = { sizeof("FDO"), sizeof(DLOPEN_NOTE), 0x407C0C0Au, "FDO", DLOPEN_NOTE };

/* A context of libp11's. Those that a parent made stay here, untouched. */
struct schsm_pkcs11_loaded {
    PKCS11_CTX *ctx;
    struct schsm_pkcs11_loaded *older;
};

static struct schsm_pkcs11_module *modules; /* under the guard; never shrinks */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool loaded; /* libp11; with the reason where it is not */
static char reason[256];
static atomic_bool ending;
static _Thread_local int inside;

static void process_ends(void)
{
    atomic_store(&ending, true);
}

static bool find_function(const char *name, void *place, size_t size)
{
    void *function = dlsym(libp11.library, name);

    memcpy(place, &function, size);
    return function != NULL;
}

#define FIND(member, name) find_function(name, &libp11.member, sizeof(libp11.member))

/* A module stays in the process, and so does what we know of it: who unloads the provider and loads
 * it again finds both. */
static void stay(void)
{
    Dl_info self;

    if (dladdr(&modules, &self) != 0) {
        (void)dlopen(self.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
    }
}

static void load_libp11(void)
{
    stay();
    libp11.library = dlopen(SC_HSM_LIBP11, RTLD_NOW | RTLD_LOCAL);
    loaded = libp11.library != NULL && FIND(ctx_new, "PKCS11_CTX_new") &&
             FIND(ctx_load, "PKCS11_CTX_load") && FIND(ctx_unload, "PKCS11_CTX_unload") &&
             FIND(ctx_free, "PKCS11_CTX_free") && FIND(get_error_library, "ERR_get_CKR_code") &&
             FIND(set_mark, "ERR_set_mark") && FIND(pop_to_mark, "ERR_pop_to_mark") &&
             FIND(peek_last_error, "ERR_peek_last_error");
    if (!loaded) {
        const char *why = dlerror(); /* NOLINT(concurrency-mt-unsafe): under pthread_once */

        (void)snprintf(reason, sizeof(reason), "%s", why != NULL ? why : "a function is missing");
    }
    (void)atexit(process_ends);
}

bool schsm_pkcs11_usable(void)
{
    return !atomic_load(&ending);
}

bool schsm_pkcs11_inside(void)
{
    return inside > 0;
}

void schsm_pkcs11_begin(void)
{
    schsm_descriptor_hold();
    schsm_gate_enter();
    inside++;
    (void)ERR_set_mark();
    if (libp11.set_mark != ERR_set_mark) {
        (void)libp11.set_mark();
    }
}

ck_rv schsm_pkcs11_done(const char *function, ck_rv rv)
{
    /* Neither libp11 nor a module with libcrypto leaves its errors to whom they do not concern. */
    (void)ERR_pop_to_mark();
    if (libp11.pop_to_mark != ERR_pop_to_mark) {
        (void)libp11.pop_to_mark();
    }
    inside--;
    schsm_gate_leave();
    schsm_descriptor_release();
    schsm_log(SCHSM_LOG_DEBUG, "PKCS#11 %s: 0x%lx", function, rv);
    return rv;
}

/* libp11 leaves the module's answer in the error queue. */
static ck_rv end_of_libp11(const char *function, int failed)
{
    unsigned long code = failed ? libp11.peek_last_error() : 0;
    ck_rv rv = failed ? CKR_GENERAL_ERROR : CKR_OK;

    if (failed && ERR_GET_LIB(code) == libp11.get_error_library()) {
        rv = (ck_rv)ERR_GET_REASON(code);
    }
    return schsm_pkcs11_done(function, rv);
}

struct schsm_pkcs11_module *schsm_pkcs11_module_at(const char *path, struct schsm_error *err)
{
    struct schsm_pkcs11_module *made = OPENSSL_zalloc(sizeof(*made)), *found = NULL;

    if (made == NULL || (made->path = OPENSSL_strdup(path)) == NULL ||
        !schsm_fork_join(&made->fork)) {
        schsm_fail_memory(err);
        goto unneeded;
    }
    schsm_guard_lock();
    for (found = modules; found != NULL && strcmp(found->path, path) != 0; found = found->next) {
    }
    if (found == NULL) {
        made->next = modules;
        modules = made;
    }
    schsm_guard_unlock();
    if (found == NULL) {
        return made;
    }
    schsm_fork_leave(&made->fork);

unneeded:
    if (made != NULL) {
        OPENSSL_free(made->path);
        OPENSSL_free(made);
    }
    return found;
}

int schsm_pkcs11_lock(struct schsm_pkcs11_module *module, struct schsm_error *err)
{
    if (inside > 0) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "the PKCS#11 module %s is in the middle of an operation, and cannot use "
                          "a key of its own for that",
                          module->path);
    }
    schsm_fork_lock(&module->fork);
    if (module->fork.forked) {
        module->initialised = false;
        module->generation++;
        module->fork.forked = false;
    }
    return 1;
}

void schsm_pkcs11_unlock(struct schsm_pkcs11_module *module)
{
    schsm_fork_unlock(&module->fork);
}

/* The module's own functions; libp11 has it to itself. Loading it twice loads it once. */
static const struct ck_function_list *take_functions(const struct schsm_pkcs11_module *module,
                                                     struct schsm_error *err)
{
    ck_get_function_list *get = NULL;
    struct ck_function_list *functions = NULL;
    void *library, *symbol = NULL;
    ck_rv rv = CKR_GENERAL_ERROR;

    schsm_pkcs11_begin();
    library = dlopen(module->path, RTLD_NOW | RTLD_LOCAL);
    symbol = library != NULL ? dlsym(library, "C_GetFunctionList") : NULL;
    memcpy(&get, &symbol, sizeof(get));
    if (symbol != NULL) {
        rv = get(&functions);
    }
    (void)schsm_pkcs11_done("get_function_list", rv);
    if (library == NULL) {
        const char *why = dlerror(); /* NOLINT(concurrency-mt-unsafe): glibc's is the thread's */

        schsm_fail(err, SCHSM_REASON_CONFIG, "the PKCS#11 module cannot be loaded: %s",
                   why != NULL ? why : module->path);
        return NULL;
    }
    if (rv != CKR_OK || functions == NULL || functions->version.major != 2) {
        (void)dlclose(library);
        schsm_fail(err, SCHSM_REASON_CONFIG, "%s is no PKCS#11 module of version 2", module->path);
        return NULL;
    }
    return functions;
}

static int fail_initialise(const struct schsm_pkcs11_module *module, ck_rv rv,
                           struct schsm_error *err)
{
    schsm_pkcs11_describe(rv, err);
    return schsm_fail_context(err, "the PKCS#11 module %s cannot be initialised", module->path);
}

static int initialise_libp11(struct schsm_pkcs11_module *module, struct schsm_error *err)
{
    struct schsm_pkcs11_loaded *new = OPENSSL_zalloc(sizeof(*new));
    ck_rv rv;

    if (new == NULL) {
        return schsm_fail_memory(err);
    }
    schsm_pkcs11_begin();
    new->ctx = libp11.ctx_new();
    rv = end_of_libp11("initialise",
                       new->ctx == NULL || libp11.ctx_load(new->ctx, module->path) != 0);
    if (rv != CKR_OK) {
        if (new->ctx != NULL) {
            libp11.ctx_free(new->ctx);
        }
        OPENSSL_free(new);
        return fail_initialise(module, rv, err);
    }
    new->older = module->loaded;
    module->loaded = new;
    return 1;
}

static void finalise_libp11(struct schsm_pkcs11_module *module)
{
    struct schsm_pkcs11_loaded *current = module->loaded;

    schsm_pkcs11_begin();
    libp11.ctx_unload(current->ctx);
    libp11.ctx_free(current->ctx);
    (void)end_of_libp11("finalise", 0);
    module->loaded = current->older;
    OPENSSL_free(current);
}

/* Most modules are the same to all who ask for their functions. p11-kit's gives each an instance,
 * with a connection of its own. */
static int initialise_ours(struct schsm_pkcs11_module *module, struct schsm_error *err)
{
    const struct ck_initialize arguments = { .flags = CKF_OS_LOCKING_OK };
    ck_rv rv = SCHSM_PKCS11_CALL(module, initialize, (&arguments));

    module->ours = module->ours || rv == CKR_OK;
    return rv == CKR_OK || rv == CKR_CRYPTOKI_ALREADY_INITIALIZED
               ? 1
               : fail_initialise(module, rv, err);
}

static void finalise_ours(struct schsm_pkcs11_module *module)
{
    if (module->ours) {
        (void)SCHSM_PKCS11_CALL(module, finalize, (NULL));
    }
}

int schsm_pkcs11_initialise(struct schsm_pkcs11_module *module, struct schsm_error *err)
{
    if (module->initialised) {
        return 1;
    }
    schsm_gate_enter(); /* a fork waits for it as for the module's calls */
    (void)pthread_once(&once, load_libp11);
    schsm_gate_leave();
    if (!loaded) {
        return schsm_fail(err, SCHSM_REASON_CONFIG,
                          "a PKCS#11 module is configured, and libp11 for it cannot be loaded: %s; "
                          "install libp11-3",
                          reason);
    }
    if (module->functions == NULL) {
        module->functions = take_functions(module, err);
    }
    /* Before libp11 does it, so that we learn whether somebody else has done it. */
    if (module->functions == NULL || !initialise_ours(module, err)) {
        return 0;
    }
    if (!initialise_libp11(module, err)) {
        finalise_ours(module);
        return 0;
    }
    module->initialised = true;
    module->generation++;
    return 1;
}

void schsm_pkcs11_finalise(struct schsm_pkcs11_module *module, bool gone)
{
    if (!module->initialised) {
        return;
    }
    module->generation++;
    if (module->ours || gone) {
        finalise_libp11(module);
        finalise_ours(module);
        module->initialised = false;
    }
}

/* Texts are padded with blanks; some modules take zeros. size: of the field; to has one byte more.
 */
static void copy_text(char *to, const unsigned char *field, size_t size)
{
    while (size > 0 && (field[size - 1] == ' ' || field[size - 1] == 0)) {
        size--;
    }
    memcpy(to, field, size);
    to[size] = 0;
}

/* The slots with a token in them; *ids is the caller's. */
static ck_rv list_ids(struct schsm_pkcs11_module *module, ck_handle **ids, unsigned long *count)
{
    unsigned long room = 0;
    ck_rv rv = CKR_BUFFER_TOO_SMALL;

    *ids = NULL;
    for (int i = 0; i < SLOT_LOOKS && rv == CKR_BUFFER_TOO_SMALL;
         i++) { /* one may come meanwhile */
        OPENSSL_free(*ids);
        *ids = NULL;
        rv = SCHSM_PKCS11_CALL(module, get_slot_list, (CK_TRUE, NULL, &room));
        if (rv != CKR_OK) {
            return rv;
        }
        room = room < SLOTS_LISTED ? room + 1 : SLOTS_LISTED;
        *ids = OPENSSL_malloc(room * sizeof(**ids));
        if (*ids == NULL) {
            return CKR_HOST_MEMORY;
        }
        *count = room;
        rv = SCHSM_PKCS11_CALL(module, get_slot_list, (CK_TRUE, *ids, count));
    }
    *count = *count < room ? *count : room;
    return rv;
}

/* The token in this slot; CKR_TOKEN_NOT_PRESENT where there is none any more, or none for PKCS#11.
 */
static ck_rv look_at_slot(struct schsm_pkcs11_module *module, struct schsm_pkcs11_slot *slot)
{
    struct ck_token_info info;
    ck_rv rv;

    memset(&info, 0, sizeof(info));
    rv = SCHSM_PKCS11_CALL(module, get_token_info, (slot->id, &info));
    slot->initialised = (info.flags & CKF_TOKEN_INITIALIZED) != 0;
    copy_text(slot->label, info.label, sizeof(info.label));
    copy_text(slot->serial, info.serial, sizeof(info.serial));
    return rv == CKR_TOKEN_NOT_RECOGNIZED ? CKR_TOKEN_NOT_PRESENT : rv;
}

/* Not by libp11: where it lets go of a list of slots, it closes all sessions of their tokens. */
int schsm_pkcs11_slots(struct schsm_pkcs11_module *module, struct schsm_pkcs11_slot *slots,
                       size_t *count, struct schsm_error *err)
{
    unsigned long listed = 0;
    ck_handle *ids = NULL;
    size_t n = 0;
    ck_rv rv = list_ids(module, &ids, &listed), failure = rv;

    /* A token that is broken keeps nobody from the others. */
    for (unsigned long i = 0; rv == CKR_OK && i < listed && n < *count; i++) {
        ck_rv answer;

        slots[n].id = ids[i];
        answer = look_at_slot(module, &slots[n]);
        n += answer == CKR_OK;
        failure = answer == CKR_OK || answer == CKR_TOKEN_NOT_PRESENT ? failure : answer;
    }
    OPENSSL_free(ids);
    *count = n;
    if (n == 0 && failure != CKR_OK) {
        schsm_pkcs11_describe(failure, err);
        return schsm_fail_context(err, "the PKCS#11 module %s does not list its slots",
                                  module->path);
    }
    return 1;
}
