/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of a backup: its files and its lock. */
#ifndef SCHSM_BACKUP_BACKUP_FOLDER_H
#define SCHSM_BACKUP_BACKUP_FOLDER_H

#include "manifest.h"

/*
 * Makes the folder where there is none, for its owner alone, and keeps other backups out of it.
 * Nothing in it is touched. Returns a descriptor for schsm_backup_folder_unlock, or -1. Fails with
 * EXISTS while another one is at work.
 */
int schsm_backup_folder_lock(const char *folder, struct schsm_error *err);
void schsm_backup_folder_unlock(int lock);

/* Whether the folder has a file of this name. */
bool schsm_backup_folder_has(const char *folder, const char *name);

/* Reads and parses the manifest; NOT_FOUND where there is none. */
int schsm_backup_folder_read_manifest(const char *folder, struct schsm_manifest *manifest,
                                      struct schsm_error *err);

/* Puts the manifest in place of the old one. */
int schsm_backup_folder_write_manifest(const char *folder, const struct schsm_manifest *manifest,
                                       struct schsm_error *err);

/* Writes the file of an entry whose name is set, whole or not at all, and fills in its digest.
 * Fails with FILE. */
int schsm_backup_folder_write(const char *folder, struct schsm_backup_entry *entry,
                              const uint8_t *content, size_t len, struct schsm_error *err);

/* The content of an entry's file, compared with the manifest; the caller's to free. Fails with
 * FILE, naming the file, where it was changed, and BAD_INPUT where it cannot be read. */
int schsm_backup_folder_read(const char *folder, const struct schsm_backup_entry *entry,
                             uint8_t **content, size_t *len, struct schsm_error *err);

#endif
