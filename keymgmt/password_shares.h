/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The password of a DKEK share, split among custodians so that any t of m can give it together
 * (protocol reference section 13.4; Shamir's scheme as OpenSC's sc-hsm-tool does it). The password
 * is then 8 random bytes that nobody ever sees.
 */
#ifndef SCHSM_KEYMGMT_PASSWORD_SHARES_H
#define SCHSM_KEYMGMT_PASSWORD_SHARES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/crypto.h>

#include "base/error.h"
#include "base/secret.h"

#define SCHSM_PASSWORD_SHARES_MIN 3   /* custodians */
#define SCHSM_PASSWORD_SHARES_MAX 100 /* ours: more custodians make no sense */
#define SCHSM_PASSWORD_ID_MAX 255     /* of a share that another tool made */
#define SCHSM_PASSWORD_THRESHOLD_MIN 2

/* What one custodian keeps. A caller that holds several puts them into a schsm_secret. */
struct schsm_password_share {
    uint64_t prime; /* the same for all */
    unsigned int id;
    uint64_t value;
};

/* A prime or value as it is shown: bytes in hexadecimal with `:` between, no leading zero bytes. */
#define SCHSM_PASSWORD_NUMBER_MAX 24 /* characters and terminator */
void schsm_password_number_text(uint64_t number, char text[SCHSM_PASSWORD_NUMBER_MAX]);

/* Reads such a number; colons and spaces may be anywhere. Fails with ARGUMENT, never naming the
 * text, which is secret. */
int schsm_password_number_parse(const char *text, size_t len, uint64_t *number,
                                struct schsm_error *err);

/* Reads a share's id: decimal, or hexadecimal after 0x (sc-hsm-tool shows decimal digits). */
int schsm_password_id_parse(const char *text, size_t len, unsigned int *id,
                            struct schsm_error *err);

/* Whether t of m can be asked for at all: m from 3, t from 2 to m. Fails with ARGUMENT. */
int schsm_password_shares_check(unsigned int threshold, unsigned int total,
                                struct schsm_error *err);

/*
 * Draws a password and splits it: shares[] has room for `total`. *password is the caller's to free.
 */
int schsm_password_shares_make(OSSL_LIB_CTX *libctx, unsigned int threshold, unsigned int total,
                               struct schsm_password_share *shares, struct schsm_secret **password,
                               struct schsm_error *err);

/*
 * The password out of the shares of `count` custodians. Shares that are not of one split are told
 * where that can be seen (another prime, an id twice, no prime); too few or mistyped ones give a
 * wrong password. Where the password has leading zero bytes, tools disagree whether they belong to
 * it: then *longer is the form with 8 bytes, to be tried where the short one fails; else NULL. Both
 * are the caller's to free.
 */
int schsm_password_shares_combine(OSSL_LIB_CTX *libctx, const struct schsm_password_share *shares,
                                  size_t count, struct schsm_secret **password,
                                  struct schsm_secret **longer, struct schsm_error *err);

#endif
