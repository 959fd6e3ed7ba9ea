/* SPDX-License-Identifier: Apache-2.0 */
#include "flow.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "base/fork_guard.h"
#include "base/log.h"
#include "keymgmt/login.h"
#include "pin/memory.h"

#include "clock.h"
#include "fuzz.h"
#include "library.h"
#include "memory.h"

#define PATH_SIZE 256
#define RUNS_OF_A_LEAK 6
#define FOLDERS_MAX 2

static char folders[FOLDERS_MAX][PATH_SIZE]; /* the first is that of the flows */
static size_t folders_made;

/* --- outcomes -------------------------------------------------------------------------------- */

/* Prints what was broken before the run ends: a stack alone does not show it. */
static void promise(bool kept, const char *what, const char *call, const struct schsm_error *err)
{
    if (!kept) {
        (void)fprintf(stderr, "%s: %s: reason %d, \"%s\"\n", call, what, (int)err->reason,
                      err->text);
        abort();
    }
}

static bool holds(const char *text, const struct schsm_secret *secret)
{
    return memmem(text, strlen(text), schsm_secret_data(secret), schsm_secret_len(secret)) != NULL;
}

/* The same as a log shows bytes. */
static bool holds_hex(const char *text, const struct schsm_secret *secret)
{
    char digits[2 * SCHSM_USER_PIN_MAX + 3] = "";
    size_t len = schsm_secret_len(secret);

    for (size_t i = 0; i < len && i <= SCHSM_USER_PIN_MAX; i++) {
        (void)snprintf(digits + 2 * i, 3, "%02X", schsm_secret_data(secret)[i]);
    }
    return strstr(text, digits) != NULL;
}

static bool is_printable(const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        if (*at < 0x20 || *at == 0x7F) {
            return false;
        }
    }
    return true;
}

bool flow_check(struct flow *flow, int ok, const char *call)
{
    struct schsm_error *err = &flow->err;

    if (ok) {
        promise(err->reason == SCHSM_REASON_NONE && err->text[0] == '\0', "success with an error",
                call, err);
    } else {
        promise(err->reason > SCHSM_REASON_NONE && err->reason < SCHSM_REASON_COUNT,
                "failure without a reason", call, err);
        promise(memchr(err->text, 0, sizeof(err->text)) != NULL && err->text[0] != '\0',
                "failure without a sentence", call, err);
        promise(is_printable(err->text), "a sentence that is not printable", call, err);
        promise(!holds(err->text, flow->pin) && !holds(err->text, flow->new_pin),
                "a PIN in a sentence", call, err);
    }
    if (!ok && getenv("FLOW_TELL") != NULL) {
        (void)fprintf(stderr, "%s: %s\n", call, err->text);
    }
    *err = (struct schsm_error)SCHSM_ERROR_INIT;
    flow->world->next_command(flow->world->arg);
    return ok != 0;
}

/* --- files ----------------------------------------------------------------------------------- */

const char *flow_path(const struct flow *flow, const char *name)
{
    static char path[2 * PATH_SIZE];

    (void)snprintf(path, sizeof(path), "%s/%s", flow->folder, name);
    return path;
}

bool flow_write_file(struct flow *flow, const char *name, const uint8_t *content, size_t len)
{
    FILE *file = fopen(flow_path(flow, name), "wb");

    REQUIRE(file != NULL && fwrite(content, 1, len, file) == len && fclose(file) == 0);
    return true;
}

static void empty_folder(const char *path)
{
    DIR *entries = opendir(path);
    struct dirent *entry;
    char below[2 * PATH_SIZE];

    REQUIRE(entries != NULL);
    while ((entry = readdir(entries)) != NULL) { /* NOLINT(concurrency-mt-unsafe) */
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        (void)snprintf(below, sizeof(below), "%.*s/%.*s", PATH_SIZE - 1, path, PATH_SIZE - 1,
                       entry->d_name);
        if (unlink(below) != 0) {
            empty_folder(below);
            REQUIRE(rmdir(below) == 0);
        }
    }
    (void)closedir(entries);
}

