/* SPDX-License-Identifier: Apache-2.0 */
#include "source.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/descriptor.h"
#include "person.h"

#define PIN_BYTES_MAX 256                /* of any source; the card takes at most 16 */
#define READ_MAX (PIN_BYTES_MAX + 2 + 1) /* CR LF, and one byte that shows that there is more */

enum kind { KIND_FILE, KIND_CREDENTIAL, KIND_ENV, KIND_FD, KIND_PERSON, KIND_PINPAD, KIND_SECRET };

typedef int ask_function(const struct schsm_pin_prompt *prompt, char *line, size_t *len,
                         struct schsm_error *err);

struct word {
    const char *word;
    enum kind kind;
    bool has_value;
    ask_function *ask; /* KIND_PERSON */
};

struct schsm_pin_source {
    atomic_int references;
    enum kind kind;
    const struct word *word;               /* NULL: KIND_SECRET */
    char *name;                            /* path, credential or variable, else NULL */
    char *path;                            /* KIND_CREDENTIAL; NULL: there is no folder of them */
    int fd;                                /* KIND_FD */
    atomic_int fd_reader;                  /* process that reads fd just now, 0: none */
    _Atomic(struct schsm_secret *) secret; /* KIND_SECRET; KIND_FD once it was read */
};

static const struct word words[] = {
    { "file", KIND_FILE, true, NULL },
    { "credential", KIND_CREDENTIAL, true, NULL },
    { "env", KIND_ENV, true, NULL },
    { "fd", KIND_FD, true, NULL },
    { "prompt", KIND_PERSON, false, schsm_pin_prompt_read },
    { "pinentry", KIND_PERSON, false, schsm_pinentry_read },
    { "systemd-ask-password", KIND_PERSON, false, schsm_ask_password_read },
    { "systemd", KIND_PERSON, false, schsm_ask_password_read },
    { "pinpad", KIND_PINPAD, false, NULL },
};
#define ALL_WORDS                                                                                  \
    "file:PATH, credential:NAME, env:NAME, fd:N, prompt, pinentry, systemd-ask-password and "      \
    "pinpad"

static struct schsm_pin_source *source_new(enum kind kind, struct schsm_error *err)
{
    struct schsm_pin_source *source = OPENSSL_zalloc(sizeof(*source));

    if (source == NULL) {
        schsm_fail_memory(err);
        return NULL;
    }
    atomic_init(&source->references, 1);
    atomic_init(&source->fd_reader, 0);
    atomic_init(&source->secret, NULL);
    source->kind = kind;
    source->fd = -1;
    return source;
}

static int parse_descriptor(const char *text, int *fd)
{
    char *end = NULL;
    long value;

    errno = 0;
    value = isdigit((unsigned char)text[0]) ? strtol(text, &end, 10) : -1;
    if (errno != 0 || value < 0 || value > INT_MAX || *end != 0) {
        return 0;
    }
    *fd = (int)value;
    return 1;
}

/* Drops one line end and makes a secret; what names the source in a sentence. */
static int make_secret(const char *what, const char *name, const uint8_t *bytes, size_t len,
                       struct schsm_secret **pin, struct schsm_error *err)
{
    if (len > 0 && bytes[len - 1] == '\n') {
        len -= len > 1 && bytes[len - 2] == '\r' ? 2 : 1;
    }
    if (len == 0) {
        return schsm_fail(err, SCHSM_REASON_PIN_SOURCE, "the PIN source %s%s is empty", what, name);
    }
    if (len > PIN_BYTES_MAX) {
        return schsm_fail(err, SCHSM_REASON_PIN_SOURCE,
                          "the PIN source %s%s holds more than %d bytes: that is no PIN", what,
                          name, PIN_BYTES_MAX);
    }
    /* A second line would be sent as part of the PIN and spend a try. */
    if (memchr(bytes, '\n', len) != NULL || memchr(bytes, '\r', len) != NULL) {
        return schsm_fail(err, SCHSM_REASON_PIN_SOURCE,
                          "the PIN source %s%s holds more than one line: leave only the PIN in it",
                          what, name);
    }
    *pin = schsm_secret_new(bytes, len, err);
    return *pin != NULL;
}

/* Reads until the end, a full buffer or an error; -1 with errno set. */
static ssize_t read_all(int fd, uint8_t *buffer, size_t size)
{
    size_t len = 0;

    while (len < size) {
        ssize_t got = read(fd, buffer + len, size - len);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return -1;
        }
        if (got == 0) {
            break;
        }
        len += (size_t)got;
    }
    return (ssize_t)len;
}

