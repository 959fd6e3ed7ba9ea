/* SPDX-License-Identifier: Apache-2.0 */
/* The flows, and what they are called in flow_kinds. */
#ifndef FLOW_FLOWS_H
#define FLOW_FLOWS_H

#include "flow.h"

/* flows_objects.c */
extern const struct flow_kind flow_list, flow_status, flow_store, flow_remove;

/* flows_keys.c */
extern const struct flow_kind flow_load, flow_use, flow_generate, flow_pool;

/* flows_secret.c */
extern const struct flow_kind flow_cipher;

/* flows_admin.c */
extern const struct flow_kind flow_initialise, flow_pins, flow_files, flow_domains;

/* flows_wrapped.c */
extern const struct flow_kind flow_wrap, flow_import, flow_backup, flow_restore, flow_copy;

/* flows_trust.c */
extern const struct flow_kind flow_attest, flow_custodians, flow_exchange;

#endif
