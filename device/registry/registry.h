/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The devices that this process can reach. A registry keeps one device object, and so one
 * connection, for each reader, shared by all keys and threads of its owner. Creating a registry
 * touches nothing; the PC/SC service is first asked by schsm_registry_devices.
 */
#ifndef SCHSM_REGISTRY_REGISTRY_H
#define SCHSM_REGISTRY_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "model/channel_policy.h"
#include "model/device.h"
#include "model/selector.h"
#include "base/error.h"

#define SCHSM_WAIT_DEFAULT 30 /* seconds, see schsm_registry_wait */

struct schsm_registry;
struct schsm_transport;

struct schsm_registry *schsm_registry_new(struct schsm_error *err);

/* A registry of the devices behind another transport than PC/SC, for tests. */
struct schsm_registry *schsm_registry_new_on(const struct schsm_transport *transport, void *arg,
                                             struct schsm_error *err);

/* Frees every device. In a process other than the one that opened a connection only memory is
 * freed; the connection stays its opener's. */
void schsm_registry_free(struct schsm_registry *registry);

/*
 * Whether commands that carry a PIN go through a secure channel; without this call they do not. To
 * be called before the first device is looked for. roots, which may be NULL, stay the caller's and
 * outlive the registry.
 */
void schsm_registry_protect(struct schsm_registry *registry, enum schsm_channel_mode mode,
                            const struct schsm_roots *roots);

/* For how many seconds another program that keeps a card for itself is waited for; without this
 * call SCHSM_WAIT_DEFAULT. To be called before the first device is looked for. */
void schsm_registry_wait(struct schsm_registry *registry, unsigned int seconds);

/*
 * The tokens of this PKCS#11 module are devices of the registry as well; without this call, or with
 * NULL, none are. To be called before the first device is looked for; nothing is loaded before
 * that. NULL or 0 comes back where memory runs out.
 */
int schsm_registry_use_module(struct schsm_registry *registry, const char *path,
                              struct schsm_error *err);

/*
 * Appends to devices[] (room for *count, which becomes the number found) the devices that fit. The
 * pointers belong to the registry and live as long as it does. A serial number is proven before a
 * device is returned: by the name of the reader where it carries the serial number, as USB tokens
 * do, else by the device certificate. With no serial asked for, a device is recognised by its ATR
 * alone where possible, so that this costs no card command.
 * Finding none is failure: NO_SERVICE, NO_READER, NO_DEVICE, with a sentence that says what was
 * looked for and what is there.
 */
int schsm_registry_devices(struct schsm_registry *registry,
                           const struct schsm_device_selector *selector,
                           struct schsm_device **devices, size_t *count, struct schsm_error *err);

/* As above for exactly one; several are DEVICE_AMBIGUOUS with the candidates named. */
int schsm_registry_device(struct schsm_registry *registry,
                          const struct schsm_device_selector *selector,
                          struct schsm_device **device, struct schsm_error *err);

/* Appends up to *count readers and tokens to readers[]; *count becomes their number. Where there
 * are tokens, it is no failure that there is no PC/SC service. */
int schsm_registry_readers(struct schsm_registry *registry, struct schsm_reader *readers,
                           size_t *count, struct schsm_error *err);

/* The socket at which the PC/SC service is looked for; *named: PCSCLITE_CSOCK_NAME says so. */
const char *schsm_registry_socket(bool *named);

/* The name of the user that this process is to the PC/SC service and to files. */
void schsm_registry_user(char *name, size_t size);

#endif
