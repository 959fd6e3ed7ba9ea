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
static long live;

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

long flow_memory_live(void)
{
    return live;
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

static void *counted_malloc(size_t size)
{
    void *block = malloc(size);

    live += block != NULL ? 1 : 0;
    return block;
}

static void counted_free(void *block)
{
    live -= block != NULL ? 1 : 0;
    free(block);
}

static void *allocate(size_t size, const char *file, int line)
{
    (void)line;
    return refuses(file) ? NULL : counted_malloc(size);
}

static void *reallocate(void *block, size_t size, const char *file, int line)
{
    void *changed;

    (void)line;
    if (size == 0) {
        counted_free(block);
        return NULL;
    }
    if (refuses(file)) {
        return NULL;
    }
    changed = realloc(block, size);
    live += block == NULL && changed != NULL ? 1 : 0;
    return changed;
}

static void release(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    counted_free(block);
}

/* A page for a secret. */
void *__wrap_mmap(void *at, size_t len, int protection, int flags, int descriptor, off_t offset)
{
    void *page = MAP_FAILED;

    if (!flow_memory_refuses()) {
        page = __real_mmap(at, len, protection, flags, descriptor, offset);
        live += page != MAP_FAILED ? 1 : 0;
    }
    return page;
}

int __wrap_munmap(void *page, size_t len)
{
    live--;
    return __real_munmap(page, len);
}

#ifdef FLOW_WITH_JANSSON
static void *allocate_json(size_t size)
{
    return flow_memory_refuses() ? NULL : counted_malloc(size);
}
#endif

/* Before libcrypto allocates anything: afterwards it takes nobody else's functions. */
__attribute__((constructor)) static void take_allocations(void)
{
    REQUIRE(CRYPTO_set_mem_functions(allocate, reallocate, release) == 1);
#ifdef FLOW_WITH_JANSSON
    json_set_alloc_funcs(allocate_json, counted_free);
#endif
}
