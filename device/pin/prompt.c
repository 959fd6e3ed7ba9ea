/* SPDX-License-Identifier: Apache-2.0 */
#include "prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/descriptor.h"

/* Signals that must find the terminal with its echo restored. */
static const int caught[] = {
    SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU, SIGALRM
};
#define CAUGHT (sizeof(caught) / sizeof(caught[0]))

/* The one prompt of this process: who asks (a process id, so that a fork cannot leave it locked),
 * the signals that came, and the pipe by which the handler wakes the thread that waits for input.
 */
static atomic_int asking;
static volatile sig_atomic_t came[CAUGHT], any_came;
static int wake[2] = { -1, -1 };

static void on_signal(int number)
{
    int saved = errno;

    for (size_t i = 0; i < CAUGHT; i++) {
        if (caught[i] == number) {
            came[i] = any_came = 1;
        }
    }
    if (write(wake[1], "", 1) < 0) {
        /* The pipe is full: the thread wakes anyway. */
    }
    errno = saved;
}

static bool make_pipe(void)
{
    if (pipe2(wake, O_CLOEXEC | O_NONBLOCK) != 0) {
        return false;
    }
    wake[0] = schsm_descriptor_above(wake[0]);
    wake[1] = schsm_descriptor_above(wake[1]);
    return wake[0] >= 0 && wake[1] >= 0;
}

void schsm_pin_prompt_lock(void)
{
    const struct timespec pause = { 0, 10000000 };
    int self = (int)getpid();

    for (;;) {
        int owner = atomic_load(&asking);

        if (owner == self) {
            (void)nanosleep(&pause, NULL);
        } else if (atomic_compare_exchange_strong(&asking, &owner, self)) {
            return;
        }
    }
}

void schsm_pin_prompt_unlock(void)
{
    atomic_store(&asking, 0);
}

static void append_text(char *out, size_t size, const char *text)
{
    size_t used = strlen(out);

    if (used < size) {
        schsm_copy_printable(out + used, size - used, text);
    }
}

static void write_all(int fd, const char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        ssize_t done = write(fd, text, left);

        if (done < 0 && errno != EINTR) {
            return;
        }
        if (done > 0) {
            text += done;
            left -= (size_t)done;
        }
    }
}

void schsm_pin_prompt_text(const struct schsm_pin_prompt *prompt, char text[SCHSM_PROMPT_TEXT_MAX])
{
    char tries[48];

    text[0] = '\0';
    append_text(text, 200, prompt != NULL && prompt->what != NULL ? prompt->what : "PIN");
    if (prompt != NULL && prompt->object != NULL) {
        append_text(text, 300, " for ");
        append_text(text, 300, prompt->object);
    }
    if (prompt != NULL && prompt->device != NULL) {
        append_text(text, 500, " on device ");
        append_text(text, 500, prompt->device);
    }
    if (prompt != NULL && prompt->tries_left >= 0) {
        (void)snprintf(tries, sizeof(tries), " (%d %s left)", prompt->tries_left,
                       prompt->tries_left == 1 ? "try" : "tries");
        append_text(text, SCHSM_PROMPT_TEXT_MAX, tries);
    }
}

static void show(int tty, const struct schsm_pin_prompt *prompt)
{
    char text[SCHSM_PROMPT_TEXT_MAX];

    schsm_pin_prompt_text(prompt, text);
    write_all(tty, text);
    write_all(tty, ": ");
}

/* One line without its end. 1: a line, 0: end of input or error, -1: a signal came. */
static int read_line(int tty, char *line, size_t size, size_t *len)
{
    *len = 0;
    for (;;) {
        struct pollfd fds[2] = { { tty, POLLIN, 0 }, { wake[0], POLLIN, 0 } };
        ssize_t got;
        char c;

        if (poll(fds, 2, -1) < 0 && errno != EINTR) {
            return 0;
        }
        if (any_came) {
            return -1;
        }
        if (fds[0].revents == 0) {
            continue;
        }
        got = read(tty, &c, 1);
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
            continue;
        }
        if (got <= 0) {
            return 0;
        }
        if (c == '\n' || c == '\r') {
            return 1;
        }
        if (*len < size) {
            line[(*len)++] = c;
        }
    }
}

