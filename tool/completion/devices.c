/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/completion.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "tool/configured.h"
#include "keymgmt/find.h"
#include "tool/output.h"
#include "tool/target.h"
#include "tool/text.h"

#define READERS_MAX 64
#define ANSWER_MAX 65536 /* bytes: more than anybody reads */
#define PATIENCE 2       /* seconds */
#define PATIENCE_MAX 3600

/* What a child has to tell: each value is followed by a tab, and its summary by a newline. */
struct answer {
    char *text;
    size_t len;
};

/* A value that is there already is not told again; nor is what could not be typed. */
static void add(struct answer *answer, const char *value, const char *summary)
{
    char *printable = schsm_text_printable(summary), *typed = schsm_text_printable(value);
    char line[1024], search[1024];
    int len = 0;

    if (printable != NULL && typed != NULL && value[0] != '\0' && strcmp(typed, value) == 0) {
        len = snprintf(line, sizeof(line), "\n%s\t%s\n", value, printable);
        (void)snprintf(search, sizeof(search), "\n%s\t", value);
    }
    if (len > 0 && (size_t)len < sizeof(line) && answer->len + (size_t)len < ANSWER_MAX &&
        strstr(answer->text, search) == NULL) {
        memcpy(answer->text + answer->len, line, (size_t)len + 1);
        answer->len += (size_t)len;
    }
    OPENSSL_free(printable);
    OPENSSL_free(typed);
}

static void find_readers(struct schsm_tool *tool, enum schsm_completion_question question,
                         struct answer *answer)
{
    struct schsm_reader readers[READERS_MAX];
    size_t count = READERS_MAX;

    if (!schsm_registry_readers(tool->context.registry, readers, &count, NULL)) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        bool is_token = readers[i].is_token != 0;

        if (is_token == (question == SCHSM_COMPLETION_TOKENS)) {
            add(answer, readers[i].name,
                is_token            ? "PKCS#11 token"
                : readers[i].is_hsm ? "SmartCard-HSM"
                                    : "");
        }
    }
}

static void find_serials(struct schsm_tool *tool, struct answer *answer)
{
    const struct schsm_device_selector any = { .reader = NULL };
    struct schsm_device *devices[SCHSM_TOOL_DEVICES_MAX];
    size_t count = SCHSM_TOOL_DEVICES_MAX;

    if (!schsm_registry_devices(tool->context.registry, &any, devices, &count, NULL)) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        char serial[SCHSM_SERIAL_MAX + 1], name[SCHSM_DEVICE_NAME_MAX];

        if (schsm_device_serial(devices[i], serial, NULL)) {
            schsm_device_name(devices[i], name);
            add(answer, serial, name);
        }
    }
}

/* One by its label, one without by its id; both with the scheme where that was typed. */
static void add_object(const struct schsm_object *object, bool scheme, bool by_id,
                       struct answer *answer)
{
    const struct schsm_uri_device anywhere = { NULL, NULL, NULL };
    struct schsm_object named = *object; /* shares what it points to */
    char about[SCHSM_OBJECT_NAME_MAX + 64];
    char *uri = NULL;

    named.key_ref = -1;
    if (by_id || named.label[0] == '\0') {
        named.label[0] = '\0';
    } else {
        named.id_len = 0;
    }
    if (named.label[0] != '\0' || named.id_len > 0) {
        uri = schsm_uri_of_object(&anywhere, &named, 0);
    }
    if (uri != NULL) {
        schsm_object_describe(object, about, sizeof(about));
        add(answer, uri + (scheme ? 0 : strlen(SCHSM_URI_SCHEME) + 1), about);
    }
    OPENSSL_free(uri);
}

static void find_objects(struct schsm_tool *tool, const char *typed, unsigned int types,
                         struct answer *answer)
{
    struct schsm_match_list list = { NULL, 0 };
    struct schsm_uri any;
    bool scheme = strncmp(typed, "sc", 2) == 0;
    const char *attribute = scheme && strchr(typed, ':') != NULL ? strchr(typed, ':') + 1 : typed;
    bool by_id = strncmp(attribute, "id", 2) == 0;

    schsm_uri_init(&any);
    if (schsm_find(&tool->context, &any, types, &list, NULL)) {
        for (size_t i = 0; i < list.count; i++) {
            add_object(&list.matches[i].object, scheme, by_id, answer);
        }
    }
    schsm_match_list_clear(&list);
    schsm_uri_clear(&any);
}

