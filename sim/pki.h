/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The makers of all virtual cards: one root and one device issuer (protocol section 12), so that
 * each card can verify the certificates of every other.
 *
 * Their private keys are published here and protect nothing. Whoever trusts this root trusts
 * everybody.
 */
#ifndef SIM_PKI_H
#define SIM_PKI_H

#include "buf.h"

struct sim_key;

/* Names as real test cards have them, yet none of CardContact's. */
#define SIM_ROOT_CHR "UTSRCASIM00002"
#define SIM_ISSUER_CHR "UTDICASIM00001"

/* The certificates 7F21, for good the same bytes. */
struct sim_slice sim_pki_root_certificate(void);
struct sim_slice sim_pki_issuer_certificate(void);

/* Make `key` the issuer's key, with which device certificates are signed; false without memory. */
bool sim_pki_issuer_key(struct sim_key *key);

#endif
