/* SPDX-License-Identifier: Apache-2.0 */
#include "vpcd.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "card.h"

enum {
    POWER_OFF = 0,
    POWER_ON = 1,
    RESET = 2,
    GET_ATR = 4,
    RETRY_MS = 100,
};

static volatile sig_atomic_t stop;

/* Signals are blocked except while waiting, so that a command in progress is completed first. */
struct waiting {
    sigset_t mask;
};

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

static bool catch_signals(struct waiting *waiting)
{
    struct sigaction action = { .sa_handler = on_signal };
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGINT);
    /* a connection that drops while we answer is no reason to die */
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    return sigprocmask(SIG_BLOCK, &blocked, &waiting->mask) == 0 &&
           sigdelset(&waiting->mask, SIGTERM) == 0 && sigdelset(&waiting->mask, SIGINT) == 0 &&
           sigaction(SIGTERM, &action, NULL) == 0 && sigaction(SIGINT, &action, NULL) == 0 &&
           sigaction(SIGPIPE, &ignore, NULL) == 0;
}

/* Wait for `events` on `fd` (-1: only for the time); false on timeout, error or signal. */
static bool wait_for(const struct waiting *waiting, int fd, short events, int timeout_ms)
{
    struct pollfd poll_fd = { .fd = fd, .events = events };
    struct timespec timeout = { .tv_sec = timeout_ms / 1000,
                                .tv_nsec = (long)(timeout_ms % 1000) * 1000000 };
    while (!stop) {
        int n = ppoll(&poll_fd, 1, timeout_ms < 0 ? NULL : &timeout, &waiting->mask);
        if (n > 0) {
            return true;
        }
        if (n == 0 || errno != EINTR) {
            return false;
        }
    }
    return false;
}

/*
 * vpcd sends length and content as two small packets, and its kernel keeps the second one until
 * the first is acknowledged: 40 ms for each command, unless we acknowledge at once. The option
 * does not last, so it is set again for each packet.
 */
static void acknowledge_at_once(int fd)
{
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof(one));
}

static bool receive(const struct waiting *waiting, int fd, uint8_t *to, size_t len)
{
    while (len > 0) {
        if (!wait_for(waiting, fd, POLLIN, -1)) {
            return false;
        }
        ssize_t n = recv(fd, to, len, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        acknowledge_at_once(fd);
        to += n;
        len -= (size_t)n;
    }
    return true;
}

static bool transmit(const struct waiting *waiting, int fd, const uint8_t *from, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, from, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            if (!wait_for(waiting, fd, POLLOUT, -1)) {
                return false;
            }
            continue;
        }
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        from += n;
        len -= (size_t)n;
    }
    return true;
}

/* Length and content in one piece, so that they travel in one packet. */
static bool send_message(const struct waiting *waiting, int fd, struct sim_slice content)
{
    uint8_t message[2 + 65535];
    if (content.len > 65535) {
        return false;
    }
    message[0] = (uint8_t)(content.len >> 8);
    message[1] = (uint8_t)content.len;
    memcpy(message + 2, content.data, content.len);
    return transmit(waiting, fd, message, 2 + content.len);
}

static bool control(struct sim_card *card, const struct waiting *waiting, int fd, uint8_t byte)
{
    switch (byte) {
    case POWER_OFF:
    case POWER_ON:
    case RESET:
        sim_card_reset(card);
        return true;
    case GET_ATR:
        return send_message(waiting, fd, card->profile->atr);
    default:
        return true;
    }
}

/* Serve one connection until it ends. */
static void serve_connection(struct sim_card *card, const struct waiting *waiting, int fd)
{
    static uint8_t message[65535];
    struct sim_buf response = { 0 };
    bool alive = true;
    while (alive) {
        uint8_t header[2];
        if (!receive(waiting, fd, header, sizeof(header))) {
            break;
        }
        size_t len = (size_t)header[0] << 8 | header[1];
        if (!receive(waiting, fd, message, len)) {
            break;
        }
        if (len == 1) {
            alive = control(card, waiting, fd, message[0]);
        } else if (len > 1) {
            sim_card_transmit(card, message, len, &response);
            alive = !response.failed && send_message(waiting, fd, sim_buf_slice(&response));
        }
    }
    sim_buf_free(&response);
}

static int connect_to(const struct addrinfo *addresses)
{
    int one = 1;
    for (const struct addrinfo *at = addresses; at != NULL; at = at->ai_next) {
        int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
        if (fd < 0) {
            continue;
        }
        /* an APDU is a small packet that somebody waits for */
        if (connect(fd, at->ai_addr, at->ai_addrlen) == 0 &&
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0) {
            return fd;
        }
        close(fd);
    }
    return -1;
}

bool sim_vpcd_serve(struct sim_card *card, const char *host, const char *port)
{
    struct waiting waiting;
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *addresses = NULL;
    if (!catch_signals(&waiting)) {
        fprintf(stderr, "sc-hsm-sim: cannot set up signals: %s\n", strerror(errno));
        return false;
    }
    int error = getaddrinfo(host, port, &hints, &addresses);
    if (error != 0) {
        fprintf(stderr, "sc-hsm-sim: --vpcd %s:%s: %s\n", host, port, gai_strerror(error));
        return false;
    }
    bool said_waiting = false;
    while (!stop) {
        int fd = connect_to(addresses);
        if (fd >= 0) {
            fprintf(stderr, "sc-hsm-sim: card inserted at %s:%s\n", host, port);
            said_waiting = false;
            serve_connection(card, &waiting, fd);
            close(fd);
            sim_card_reset(card);
        } else if (!said_waiting) {
            fprintf(stderr, "sc-hsm-sim: waiting for vpcd at %s:%s\n", host, port);
            said_waiting = true;
        }
        wait_for(&waiting, -1, 0, RETRY_MS);
    }
    freeaddrinfo(addresses);
    return true;
}
