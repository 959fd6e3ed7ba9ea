/* SPDX-License-Identifier: Apache-2.0 */
/* Card verifiable certificates and authenticated requests, building only (protocol section 11). */
#ifndef SIM_CVC_H
#define SIM_CVC_H

#include "buf.h"

struct sim_key;

/* CHAT authorisation byte, tag 53 (section 11.3). */
enum sim_cvc_role {
    SIM_ROLE_DEVICE = 0x00,
    SIM_ROLE_DEVICE_ISSUER = 0x80,
    SIM_ROLE_ROOT = 0xC0,
};

enum { SIM_DATE_LEN = 6 }; /* YYMMDD, one decimal digit in each byte */

/* What differs between the certificates of the device PKI. */
struct sim_cvc_certificate {
    const char *car; /* issuer's name */
    const char *chr; /* holder's name */
    enum sim_cvc_role role;
    uint8_t effective[SIM_DATE_LEN];
    uint8_t expires[SIM_DATE_LEN];
    bool with_domain_parameters; /* the root names its curve, the others inherit it */
    bool with_empty_extensions;  /* genuine issuer certificates carry `65 00` */
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
 * Append the certificate 7F21 for the EC key `holder`, signed by `issuer`; false when libcrypto
 * fails.
 */
bool sim_cvc_put_certificate(struct sim_buf *out, const struct sim_cvc_certificate *certificate,
                             const struct sim_key *holder, const struct sim_key *issuer);

/*
 * Append the authenticated request 67 (section 11.4): inner signature by `holder`, outer one by
 * `signer`; false when libcrypto fails.
 */
bool sim_cvc_put_request(struct sim_buf *out, const struct sim_cvc_request *request,
                         const struct sim_key *holder, const struct sim_key *signer);

#endif
