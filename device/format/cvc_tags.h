/* SPDX-License-Identifier: Apache-2.0 */
/* Tags and object identifiers of card verifiable certificates and of what is made of them. */
#ifndef SCHSM_FORMAT_CVC_TAGS_H
#define SCHSM_FORMAT_CVC_TAGS_H

/* BSI TR-03110-3 appendix D.2 and protocol reference sections 11.1 to 11.4. */
enum schsm_cvc_tag {
    SCHSM_CVC_CERTIFICATE = 0x7F21,
    SCHSM_CVC_BODY = 0x7F4E,
    SCHSM_CVC_PROFILE = 0x5F29,
    SCHSM_CVC_CAR = 0x42,
    SCHSM_CVC_KEY = 0x7F49,
    SCHSM_CVC_CHR = 0x5F20,
    SCHSM_CVC_CHAT = 0x7F4C,
    SCHSM_CVC_ROLE = 0x53,
    SCHSM_CVC_EFFECTIVE = 0x5F25,
    SCHSM_CVC_EXPIRES = 0x5F24,
    SCHSM_CVC_EXTENSIONS = 0x65,
    SCHSM_CVC_EXTENSION = 0x73,
    SCHSM_CVC_DOMAIN_UID = 0x80,
    SCHSM_CVC_SIGNATURE = 0x5F37,
    SCHSM_CVC_OID = 0x06,
    SCHSM_CVC_REQUEST = 0x67, /* authenticated request */

    /* in the key of an RSA and of an EC certificate (11.2) */
    SCHSM_CVC_MODULUS = 0x81,
    SCHSM_CVC_EXPONENT = 0x82,
    SCHSM_CVC_P = 0x81,
    SCHSM_CVC_A = 0x82,
    SCHSM_CVC_B = 0x83,
    SCHSM_CVC_G = 0x84,
    SCHSM_CVC_N = 0x85,
    SCHSM_CVC_POINT = 0x86,
    SCHSM_CVC_COFACTOR = 0x87,

    /* of a key on a Montgomery or Edwards curve (19.5) */
    SCHSM_CVC_ECX_N = 0x82,
    SCHSM_CVC_ECX_BASE = 0x83,
    SCHSM_CVC_ECX_PUBLIC = 0x84,

    /* around the certificates in a file for other devices (11.3, 15.3) */
    SCHSM_CVC_OF_ISSUER = 0x61,
    SCHSM_CVC_OF_DEVICE = 0x62,
    SCHSM_CVC_OF_KEY = 0x63,
    SCHSM_CVC_MEMBERSHIP = 0x54 /* signature of a key domain's membership */
};

/* CardContact's arc 1.3.6.1.4.1.24991, below which are the applet, the extensions and the files. */
#define SCHSM_OID_CARDCONTACT 0x2B, 0x06, 0x01, 0x04, 0x01, 0x81, 0xC3, 0x1F

/* BSI's arc 0.4.0.127.0.7.2.2; in it id-TA, id-TA-RSA-v1-5-SHA-256 and id-TA-ECDSA-SHA-256, which
 * stand for RSA and EC in what the card is told. */
#define SCHSM_OID_SMARTCARD 0x04, 0x00, 0x7F, 0x00, 0x07, 0x02, 0x02
#define SCHSM_OID_TA SCHSM_OID_SMARTCARD, 0x02
#define SCHSM_OID_RSA SCHSM_OID_TA, 0x01, 0x02
#define SCHSM_OID_ECDSA SCHSM_OID_TA, 0x02, 0x03

/* id-RI-ECDH-SHA-256, by which a Pico HSM calls its keys on Montgomery and Edwards curves. */
#define SCHSM_OID_ECX SCHSM_OID_SMARTCARD, 0x05, 0x02, 0x03

#endif