static void remove_folders(void)
{
    for (size_t i = 0; i < folders_made; i++) {
        empty_folder(folders[i]);
        (void)rmdir(folders[i]);
    }
}

const char *flow_new_folder(void)
{
    const char *temporary = getenv("TMPDIR"); /* NOLINT(concurrency-mt-unsafe) */
    char *folder = folders[folders_made];

    REQUIRE(folders_made < FOLDERS_MAX);
    if (temporary == NULL) { /* a file that is written for good waits for the disk elsewhere */
        temporary = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    }
    (void)snprintf(folder, PATH_SIZE, "%s/sc-hsm-flow-XXXXXX", temporary);
    REQUIRE(mkdtemp(folder) != NULL);
    if (folders_made++ == 0) {
        REQUIRE(atexit(remove_folders) == 0);
    }
    return folder;
}

/* --- a run ----------------------------------------------------------------------------------- */

void flow_start(void)
{
    static const uint8_t nobodys[SCHSM_PIN_FINGERPRINT] = { 1 };

    /* Some PIN was refused before, in every run: it makes a difference to what a card is asked. */
    schsm_pin_memory_share();
    schsm_pin_memory_add(nobodys, 0);
    (void)flow_new_folder();
}

static struct schsm_secret *make_secret(const char *text)
{
    struct schsm_secret *secret = schsm_secret_new(text, strlen(text), NULL);

    REQUIRE(secret != NULL);
    return secret;
}

/* The lower bits of FLOW_LOGIN choose where the PIN comes from. */
static struct schsm_pin_source *make_source(struct flow *flow)
{
    char file[2 * PATH_SIZE + 8];

    (void)snprintf(file, sizeof(file), "file:%s", flow_path(flow, "pin"));
    switch (flow->header[FLOW_LOGIN] % 8) {
    case 1:
        return NULL;
    case 2:
        return schsm_pin_source_parse("pinpad", NULL);
    case 3:
        return schsm_pin_source_parse("env:SC_HSM_FLOW_PIN", NULL);
    case 4:
        return schsm_pin_source_parse(file, NULL);
    default:
        return schsm_pin_source_from_secret(flow->pin, NULL);
    }
}

static enum schsm_channel_mode channel_of(const uint8_t *header)
{
    if ((header[FLOW_SETUP] & FLOW_CHANNEL_REQUIRE) != 0) {
        return SCHSM_CHANNEL_REQUIRE;
    }
    return (header[FLOW_SETUP] & FLOW_CHANNEL_AUTO) != 0 ? SCHSM_CHANNEL_AUTO : SCHSM_CHANNEL_OFF;
}

static void prepare(struct flow *flow, const char *pin)
{
    const uint8_t *header = flow->header;
    struct schsm_config *config = &flow->context.config;
    char other[SCHSM_USER_PIN_MAX + 1];

    flow->pin = make_secret(pin);
    (void)snprintf(other, sizeof(other), "n%s", pin);
    flow->new_pin = make_secret(other);
    flow->so_pin = make_secret("57621880");
    (void)setenv("SC_HSM_FLOW_PIN", pin, 1); /* NOLINT(concurrency-mt-unsafe) */
    if (header[FLOW_LOGIN] % 8 == 4) {
        (void)flow_write_file(flow, "pin", (const uint8_t *)pin, strlen(pin));
        REQUIRE(chmod(flow_path(flow, "pin"), 0600) == 0);
    }
    schsm_config_init(config);
    config->min_pin_tries = (header[FLOW_SETUP] & FLOW_SPEND_TRIES) != 0 ? 0 : 2;
    config->cache_pin = (header[FLOW_SETUP] & FLOW_KEEP_PIN) != 0;
    config->secure_channel = channel_of(header);
    config->pin_source = make_source(flow);
    config->login = (enum schsm_login_time)(header[FLOW_LOGIN] / 8 % 8 % 3);
    config->verify_first = (header[FLOW_LOGIN] & FLOW_VERIFY_FIRST) != 0;
    if ((header[FLOW_LOGIN] & FLOW_WITH_LOG) != 0) {
        REQUIRE(schsm_log_set(SCHSM_LOG_APDU, flow_path(flow, "log"), NULL));
    }
    flow->context.libctx = flow_library();
    flow->login = schsm_login_for(&flow->context, config->pin_source, "the flow");
}