/* Echo as before, whatever signal comes meanwhile. */
static void restore(int tty, const struct termios *shown)
{
    while (tcsetattr(tty, TCSAFLUSH, shown) != 0 && errno == EINTR) {
    }
}

/* One question with echo off and our signal handlers in place. Results as of read_line. */
static int ask(int tty, const struct schsm_pin_prompt *prompt, char *line, size_t size, size_t *len)
{
    struct sigaction action, before[CAUGHT];
    struct termios shown, hidden;
    int result = 0;

    memset(&action, 0, sizeof(action));
    action.sa_handler = on_signal;
    (void)sigemptyset(&action.sa_mask);
    any_came = 0;
    for (size_t i = 0; i < CAUGHT; i++) {
        came[i] = 0;
        (void)sigaction(caught[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN) {
            (void)sigaction(caught[i], &action, NULL);
        }
    }
    if (tcgetattr(tty, &shown) == 0) {
        hidden = shown;
        hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
        if (tcsetattr(tty, TCSAFLUSH, &hidden) == 0) {
            show(tty, prompt);
            result = read_line(tty, line, size, len);
            restore(tty, &shown);
            write_all(tty, "\n");
        } else if (any_came) {
            result = -1; /* SIGTTOU: we are in the background */
        }
    }
    for (size_t i = 0; i < CAUGHT; i++) {
        (void)sigaction(caught[i], &before[i], NULL);
    }
    return result;
}

static bool stops_process(int number)
{
    return number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
}

/*
 * Gives the process the signals that came, now that its own handlers are back: also those that came
 * after the answer. Where the program goes on: whether it was only stopped.
 */
static bool hand_on_signals(void)
{
    bool only_stopped = any_came;

    for (size_t i = 0; i < CAUGHT; i++) {
        if (came[i]) {
            only_stopped = only_stopped && stops_process(caught[i]);
            (void)kill(getpid(), caught[i]);
        }
    }
    return only_stopped;
}

static int no_terminal(const struct schsm_pin_prompt *prompt, struct schsm_error *err)
{
    const struct schsm_pin_prompt nothing = { .tries_left = -1 };

    if (prompt == NULL) {
        prompt = &nothing;
    }
    if (prompt->what != NULL) {
        return schsm_fail(err, SCHSM_REASON_PIN_MISSING,
                          "there is no terminal to ask for the %s at", prompt->what);
    }
    return schsm_fail(err, SCHSM_REASON_PIN_MISSING,
                      "%s%s needs its PIN%s%s, but there is no terminal to ask at: %s",
                      prompt->device != NULL ? "device " : "the device",
                      prompt->device != NULL ? prompt->device : "",
                      prompt->object != NULL ? " for " : "",
                      prompt->object != NULL ? prompt->object : "",
                      prompt->by_option ? "give it with --pin-source"
                                        : "name a pin-source in the configuration or the URI");
}

int schsm_pin_prompt_read(const struct schsm_pin_prompt *prompt, char *line, size_t *len,
                          struct schsm_error *err)
{
    size_t size = *len;
    bool again = true;
    int result = 0;
    int tty;
    int ok = 0;

    *len = 0;
    tty = schsm_descriptor_open("/dev/tty", O_RDWR | O_NOCTTY, 0);
    if (tty < 0) {
        return no_terminal(prompt, err);
    }
    schsm_pin_prompt_lock();
    if (!make_pipe()) {
        schsm_fail(err, SCHSM_REASON_PIN_SOURCE, "the PIN prompt failed: %s", strerror(errno));
        goto done;
    }
    while (again) {
        result = ask(tty, prompt, line, size, len);
        again = hand_on_signals() && result < 0;
    }
    ok = result > 0 && *len > 0;
    if (!ok) {
        schsm_fail(err, SCHSM_REASON_CANCELLED, "the prompt for the %s was left without an answer",
                   prompt != NULL && prompt->what != NULL ? prompt->what : "PIN");
    }

done:
    for (int i = 0; i < 2; i++) {
        if (wake[i] >= 0) {
            (void)close(wake[i]);
        }
        wake[i] = -1;
    }
    schsm_pin_prompt_unlock();
    (void)close(tty);
    return ok;
}
