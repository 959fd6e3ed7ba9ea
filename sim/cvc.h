/* SPDX-License-Identifier: Apache-2.0 */
/* Card verifiable certificates and authenticated requests, building only (protocol section 11). */
#ifndef SIM_CVC_H
#define SIM_CVC_H

#include "buf.h"

struct sim_key;

enum { SIM_DATE_LEN = 6 }; /* YYMMDD, one decimal digit in each byte */

/* What differs between certificates of devices. */
struct sim_cvc_certificate {
    const char *car; /* issuer's name */
    const char *chr; /* holder's name */
    uint8_t effective[SIM_DATE_LEN];
    uint8_t expires[SIM_DATE_LEN];
};

/* What the host asked for in a request. */
struct sim_cvc_request {
    struct sim_slice car;        /* inner CAR */
    struct sim_slice chr;        /* holder reference */
    struct sim_slice public_key; /* content of 7F49 */
    struct sim_slice extensions; /* content of 65; data == NULL: none */
    struct sim_slice outer_car;  /* name of the key that makes the outer signature */
};

/*
 * Append the device certificate 7F21 for the EC key `holder`, signed by `issuer`, whose curve it
 * inherits; false when libcrypto fails.
 */
bool sim_cvc_put_certificate(struct sim_buf *out, const struct sim_cvc_certificate *certificate,
                             const struct sim_key *holder, const struct sim_key *issuer);

/*
 * Append a certificate 7F21 that `holder` gave itself under `name`, as a Pico HSM does before its
 * maker certifies it (section 19.5): `public_key` is the content of its 7F49. False when libcrypto
 * fails.
 */
bool sim_cvc_put_own_certificate(struct sim_buf *out, struct sim_slice name,
                                 struct sim_slice public_key, const struct sim_key *holder);

/*
 * Append the authenticated request 67 (section 11.4): inner signature by `holder`, outer one by
 * `signer`; false when libcrypto fails.
 */
bool sim_cvc_put_request(struct sim_buf *out, const struct sim_cvc_request *request,
                         const struct sim_key *holder, const struct sim_key *signer);

#endif
