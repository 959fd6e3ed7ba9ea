/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flat file system of the card: transparent files named by a 2-byte id, whose high byte
 * decides who may do what (protocol section 4.1). Keys (CCxx) are not files; see keys.h.
 */
#ifndef SIM_FS_H
#define SIM_FS_H

#include "buf.h"

struct sim_state;
struct sim_file;

enum {
    SIM_FID_DEVICE_CERTIFICATE = 0x2F02, /* EF.C_DevAut */
    SIM_FID_TOKEN_INFO = 0x2F03,
    SIM_FID_WRAPPED_KEY = 0x2F10, /* scratch file for UNWRAP */
    SIM_PREFIX_KEY = 0xCC,
    SIM_PREFIX_CERTIFICATE = 0xCE,
    SIM_MAX_FILE = 0xFFFF, /* FCI tag 81 has two bytes */
};

/* Who may do something with a file. */
enum sim_access {
    SIM_ACCESS_UNKNOWN_FILE, /* no such kind of file on this card: zero, the default */
    SIM_ACCESS_NEVER,
    SIM_ACCESS_USER, /* user PIN verified (or public-key authentication complete) */
    SIM_ACCESS_FREE,
};

struct sim_file_rights {
    enum sim_access read, write, remove;
};

/* The rights for a file id, whether or not the file exists. */
struct sim_file_rights sim_fs_rights(uint16_t fid);

/* The file with this id, or NULL. Valid until files are added or removed. */
struct sim_file *sim_fs_find(struct sim_state *state, uint16_t fid);

/*
 * Write into a file at `offset`, creating it when absent, extending it when needed, never
 * truncating (section 24, question 3) but 2F10, which a write at its start begins anew: nothing
 * tells how long a blob in it is but its length. Status word: 9000; 6B00 when there would be a gap;
 * 6A84 when the file or the card is full.
 */
uint16_t sim_fs_write(struct sim_state *state, uint16_t fid, size_t offset, struct sim_slice data);

/* Replace the whole content of a file, creating it when absent; as sim_fs_write(). */
uint16_t sim_fs_replace(struct sim_state *state, uint16_t fid, struct sim_slice data);

/* Delete a file; false when there is none. */
bool sim_fs_remove(struct sim_state *state, uint16_t fid);

#endif