/*
 * A file that others can read tells them the PIN, and one that others can write has them spend the
 * tries. What has no name any more, or never was a file, is its holder's alone. A process that is
 * neither the owner nor root reads a file because its group may: that is how it was given to it.
 * by_group: so it is in any case.
 */
static int check_readers(const char *path, int fd, bool by_group, struct schsm_error *err)
{
    struct stat file;
    uid_t self = geteuid();
    mode_t others;

    if (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode) || file.st_nlink == 0) {
        return 1;
    }
    by_group = by_group || (self != 0 && self != file.st_uid);
    others = file.st_mode & (S_IRWXO | (by_group ? S_IWGRP : S_IRWXG));
    if (others == 0) {
        return 1;
    }
    return schsm_fail(err, SCHSM_REASON_PIN_SOURCE,
                      "the PIN file %s was not used, because its mode %03o lets %s at it: "
                      "'chmod %s %s' mends that",
                      path, (unsigned int)(file.st_mode & 0777),
                      (others & S_IRWXO) != 0 ? "every user" : "its group",
                      by_group ? "640" : "600", path);
}

#define SERIAL_MARK "{serial}"

/* What a device says of itself must lead nowhere else than to a file of its own. */
static bool is_part_of_name(const char *serial)
{
    return serial[0] != '.' &&
           serial[strspn(serial,
                         "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_.")] ==
               '\0';
}

static size_t count_marks(const char *name)
{
    size_t marks = 0;

    while ((name = strstr(name, SERIAL_MARK)) != NULL) {
        name += strlen(SERIAL_MARK);
        marks++;
    }
    return marks;
}

/* A copy of name with the device's serial number in it, which the caller frees. NULL on failure. */
static char *name_for_device(const char *name, const struct schsm_pin_prompt *prompt,
                             struct schsm_error *err)
{
    const char *serial = prompt != NULL && prompt->serial != NULL ? prompt->serial : "", *mark;
    size_t marks = count_marks(name);
    char *result, *out;

    if (marks > 0 && (serial[0] == '\0' || !is_part_of_name(serial))) {
        schsm_fail(err, SCHSM_REASON_PIN_SOURCE,
                   serial[0] == '\0'
                       ? "the PIN source %s names a serial number, and there is none here: use one "
                         "without " SERIAL_MARK
                       : "the PIN source %s names a serial number, and this device's is none that "
                         "may stand in a name: use one without " SERIAL_MARK,
                   name);
        return NULL;
    }
    result = OPENSSL_malloc(strlen(name) + marks * strlen(serial) + 1);
    if (result == NULL) {
        schsm_fail_memory(err);
        return NULL;
    }
    out = result;
    while ((mark = strstr(name, SERIAL_MARK)) != NULL) {
        memcpy(out, name, (size_t)(mark - name));
        out = stpcpy(out + (mark - name), serial);
        name = mark + strlen(SERIAL_MARK);
    }
    (void)stpcpy(out, name);
    return result;
}

static int read_file(const char *path, bool by_group, struct schsm_secret **pin,
                     struct schsm_error *err)
{
    struct schsm_secret *room;
    uint8_t *buffer = NULL;
    ssize_t len = -1;
    int ok = 0;
    int fd;

    room = schsm_secret_alloc(READ_MAX, &buffer, err);
    if (room == NULL) {
        return 0;
    }
    fd = schsm_descriptor_open(path, O_RDONLY, 0);
    if (fd >= 0 && !check_readers(path, fd, by_group, err)) {
        goto done;
    }
    if (fd >= 0) {
        len = read_all(fd, buffer, READ_MAX);
    }
    if (len < 0) {
        schsm_fail(err, SCHSM_REASON_PIN_SOURCE, "the PIN file %s cannot be read: %s", path,
                   strerror(errno));
    } else {
        ok = make_secret("file:", path, buffer, (size_t)len, pin, err);
    }

done:
    if (fd >= 0) {
        close(fd);
    }
    schsm_secret_free(room);
    return ok;
}

/* systemd may let a service at its credentials by an access list, which shows as a group's right.
 */
static int read_credential(const struct schsm_pin_source *source, const char *path,
                           struct schsm_secret **pin, struct schsm_error *err)
{
    if (source->path == NULL) {
        return schsm_fail(err, SCHSM_REASON_PIN_SOURCE,
                          "the environment has no CREDENTIALS_DIRECTORY, so there is no credential "
                          "%s here: systemd gives it to services that have it as "
                          "LoadCredential=%s:PATH or LoadCredentialEncrypted=",
                          source->name, source->name);
    }
    return read_file(path, true, pin, err);
}

