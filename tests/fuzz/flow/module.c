/* SPDX-License-Identifier: Apache-2.0 */
#include "module.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "card/transport.h"
#include "pkcs11/pkcs11_module.h"
#include "registry/registry.h"

#include "fuzz.h"

/* Our code keeps what it got from the module, so that is one list for ever. */
static struct ck_function_list given;

void flow_module_be(struct ck_function_list *functions)
{
    given = *functions;
}

void flow_module_load(struct ck_function_list *functions)
{
    void (*be)(struct ck_function_list * list);
    void *library = dlopen(FLOW_MODULE, RTLD_NOW | RTLD_LOCAL), *symbol;
    struct schsm_pkcs11_module *module;

    REQUIRE(library != NULL);
    symbol = dlsym(library, "hostile_module_be");
    REQUIRE(symbol != NULL);
    memcpy(&be, &symbol, sizeof(be));
    flow_module_be(functions);
    be(&given);
    /* It is ours to finalise once we have initialised it. */
    module = schsm_pkcs11_module_at(FLOW_MODULE, NULL);
    REQUIRE(module != NULL && schsm_pkcs11_lock(module, NULL));
    REQUIRE(schsm_pkcs11_initialise(module, NULL));
    schsm_pkcs11_unlock(module);
    flow_module_forget();
}

static enum schsm_transport_result list_no_reader(void *arg, struct schsm_slot *slots,
                                                  size_t *count, struct schsm_error *err)
{
    (void)arg;
    (void)slots;
    (void)err;
    *count = 0;
    return SCHSM_TRANSPORT_OK;
}

struct schsm_registry *flow_module_open(void *arg, struct schsm_error *err)
{
    static const struct schsm_transport no_readers = { .list = list_no_reader };
    struct schsm_registry *registry = schsm_registry_new_on(&no_readers, NULL, err);

    (void)arg;
    if (registry != NULL && !schsm_registry_use_module(registry, FLOW_MODULE, err)) {
        schsm_registry_free(registry);
        registry = NULL;
    }
    return registry;
}

void flow_module_forget(void)
{
    struct schsm_pkcs11_module *module = schsm_pkcs11_module_at(FLOW_MODULE, NULL);

    REQUIRE(module != NULL && schsm_pkcs11_lock(module, NULL));
    if (module->initialised) {
        schsm_pkcs11_finalise(module, false);
    }
    REQUIRE(!module->initialised);
    schsm_pkcs11_unlock(module);
}
