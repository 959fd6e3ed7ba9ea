/* SPDX-License-Identifier: Apache-2.0 */
/* Files are written whole or not at all, on whatever file system. */
#include "support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/descriptor.h"
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

int __real_schsm_descriptor_open(const char *file, int flags, mode_t mode);
int __wrap_schsm_descriptor_open(const char *file, int flags, mode_t mode);

/* One that lacks either makes no file without a name. */
int __wrap_schsm_descriptor_open(const char *file, int flags, mode_t mode)
{
    if ((flags & O_TMPFILE) == O_TMPFILE && (no_links || no_careful_renames)) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return __real_schsm_descriptor_open(file, flags, mode);
}

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

static const char *sibling(const char *name)
{
    static char other[80];

    (void)snprintf(other, sizeof(other), "%s/%s", folder, name);
    (void)unlink(other);
    return other;
}

static void a_link_stays_and_its_file_is_replaced(void **state)
{
    const char *target = sibling("target");
    struct stat about;

    (void)state;
    assert_int_equal(symlink("target", path), 0);
    assert_int_equal(write_text("through", false), 1); /* it leads to nothing yet */
    assert_int_equal(lstat(path, &about), 0);
    assert_true(S_ISLNK(about.st_mode));
    assert_int_equal(lstat(target, &about), 0);
    assert_true(S_ISREG(about.st_mode));
    assert_int_equal(write_text("again", false), 0);
    assert_int_equal(err.reason, SCHSM_REASON_EXISTS);
    assert_int_equal(schsm_file_check_place(path, false, &err), 0);
    assert_int_equal(schsm_file_check_place(path, true, &err), 1);
    assert_int_equal(write_text("again", true), 1);
    assert_text("again");
    assert_int_equal(lstat(path, &about), 0);
    assert_true(S_ISLNK(about.st_mode));
    assert_int_equal(unlink(target), 0);
    assert_nothing_else_is_there();
}

static void links_that_lead_to_each_other_end(void **state)
{
    (void)state;
    assert_int_equal(symlink("file", path), 0);
    assert_int_equal(write_text("never", true), 0);
    assert_int_equal(err.reason, SCHSM_REASON_BAD_INPUT);
}

static void what_is_no_regular_file_is_written(void **state)
{
    static const bool overwrites[] = { false, true };
    struct stat about;
    char got[16];
    int reader;

    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(schsm_file_check_place(path, overwrites[i], &err), 1);
        assert_int_equal(write_text("piped", overwrites[i]), 1);
        assert_int_equal(read(reader, got, sizeof(got)), 5);
        assert_memory_equal(got, "piped", 5);
        assert_int_equal(lstat(path, &about), 0);
        assert_true(S_ISFIFO(about.st_mode));
    }
    (void)close(reader);
    assert_int_equal(schsm_file_write("/dev/null", SCHSM_FILE_FOR_OWNER, true, "x", 1, &err), 1);
    assert_int_equal(stat("/dev/null", &about), 0);
    assert_true(S_ISCHR(about.st_mode));
    assert_int_equal(schsm_file_write(folder, SCHSM_FILE_FOR_OWNER, true, "x", 1, &err), 0);
    assert_int_equal(err.reason, SCHSM_REASON_BAD_INPUT);
}

static void a_descriptor_by_name_is_written(void **state)
{
    char name[32], got[16];
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0); /* NOLINT(android-cloexec-pipe): as a shell hands it on */
    (void)snprintf(name, sizeof(name), "/dev/fd/%d", ends[1]);
    assert_int_equal(symlink(name, path), 0);
    assert_int_equal(write_text("one", false), 1);
    assert_int_equal(read(ends[0], got, sizeof(got)), 3);
    (void)close(ends[0]);
    (void)close(ends[1]);
    assert_true(schsm_file_is_stdout("-"));
    assert_true(schsm_file_is_stdout("/dev/stdout"));
    assert_true(schsm_file_is_stdout("/proc/self/fd/1"));
    assert_false(schsm_file_is_stdout("/dev/stderr"));
    assert_false(schsm_file_is_stdout(path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_file_is_replaced_only_on_demand, begin),
        cmocka_unit_test_setup(a_memory_stick_without_links_takes_files, begin),
        cmocka_unit_test_setup(a_network_file_system_takes_files, begin),
        cmocka_unit_test_setup(what_cannot_be_written_leaves_nothing, begin),
        cmocka_unit_test_setup(a_link_stays_and_its_file_is_replaced, begin),
        cmocka_unit_test_setup(links_that_lead_to_each_other_end, begin),
        cmocka_unit_test_setup(what_is_no_regular_file_is_written, begin),
        cmocka_unit_test_setup(a_descriptor_by_name_is_written, begin),
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