static int read_environment(const char *name, struct schsm_secret **pin, struct schsm_error *err)
{
    const char *value = getenv(name);

    if (value == NULL) {
        return schsm_fail(err, SCHSM_REASON_PIN_SOURCE,
                          "the environment has no variable %s, which the PIN source env:%s names",
                          name, name);
    }
    return make_secret("env:", name, (const uint8_t *)value, strlen(value), pin, err);
}

/*
 * A descriptor can be read once only, so one thread reads and the others wait. The lock is the
 * reader's process id rather than a mutex: a child forked meanwhile sees that its owner is not
 * here and takes over.
 */
static void lock_descriptor(struct schsm_pin_source *source)
{
    const struct timespec pause = { 0, 1000000 };
    int self = (int)getpid();

    for (;;) {
        int owner = atomic_load(&source->fd_reader);

        if (owner == self) {
            (void)nanosleep(&pause, NULL);
        } else if (atomic_compare_exchange_strong(&source->fd_reader, &owner, self)) {
            return;
        }
    }
}

static int read_descriptor(struct schsm_pin_source *source, struct schsm_secret **pin,
                           struct schsm_error *err)
{
    struct schsm_secret *secret, *room;
    uint8_t *buffer = NULL;
    char name[16];
    ssize_t len;
    int ok = 0;

    room = schsm_secret_alloc(READ_MAX, &buffer, err);
    if (room == NULL) {
        return 0;
    }
    lock_descriptor(source);
    secret = atomic_load(&source->secret);
    if (secret == NULL) {
        (void)snprintf(name, sizeof(name), "%d", source->fd);
        len = read_all(source->fd, buffer, READ_MAX);
        if (len < 0) {
            schsm_fail(err, SCHSM_REASON_PIN_SOURCE, "the PIN descriptor fd:%s cannot be read: %s",
                       name, strerror(errno));
        } else if (make_secret("fd:", name, buffer, (size_t)len, &secret, err)) {
            atomic_store(&source->secret, secret);
        }
    }
    if (secret != NULL) {
        *pin = schsm_secret_ref(secret);
        ok = 1;
    }
    atomic_store(&source->fd_reader, 0);
    schsm_secret_free(room);
    return ok;
}

static int ask_person(const struct schsm_pin_source *source, const struct schsm_pin_prompt *prompt,
                      struct schsm_secret **pin, struct schsm_error *err)
{
    struct schsm_secret *room;
    uint8_t *buffer = NULL;
    size_t len = READ_MAX;
    int ok;

    room = schsm_secret_alloc(READ_MAX, &buffer, err);
    ok = room != NULL && source->word->ask(prompt, (char *)buffer, &len, err) &&
         make_secret(source->word->word, "", buffer, len, pin, err);
    schsm_secret_free(room);
    return ok;
}

static int read_secret(struct schsm_pin_source *source, struct schsm_secret **pin,
                       struct schsm_error *err)
{
    struct schsm_secret *secret = atomic_load(&source->secret);

    if (schsm_secret_len(secret) == 0) {
        return schsm_fail(err, SCHSM_REASON_PIN_SOURCE, "the PIN that was given is empty");
    }
    if (schsm_secret_len(secret) > PIN_BYTES_MAX) {
        return schsm_fail(err, SCHSM_REASON_PIN_SOURCE,
                          "the PIN that was given has more than %d bytes", PIN_BYTES_MAX);
    }
    *pin = schsm_secret_ref(secret);
    return 1;
}

/*
 * A credential is a file in a folder that a service's environment names, and nowhere else. nginx's
 * and others' environments are other ones later, so the folder is looked up here. *path NULL: there
 * is none.
 */
static int find_credential(const char *name, char **path, struct schsm_error *err)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    size_t size;

    *path = NULL;
    if (strchr(name, '/') != NULL || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        return schsm_fail(err, SCHSM_REASON_CONFIG,
                          "the PIN source 'credential:' needs the name of a credential behind it, "
                          "and no path");
    }
    if (folder == NULL || *folder == '\0') {
        return 1;
    }
    size = strlen(folder) + 1 + strlen(name) + 1;
    *path = OPENSSL_malloc(size);
    if (*path == NULL) {
        return schsm_fail_memory(err);
    }
    (void)snprintf(*path, size, "%s/%s", folder, name);
    return 1;
}

