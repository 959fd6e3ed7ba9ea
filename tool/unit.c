/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>

#include "keymgmt/file.h"
#include "pin/program.h"

#define UNIT_ENDING ".service"
#define FILE_MAX ((size_t)256 * 1024) /* bytes, of a unit file or of what systemctl prints */
#define PATH_ROOM 4096

/* What is asked of systemd; unit files have other things too, which do no harm. */
static const char properties[] =
    "LoadState,User,Group,SupplementaryGroups,Environment,EnvironmentFiles,RootDirectory,"
    "LoadCredential,LoadCredentialEncrypted,SetCredential,SetCredentialEncrypted,"
    "RestrictAddressFamilies,DynamicUser";

void schsm_unit_clear(struct schsm_unit *unit)
{
    for (size_t i = 0; i < unit->count; i++) {
        OPENSSL_free(unit->settings[i].key);
        OPENSSL_free(unit->settings[i].value);
    }
    OPENSSL_free(unit->settings);
    OPENSSL_free(unit->name);
    memset(unit, 0, sizeof(*unit));
}

const char *schsm_unit_next(const struct schsm_unit *unit, const char *key, size_t *at)
{
    while (*at < unit->count) {
        const struct schsm_unit_setting *setting = &unit->settings[(*at)++];

        if (strcmp(setting->key, key) == 0) {
            return setting->value;
        }
    }
    return NULL;
}

const char *schsm_unit_get(const struct schsm_unit *unit, const char *key)
{
    const char *value, *last = NULL;
    size_t at = 0;

    while ((value = schsm_unit_next(unit, key, &at)) != NULL) {
        last = value;
    }
    return last;
}

/* An empty value takes away what was said before. */
static void forget(struct schsm_unit *unit, const char *key)
{
    size_t kept = 0;

    for (size_t i = 0; i < unit->count; i++) {
        if (strcmp(unit->settings[i].key, key) == 0) {
            OPENSSL_free(unit->settings[i].key);
            OPENSSL_free(unit->settings[i].value);
        } else {
            unit->settings[kept++] = unit->settings[i];
        }
    }
    unit->count = kept;
}

static int add(struct schsm_unit *unit, const char *key, const char *value, struct schsm_error *err)
{
    struct schsm_unit_setting *more;

    if (*value == '\0') {
        forget(unit, key);
        return 1;
    }
    more = OPENSSL_realloc(unit->settings, (unit->count + 1) * sizeof(*more));
    if (more == NULL) {
        return schsm_fail_memory(err);
    }
    unit->settings = more;
    more[unit->count] = (struct schsm_unit_setting){ OPENSSL_strdup(key), OPENSSL_strdup(value) };
    unit->count++;
    return (more[unit->count - 1].key != NULL && more[unit->count - 1].value != NULL) ||
           schsm_fail_memory(err);
}

/* Cuts blanks off both ends, in place. */
static char *trim(char *text)
{
    size_t len;

    while (isspace((unsigned char)*text)) {
        text++;
    }
    len = strlen(text);
    while (len > 0 && isspace((unsigned char)text[len - 1])) {
        text[--len] = '\0';
    }
    return text;
}

/* The next line, cut off in place, with those that it goes on in; NULL at the end. */
static char *next_line(char **rest)
{
    char *line = *rest, *end = line;

    if (*line == '\0') {
        return NULL;
    }
    while ((end = strchr(end, '\n')) != NULL && end > line && end[-1] == '\\') {
        end[-1] = ' ';
        *end = ' ';
    }
    *rest = end != NULL ? end + 1 : line + strlen(line);
    if (end != NULL) {
        *end = '\0';
    }
    return trim(line);
}

/* Takes the settings of the section [Service] in, or with `bare` all there are. */
static int parse(struct schsm_unit *unit, char *text, bool bare, struct schsm_error *err)
{
    bool inside = bare;
    char *line;

    while ((line = next_line(&text)) != NULL) {
        char *equals = strchr(line, '=');

        if (*line == '[' && !bare) {
            inside = strcmp(line, "[Service]") == 0;
        } else if (inside && equals != NULL && *line != '#' && *line != ';') {
            *equals = '\0';
            if (!add(unit, trim(line), trim(equals + 1), err)) {
                return 0;
            }
        }
    }
    return 1;
}

