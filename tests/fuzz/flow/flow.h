/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What users do with a device, from beginning to end, whatever the device answers: the flows. Each
 * does what a command of the tool or a function of the provider does, by the same functions of
 * keymgmt/ and device/, and checks what it is told.
 */
#ifndef FLOW_FLOW_H
#define FLOW_FLOW_H

#include <stdbool.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "keymgmt/context.h"
#include "keymgmt/find.h"
#include "model/device.h"

#include "script.h"

/* Where the devices come from. */
struct flow_world {
    struct schsm_registry *(*open)(void *arg, struct schsm_error *err);
    void *arg;
    const char *first, *second; /* parts of the names of their readers; NULL: any */
    void (*next_command)(void *arg);
};

struct flow {
    const struct flow_world *world;
    const uint8_t *header; /* enum flow_header */
    struct schsm_context context;
    struct schsm_device *device, *other; /* the registry's; other: NULL where nothing is there */
    struct schsm_login login;
    struct schsm_secret *pin, *new_pin, *so_pin;
    const char *folder; /* for files */
    struct schsm_error err;
};

/* One flow; true where all of it succeeded. */
struct flow_kind {
    const char *name;
    bool (*run)(struct flow *flow);
};

/* All of them, NULL behind the last; and the one that header[FLOW_KIND] chooses. */
const struct flow_kind *flow_kind_at(size_t i);
const struct flow_kind *flow_kind_of(const uint8_t *header);

/* To be called once. */
void flow_start(void);

/* A new empty folder, which goes with the process. */
const char *flow_new_folder(void);

/* Runs the flow that the header names in this world, with this PIN; true as above. */
bool flow_run(const struct flow_world *world, const uint8_t *header, const char *pin);

/* Runs an input, again and again where each time more memory stays than before: what libcrypto
 * keeps for later it keeps once. Ends the run where that does not end. */
void flow_run_without_leak(void (*run)(const uint8_t *data, size_t len), const uint8_t *data,
                           size_t len);

/* --- for flows ------------------------------------------------------------------------------ */

/*
 * What a function promises of its outcome: a failure has a reason and a sentence without secrets,
 * and a success says nothing. Ends the run where it is otherwise; else returns ok. The error is
 * empty afterwards.
 */
bool flow_check(struct flow *flow, int ok, const char *call);
#define FLOW_TRY(flow, call) flow_check(flow, (call), #call)

/* The second device, where the world has one. */
bool flow_find_other(struct flow *flow);

/* The URI of this number: one of a table, from naming everything to naming a key. */
bool flow_uri(struct flow *flow, unsigned int number, struct schsm_uri *uri);

/* A file of this name in the flow's folder; one string at a time. */
const char *flow_path(const struct flow *flow, const char *name);
bool flow_write_file(struct flow *flow, const char *name, const uint8_t *content, size_t len);

/* Keys and certificates of the host's, made once. */
struct flow_fixtures {
    EVP_PKEY *ec, *rsa, *authority;
    X509 *ec_certificate, *authority_certificate;
    struct schsm_secret *dkek, *aes;
    struct schsm_roots *roots; /* with that of the virtual cards */
};
extern struct flow_fixtures flow_fixtures;

/* A certificate of this key by the authority; NULL where the key is none. */
X509 *flow_certify(EVP_PKEY *key, const char *name);

#endif