struct schsm_pin_source *schsm_pin_source_parse(const char *text, struct schsm_error *err)
{
    size_t word_len = strcspn(text, ":");
    const char *value = text[word_len] == ':' ? text + word_len + 1 : NULL;
    struct schsm_pin_source *source = NULL;
    size_t i;

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strlen(words[i].word) == word_len && strncmp(words[i].word, text, word_len) == 0 &&
            words[i].has_value == (value != NULL)) {
            break;
        }
    }
    if (i == sizeof(words) / sizeof(words[0])) {
        if (value == NULL) { /* there is nothing that is sure not to be a PIN */
            schsm_fail(err, SCHSM_REASON_CONFIG, "the PIN source is none of " ALL_WORDS);
        } else {
            schsm_fail(err, SCHSM_REASON_CONFIG, "the PIN source '%.*s:' is none of " ALL_WORDS,
                       word_len < 16 ? (int)word_len : 16, text);
        }
        return NULL;
    }
    if (value != NULL && *value == 0) {
        schsm_fail(err, SCHSM_REASON_CONFIG, "the PIN source '%s:' lacks what belongs behind it",
                   words[i].word);
        return NULL;
    }
    source = source_new(words[i].kind, err);
    if (source == NULL) {
        return NULL;
    }
    source->word = &words[i];
    if (value == NULL) {
        return source;
    }
    if (source->kind == KIND_FD) {
        if (!parse_descriptor(value, &source->fd)) {
            schsm_fail(err, SCHSM_REASON_CONFIG,
                       "the PIN source 'fd:' needs the number of an open descriptor behind it");
            goto fail;
        }
        return source;
    }
    if (source->kind == KIND_CREDENTIAL && !find_credential(value, &source->path, err)) {
        goto fail;
    }
    source->name = OPENSSL_strdup(value);
    if (source->name != NULL) {
        return source;
    }
    schsm_fail_memory(err);

fail:
    schsm_pin_source_free(source);
    return NULL;
}

struct schsm_pin_source *schsm_pin_source_from_secret(struct schsm_secret *pin,
                                                      struct schsm_error *err)
{
    struct schsm_pin_source *source = source_new(KIND_SECRET, err);

    if (source != NULL) {
        atomic_store(&source->secret, schsm_secret_ref(pin));
    }
    return source;
}

struct schsm_pin_source *schsm_pin_source_ref(struct schsm_pin_source *source)
{
    if (source != NULL) {
        atomic_fetch_add(&source->references, 1);
    }
    return source;
}

void schsm_pin_source_free(struct schsm_pin_source *source)
{
    if (source == NULL || atomic_fetch_sub(&source->references, 1) != 1) {
        return;
    }
    schsm_secret_free(atomic_load(&source->secret));
    OPENSSL_free(source->path);
    OPENSSL_free(source->name);
    OPENSSL_free(source);
}

bool schsm_pin_source_is_stored(const struct schsm_pin_source *source)
{
    return source->kind != KIND_PERSON && source->kind != KIND_PINPAD;
}

bool schsm_pin_source_may_change(const struct schsm_pin_source *source)
{
    return source->kind == KIND_FILE || source->kind == KIND_CREDENTIAL;
}

bool schsm_pin_source_takes_serial(const struct schsm_pin_source *source)
{
    return source->name != NULL && strstr(source->name, SERIAL_MARK) != NULL;
}

bool schsm_pin_source_is_pinpad(const struct schsm_pin_source *source)
{
    return source->kind == KIND_PINPAD;
}

/* From a place that has a name. */
static int read_named(const struct schsm_pin_source *source, const struct schsm_pin_prompt *prompt,
                      struct schsm_secret **pin, struct schsm_error *err)
{
    const char *text = source->path != NULL ? source->path : source->name;
    char *name = name_for_device(text, prompt, err);
    int ok = 0;

    if (name != NULL) {
        ok = source->kind == KIND_FILE         ? read_file(name, false, pin, err)
             : source->kind == KIND_CREDENTIAL ? read_credential(source, name, pin, err)
                                               : read_environment(name, pin, err);
    }
    OPENSSL_free(name);
    return ok;
}

int schsm_pin_source_read(struct schsm_pin_source *source, const struct schsm_pin_prompt *prompt,
                          struct schsm_secret **pin, struct schsm_error *err)
{
    *pin = NULL;
    switch (source->kind) {
    case KIND_FILE:
    case KIND_CREDENTIAL:
    case KIND_ENV:
        return read_named(source, prompt, pin, err);
    case KIND_FD:
        return read_descriptor(source, pin, err);
    case KIND_PERSON:
        return ask_person(source, prompt, pin, err);
    case KIND_SECRET:
        return read_secret(source, pin, err);
    case KIND_PINPAD:
        break;
    }
    return schsm_fail(err, SCHSM_REASON_ARGUMENT, "a PIN pad's PIN cannot be read");
}
