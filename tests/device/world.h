/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device layer over a transport of our own: a world of readers and cards that go away, come
 * back elsewhere or are exchanged, readers with small limits, PIN pads, and cards that answer
 * nonsense.
 */
#ifndef TESTS_DEVICE_WORLD_H
#define TESTS_DEVICE_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/device.h"
#include "registry/registry.h"
#include "base/secret.h"
#include "card/transport.h"

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "%s, line %d: expected: %s (last error: %s)\n", __FILE__,        \
                          __LINE__, #condition, err.text);                                         \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

#define READERS 3

/* A world of readers and cards, and what happens in it. */
extern struct world {
    const char *reader[READERS]; /* NULL: not connected */
    const char *serial[READERS]; /* of the card in it, NULL: none */
    int open_in;                 /* reader that is connected to, -1: none */
    bool verified;
    bool other_applet;
    int lost; /* so many next commands fail with this result */
    enum schsm_transport_result loss;
    enum schsm_transport_result next_loss; /* if not OK: that of all but the first of them */
    size_t short_limit;                    /* responses and commands beyond it fail; 0: none */
    bool pieces;                           /* private operations answer in pieces, 61xx */
    bool wrong_le;                         /* reads answer 6Cxx first */
    bool pad;
    const char *pin;
    int tries;
    char new_pin[17];        /* what pin points to once it was changed */
    unsigned int so_answers; /* status word to commands with an SO-PIN; 0: success */
    unsigned int full;       /* so many times INITIALIZE finds the memory full */
    unsigned int changes, initialisations;
    uint8_t break_at;                         /* the answer to this instruction is lost once */
    enum schsm_transport_result break_result; /* what the transport says then */
    bool break_before;                        /* the command is lost already */
    bool tells_uses;                          /* SELECT of the key's file tells its use counter */
    uint32_t uses;                            /* of the key */
    bool break_pin;                           /* likewise the answer to a PIN */
    unsigned int so_tries;                    /* that are left to the SO-PIN */
    unsigned int commands, pins, pads, transactions, pending_at;
    bool in_transaction;
    uint8_t pending[600];
    size_t pending_len;
    uint32_t noise; /* not 0: every answer is random, from this seed */
} world;

extern struct schsm_error err;
extern struct schsm_registry *registry;
extern struct schsm_device *device;
extern struct schsm_login login;

/* One card in a plain reader, its PIN 123456, and a source that holds `pin`. */
void start(const char *pin, const char *serial);
void finish(void);

/* What is done to the device; 1 where it succeeds. */
int sign(size_t size);
int change_pin(const char *before, const char *after);
int initialise_device(void);

/* The caller's to free. */
struct schsm_secret *secret(const char *text);

#endif
