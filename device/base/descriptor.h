/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors. A process may run with standard input, output or error closed, and the next file
 * that is opened then gets that number: what is printed would go into it. So descriptors of ours,
 * and those of the libraries that we call, lie above them.
 */
#ifndef SCHSM_BASE_DESCRIPTOR_H
#define SCHSM_BASE_DESCRIPTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

/* A descriptor for the same above 2, close-on-exec; fd itself where it lies there, else it is
 * closed. -1 with errno where fd is -1, or no number is free. */
int schsm_descriptor_above(int fd);

/* open(2), close-on-exec and above 2. mode: where flags create a file, else 0. */
int schsm_descriptor_open(const char *path, int flags, mode_t mode);

/* Writes all of it; false with errno. */
bool schsm_descriptor_write(int fd, const void *bytes, size_t len);

/*
 * Around a call into a library that may open descriptors: whichever of 0 to 2 are closed are taken
 * meanwhile, by something that can neither be read nor written. By several threads at once, and
 * nested. A child of a fork gives back what its parent held, at its own next call.
 */
void schsm_descriptor_hold(void);
void schsm_descriptor_release(void);

/* Which file a descriptor was, to know later whether it still is that. */
struct schsm_descriptor_file {
    bool known;
    dev_t device;
    ino_t inode;
};

/* Unknown where the descriptor is closed. */
struct schsm_descriptor_file schsm_descriptor_file(int fd);

bool schsm_descriptor_is(int fd, const struct schsm_descriptor_file *file);

#endif
