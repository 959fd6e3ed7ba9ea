/* SPDX-License-Identifier: Apache-2.0 */
#include "read_der.h"

#include <string.h>

#include <openssl/crypto.h>

static int read_exactly(BIO *in, unsigned char *to, size_t len)
{
    size_t done = 0;

    while (done < len) {
        size_t n = 0;

        if (!BIO_read_ex(in, to + done, len - done, &n) || n == 0) {
            return 0;
        }
        done += n;
    }
    return 1;
}

int schsm_read_sequence(BIO *in, unsigned char **der, size_t *len)
{
    unsigned char header[4];
    size_t header_len = 2;
    size_t content = 0;

    *der = NULL;
    if (!read_exactly(in, header, 2) || header[0] != 0x30) {
        return 1;
    }
    content = header[1];
    if (header[1] == 0x81 || header[1] == 0x82) {
        size_t extra = header[1] & 0x0Fu;

        if (!read_exactly(in, header + 2, extra)) {
            return 1;
        }
        header_len += extra;
        content = extra == 1 ? header[2] : (size_t)header[2] << 8 | header[3];
    } else if (header[1] >= 0x80) { /* 0x80: no end is told, which DER has not */
        return 1;
    }
    unsigned char *buffer = OPENSSL_malloc(header_len + content);

    if (buffer == NULL) {
        return 0;
    }
    memcpy(buffer, header, header_len);
    if (!read_exactly(in, buffer + header_len, content)) {
        OPENSSL_clear_free(buffer, header_len + content);
        return 1;
    }
    *der = buffer;
    *len = header_len + content;
    return 1;
}
