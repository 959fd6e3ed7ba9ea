/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of a backup: its files and its lock. */
#ifndef SCHSM_BACKUP_BACKUP_FOLDER_H
#define SCHSM_BACKUP_BACKUP_FOLDER_H

#include "manifest.h"

/*
 * Makes the folder where there is none, for its owner alone, keeps other backups out of it, and
 * removes what an interrupted one left unfinished. Returns a descriptor for
 * schsm_backup_folder_unlock, or -1. Fails with EXISTS while another one is at work.
 */
int schsm_backup_folder_lock(const char *folder, struct schsm_error *err);
void schsm_backup_folder_unlock(int lock);

/* Whether the folder has a manifest. */
bool schsm_backup_folder_has_manifest(const char *folder);

/* Reads and parses the manifest; NOT_FOUND where there is none. */
int schsm_backup_folder_read_manifest(const char *folder, struct schsm_manifest *manifest,
                                      struct schsm_error *err);

/* Puts the manifest in place of the old one. */
int schsm_backup_folder_write_manifest(const char *folder, const struct schsm_manifest *manifest,
                                       struct schsm_error *err);

/* Writes the file of an entry whose name is set, and fills in its digest. */
int schsm_backup_folder_write(const char *folder, struct schsm_backup_entry *entry,
                              const uint8_t *content, size_t len, struct schsm_error *err);

/*
 * Reads a backup's manifest and compares every file with it. Fails with FILE, naming the file that
 * is missing or was changed, and with NOT_FOUND where the folder holds no backup.
 */
int schsm_backup_folder_check(const char *folder, struct schsm_manifest *manifest,
                              struct schsm_error *err);

/* The content of an entry's file, compared with the manifest; the caller's to free. */
int schsm_backup_folder_read(const char *folder, const struct schsm_backup_entry *entry,
                             uint8_t **content, size_t *len, struct schsm_error *err);

#endif
