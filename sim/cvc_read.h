/* SPDX-License-Identifier: Apache-2.0 */
/* Card verifiable certificates and authenticated requests, reading (protocol section 11). */
#ifndef SIM_CVC_READ_H
#define SIM_CVC_READ_H

#include "buf.h"
#include "cvc_format.h"
#include "public_key.h"

/* A certificate or plain request, as slices of the bytes it was read from. */
struct sim_cvc {
    struct sim_slice body; /* 7F4E with tag and length: what is signed */
    struct sim_slice car;
    struct sim_slice chr;        /* a name, like car */
    struct sim_slice public_key; /* content of 7F49 */
    struct sim_slice extensions; /* content of 65; `data` NULL: none */
    bool has_role;               /* in the device PKI; false in requests and other PKIs */
    enum sim_cvc_role role;
    struct sim_slice signature;
};

/* An authenticated request, tag 67 (section 11.4). */
struct sim_cvc_authenticated {
    struct sim_cvc request;
    struct sim_slice outer_signed; /* 7F21 and 42 as they stand */
    struct sim_slice outer_car;
    struct sim_slice outer_signature;
};

/* Whether this names a key: 8 to 16 printable characters of ISO 8859-1 (section 11.1). */
bool sim_cvc_is_name(struct sim_slice name);

/* Read the content of 7F21: 7F4E 5F37. False when it is malformed. */
bool sim_cvc_read(struct sim_cvc *cvc, struct sim_slice content);

/* Take the content of 67, which is 7F21 42 5F37, off `in`. False when it is malformed. */
bool sim_cvc_take_authenticated(struct sim_cvc_authenticated *cvc, struct sim_slice *in);

/*
 * Find the key-domain UID among the extensions; false when there is none or they are malformed
 * (section 15.5).
 */
bool sim_cvc_key_domain_uid(const struct sim_cvc *cvc, struct sim_slice *uid);

#endif
