/* SPDX-License-Identifier: Apache-2.0 */
/* A SmartCard-HSM seen from below: its files and its random numbers. */
#ifndef SCHSM_HSM_HSM_FILE_H
#define SCHSM_HSM_HSM_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/device.h"
#include "base/error.h"

struct schsm_hsm_file {
    unsigned int id;  /* 0x0000..0xFFFF */
    const char *type; /* static text: "description of a key", "certificate of an authority" */
    int number;       /* the key's reference or the object's id; -1: it has none */
    int32_t length;   /* bytes; -1: the device does not tell, as of keys */
};

struct schsm_hsm_file_list {
    struct schsm_hsm_file *files; /* OPENSSL_malloc'ed; in the order of their ids */
    size_t count;
};

/* Every file, those too that a Pico HSM does not list (protocol section 4.2). No login. */
int schsm_hsm_files(struct schsm_device *dev, struct schsm_hsm_file_list *list,
                    struct schsm_error *err);

/* Whether a file of this id is read after login only; and whether it is a key, never to be read. */
bool schsm_hsm_file_is_private(unsigned int file);
bool schsm_hsm_file_is_key(unsigned int file);

/* Reads a whole file, as it is; *content is OPENSSL_malloc'ed. login may be NULL. */
int schsm_hsm_file_read(struct schsm_device *dev, unsigned int file,
                        const struct schsm_login *login, uint8_t **content, size_t *len,
                        struct schsm_error *err);

#endif