/* systemd's own words for a file: "PATH (ignore_errors=yes)", which a unit file writes "-PATH". */
static int take_environment_files(struct schsm_unit *unit, struct schsm_error *err)
{
    const char *value;
    size_t at = 0;

    while ((value = schsm_unit_next(unit, "EnvironmentFiles", &at)) != NULL) {
        const char *end = strstr(value, " (ignore_errors=");
        char path[PATH_ROOM];

        (void)snprintf(path, sizeof(path), "%s%.*s",
                       end != NULL && strstr(end, "=yes") != NULL ? "-" : "",
                       (int)(end != NULL ? (size_t)(end - value) : strlen(value)), value);
        if (!add(unit, "EnvironmentFile", path, err)) {
            return 0;
        }
    }
    return 1;
}

static int ask_systemd(struct schsm_unit *unit, struct schsm_error *err)
{
    const char *const arguments[] = { "systemctl", "show",     "--no-pager", "-p",
                                      properties,  unit->name, NULL };
    char *text = OPENSSL_zalloc(FILE_MAX + 1);
    struct schsm_program program;
    size_t len = 0, got = 0;
    int ok = 0;

    if (text == NULL) {
        return schsm_fail_memory(err);
    }
    if (!schsm_program_start(arguments, false, &program, err)) {
        schsm_fail(err, SCHSM_REASON_UNSUPPORTED, "there is no systemctl, so no systemd to ask");
        goto done;
    }
    while (len < FILE_MAX && (got = schsm_program_hear(&program, text + len, FILE_MAX - len)) > 0) {
        len += got;
    }
    if (schsm_program_end(&program) != 0) {
        schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                   "systemctl tells nothing of %s: systemd does not run here", unit->name);
        goto done;
    }
    ok = parse(unit, text, true, err) && take_environment_files(unit, err);
    if (ok && schsm_unit_get(unit, "LoadState") != NULL &&
        strcmp(schsm_unit_get(unit, "LoadState"), "loaded") != 0) {
        ok = schsm_fail(err, SCHSM_REASON_NOT_FOUND, "systemd has no service %s that it can load",
                        unit->name);
    }

done:
    OPENSSL_free(text);
    return ok;
}

static int read_unit_file(struct schsm_unit *unit, const char *path, struct schsm_error *err)
{
    uint8_t *content = NULL;
    size_t len = 0;
    int ok = schsm_file_read(path, FILE_MAX, &content, &len, err) &&
             parse(unit, (char *)content, false, err);

    OPENSSL_free(content);
    return ok;
}

static int is_drop_in(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return len > 5 && strcmp(entry->d_name + len - 5, ".conf") == 0;
}

/* The unit file and behind it, in the order of their names, the drop-ins. */
static int read_folder(struct schsm_unit *unit, const char *folder, struct schsm_error *err)
{
    struct dirent **entries = NULL;
    char path[PATH_ROOM];
    int ok, count;

    BIO_snprintf(path, sizeof(path), "%s/%s", folder, unit->name);
    if (access(path, F_OK) != 0) {
        return schsm_fail(err, SCHSM_REASON_NOT_FOUND, "there is no unit file %s", path);
    }
    ok = read_unit_file(unit, path, err);
    BIO_snprintf(path, sizeof(path), "%s/%s.d", folder, unit->name);
    count = scandir(path, &entries, is_drop_in, alphasort);
    for (int i = 0; i < count; i++) {
        BIO_snprintf(path, sizeof(path), "%s/%s.d/%s", folder, unit->name, entries[i]->d_name);
        ok = ok && read_unit_file(unit, path, err);
        free(entries[i]);
    }
    free(entries);
    return ok;
}

int schsm_unit_read(struct schsm_unit *unit, const char *name, const char *folder,
                    struct schsm_error *err)
{
    size_t size = strlen(name) + sizeof(UNIT_ENDING);
    bool whole = strchr(name, '.') != NULL && strcmp(strrchr(name, '.'), UNIT_ENDING) == 0;

    memset(unit, 0, sizeof(*unit));
    if (*name == '\0' || *name == '-' || strchr(name, '/') != NULL) {
        return schsm_fail(err, SCHSM_REASON_NOT_FOUND, "'%s' is no name of a service", name);
    }
    unit->name = OPENSSL_malloc(size);
    if (unit->name == NULL) {
        return schsm_fail_memory(err);
    }
    BIO_snprintf(unit->name, size, "%s%s", name, whole ? "" : UNIT_ENDING);
    return folder != NULL ? read_folder(unit, folder, err) : ask_systemd(unit, err);
}
