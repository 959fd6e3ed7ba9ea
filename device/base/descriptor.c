/* SPDX-License-Identifier: Apache-2.0 */
#include "descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fork_guard.h"

#define STANDARD (STDERR_FILENO + 1)

/* Under the guard. What is held is known by its inode: a socket's is its own, so that whatever else
 * the program may have put in its place meanwhile is left alone. */
static struct schsm_descriptor_file held[STANDARD];
static unsigned int users;
static pid_t owner;

int schsm_descriptor_above(int fd)
{
    int above, saved;

    if (fd < 0 || fd >= STANDARD) {
        return fd;
    }
    above = fcntl(fd, F_DUPFD_CLOEXEC, STANDARD);
    saved = errno;
    (void)close(fd);
    errno = saved;
    return above;
}

int schsm_descriptor_open(const char *path, int flags, mode_t mode)
{
    return schsm_descriptor_above(open(path, flags | O_CLOEXEC, mode));
}

struct schsm_descriptor_file schsm_descriptor_file(int fd)
{
    struct schsm_descriptor_file file = { .known = false };
    struct stat now;

    if (fd >= 0 && fstat(fd, &now) == 0) {
        file.known = true;
        file.device = now.st_dev;
        file.inode = now.st_ino;
    }
    return file;
}

bool schsm_descriptor_is(int fd, const struct schsm_descriptor_file *file)
{
    struct schsm_descriptor_file now = schsm_descriptor_file(fd);

    return now.known && file->known && now.device == file->device && now.inode == file->inode;
}

static void give_back(void)
{
    for (int fd = 0; fd < STANDARD; fd++) {
        if (schsm_descriptor_is(fd, &held[fd])) {
            (void)close(fd);
        }
        held[fd].known = false;
    }
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

/* A socket without a peer fails to be read or written, as a closed descriptor does. */
static void take_closed(void)
{
    for (int i = 0; i < STANDARD; i++) {
        int fd = is_open(i) ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd >= STANDARD) {
            (void)close(fd); /* somebody else was quicker */
        } else if (fd >= 0) {
            held[fd] = schsm_descriptor_file(fd);
        }
    }
}

bool schsm_descriptor_write(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;

    while (len > 0) {
        ssize_t done = write(fd, at, len);

        if (done < 0 && errno != EINTR) {
            return false;
        }
        at += done > 0 ? done : 0;
        len -= done > 0 ? (size_t)done : 0;
    }
    return true;
}

void schsm_descriptor_hold(void)
{
    int saved = errno, cancel;

    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    schsm_guard_lock();
    if (owner != getpid()) {
        give_back();
        owner = getpid();
        users = 0;
    }
    users++;
    take_closed();
    schsm_guard_unlock();
    (void)pthread_setcancelstate(cancel, &cancel);
    errno = saved;
}

void schsm_descriptor_release(void)
{
    int saved = errno, cancel;

    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    schsm_guard_lock();
    if (owner == getpid() && users > 0 && --users == 0) {
        give_back();
    }
    schsm_guard_unlock();
    (void)pthread_setcancelstate(cancel, &cancel);
    errno = saved;
}
