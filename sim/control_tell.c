/* SPDX-License-Identifier: Apache-2.0 */
#include "control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool complain(const char *path, const char *problem)
{
    (void)fprintf(stderr, "sc-hsm-sim: --control %s: %s\n", path, problem);
    return false;
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

/* Print lines up to the one that ends the answer; true when that is "ok". */
static bool print_answer(FILE *stream, const char *path)
{
    char line[256];
    while (fgets(line, sizeof(line), stream) != NULL) {
        if (strcmp(line, "ok\n") == 0) {
            return true;
        }
        if (strncmp(line, "error: ", 7) == 0) {
            line[strcspn(line, "\n")] = '\0';
            return complain(path, line + 7);
        }
        (void)fputs(line, stdout);
    }
    return complain(path, "the card hung up");
}

static bool send_all(int fd, const char *text)
{
    size_t len = strlen(text);
    return send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len;
}

bool sim_control_tell(const char *path, const char *line)
{
    int fd = connect_to(path);
    if (fd < 0) {
        return complain(path, strerror(errno));
    }
    FILE *stream = fdopen(fd, "r");
    if (stream == NULL) {
        close(fd);
        return complain(path, strerror(errno));
    }
    bool ok = send_all(fd, line) && send_all(fd, "\n") ? print_answer(stream, path)
                                                       : complain(path, "the card does not listen");
    return fclose(stream) == 0 && ok;
}
