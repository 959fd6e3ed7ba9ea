/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>

#include <openssl/crypto.h>

#include "fuzz.h"
#include "wrapped.h"

#ifdef FLOW_WITH_JANSSON
#include <jansson.h>
#endif

static unsigned int chosen, fails_at, counted, held;

void flow_memory_fail(unsigned int kinds, unsigned int n)
{
    chosen = kinds;
    fails_at = n;
    counted = 0;
}

unsigned int flow_memory_counted(void)
{
    return counted;
}

void flow_memory_hold(void)
{
    held++;
}

void flow_memory_go_on(void)
{
    held--;
}

int flow_memory_refuses(void)
{
    if (held > 0) {
        return 0;
    }
    counted++;
    return fails_at != 0 &&
           (counted == fails_at || (counted > fails_at && (chosen & FLOW_MEMORY_GONE) != 0));
}

/* Of the compiler's flags: names of our own files begin with their folder. */
static int is_ours(const char *file)
{
    return file != NULL && (strncmp(file, "device/", 7) == 0 || strncmp(file, "keymgmt/", 8) == 0);
}

static int refuses(const char *file)
{
    return (is_ours(file) || (chosen & FLOW_MEMORY_LIBCRYPTO) != 0) && flow_memory_refuses();
}

static void *allocate(size_t size, const char *file, int line)
{
    (void)line;
    return refuses(file) ? NULL : malloc(size);
}

static void *reallocate(void *block, size_t size, const char *file, int line)
{
    (void)line;
    return refuses(file) ? NULL : realloc(block, size);
}

static void release(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    free(block);
}

/* A page for a secret. */
void *__wrap_mmap(void *at, size_t len, int protection, int flags, int descriptor, off_t offset)
{
    return flow_memory_refuses() ? MAP_FAILED
                                 : __real_mmap(at, len, protection, flags, descriptor, offset);
}

#ifdef FLOW_WITH_JANSSON
static void *allocate_json(size_t size)
{
    return flow_memory_refuses() ? NULL : malloc(size);
}
#endif

/* Before libcrypto allocates anything: afterwards it takes nobody else's functions. */
__attribute__((constructor)) static void take_allocations(void)
{
    REQUIRE(CRYPTO_set_mem_functions(allocate, reallocate, release) == 1);
#ifdef FLOW_WITH_JANSSON
    json_set_alloc_funcs(allocate_json, free);
#endif
}
