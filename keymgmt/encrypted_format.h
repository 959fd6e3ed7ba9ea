/* SPDX-License-Identifier: Apache-2.0 */
/* What writing and reading encrypted files share (encrypted_file.h). */
#ifndef SCHSM_KEYMGMT_ENCRYPTED_FORMAT_H
#define SCHSM_KEYMGMT_ENCRYPTED_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "base/tlv.h"
#include "encrypted_file.h"

#define SCHSM_CONTENT_PIECE 16384
#define SCHSM_GCM_NONCE_LEN 12
#define SCHSM_GCM_TAG_LEN 16

/* NIST SP 800-38D: bytes that one key and nonce encrypt at most. */
#define SCHSM_GCM_MAX (((uint64_t)1 << 36) - 32)

/* Contents of OBJECT IDENTIFIERs. */
#define SCHSM_OID_AUTH_ENVELOPED_DATA "\x2A\x86\x48\x86\xF7\x0D\x01\x09\x10\x01\x17"
#define SCHSM_OID_ENVELOPED_DATA "\x2A\x86\x48\x86\xF7\x0D\x01\x07\x03"
#define SCHSM_OID_DATA "\x2A\x86\x48\x86\xF7\x0D\x01\x07\x01"
#define SCHSM_OID_NIST_AES "\x60\x86\x48\x01\x65\x03\x04\x01" /* and one byte more */

/* The last byte of NIST's identifiers for a size of key; 0 where there is none. */
uint8_t schsm_oid_aes_wrap(unsigned int bits);
uint8_t schsm_oid_aes_gcm(unsigned int bits);

/* An AES-GCM cipher that begins. NULL with CRYPTO. */
EVP_CIPHER_CTX *schsm_gcm_begin(OSSL_LIB_CTX *libctx, bool encrypt,
                                const struct schsm_secret *content_key, struct schsm_view nonce,
                                struct schsm_error *err);

#endif
