/* SPDX-License-Identifier: Apache-2.0 */
#include "pcsc_service.h"

#include <errno.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOCKET_VARIABLE "PCSCLITE_CSOCK_NAME"
#define SOCKET_DEFAULT "/run/pcscd/pcscd.comm" /* as distributions build libpcsclite */

static struct {
    pthread_once_t once;
    bool known;
    dev_t device;
    ino_t inode;
} root = { .once = PTHREAD_ONCE_INIT };

static void look_at_root(void)
{
    struct stat about;

    root.known = stat("/", &about) == 0;
    if (root.known) {
        root.device = about.st_dev;
        root.inode = about.st_ino;
    }
}

void schsm_pcsc_remember_root(void)
{
    (void)pthread_once(&root.once, look_at_root);
}

static bool has_another_root(void)
{
    struct stat about;

    return root.known && stat("/", &about) == 0 &&
           (about.st_dev != root.device || about.st_ino != root.inode);
}

void schsm_pcsc_user_name(char *name, size_t size)
{
    struct passwd entry, *found = NULL;
    char buffer[1024];

    if (getpwuid_r(geteuid(), &entry, buffer, sizeof(buffer), &found) == 0 && found != NULL) {
        (void)snprintf(name, size, "%s", found->pw_name);
    } else {
        (void)snprintf(name, size, "with number %lu", (unsigned long)geteuid());
    }
}

const char *schsm_pcsc_socket(bool *named)
{
    const char *path = getenv(SOCKET_VARIABLE);

    *named = path != NULL;
    return *named ? path : SOCKET_DEFAULT;
}

int schsm_pcsc_fail_service(struct schsm_error *err, bool refused)
{
    bool named, forbidden;
    const char *path = schsm_pcsc_socket(&named);
    bool seen = access(path, F_OK) == 0;
    char user[64];

    forbidden = !refused && access(path, W_OK) != 0 && errno == EACCES;

    schsm_pcsc_user_name(user, sizeof(user));
    if (forbidden) {
        return schsm_fail(err, SCHSM_REASON_NO_SERVICE,
                          "user %s may not use the socket %s of the PC/SC service: its mode, or "
                          "that of a folder above it, keeps this user out",
                          user, path);
    }
    if (refused) {
        return schsm_fail(err, SCHSM_REASON_NO_SERVICE,
                          "the PC/SC service refused the connection: a polkit rule has to give "
                          "user %s the right org.debian.pcsc-lite.access_pcsc",
                          user);
    }
    if (!seen && has_another_root()) {
        return schsm_fail(
            err, SCHSM_REASON_NO_SERVICE,
            "the PC/SC service cannot be seen from here: this program has changed its "
            "root directory (chroot), and its socket %s is not in the new one: mount "
            "the socket's folder there, or let the program keep its root directory",
            path);
    }
    if (named) {
        return schsm_fail(err, SCHSM_REASON_NO_SERVICE,
                          "the PC/SC service does not answer at the socket %s named by "
                          "PCSCLITE_CSOCK_NAME: start that pcscd, or unset the variable to use "
                          "the system's",
                          path);
    }
    return schsm_fail(err, SCHSM_REASON_NO_SERVICE,
                      "the PC/SC service does not answer: start pcscd (systemctl start "
                      "pcscd.socket), or install the package pcscd");
}
