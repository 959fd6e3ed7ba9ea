/* SPDX-License-Identifier: Apache-2.0 */
/* Files are written whole or not at all, on whatever file system. */
#include "support.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "keymgmt/file.h"

static struct schsm_error err;
static char folder[] = "/tmp/sc-hsm-file-XXXXXX";
static char path[64];

/* What the file system cannot do. */
static bool no_links, no_careful_renames;

int __real_link(const char *from, const char *to);
int __wrap_link(const char *from, const char *to);
int __real_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned int flags);
int __wrap_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned int flags);

int __wrap_link(const char *from, const char *to)
{
    if (no_links) {
        errno = EPERM;
        return -1;
    }
    return __real_link(from, to);
}

int __wrap_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned int flags)
{
    if (no_careful_renames) {
        errno = EINVAL;
        return -1;
    }
    return __real_renameat2(from_fd, from, to_fd, to, flags);
}

static int begin(void **state)
{
    (void)state;
    no_links = no_careful_renames = false;
    (void)snprintf(path, sizeof(path), "%s/file", folder);
    (void)unlink(path);
    return 0;
}

static int write_text(const char *text, bool overwrite)
{
    return schsm_file_write(path, SCHSM_FILE_FOR_OWNER, overwrite, text, strlen(text), &err);
}

static void assert_text(const char *text)
{
    uint8_t *content = NULL;
    size_t len = 0;

    assert_int_equal(schsm_file_read(path, 100, &content, &len, &err), 1);
    assert_int_equal(len, strlen(text));
    assert_memory_equal(content, text, len);
    OPENSSL_free(content);
}

static void assert_nothing_else_is_there(void)
{
    DIR *listing = opendir(folder);
    const struct dirent *entry;

    assert_non_null(listing);
    while ((entry = readdir(listing)) != NULL) { /* NOLINT(concurrency-mt-unsafe): one thread */
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, "file") != 0) {
            fail_msg("%s was left behind", entry->d_name);
        }
    }
    (void)closedir(listing);
}

static void write_twice(void)
{
    struct stat about;

    assert_int_equal(write_text("first", false), 1);
    assert_text("first");
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    assert_int_equal(write_text("second", false), 0);
    assert_int_equal(err.reason, SCHSM_REASON_EXISTS);
    assert_text("first");
    assert_int_equal(write_text("third", true), 1);
    assert_text("third");
    assert_nothing_else_is_there();
}

static void a_file_is_replaced_only_on_demand(void **state)
{
    (void)state;
    write_twice();
}

static void a_memory_stick_without_links_takes_files(void **state)
{
    (void)state;
    no_links = true;
    write_twice();
}

static void a_network_file_system_takes_files(void **state)
{
    (void)state;
    no_careful_renames = true;
    write_twice();
}

static void what_cannot_be_written_leaves_nothing(void **state)
{
    (void)state;
    no_links = no_careful_renames = true;
    assert_int_equal(write_text("first", false), 0);
    assert_int_equal(err.reason, SCHSM_REASON_BAD_INPUT);
    assert_int_equal(access(path, F_OK), -1);
    assert_nothing_else_is_there();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_file_is_replaced_only_on_demand, begin),
        cmocka_unit_test_setup(a_memory_stick_without_links_takes_files, begin),
        cmocka_unit_test_setup(a_network_file_system_takes_files, begin),
        cmocka_unit_test_setup(what_cannot_be_written_leaves_nothing, begin),
    };
    int failed;

    if (mkdtemp(folder) == NULL) {
        return 1;
    }
    failed = cmocka_run_group_tests_name("files", tests, NULL, NULL);
    (void)begin(NULL);
    (void)rmdir(folder);
    return failed;
}
