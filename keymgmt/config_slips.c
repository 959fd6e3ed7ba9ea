/* SPDX-License-Identifier: Apache-2.0 */
#include "config_slips.h"

#include <ctype.h>
#include <string.h>

#include <openssl/crypto.h>

#include "config.h"

#define FIRST_ROOM 16384
#define WORD_MAX 4 /* letters of settings that are next to other words: log, pin, root */

static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";

/* What OpenSSL itself looks for in a provider's section (config(5)). */
static const char *const of_openssl[] = { "identity", "module", "activate", "soft_load" };

struct slips {
    struct schsm_slip *all;
    size_t count, room;
    int ok;
};

bool schsm_config_is_name(const char *name)
{
    const char *key;

    for (size_t i = 0; i < sizeof(of_openssl) / sizeof(of_openssl[0]); i++) {
        if (strcmp(of_openssl[i], name) == 0) {
            return true;
        }
    }
    for (size_t i = 0; (key = schsm_config_key(i)) != NULL; i++) {
        if (strcmp(key, name) == 0) {
            return true;
        }
    }
    return false;
}

static void add(struct slips *slips, const char *name, const char *meant)
{
    size_t len = strlen(name);

    if (!slips->ok || len == 0 || len >= SCHSM_SLIP_MAX) {
        return;
    }
    if (slips->count == slips->room) {
        size_t room = slips->room == 0 ? FIRST_ROOM : slips->room * 2;
        struct schsm_slip *more = OPENSSL_realloc(slips->all, room * sizeof(*more));

        if (more == NULL) {
            slips->ok = 0;
            return;
        }
        slips->all = more;
        slips->room = room;
    }
    memcpy(slips->all[slips->count].name, name, len + 1);
    slips->all[slips->count++].meant = meant;
}

/* One letter put in at a place, and another one for the one that is there. */
static void add_letters(struct slips *slips, const char *name, size_t at, const char *meant)
{
    size_t len = strlen(name);
    char changed[SCHSM_SLIP_MAX + 1];

    for (const char *letter = letters; *letter != 0; letter++) {
        memcpy(changed, name, at);
        changed[at] = *letter;
        memcpy(changed + at + 1, name + at, len - at + 1);
        add(slips, changed, meant);
        if (at < len && len > WORD_MAX) {
            memcpy(changed, name, len + 1);
            changed[at] = *letter;
            add(slips, changed, meant);
        }
    }
}

/* A name as people spell it, and what one slip makes of it. */
static void add_slips(struct slips *slips, const char *name, const char *meant)
{
    size_t len = strlen(name);
    char changed[SCHSM_SLIP_MAX];

    if (len + 1 >= SCHSM_SLIP_MAX) {
        return;
    }
    add(slips, name, meant);
    for (size_t at = 0; at <= len; at++) {
        add_letters(slips, name, at, meant);
    }
    for (size_t at = 0; at < len; at++) {
        memcpy(changed, name, at);
        memcpy(changed + at, name + at + 1, len - at);
        add(slips, changed, meant);
        if (at + 1 < len) {
            memcpy(changed, name, len + 1);
            changed[at] = name[at + 1];
            changed[at + 1] = name[at];
            add(slips, changed, meant);
        }
    }
}

static void add_key(struct slips *slips, const char *key)
{
    char underscores[SCHSM_SLIP_MAX] = "", bare[SCHSM_SLIP_MAX] = "", capitals[SCHSM_SLIP_MAX] = "";
    size_t n = 0;

    for (size_t i = 0; key[i] != 0 && i + 1 < SCHSM_SLIP_MAX; i++) {
        underscores[i] = key[i];
        capitals[i] = (char)toupper((unsigned char)key[i]);
        if (key[i] == '-') {
            underscores[i] = '_';
        } else {
            bare[n++] = key[i];
        }
    }
    add_slips(slips, key, key);
    if (strchr(key, '-') != NULL) {
        add_slips(slips, underscores, key);
        add(slips, bare, key);
    }
    add(slips, capitals, key);
    capitals[1] = 0;
    (void)strncat(capitals, key + 1, sizeof(capitals) - 2);
    add(slips, capitals, key);
    for (char *c = underscores; *c != 0; c++) {
        *c = (char)toupper((unsigned char)*c);
    }
    add(slips, underscores, key);
}

struct schsm_slip *schsm_config_slips(size_t *count)
{
    struct slips slips = { .ok = 1 };
    const char *key;

    for (size_t i = 0; (key = schsm_config_key(i)) != NULL; i++) {
        add_key(&slips, key);
    }
    if (!slips.ok) {
        OPENSSL_free(slips.all);
        slips.all = NULL;
        slips.count = 0;
    }
    *count = slips.count;
    return slips.all;
}
