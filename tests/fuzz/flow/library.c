/* SPDX-License-Identifier: Apache-2.0 */
#include "library.h"

#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

#include "fuzz.h"
#include "memory.h"
#include "wrapped.h"

#define REQUEST_MAX 65536
#define STRENGTH 256

static OSSL_LIB_CTX *library;
static int borrowed;

static uint64_t states[FLOW_STREAMS];
static enum flow_stream current;

void flow_library_rewind(void)
{
    for (size_t i = 0; i < FLOW_STREAMS; i++) {
        states[i] = i + 1;
    }
}

enum flow_stream flow_library_stream(enum flow_stream stream)
{
    enum flow_stream before = current;

    current = stream;
    return before;
}

/* splitmix64 */
static uint64_t next_number(void)
{
    uint64_t z = states[current] += 0x9E3779B97F4A7C15u;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

/* --- a provider of these numbers ------------------------------------------------------------- */

static OSSL_FUNC_rand_newctx_fn numbers_new;
static OSSL_FUNC_rand_freectx_fn numbers_free;
static OSSL_FUNC_rand_instantiate_fn numbers_instantiate;
static OSSL_FUNC_rand_uninstantiate_fn numbers_uninstantiate;
static OSSL_FUNC_rand_generate_fn numbers_generate;
static OSSL_FUNC_rand_enable_locking_fn numbers_enable_locking;
static OSSL_FUNC_rand_gettable_ctx_params_fn numbers_gettable;
static OSSL_FUNC_rand_get_ctx_params_fn numbers_get;
static OSSL_FUNC_provider_query_operation_fn query;

static void *numbers_new(void *provider, void *parent, const OSSL_DISPATCH *of_parent)
{
    static char only_one;

    (void)provider;
    (void)parent;
    (void)of_parent;
    return &only_one;
}

static void numbers_free(void *numbers)
{
    (void)numbers;
}

static int numbers_instantiate(void *numbers, unsigned int strength, int resistance,
                               const unsigned char *text, size_t len, const OSSL_PARAM params[])
{
    (void)numbers;
    (void)strength;
    (void)resistance;
    (void)text;
    (void)len;
    (void)params;
    return 1;
}

static int numbers_uninstantiate(void *numbers)
{
    (void)numbers;
    return 1;
}

static int numbers_generate(void *numbers, unsigned char *out, size_t len, unsigned int strength,
                            int resistance, const unsigned char *input, size_t input_len)
{
    (void)numbers;
    (void)strength;
    (void)resistance;
    (void)input;
    (void)input_len;
    for (size_t i = 0; i < len; i++) {
        out[i] = (unsigned char)next_number();
    }
    return 1;
}

static int numbers_enable_locking(void *numbers)
{
    (void)numbers;
    return 1;
}

static const OSSL_PARAM *numbers_gettable(void *numbers, void *provider)
{
    static const OSSL_PARAM gettable[] = { OSSL_PARAM_int(OSSL_RAND_PARAM_STATE, NULL),
                                           OSSL_PARAM_uint(OSSL_RAND_PARAM_STRENGTH, NULL),
                                           OSSL_PARAM_size_t(OSSL_RAND_PARAM_MAX_REQUEST, NULL),
                                           OSSL_PARAM_END };

    (void)numbers;
    (void)provider;
    return gettable;
}

static int numbers_get(void *numbers, OSSL_PARAM params[])
{
    OSSL_PARAM *state = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_STATE);
    OSSL_PARAM *strength = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_STRENGTH);
    OSSL_PARAM *most = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_MAX_REQUEST);

    (void)numbers;
    return (state == NULL || OSSL_PARAM_set_int(state, EVP_RAND_STATE_READY)) &&
           (strength == NULL || OSSL_PARAM_set_uint(strength, STRENGTH)) &&
           (most == NULL || OSSL_PARAM_set_size_t(most, REQUEST_MAX));
}

static const OSSL_DISPATCH numbers_functions[] = {
    { OSSL_FUNC_RAND_NEWCTX, (void (*)(void))numbers_new },
    { OSSL_FUNC_RAND_FREECTX, (void (*)(void))numbers_free },
    { OSSL_FUNC_RAND_INSTANTIATE, (void (*)(void))numbers_instantiate },
    { OSSL_FUNC_RAND_UNINSTANTIATE, (void (*)(void))numbers_uninstantiate },
    { OSSL_FUNC_RAND_GENERATE, (void (*)(void))numbers_generate },
    { OSSL_FUNC_RAND_ENABLE_LOCKING, (void (*)(void))numbers_enable_locking },
    { OSSL_FUNC_RAND_GETTABLE_CTX_PARAMS, (void (*)(void))numbers_gettable },
    { OSSL_FUNC_RAND_GET_CTX_PARAMS, (void (*)(void))numbers_get },
    { 0, NULL },
};

static const OSSL_ALGORITHM *query(void *provider, int operation, int *no_cache)
{
    static const OSSL_ALGORITHM algorithms[] = {
        { "SAME-NUMBERS", "provider=same", numbers_functions, "the same numbers each time" },
        { NULL, NULL, NULL, NULL },
    };

    (void)provider;
    *no_cache = 0;
    return operation == OSSL_OP_RAND ? algorithms : NULL;
}

static int start_provider(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in,
                          const OSSL_DISPATCH **out, void **context)
{
    static const OSSL_DISPATCH functions[] = {
        { OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query },
        { 0, NULL },
    };
    static char unused;

    (void)core;
    (void)in;
    *out = functions;
    *context = &unused;
    return 1;
}

static void load_provider(OSSL_LIB_CTX *context, const char *name)
{
    static OSSL_PROVIDER *loaded[4]; /* for good, and no leaks */
    static size_t count;

    loaded[count] = OSSL_PROVIDER_load(context, name);
    REQUIRE(loaded[count++] != NULL);
}

static void use_same_numbers(OSSL_LIB_CTX *context)
{
    REQUIRE(OSSL_PROVIDER_add_builtin(context, "same", start_provider) == 1);
    load_provider(context, "default");
    load_provider(context, "same");
    REQUIRE(RAND_set_DRBG_type(context, "SAME-NUMBERS", NULL, NULL, NULL) == 1);
}

/* --- contexts --------------------------------------------------------------------------------- */

void flow_library_start(void)
{
    REQUIRE(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1);
    flow_library_rewind();
    library = __real_OSSL_LIB_CTX_new();
    REQUIRE(library != NULL);
    use_same_numbers(library);
    use_same_numbers(NULL);
}

OSSL_LIB_CTX *flow_library(void)
{
    return library;
}

int flow_library_borrowed(void)
{
    return borrowed;
}

OSSL_LIB_CTX *__wrap_OSSL_LIB_CTX_new(void)
{
    if (flow_memory_refuses()) {
        return NULL;
    }
    borrowed++;
    return library;
}

void __wrap_OSSL_LIB_CTX_free(OSSL_LIB_CTX *context)
{
    if (context == NULL) {
        return;
    }
    REQUIRE(context == library && borrowed > 0);
    borrowed--;
}
