/* SPDX-License-Identifier: Apache-2.0 */
#include "look.h"

#include <string.h>

#include <openssl/buffer.h>
#include <openssl/crypto.h>

#define LINE_MAX_LEN 256 /* of PEM, with its end; longer ones are text */
#define LOOK_MAX 262144u /* bytes of text before a block that are searched for it */

#define BEGIN "-----BEGIN "
#define DASHES "-----"

/* Whether a block begins with this line; *ours: it has the name. As PEM_read_bio, ends are trimmed.
 */
static bool begins(const char *line, size_t len, const char *name, bool *ours)
{
    size_t name_len = strlen(name);

    while (len > 0 && (unsigned char)line[len - 1] <= ' ') {
        len--;
    }
    if (len < sizeof(BEGIN) - 1 + sizeof(DASHES) - 1 ||
        memcmp(line, BEGIN, sizeof(BEGIN) - 1) != 0 ||
        memcmp(line + len - (sizeof(DASHES) - 1), DASHES, sizeof(DASHES) - 1) != 0) {
        return false;
    }
    line += sizeof(BEGIN) - 1;
    len -= sizeof(BEGIN) - 1 + sizeof(DASHES) - 1;
    *ours = len == name_len && memcmp(line, name, len) == 0;
    return true;
}

/* The block that begins in the window; one of which the line is cut is nobody's. */
static enum schsm_look look_at(const char *window, size_t len, const char *name)
{
    while (len > 0) {
        const char *end = memchr(window, '\n', len);
        size_t line_len = end == NULL ? len : (size_t)(end - window) + 1;
        bool ours = false;

        if (end != NULL && begins(window, line_len, name, &ours)) {
            return ours ? SCHSM_LOOK_OURS : SCHSM_LOOK_OTHERS;
        }
        window += line_len;
        len -= line_len;
    }
    return SCHSM_LOOK_OTHERS;
}

/* Bytes in the buffer of a BIO_f_buffer; fills an empty one first. */
static size_t buffered(BIO *in)
{
    char first[1];
    long held = 0;

    if (BIO_ctrl(in, BIO_CTRL_PEEK, sizeof(first), first) > 0) {
        held = (long)BIO_pending(in);
    }
    return held > 0 ? (size_t)held : 0;
}

/* Adds what the buffer holds to text. */
static bool add_rest(BIO *in, BUF_MEM *text)
{
    size_t before = text->length, held = buffered(in);

    if (held == 0) {
        return true;
    }
    return BUF_MEM_grow_clean(text, before + held) != 0 &&
           BIO_ctrl(in, BIO_CTRL_PEEK, (long)held, text->data + before) == (long)held;
}

/*
 * BIO_f_buffer: lines are read up to the one that tells, and then it gets them back. Where it is,
 * and seeking, is passed on to the BIO behind it, which is further on by what the buffer holds. So,
 * if that one has moved, it is sent back, and the buffer gets what it held before, for libcrypto
 * sends it back as well. If it has not moved, it never does, and the buffer gets all that came.
 *
 * start: where the BIO behind it was; held: bytes in the buffer then.
 */
static enum schsm_look look_and_put_back(BIO *in, const char *name, long start, size_t held)
{
    BUF_MEM *text = BUF_MEM_new();
    char line[LINE_MAX_LEN];
    enum schsm_look look = SCHSM_LOOK_OTHERS;
    bool found = false, line_start = true;
    int len = 0;

    while (text != NULL && !found && text->length < LOOK_MAX &&
           (len = BIO_gets(in, line, sizeof(line))) > 0) {
        size_t before = text->length;
        bool ours = false;

        if (BUF_MEM_grow_clean(text, before + (size_t)len) == 0) {
            break;
        }
        memcpy(text->data + before, line, (size_t)len);
        found = line_start && begins(line, (size_t)len, name, &ours);
        line_start = line[len - 1] == '\n';
        look = ours ? SCHSM_LOOK_OURS : SCHSM_LOOK_OTHERS;
    }
    if (text != NULL && text->length > 0) {
        if (BIO_tell(in) != start) {
            BIO_ctrl(in, BIO_C_SET_BUFF_READ_DATA, (long)held, text->data);
            (void)BIO_seek(in, (int)start);
        } else if (add_rest(in, text)) {
            BIO_ctrl(in, BIO_C_SET_BUFF_READ_DATA, (long)text->length, text->data);
        }
    }
    OPENSSL_cleanse(line, sizeof(line));
    BUF_MEM_free(text);
    return look;
}

bool schsm_begins(BIO *in, const char *name)
{
    char line[LINE_MAX_LEN];
    bool found = false, ours = false, line_start = true;
    int len = 0;

    while (!found && (len = BIO_gets(in, line, sizeof(line))) > 0) {
        found = line_start && begins(line, (size_t)len, name, &ours);
        line_start = line[len - 1] == '\n';
    }
    OPENSSL_cleanse(line, sizeof(line));
    return ours;
}

/* Of the BIOs that have lines to read, which PEM needs, these two cannot seek back. */
enum schsm_look schsm_look(BIO *in, const char *name)
{
    char *window = NULL;
    long len = 0, start = BIO_tell(in);
    size_t held = buffered(in);

    if (held > 0) { /* an empty buffer has been filled by looking */
        return look_and_put_back(in, name, start, BIO_tell(in) != start ? 0 : held);
    }
    /* One of a pair of BIOs shows what it holds; it says that it is at 0 wherever it is. */
    if ((len = BIO_ctrl(in, BIO_C_NREAD0, 0, &window)) > 0 && window != NULL) {
        return look_at(window, (size_t)len, name);
    }
    return SCHSM_LOOK_REREAD;
}