/* The child: whatever is configured, nobody is asked for a PIN, and none is used. */
static void ask(struct schsm_completion *completion, enum schsm_completion_question question,
                unsigned int types, int out)
{
    struct schsm_tool *tool = completion->said;
    struct schsm_error why = SCHSM_ERROR_INIT;
    struct answer answer = { OPENSSL_zalloc(ANSWER_MAX), 0 };
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);

    /* What the shell waits for is what its parent says. */
    if (answer.text == NULL || nowhere < 0 || dup2(nowhere, STDIN_FILENO) < 0 ||
        dup2(nowhere, STDOUT_FILENO) < 0 || dup2(nowhere, STDERR_FILENO) < 0) {
        goto done;
    }
    (void)signal(SIGPIPE, SIG_IGN); /* also where nobody waits any more */
    (void)setsid(); /* no Ctrl-C breaks a command off, and there is no terminal to ask at */
    if (!schsm_tool_configure(tool, &why)) {
        goto done;
    }
    schsm_pin_source_free(tool->context.config.pin_source);
    tool->context.config.pin_source = NULL;
    tool->context.config.wait = 1;
    if (!schsm_tool_registry(tool, &why)) {
        goto done;
    }
    if (question == SCHSM_COMPLETION_SERIALS) {
        find_serials(tool, &answer);
    } else if (question == SCHSM_COMPLETION_OBJECTS) {
        find_objects(tool, completion->word + completion->taken, types, &answer);
    } else {
        find_readers(tool, question, &answer);
    }
    for (size_t sent = 0; sent < answer.len;) {
        ssize_t len = write(out, answer.text + sent, answer.len - sent);

        if (len < 0 && errno != EINTR) {
            break;
        }
        sent += len > 0 ? (size_t)len : 0;
    }
    schsm_registry_free(tool->context.registry);

done:
    OPENSSL_free(answer.text);
    (void)close(out);
}

static int64_t now_ms(void)
{
    struct timespec now = { 0 };

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static unsigned int patience(void)
{
    const char *text = getenv("SC_HSM_COMPLETION_WAIT"), *end = NULL;
    unsigned int seconds = 0;

    return text != NULL && schsm_tool_count(text, PATIENCE_MAX, &seconds, &end) && *end == '\0'
               ? seconds
               : PATIENCE;
}

/* All that comes before the child closes the pipe, or patience ends. */
static void read_answer(int in, struct answer *answer)
{
    int64_t end = now_ms() + (int64_t)patience() * 1000;
    bool more = true;

    while (more && answer->len + 1 < ANSWER_MAX) {
        struct pollfd wanted = { in, POLLIN, 0 };
        int64_t left = end - now_ms();
        int ready = poll(&wanted, 1, left > 0 ? (int)left : 0);
        ssize_t len = 0;

        if (ready > 0) {
            len = read(in, answer->text + answer->len, ANSWER_MAX - 1 - answer->len);
            answer->len += len > 0 ? (size_t)len : 0;
        }
        more = (ready < 0 || len < 0) ? errno == EINTR : len > 0;
    }
    answer->text[answer->len] = '\0';
}

void schsm_completion_ask(struct schsm_completion *completion,
                          enum schsm_completion_question question, unsigned int types)
{
    struct answer answer = { OPENSSL_zalloc(ANSWER_MAX), 0 };
    int ends[2];
    pid_t child = -1;
    char *rest = NULL;

    if (answer.text == NULL || pipe2(ends, O_CLOEXEC) != 0) {
        OPENSSL_free(answer.text);
        return;
    }
    (void)fflush(stdout);
    child = fork();
    if (child == 0) {
        (void)close(ends[0]);
        ask(completion, question, types, ends[1]);
        _exit(0);
    }
    (void)close(ends[1]);
    if (child > 0) {
        read_answer(ends[0], &answer);
    }
    (void)close(ends[0]);
    for (char *line = strtok_r(answer.text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        char *tab = strchr(line, '\t');

        if (tab != NULL) {
            *tab = '\0';
            schsm_completion_offer(completion, line, tab[1] != '\0' ? tab + 1 : NULL);
        }
    }
    OPENSSL_free(answer.text);
}
