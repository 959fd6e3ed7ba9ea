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
#include "control.h"

enum {
    POWER_OFF = 0,
    POWER_ON = 1,
    RESET = 2,
    GET_ATR = 4,
    RETRY_MS = 100,
};

static volatile sig_atomic_t stop;

/*
 * One card at one reader. Signals are blocked except while waiting, so that a command in progress
 * is completed first.
 */
struct server {
    struct sim_card *card;
    struct sim_faults faults;
    struct sim_control control;
    sigset_t mask; /* the signals to let through while waiting */
    int fd;        /* the connection to vpcd; -1: none */
};

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

static bool catch_signals(struct server *server)
{
    struct sigaction action = { .sa_handler = on_signal };
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGINT);
    /* a connection that drops while we answer is no reason to die */
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    return sigprocmask(SIG_BLOCK, &blocked, &server->mask) == 0 &&
           sigdelset(&server->mask, SIGTERM) == 0 && sigdelset(&server->mask, SIGINT) == 0 &&
           sigaction(SIGTERM, &action, NULL) == 0 && sigaction(SIGINT, &action, NULL) == 0 &&
           sigaction(SIGPIPE, &ignore, NULL) == 0;
}

/* Whether there is no more talking to the reader: told to stop, or pulled out. */
static bool is_over(const struct server *server)
{
    return stop || (server->fd >= 0 && server->faults.removed);
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*
 * Wait for `events` on the connection (0: only for the time, -1: for ever), doing meanwhile what
 * comes over the control socket; false when the time is up or cut short, on error, or when it is
 * over.
 */
static bool wait_for(struct server *server, short events, int64_t timeout_ms)
{
    int64_t deadline = now_ms() + timeout_ms;
    while (!is_over(server)) {
        int64_t left = timeout_ms < 0 ? 0 : deadline - now_ms();
        if (left < 0) {
            return false;
        }
        struct timespec timeout = { .tv_sec = (time_t)(left / 1000),
                                    .tv_nsec = (long)(left % 1000) * 1000000 };
        struct pollfd fds[1 + SIM_CONTROL_FDS] = {
            { .fd = events == 0 ? -1 : server->fd, .events = events },
        };
        sim_control_watch(&server->control, fds + 1);
        int n = ppoll(fds, 1 + SIM_CONTROL_FDS, timeout_ms < 0 ? NULL : &timeout, &server->mask);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        if (n > 0) {
            sim_control_serve(&server->control, fds + 1, &server->faults, server->card);
            if (fds[0].revents != 0) {
                return !is_over(server);
            }
            if (events == 0 && server->faults.hurried) {
                return false;
            }
        }
        if (n == 0) {
            return false;
        }
    }
    return false;
}

/* Let time go by; false when it is over. */
static bool pause_until(struct server *server, int64_t moment)
{
    int64_t left = moment - now_ms();
    if (left > 0) {
        (void)wait_for(server, 0, left);
    }
    return !is_over(server);
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

static bool receive(struct server *server, uint8_t *to, size_t len)
{
    while (len > 0) {
        if (!wait_for(server, POLLIN, -1)) {
            return false;
        }
        ssize_t n = recv(server->fd, to, len, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        acknowledge_at_once(server->fd);
        to += n;
        len -= (size_t)n;
    }
    return true;
}

static bool transmit(struct server *server, const uint8_t *from, size_t len)
{
    while (len > 0) {
        ssize_t n = send(server->fd, from, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            if (!wait_for(server, POLLOUT, -1)) {
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
static bool send_message(struct server *server, struct sim_slice content)
{
    uint8_t message[2 + 65535];
    if (content.len > 65535) {
        return false;
    }
    message[0] = (uint8_t)(content.len >> 8);
    message[1] = (uint8_t)content.len;
    memcpy(message + 2, content.data, content.len);
    return transmit(server, message, 2 + content.len);
}

static bool control(struct server *server, uint8_t byte)
{
    switch (byte) {
    case POWER_OFF:
    case POWER_ON:
    case RESET:
        sim_card_reset_by_reader(server->card);
        return true;
    case GET_ATR:
        return send_message(server, server->card->profile->atr);
    default:
        return true;
    }
}

/* One command, and whatever befalls it; false when that ends the connection. */
static bool execute(struct server *server, const uint8_t *command, size_t len,
                    struct sim_buf *response)
{
    struct sim_mishap mishap;
    sim_faults_next(&server->faults, command, len, &mishap);
    if (mishap.remove_before) {
        server->faults.removed = true;
        return false;
    }
    server->faults.hurried = false;
    if (!pause_until(server, now_ms() + mishap.delay_ms)) {
        return false;
    }
    server->faults.hurried = false;
    int64_t began = now_ms();
    sim_faults_transmit(&mishap, server->card, command, len, response);
    if (server->card->died) {
        server->faults.removed = true;
        return false;
    }
    /* the computer's own time counts as the card's */
    if (!pause_until(server, began + server->card->busy_ms)) {
        return false;
    }
    if (mishap.remove_after) {
        server->faults.removed = true;
        return false;
    }
    return !response->failed && send_message(server, sim_buf_slice(response));
}

/* Serve one connection until it ends. */
static void serve_connection(struct server *server)
{
    static uint8_t message[65535];
    struct sim_buf response = { 0 };
    bool alive = true;
    while (alive) {
        uint8_t header[2];
        if (!receive(server, header, sizeof(header))) {
            break;
        }
        size_t len = (size_t)header[0] << 8 | header[1];
        if (!receive(server, message, len)) {
            break;
        }
        if (len == 1) {
            alive = control(server, message[0]);
        } else if (len > 1) {
            alive = execute(server, message, len, &response);
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

/* Be in the reader whenever there is one and nobody pulled the card. */
static void serve(struct server *server, const struct addrinfo *addresses, const char *host,
                  const char *port)
{
    bool said_waiting = false;
    while (!stop) {
        server->fd = server->faults.removed ? -1 : connect_to(addresses);
        if (server->fd >= 0) {
            (void)fprintf(stderr, "sc-hsm-sim: card inserted at %s:%s\n", host, port);
            said_waiting = false;
            serve_connection(server);
            close(server->fd);
            server->fd = -1;
            sim_card_reset(server->card);
        } else if (!said_waiting && !server->faults.removed) {
            (void)fprintf(stderr, "sc-hsm-sim: waiting for vpcd at %s:%s\n", host, port);
            said_waiting = true;
        }
        (void)wait_for(server, 0, RETRY_MS);
    }
}

bool sim_vpcd_serve(struct sim_card *card, const char *host, const char *port,
                    const char *control_path)
{
    struct server server = { .card = card, .fd = -1 };
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *addresses = NULL;
    if (!catch_signals(&server)) {
        (void)fprintf(stderr, "sc-hsm-sim: cannot set up signals: %s\n", strerror(errno));
        return false;
    }
    int error = getaddrinfo(host, port, &hints, &addresses);
    if (error != 0) {
        (void)fprintf(stderr, "sc-hsm-sim: --vpcd %s:%s: %s\n", host, port, gai_strerror(error));
        return false;
    }
    bool ok = sim_control_open(&server.control, control_path);
    if (ok) {
        serve(&server, addresses, host, port);
    }
    sim_control_close(&server.control);
    freeaddrinfo(addresses);
    return ok;
}
