/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manifest of a backup: what was on the device, and which file of the folder holds it. A file
 * manifest.json, so that people and scripts can read it as well:
 *
 *     { "format": "sc-hsm backup v1", "serial": .., "label": .., "created": .., "complete": ..,
 *       "objects": [ { "kind": "key", "key_ref": .., "id": .., "label": .., "algorithm": ..,
 *                      "bits": .., "key_check_value": .., "file": .., "sha256": .. }, .. ] }
 *
 * An object without a file has a "reason" instead. A certificate has the "key_ref" of its key where
 * that one is not in the backup. The serial number of a device that tells none is null.
 */
#ifndef SCHSM_BACKUP_MANIFEST_H
#define SCHSM_BACKUP_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/device.h"
#include "format/dkek.h"
#include "base/error.h"

#define SCHSM_MANIFEST_NAME "manifest.json"
#define SCHSM_MANIFEST_MAX 0x400000 /* bytes; 255 keys and 512 other objects have far less */
#define SCHSM_BACKUP_FILE_MAX 31    /* characters of a file's name */
#define SCHSM_BACKUP_DIGEST_LEN 32  /* SHA-256 */

enum schsm_backup_kind { SCHSM_BACKUP_KEY, SCHSM_BACKUP_CERTIFICATE, SCHSM_BACKUP_DATA };

/* One object. */
struct schsm_backup_entry {
    enum schsm_backup_kind kind;
    int key_ref; /* keys: 1..255; a certificate whose key is not in the backup: the key's; others:
                  * -1 */
    uint8_t id[SCHSM_ID_MAX];
    size_t id_len;
    char label[SCHSM_LABEL_MAX + 1];
    enum schsm_key_type key_type;          /* keys */
    unsigned int bits;                     /* keys; 0: unknown */
    uint8_t kcv[SCHSM_KCV_LEN];            /* keys: of what they are wrapped under */
    bool authority;                        /* certificates */
    bool private_data;                     /* data */
    char application[SCHSM_LABEL_MAX + 1]; /* data */
    char file[SCHSM_BACKUP_FILE_MAX + 1];  /* "": not in the backup */
    uint8_t digest[SCHSM_BACKUP_DIGEST_LEN];
    char reason[256]; /* why it is not */
    bool failed;      /* because that failed; not in the file */
};

struct schsm_manifest {
    char serial[SCHSM_SERIAL_MAX + 1]; /* "": the device tells none */
    char label[SCHSM_LABEL_MAX + 1];   /* of the token */
    char created[32];                  /* UTC, as in RFC 3339 */
    bool complete;                     /* all is in it that may be, and something is */
    struct schsm_backup_entry *entries;
    size_t count;
};

/* Frees the entries; the manifest is empty afterwards. */
void schsm_manifest_clear(struct schsm_manifest *manifest);

/* Appends a copy of the entry. */
int schsm_manifest_add(struct schsm_manifest *manifest, const struct schsm_backup_entry *entry,
                       struct schsm_error *err);

/*
 * Reads a manifest; *manifest is overwritten and the caller's to clear. A name of a file is one in
 * the same folder, and used once. Fails with FILE.
 */
int schsm_manifest_parse(const uint8_t *text, size_t len, struct schsm_manifest *manifest,
                         struct schsm_error *err);

/* *text: allocated with OPENSSL_malloc, the caller's to free. */
int schsm_manifest_format(const struct schsm_manifest *manifest, char **text, size_t *len,
                          struct schsm_error *err);

/* Whether the manifest writes a device's text so: what is no UTF-8 in it is written as `?`. */
bool schsm_manifest_writes(const char *text, const char *written);

/* What a user calls the object: "key 'web' (key reference 3)". At most size bytes. */
void schsm_backup_entry_name(const struct schsm_backup_entry *entry, char *name, size_t size);

#endif