/* The log has no PIN in it. */
static void check_log(const struct flow *flow)
{
    struct stat about;
    char *text;
    FILE *file;

    if ((flow->header[FLOW_LOGIN] & FLOW_WITH_LOG) == 0) {
        return;
    }
    REQUIRE(schsm_log_set(SCHSM_LOG_OFF, NULL, NULL));
    file = fopen(flow_path(flow, "log"), "rb");
    if (file == NULL) {
        return;
    }
    REQUIRE(fstat(fileno(file), &about) == 0);
    text = calloc(1, (size_t)about.st_size + 1);
    REQUIRE(text != NULL && fread(text, 1, (size_t)about.st_size, file) == (size_t)about.st_size);
    (void)fclose(file);
    promise(!holds(text, flow->pin) && !holds_hex(text, flow->pin) && !holds(text, flow->so_pin) &&
                !holds_hex(text, flow->so_pin),
            "a PIN in the log", text, &flow->err);
    free(text);
}

static bool open_world(struct flow *flow)
{
    const struct schsm_device_selector first = { .reader = flow->world->first };

    flow->context.registry = flow->world->open(flow->world->arg, &flow->err);
    if (!flow_check(flow, flow->context.registry != NULL, "registry")) {
        return false;
    }
    schsm_registry_protect(flow->context.registry, flow->context.config.secure_channel,
                           flow_fixtures.roots);
    return FLOW_TRY(
        flow, schsm_registry_device(flow->context.registry, &first, &flow->device, &flow->err));
}

bool flow_find_other(struct flow *flow)
{
    const struct schsm_device_selector second = { .reader = flow->world->second };

    return flow->other != NULL ||
           FLOW_TRY(flow, schsm_registry_device(flow->context.registry, &second, &flow->other,
                                                &flow->err));
}

bool flow_run(const struct flow_world *world, const uint8_t *header, const char *pin)
{
    struct flow flow = {
        .world = world, .header = header, .folder = folders[0], .err = SCHSM_ERROR_INIT
    };
    unsigned int fails_at = (unsigned int)header[FLOW_FAILS_HI] << 8 | header[FLOW_FAILS_LO];
    bool done;

    prepare(&flow, pin);
    flow_clock_start();
    flow_library_rewind();
    flow_memory_fail(header[FLOW_MEMORY], fails_at);
    done = open_world(&flow) && flow_kind_of(header)->run(&flow);
    REQUIRE(schsm_guard_try()); /* nobody holds it */
    schsm_guard_unlock();
    schsm_registry_free(flow.context.registry);
    flow_memory_fail(0, 0);
    check_log(&flow);
    schsm_config_clear(&flow.context.config);
    schsm_secret_free(flow.pin);
    schsm_secret_free(flow.new_pin);
    schsm_secret_free(flow.so_pin);
    empty_folder(folders[0]);
    ERR_clear_error();
    REQUIRE(flow_library_borrowed() == 0);
    return done;
}

void flow_run_without_leak(void (*run)(const uint8_t *data, size_t len), const uint8_t *data,
                           size_t len)
{
    long before;
    int times = 0;

    do {
        before = flow_memory_live();
        run(data, len);
        if (times++ == RUNS_OF_A_LEAK) {
            (void)fprintf(stderr, "memory leaks: %ld blocks each time\n",
                          flow_memory_live() - before);
            abort();
        }
    } while (flow_memory_live() > before);
}
