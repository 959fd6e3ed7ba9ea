/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Card verifiable certificates (BSI TR-03110 part 3 appendices C and D; protocol reference sections
 * 6.2, 11 and 12): the device's certificates, the authenticated request that a key comes with, and
 * the body of the command that makes a key.
 *
 * All views point into the buffer that was parsed. What is malformed fails with DEVICE_DATA.
 */
#ifndef SCHSM_FORMAT_CVC_H
#define SCHSM_FORMAT_CVC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "curve.h"
#include "types.h"
#include "base/error.h"
#include "base/tlv.h"

#define SCHSM_CVC_NAME_MAX 16 /* characters of a CHR or CAR: country, mnemonic, sequence number */

/* The content of 7F49 (section 11.2). Absent members have len 0. */
struct schsm_cvc_key {
    enum schsm_key_type type; /* told by the algorithm OID; of ecx.h by the base point as well */
    struct schsm_view oid;    /* 06: how this key signs */
    struct schsm_view modulus, exponent;
    struct schsm_view p, a, b, g, n; /* EC domain parameters: all, or p absent = inherited;
                                      * of ecx.h p, n and g */
    struct schsm_view point;         /* 04 || X || Y; of ecx.h the public key itself */
};

/* A certificate, or a request's inner part: 7F21 (section 11.1). */
struct schsm_cvc {
    struct schsm_view whole;      /* the 7F21 element */
    struct schsm_view body;       /* the 7F4E element: the bytes that are signed */
    struct schsm_view car;        /* 42; absent in some requests */
    struct schsm_view chr;        /* 5F20 */
    struct schsm_view role;       /* 7F4C/53, the first byte being C0 root, 80 issuer, 00 device */
    struct schsm_view effective;  /* 5F25: YYMMDD, one digit each byte */
    struct schsm_view expires;    /* 5F24 */
    struct schsm_view extensions; /* content of 65 */
    struct schsm_view signature;  /* 5F37 */
    struct schsm_cvc_key key;
};

/*
 * Reads the certificate at the beginning of data; whatever follows is not looked at, so that
 * file 2F02 is split by going on at cvc->whole.len.
 */
int schsm_cvc_parse(const uint8_t *data, size_t len, struct schsm_cvc *cvc,
                    struct schsm_error *err);

/*
 * Splits file 2F02: the device's certificate, and its issuer's behind it; issuer->whole.len is 0
 * where there is none. What else follows is not looked at.
 */
int schsm_cvc_parse_chain(const uint8_t *file, size_t len, struct schsm_cvc *device,
                          struct schsm_cvc *issuer, struct schsm_error *err);

/* An authenticated request: 67 (section 11.4). */
struct schsm_cvc_request {
    struct schsm_cvc cvc;           /* the inner part, signed by its own key */
    struct schsm_view whole;        /* the 67 element */
    struct schsm_view outer_signed; /* 7F21 and 42: the bytes of the outer signature */
    struct schsm_view outer_car;    /* CHR of the key that signed */
    struct schsm_view outer_signature;
};

/* Reads the request at the beginning of data. */
int schsm_cvc_parse_request(const uint8_t *data, size_t len, struct schsm_cvc_request *request,
                            struct schsm_error *err);

/*
 * The device's serial number out of file 2F02: the device certificate's CHR without its last five
 * characters (section 12), a sequence number. A Pico HSM named ESPICOHSMTR and five characters more
 * has them as a part of its name (19.5): its serial number is the whole. size is the room at
 * serial, SCHSM_SERIAL_MAX + 1 suffices. A CHR with characters that are not printable ASCII is
 * malformed.
 */
int schsm_cvc_serial(const uint8_t *file, size_t len, char *serial, size_t size,
                     struct schsm_error *err);

/* A CHR or CAR as text of at most size - 1 characters; false where it is longer or no printable
 * ASCII: it is shown to people and compared. */
bool schsm_cvc_name(struct schsm_view name, char *text, size_t size);

/* The whole CHR, likewise; malformed where it is empty too. For names of new keys and for messages
 * to be signed. */
int schsm_cvc_holder(const struct schsm_cvc *cvc, char *name, size_t size, struct schsm_error *err);

/*
 * The curve of an EC key: told by its parameters, or `inherited` where it has none. Fails with
 * UNSUPPORTED where it is none of the card's curves, or none is known.
 */
int schsm_cvc_curve(const struct schsm_cvc_key *key, const struct schsm_curve *inherited,
                    const struct schsm_curve **curve, struct schsm_error *err);

/*
 * The same for a key whose root is not at hand: of a key without parameters, the curve on which its
 * point lies, brainpoolP256r1 before all others since most device certificates inherit that one.
 * Good for verifying, where a wrong guess means that nothing verifies.
 */
