/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

static const uint8_t magic[8] = { 'S', 'C', 'H', 'S', 'M', 'S', 'I', 'M' };

enum {
    FORMAT_VERSION = 1,
    DIGEST_LEN = 32,
    HEADER_LEN = 8 + 4 + 4 + DIGEST_LEN,
    MAX_FILE_LEN = 64 * 1024 * 1024,
};

static bool complain(const char *path, const char *what)
{
    (void)fprintf(stderr, "sc-hsm-sim: %s: %s\n", path, what);
    return false;
}

static bool complain_errno(const char *path, const char *doing)
{
    (void)fprintf(stderr, "sc-hsm-sim: %s: %s: %s\n", path, doing, strerror(errno));
    return false;
}

static bool digest(struct sim_slice content, uint8_t out[DIGEST_LEN])
{
    return EVP_Q_digest(NULL, "SHA256", NULL, content.data, content.len, out, NULL) == 1;
}

static bool write_all(int fd, const uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        data += n;
        len -= (size_t)n;
    }
    return true;
}

static bool read_file(int fd, struct sim_buf *out)
{
    for (;;) {
        uint8_t block[16384];
        ssize_t n = read(fd, block, sizeof(block));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 || out->len > MAX_FILE_LEN) {
            return false;
        }
        if (n == 0) {
            return !out->failed;
        }
        sim_buf_put(out, block, (size_t)n);
    }
}

/* Leave the verified content in `content`. */
static bool check(const char *path, const struct sim_buf *file, struct sim_buf *content)
{
    struct sim_slice in = sim_buf_slice(file), found_magic, found_digest;
    uint32_t version, len;
    uint8_t expected[DIGEST_LEN];
    if (file->len < HEADER_LEN || !sim_slice_take(&in, sizeof(magic), &found_magic) ||
        memcmp(found_magic.data, magic, sizeof(magic)) != 0) {
        return complain(path, "not a sc-hsm-sim state file; left as it is");
    }
    if (!sim_slice_u32(&in, &version) || version != FORMAT_VERSION) {
        return complain(path, "state file of another version of sc-hsm-sim; left as it is");
    }
    if (!sim_slice_u32(&in, &len) || !sim_slice_take(&in, DIGEST_LEN, &found_digest) ||
        in.len != len) {
        return complain(path, "state file is corrupt (wrong length); left as it is");
    }
    if (!digest(in, expected) || memcmp(expected, found_digest.data, DIGEST_LEN) != 0) {
        return complain(path, "state file is corrupt (wrong checksum); left as it is");
    }
    sim_buf_put(content, in.data, in.len);
    return !content->failed;
}

static bool lock(struct sim_store *store)
{
    char *lock_path = NULL;
    if (asprintf(&lock_path, "%s.lock", store->path) < 0) {
        return complain(store->path, "out of memory");
    }
    bool ok = true;
    store->lock_fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (store->lock_fd < 0) {
        ok = complain_errno(lock_path, "cannot open");
    } else if (flock(store->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        ok = errno == EWOULDBLOCK
                 ? complain(store->path, "in use by another sc-hsm-sim; one card, one simulator")
                 : complain_errno(lock_path, "cannot lock");
    }
    free(lock_path);
    return ok;
}

static bool set_paths(struct sim_store *store, const char *path)
{
    /* dirname() may write into its argument and may return static memory */
    char *scratch = strdup(path);
    store->path = strdup(path);
    store->dir_path = scratch == NULL ? NULL : strdup(dirname(scratch));
    free(scratch);
    if (asprintf(&store->tmp_path, "%s.tmp", path) < 0) {
        store->tmp_path = NULL;
    }
    return store->path != NULL && store->dir_path != NULL && store->tmp_path != NULL;
}

enum sim_store_found sim_store_open(struct sim_store *store, const char *path,
                                    struct sim_buf *content)
{
    *store = (struct sim_store){ .lock_fd = -1 };
    if (!set_paths(store, path)) {
        complain(path, "out of memory");
        return SIM_STORE_ERROR;
    }
    if (!lock(store)) {
        return SIM_STORE_ERROR;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        if (errno == ENOENT) {
            return SIM_STORE_FRESH;
        }
        complain_errno(path, "cannot open");
        return SIM_STORE_ERROR;
    }
    struct sim_buf file = { 0 };
    bool ok = read_file(fd, &file) || complain_errno(path, "cannot read");
    ok = ok && check(path, &file, content);
    close(fd);
    sim_buf_free(&file);
    return ok ? SIM_STORE_LOADED : SIM_STORE_ERROR;
}

static bool sync_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    bool ok = fsync(fd) == 0;
    return close(fd) == 0 && ok;
}

static bool write_tmp(const char *path, const struct sim_buf *file)
{
    /* a leftover of a killed run may have other permissions; start from nothing */
    if (unlink(path) != 0 && errno != ENOENT) {
        return false;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return false;
    }
    bool ok = write_all(fd, file->data, file->len) && fsync(fd) == 0;
    return close(fd) == 0 && ok;
}

void sim_store_cut_power(void)
{
    (void)raise(SIGKILL);
    abort(); /* not reached */
}

/* True, or dead. */
static bool survive(const struct sim_store *store, enum sim_power_cut moment)
{
    if (store->power_cut == moment && store->power_writes == 0) {
        sim_store_cut_power();
    }
    return true;
}

bool sim_store_save(struct sim_store *store, struct sim_slice content)
{
    uint8_t sum[DIGEST_LEN];
    struct sim_buf file = { 0 };
    bool ok = false;
    if (content.len <= MAX_FILE_LEN && digest(content, sum)) {
        sim_buf_put(&file, magic, sizeof(magic));
        sim_buf_put_u32(&file, FORMAT_VERSION);
        sim_buf_put_u32(&file, (uint32_t)content.len);
        sim_buf_put(&file, sum, sizeof(sum));
        sim_buf_put(&file, content.data, content.len);
        ok = !file.failed && survive(store, SIM_POWER_CUT_BEFORE) &&
             write_tmp(store->tmp_path, &file) && survive(store, SIM_POWER_CUT_DURING) &&
             rename(store->tmp_path, store->path) == 0 && sync_directory(store->dir_path) &&
             survive(store, SIM_POWER_CUT_AFTER);
        if (!ok) {
            complain_errno(store->path, "cannot write the state");
        }
    }
    if (store->power_writes > 0) {
        store->power_writes--;
    }
    sim_buf_free(&file);
    return ok;
}

void sim_store_close(struct sim_store *store)
{
    if (store->lock_fd >= 0) {
        close(store->lock_fd);
    }
    free(store->path);
    free(store->tmp_path);
    free(store->dir_path);
    *store = (struct sim_store){ .lock_fd = -1 };
}
