/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

#include <string.h>

#include <openssl/x509.h>

/* Puts a DER header before *p, which is the start of len bytes; returns the whole length. */
static size_t put_header(unsigned char **p, unsigned char tag, size_t len)
{
    size_t whole = len;

    if (len > 0xFF) {
        *--*p = (unsigned char)len;
        *--*p = (unsigned char)(len >> 8);
        *--*p = 0x82;
        whole += 3;
    } else {
        *--*p = (unsigned char)len;
        whole++;
        if (len > 0x7F) {
            *--*p = 0x81;
            whole++;
        }
    }
    *--*p = tag;
    return whole + 1;
}

static size_t put_text(unsigned char **p, const char *text)
{
    *p -= strlen(text);
    memcpy(*p, text, strlen(text));
    return put_header(p, 0x0C, strlen(text));
}

size_t make_reference(EVP_PKEY *key, unsigned char buffer[1000], unsigned char **reference)
{
    unsigned char *spki = NULL, *p = buffer + 1000;
    int spki_len = i2d_PUBKEY(key, &spki);
    size_t len;

    assert_true(spki_len > 0 && spki_len <= 700);
    p -= spki_len;
    memcpy(p, spki, (size_t)spki_len);
    OPENSSL_free(spki);
    len = put_header(&p, 0xA0, (size_t)spki_len);
    len += put_text(&p, "sc-hsm:serial=UTSIM123456;key-ref=1");
    len += put_text(&p, "sc-hsm key v1");
    len = put_header(&p, 0x30, len);
    *reference = p;
    return len;
}