int schsm_cvc_likely_curve(const struct schsm_cvc_key *key, const struct schsm_curve **curve,
                           struct schsm_error *err);

/*
 * The key as DER SubjectPublicKeyInfo (RFC 5280, RFC 5480 named curve, RFC 3279 rsaEncryption, RFC
 * 8410). A point 04 || X || Y must lie on the curve. inherited: as above, NULL for a key with
 * parameters. *spki is allocated with OPENSSL_malloc and the caller's to free.
 */
int schsm_cvc_public_key(const struct schsm_cvc_key *key, const struct schsm_curve *inherited,
                         uint8_t **spki, size_t *spki_len, struct schsm_error *err);

/*
 * Verifies a signature by `signer` over message, with the hash and padding that signer's OID names
 * (section 11.2); an ECDSA signature is r || s, each of the field's length, one of EdDSA is that of
 * the bare message, each half turned round, as the Pico HSM writes it in its requests. Fails with
 * UNSUPPORTED for a key that signs nothing (X25519, X448), WRONG_KEY where it does not verify,
 * UNSUPPORTED for an unknown algorithm. Works in a library context of its own: the program's may be
 * in the middle of calling the provider that calls this.
 */
int schsm_cvc_verify(const struct schsm_cvc_key *signer, const struct schsm_curve *inherited,
                     const uint8_t *message, size_t message_len, const uint8_t *signature,
                     size_t signature_len, struct schsm_error *err);

/* The role that a certificate says its holder has (section 11.3). */
enum schsm_cvc_role { SCHSM_CVC_DEVICE = 0x00, SCHSM_CVC_ISSUER = 0x80, SCHSM_CVC_ROOT = 0xC0 };
bool schsm_cvc_has_role(const struct schsm_cvc *cvc, enum schsm_cvc_role role);

/*
 * Verifies the chain of file 2F02 up to root (section 12): names, roles and signatures; dates are
 * not looked at, since devices outlive their certificates. Certificates without domain parameters
 * inherit root's; *curve becomes the curve of the device key. Fails with WRONG_KEY where another
 * authority issued the chain or a signature does not verify.
 */
int schsm_cvc_verify_device(const struct schsm_cvc *root, const uint8_t *file, size_t len,
                            struct schsm_cvc *device, const struct schsm_curve **curve,
                            struct schsm_error *err);

/*
 * The key domain that a request names in its extensions (sections 11.3 and 15.5): *uid is what a
 * key for the exchange of a domain's key encryption key carries, len 0 where there is none.
 * Malformed extensions count as none.
 */
void schsm_cvc_domain_uid(const struct schsm_cvc *cvc, struct schsm_view *uid);

/* Verifies that a key's request was signed by itself, where it can sign, and by this device
 * (section 12, step 4). */
int schsm_cvc_verify_request(const struct schsm_cvc_request *request,
                             const struct schsm_cvc *device, const struct schsm_curve *device_curve,
                             struct schsm_error *err);

/* A key to be made by GENERATE ASYMMETRIC KEY PAIR (section 6.2). */
struct schsm_cvc_generate {
    enum schsm_key_type type; /* all but AES */
    unsigned int bits;        /* RSA: 1024, 1536, 2048, 3072 or 4096 */
    const char *car;          /* NULL: UTCA00001, as OpenSC writes */
    const char *chr;          /* up to SCHSM_CVC_NAME_MAX characters; NULL: UTCDUMMY00001 */
    const uint8_t *exponent;  /* RSA, big endian; NULL: 65537 */
    size_t exponent_len;
    const struct schsm_curve *curve; /* EC */
    const uint8_t *algorithms;       /* tag 91: card algorithm ids; NULL: none is written */
    size_t algorithms_len;           /* 0..16 */
    uint32_t use_count;              /* tag 90; 0: not written, unlimited */
    int key_domain;                  /* tag 92; negative: not written */
    const uint8_t *domain_uid;       /* in tag 65, copied into the request; NULL: not written */
    size_t domain_uid_len;           /* 1..SCHSM_DOMAIN_UID_MAX */
};

/* Appends the content of 7F49 for an EC key: its domain parameters, and its point 04 || X || Y
 * where that is not NULL. Fails with CRYPTO where libcrypto does not know the curve. */
int schsm_cvc_put_ec_key(struct schsm_tlv_writer *writer, const struct schsm_curve *curve,
                         const uint8_t *point, struct schsm_error *err);

#define SCHSM_CVC_GENERATE_MAX 740 /* bytes of the largest body: secp521r1, with a domain's UID */

/* The command's data. *out_len is the capacity of out and becomes the length. Fails with ARGUMENT
 * for what the card cannot make. */
int schsm_cvc_build_generate(const struct schsm_cvc_generate *spec, uint8_t *out, size_t *out_len,
                             struct schsm_error *err);

#endif
