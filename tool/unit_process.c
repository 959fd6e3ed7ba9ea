/* SPDX-License-Identifier: Apache-2.0 */
/* This process as systemd would start the service's: environment, root directory, groups, user. */
#include "unit.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "keymgmt/file.h"

#define FILE_MAX ((size_t)256 * 1024) /* bytes of an environment file */
#define CREDENTIALS "/run/credentials/"
#define GROUPS_MAX 64

/* The next word, with quotes and backslashes taken off, in place; NULL at the end. */
static char *next_word(char **rest)
{
    char *in = *rest, *word, *out, quote = '\0';

    while (isspace((unsigned char)*in)) {
        in++;
    }
    word = out = in;
    if (*in == '\0') {
        return NULL;
    }
    for (; *in != '\0' && (quote != '\0' || !isspace((unsigned char)*in)); in++) {
        if (*in == quote) {
            quote = '\0';
        } else if (quote == '\0' && (*in == '"' || *in == '\'')) {
            quote = *in;
        } else {
            in += *in == '\\' && in[1] != '\0';
            *out++ = *in;
        }
    }
    *rest = *in != '\0' ? in + 1 : in;
    *out = '\0';
    return word;
}

static int put(char *assignment, struct schsm_error *err)
{
    char *equals = strchr(assignment, '=');

    if (equals == NULL || equals == assignment) {
        return 1;
    }
    *equals = '\0';
    return setenv(assignment, equals + 1, 1) == 0 || schsm_fail_memory(err);
}

static int put_words(const char *value, struct schsm_error *err)
{
    char *copy = OPENSSL_strdup(value), *rest = copy, *word;
    int ok = 1;

    if (copy == NULL) {
        return schsm_fail_memory(err);
    }
    while (ok && (word = next_word(&rest)) != NULL) {
        ok = put(word, err);
    }
    OPENSSL_free(copy);
    return ok;
}

/* A file of lines NAME=VALUE. One that begins with - may be missing. */
static int put_file(const char *path, struct schsm_error *err)
{
    bool optional = *path == '-';
    uint8_t *content = NULL;
    size_t len = 0;
    int ok;

    path += optional;
    if (optional && access(path, F_OK) != 0) {
        return 1;
    }
    ok = schsm_file_read(path, FILE_MAX, &content, &len, err);
    for (char *line = (char *)content; ok && line != NULL;) {
        char *end = strchr(line, '\n'), *rest, *word;

        if (end != NULL) {
            *end = '\0';
        }
        rest = line;
        if (*line != '#' && *line != ';' && (word = next_word(&rest)) != NULL) {
            ok = put(word, err);
        }
        line = end != NULL ? end + 1 : NULL;
    }
    OPENSSL_clear_free(content, len);
    return ok;
}

/* What systemd gives every service, and its credentials while it runs. */
static int put_usual(const struct schsm_unit *unit, struct schsm_error *err)
{
    const char *user = schsm_unit_get(unit, "User");
    char folder[512];

    (void)snprintf(folder, sizeof(folder), CREDENTIALS "%s", unit->name);
    return (setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", 1) == 0 &&
            (user == NULL || setenv("USER", user, 1) == 0) &&
            (access(folder, F_OK) != 0 || setenv("CREDENTIALS_DIRECTORY", folder, 1) == 0)) ||
           schsm_fail_memory(err);
}

int schsm_unit_take_environment(const struct schsm_unit *unit, struct schsm_error *err)
{
    const char *value;
    size_t at = 0;

    (void)clearenv();
    if (!put_usual(unit, err)) {
        return 0;
    }
    while ((value = schsm_unit_next(unit, "Environment", &at)) != NULL) {
        if (!put_words(value, err)) {
            return 0;
        }
    }
    at = 0;
    while ((value = schsm_unit_next(unit, "EnvironmentFile", &at)) != NULL) {
        if (!put_file(value, err)) {
            return 0;
        }
    }
    return 1;
}

struct rights {
    uid_t user;
    gid_t group;
    gid_t groups[GROUPS_MAX];
    int group_count;
};

static int find_group(const char *name, gid_t *group, struct schsm_error *err)
{
    const struct group *entry = getgrnam(name); /* one thread runs here */
    char *end = NULL;
    uint64_t number = name[0] >= '0' && name[0] <= '9' ? strtoull(name, &end, 10) : 0;

    if (entry == NULL && (end == NULL || *end != '\0' || number >= UINT32_MAX)) {
        return schsm_fail(err, SCHSM_REASON_NOT_FOUND,
                          "there is no group %s, which the service has", name);
    }
    *group = entry != NULL ? entry->gr_gid : (gid_t)number;
    return 1;
}

static int find_user(const char *name, struct rights *rights, struct schsm_error *err)
{
    char *end = NULL;
    uint64_t number = name[0] >= '0' && name[0] <= '9' ? strtoull(name, &end, 10) : 0;
    bool numeric = end != NULL && *end == '\0' && number < UINT32_MAX; /* the last is nobody's */
    const struct passwd *entry = numeric ? getpwuid((uid_t)number) : getpwnam(name);

    if (entry == NULL) {
        return schsm_fail(err, SCHSM_REASON_NOT_FOUND,
                          "there is no user %s, which the service runs as", name);
    }
    rights->user = entry->pw_uid;
    rights->group = entry->pw_gid;
    rights->group_count = GROUPS_MAX / 2;
    if (getgrouplist(entry->pw_name, entry->pw_gid, rights->groups, &rights->group_count) < 0) {
        rights->group_count = GROUPS_MAX / 2;
    }
    return 1;
}

/* Who the service is; names are looked up before the root directory is another one. */
static int find_rights(const struct schsm_unit *unit, struct rights *rights,
                       struct schsm_error *err)
{
    const char *user = schsm_unit_get(unit, "User"), *group = schsm_unit_get(unit, "Group");
    const char *value;
    size_t at = 0;
    int ok = 1;

    *rights = (struct rights){ .user = 0 };
    if ((user != NULL && !find_user(user, rights, err)) ||
        (group != NULL && !find_group(group, &rights->group, err))) {
        return 0;
    }
    while (ok && (value = schsm_unit_next(unit, "SupplementaryGroups", &at)) != NULL) {
        char *copy = OPENSSL_strdup(value), *rest = copy, *word;

        if (copy == NULL) {
            return schsm_fail_memory(err);
        }
        while (ok && (word = next_word(&rest)) != NULL && rights->group_count < GROUPS_MAX) {
            ok = find_group(word, &rights->groups[rights->group_count++], err);
        }
        OPENSSL_free(copy);
    }
    return ok;
}

int schsm_unit_take_rights(const struct schsm_unit *unit, struct schsm_error *err)
{
    const char *root = schsm_unit_get(unit, "RootDirectory");
    struct rights rights;

    if (!find_rights(unit, &rights, err)) {
        return 0;
    }
    if (geteuid() != 0 && (root != NULL || rights.user != geteuid())) {
        return schsm_fail(err, SCHSM_REASON_ACCESS_DENIED,
                          "only root can look with the rights of %s: what follows is seen with "
                          "your own",
                          unit->name);
    }
    if (geteuid() != 0) {
        return 1;
    }
    if ((root != NULL && (chroot(root) != 0 || chdir("/") != 0)) ||
        setgroups((size_t)rights.group_count, rights.groups) != 0 || setgid(rights.group) != 0 ||
        setuid(rights.user) != 0) {
        return schsm_fail(err, SCHSM_REASON_ACCESS_DENIED, "the rights of %s cannot be taken: %s",
                          unit->name, strerror(errno));
    }
    return 1;
}
