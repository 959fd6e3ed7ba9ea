/* SPDX-License-Identifier: Apache-2.0 */
#include "control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static bool complain(const char *path, const char *problem)
{
    (void)fprintf(stderr, "sc-hsm-sim: --control %s: %s\n", path, problem);
    return false;
}

/* A socket that nobody listens at any more is in the way, and anything else stays. */
static bool make_room(const struct sockaddr_un *address)
{
    struct stat found;
    if (lstat(address->sun_path, &found) != 0) {
        return errno == ENOENT || complain(address->sun_path, strerror(errno));
    }
    if (!S_ISSOCK(found.st_mode)) {
        return complain(address->sun_path, "this is a file already, and no socket");
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool in_use = fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
                  errno != ECONNREFUSED;
    if (fd >= 0) {
        close(fd);
    }
    if (in_use) {
        return complain(address->sun_path, "another process listens here");
    }
    return unlink(address->sun_path) == 0 || complain(address->sun_path, strerror(errno));
}

bool sim_control_open(struct sim_control *control, const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    *control = (struct sim_control){ .listener = -1 };
    for (size_t i = 0; i < SIM_MAX_CONTROLLERS; i++) {
        control->controllers[i].fd = -1;
    }
    if (path == NULL) {
        return true;
    }
    if (strlen(path) >= sizeof(address.sun_path)) {
        return complain(path, "the name is too long for a socket");
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (!make_room(&address)) {
        return false;
    }
    control->path = strdup(path);
    control->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask = umask(0177);
    bool ok = control->path != NULL && control->listener >= 0 &&
              bind(control->listener, (const struct sockaddr *)&address, sizeof(address)) == 0;
    umask(mask);
    ok = ok && listen(control->listener, SIM_MAX_CONTROLLERS) == 0;
    if (!ok) {
        complain(path, strerror(errno));
        if (control->listener >= 0) {
            close(control->listener);
            control->listener = -1;
        }
    }
    return ok;
}

void sim_control_watch(const struct sim_control *control, struct pollfd *fds)
{
    fds[0] = (struct pollfd){ .fd = control->listener, .events = POLLIN };
    for (size_t i = 0; i < SIM_MAX_CONTROLLERS; i++) {
        fds[i + 1] = (struct pollfd){ .fd = control->controllers[i].fd, .events = POLLIN };
    }
}

static void welcome(struct sim_control *control)
{
    int fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    for (size_t i = 0; fd >= 0 && i < SIM_MAX_CONTROLLERS; i++) {
        if (control->controllers[i].fd < 0) {
            control->controllers[i] = (struct sim_controller){ .fd = fd };
            return;
        }
    }
    if (fd >= 0) {
        close(fd); /* one too many */
    }
}

static void hang_up(struct sim_controller *controller)
{
    close(controller->fd);
    controller->fd = -1;
}

/* An answer that does not fit into the socket's buffer goes to somebody who does not listen. */
static bool tell(const struct sim_controller *controller, const struct sim_buf *answer)
{
    return !answer->failed && send(controller->fd, answer->data, answer->len,
                                   MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)answer->len;
}

/* The lines that are complete by now; false when the connection is of no more use. */
static bool obey(struct sim_controller *controller, struct sim_faults *faults,
                 struct sim_card *card)
{
    struct sim_buf answer = { 0 };
    char *end;
    bool ok = true;
    while (ok && (end = memchr(controller->line, '\n', controller->len)) != NULL) {
        size_t len = (size_t)(end - controller->line);
        *end = '\0';
        sim_buf_clear(&answer);
        sim_faults_line(faults, card, controller->line, &answer);
        ok = tell(controller, &answer);
        controller->len -= len + 1;
        memmove(controller->line, end + 1, controller->len);
    }
    sim_buf_free(&answer);
    return ok && controller->len < sizeof(controller->line);
}

static bool listen_to(struct sim_controller *controller, struct sim_faults *faults,
                      struct sim_card *card)
{
    ssize_t n = recv(controller->fd, controller->line + controller->len,
                     sizeof(controller->line) - controller->len, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return true;
    }
    if (n <= 0) {
        return false;
    }
    controller->len += (size_t)n;
    return obey(controller, faults, card);
}

void sim_control_serve(struct sim_control *control, const struct pollfd *fds,
                       struct sim_faults *faults, struct sim_card *card)
{
    for (size_t i = 0; i < SIM_MAX_CONTROLLERS; i++) {
        struct sim_controller *controller = &control->controllers[i];
        if (controller->fd >= 0 && fds[i + 1].fd == controller->fd && fds[i + 1].revents != 0 &&
            !listen_to(controller, faults, card)) {
            hang_up(controller);
        }
    }
    if (control->listener >= 0 && fds[0].revents != 0) {
        welcome(control);
    }
}

void sim_control_close(struct sim_control *control)
{
    for (size_t i = 0; i < SIM_MAX_CONTROLLERS; i++) {
        if (control->controllers[i].fd >= 0) {
            hang_up(&control->controllers[i]);
        }
    }
    if (control->listener >= 0) {
        close(control->listener);
        (void)unlink(control->path);
    }
    free(control->path);
    control->path = NULL;
    control->listener = -1;
}
