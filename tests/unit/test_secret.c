/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/secret.h"

static void keeps_a_copy(void **state)
{
    char pin[] = "648219";
    struct schsm_secret *secret = schsm_secret_new(pin, 6, NULL);

    (void)state;
    assert_non_null(secret);
    memset(pin, 0, sizeof(pin));
    assert_int_equal(schsm_secret_len(secret), 6);
    assert_memory_equal(schsm_secret_data(secret), "648219", 6);
    schsm_secret_free(secret);
}

static void is_filled_in_by_who_made_it(void **state)
{
    uint8_t *data = NULL;
    struct schsm_secret *secret = schsm_secret_alloc(4, &data, NULL);

    (void)state;
    assert_non_null(secret);
    assert_memory_equal(schsm_secret_data(secret), "\0\0\0\0", 4);
    memset(data, '1', 4);
    assert_memory_equal(schsm_secret_data(secret), "1111", 4);
    schsm_secret_free(secret);
    assert_null(schsm_secret_alloc(4001, &data, NULL));
}

static void takes_0_to_4000_bytes(void **state)
{
    static uint8_t data[4001] = { 7 };
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_secret *secret;

    (void)state;
    secret = schsm_secret_new(NULL, 0, &err);
    assert_non_null(secret);
    assert_int_equal(schsm_secret_len(secret), 0);
    schsm_secret_free(secret);
    secret = schsm_secret_new(data, 4000, &err);
    assert_non_null(secret);
    assert_memory_equal(schsm_secret_data(secret), data, 4000);
    schsm_secret_free(secret);
    assert_null(schsm_secret_new(data, 4001, &err));
    assert_int_equal(err.reason, SCHSM_REASON_ARGUMENT);
    schsm_secret_free(NULL);
}

static void *use_references(void *secret)
{
    for (int i = 0; i < 20000; i++) {
        struct schsm_secret *mine = schsm_secret_ref(secret);

        if (schsm_secret_data(mine)[0] != 'x') {
            abort();
        }
        schsm_secret_free(mine);
    }
    return NULL;
}

static void lives_until_the_last_of_many_threads_lets_go(void **state)
{
    struct schsm_secret *secret = schsm_secret_new("x", 1, NULL);
    pthread_t threads[4];

    (void)state;
    assert_non_null(secret);
    for (size_t i = 0; i < COUNT(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, use_references, secret), 0);
    }
    for (size_t i = 0; i < COUNT(threads); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_memory_equal(schsm_secret_data(secret), "x", 1);
    schsm_secret_free(secret);
}

static void survives_fork_on_both_sides(void **state)
{
    struct schsm_secret *secret = schsm_secret_new("648219", 6, NULL);
    int status = -1;
    pid_t child;

    (void)state;
    assert_non_null(secret);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int wrong = memcmp(schsm_secret_data(secret), "648219", 6) != 0;

        schsm_secret_free(secret);
        _exit(wrong);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_memory_equal(schsm_secret_data(secret), "648219", 6);
    schsm_secret_free(secret);
}

/* kB of this process that are locked; -1: nobody tells. */
static int locked_memory(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    char line[256];
    int locked = -1;

    while (status != NULL && fgets(line, sizeof(line), status) != NULL) {
        if (sscanf(line, "VmLck: %d", &locked) == 1) { /* NOLINT(cert-err34-c): the kernel's own */
            break;
        }
    }
    if (status != NULL) {
        (void)fclose(status);
    }
    return locked;
}

/* Locks are not inherited. */
static void is_locked_in_children_and_theirs(void **state)
{
    struct schsm_secret *first = schsm_secret_new("648219", 6, NULL);
    struct schsm_secret *second = schsm_secret_new("123456", 6, NULL);
    struct schsm_secret *gone = schsm_secret_new("111111", 6, NULL);
    int here = -1, status = -1;
    pid_t child;

    (void)state;
    assert_non_null(first);
    assert_non_null(second);
    schsm_secret_free(gone);
    here = locked_memory();
    if (here <= 0) { /* nothing may be locked here, or a sanitizer does not let us */
        schsm_secret_free(first);
        schsm_secret_free(second);
        skip();
    }
    assert_int_equal(here, 2 * sysconf(_SC_PAGESIZE) / 1024);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int wrong = locked_memory() != here;

        schsm_secret_free(first);
        child = fork();
        if (child == 0) {
            _exit(locked_memory() != here / 2);
        }
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
            wrong = 1;
        }
        _exit(wrong);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    schsm_secret_free(first);
    schsm_secret_free(second);
    assert_int_equal(locked_memory(), 0);
}

/* Emulators (qemu before 8.0) take every advice, nonsense as well, and pass none on. */
static bool is_advice_heeded(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *memory = mmap(NULL, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool heeded = memory != MAP_FAILED && madvise(memory, page, 9999) != 0;

    (void)munmap(memory, page);
    return heeded;
}

static void is_left_out_of_core_dumps(void **state)
{
    struct schsm_secret *secret = schsm_secret_new("648219", 6, NULL);
    uintptr_t where = (uintptr_t)schsm_secret_data(secret);
    FILE *maps = fopen("/proc/self/smaps", "r");
    char line[4096];
    bool inside = false, flags = false, undumped = false;

    (void)state;
    if (maps == NULL) {
        schsm_secret_free(secret);
        skip();
    }
    while (fgets(line, sizeof(line), maps) != NULL) {
        char *end;
        uint64_t from = strtoull(line, &end, 16);

        if (*end == '-') { /* from-to: a mapping's first line */
            inside = from <= where && where < strtoull(end + 1, NULL, 16);
        } else if (inside && strncmp(line, "VmFlags:", 8) == 0) {
            flags = true;
            undumped = strstr(line, " dd") != NULL;
        }
    }
    (void)fclose(maps);
    schsm_secret_free(secret);
    if (!flags || !is_advice_heeded()) {
        skip(); /* a kernel that does not tell, or that does not get to know */
    }
    assert_true(undumped);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_a_copy),
        cmocka_unit_test(is_filled_in_by_who_made_it),
        cmocka_unit_test(takes_0_to_4000_bytes),
        cmocka_unit_test(lives_until_the_last_of_many_threads_lets_go),
        cmocka_unit_test(survives_fork_on_both_sides),
        cmocka_unit_test(is_locked_in_children_and_theirs),
        cmocka_unit_test(is_left_out_of_core_dumps),
    };

    return cmocka_run_group_tests_name("secrets", tests, NULL, NULL);
}
