/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys, references and certificates behind each other in one file, read through every kind of BIO
 * that has lines: all come, in their order, as with the default provider alone.
 */
#include "reference.h"
#include "samples.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/decoder.h>
#include <openssl/pem.h>

#define BLOCKS 3
#define TEXT_MAX 16384

/* --- what is read ------------------------------------------------------------------------------
 */

enum block { SOFTWARE_1, SOFTWARE_2, REFERENCE, PUBLIC_KEY, KINDS };

static EVP_PKEY *keys[KINDS]; /* the judge's */
static char *blocks[KINDS];   /* in PEM */

static int make_blocks(void)
{
    for (int i = 0; i < KINDS; i++) {
        BIO *out = BIO_new(BIO_s_mem());
        unsigned char buffer[1000], *reference = NULL;
        char *data = NULL;
        long len;

        keys[i] = EVP_PKEY_Q_keygen(judge, NULL, "EC", "P-256");
        if (i == REFERENCE) {
            size_t reference_len = make_reference(keys[i], buffer, &reference);

            BIO_puts(out, "What people read first:\n  label:     -BEGIN\n");
            PEM_write_bio(out, "SC-HSM PRIVATE KEY", "", reference, (long)reference_len);
        } else if (i == PUBLIC_KEY) {
            PEM_write_bio_PUBKEY(out, keys[i]);
        } else {
            PEM_write_bio_PrivateKey(out, keys[i], NULL, NULL, 0, NULL, NULL);
        }
        len = BIO_get_mem_data(out, &data);
        blocks[i] = OPENSSL_strndup(data, (size_t)len);
        BIO_free(out);
    }
    return 1;
}

/* --- BIOs --------------------------------------------------------------------------------------
 */

static char file_name[] = "/tmp/sc-hsm-bios.XXXXXX";

static BIO *memory(const char *text, size_t len)
{
    BIO *bio = BIO_new(BIO_s_mem());

    BIO_write(bio, text, (int)len);
    return bio;
}

static BIO *read_only_memory(const char *text, size_t len)
{
    return BIO_new_mem_buf(text, (int)len);
}

static BIO *file(const char *text, size_t len)
{
    FILE *out = fopen(file_name, "w");

    assert_int_equal(fwrite(text, 1, len, out), len);
    (void)fclose(out);
    return BIO_new_file(file_name, "r");
}

static BIO *descriptor(const char *text, size_t len)
{
    BIO_free(file(text, len));
    return BIO_new_fd(open(file_name, O_RDONLY), BIO_CLOSE);
}

/* What is written fits into the pipe. */
static int filled_pipe(const char *text, size_t len)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], text, len), len);
    (void)close(ends[1]);
    return ends[0];
}

static BIO *pipe_descriptor(const char *text, size_t len)
{
    return BIO_new_fd(filled_pipe(text, len), BIO_CLOSE);
}

static BIO *pipe_file(const char *text, size_t len)
{
    return BIO_new_fp(fdopen(filled_pipe(text, len), "r"), BIO_CLOSE);
}

static BIO *other_end; /* of the pair */

static BIO *one_of_a_pair(const char *text, size_t len)
{
    BIO *bio = NULL;

    assert_int_equal(BIO_new_bio_pair(&other_end, TEXT_MAX, &bio, TEXT_MAX), 1);
    assert_int_equal(BIO_write(other_end, text, (int)len), len);
    (void)BIO_shutdown_wr(other_end);
    return bio;
}

static BIO *with_buffer(BIO *bio)
{
    return BIO_push(BIO_new(BIO_f_buffer()), bio);
}

static BIO *buffered_memory(const char *text, size_t len)
{
    return with_buffer(memory(text, len));
}

static BIO *buffered_file(const char *text, size_t len)
{
    return with_buffer(file(text, len));
}

static BIO *buffered_pipe(const char *text, size_t len)
{
    return with_buffer(pipe_descriptor(text, len));
}

static BIO *buffered_pair(const char *text, size_t len)
{
    return with_buffer(one_of_a_pair(text, len));
}

static BIO *twice_buffered(const char *text, size_t len)
{
    return with_buffer(with_buffer(file(text, len)));
}

static BIO *read_buffered(const char *text, size_t len)
{
    return BIO_push(BIO_new(BIO_f_readbuffer()), pipe_descriptor(text, len));
}

static BIO *read_buffered_over_buffered(const char *text, size_t len)
{
    return BIO_push(BIO_new(BIO_f_readbuffer()), buffered_pipe(text, len));
}

static BIO *line_buffered(const char *text, size_t len)
{
    return BIO_push(BIO_new(BIO_f_linebuffer()), file(text, len));
}

static BIO *behind_nothing(const char *text, size_t len)
{
    return BIO_push(BIO_new(BIO_f_null()), file(text, len));
}

static const struct source {
    const char *name;
    BIO *(*open)(const char *text, size_t len);
    int one_way; /* it says where it is, but cannot go back there */
} sources[] = {
    { "memory", memory, 0 },
    { "read-only memory", read_only_memory, 0 },
    { "file", file, 0 },
    { "descriptor", descriptor, 0 },
    { "pipe by its descriptor", pipe_descriptor, 0 },
    { "pipe as a file", pipe_file, 0 },
    { "pair", one_of_a_pair, 1 },
    { "buffer over memory", buffered_memory, 1 },
    { "buffer over a file", buffered_file, 1 },
    { "buffer over a pipe", buffered_pipe, 1 },
    { "buffer over a pair", buffered_pair, 1 },
    { "buffer over a buffer", twice_buffered, 1 },
    { "read buffer over a pipe", read_buffered, 0 },
    { "read buffer over a buffer", read_buffered_over_buffered, 0 },
    { "line buffer over a file", line_buffered, 0 },
    { "null filter over a file", behind_nothing, 0 },
};

/* --- reading -----------------------------------------------------------------------------------
 */

/* The indices of the keys that come, -1 for one that is not known; returns how many. */
static size_t read_all(OSSL_LIB_CTX *in, const struct source *source, const char *text, size_t len,
                       int found[BLOCKS + 1])
{
    BIO *bio = source->open(text, len);
    size_t count = 0;
    EVP_PKEY *key;

    while (count <= BLOCKS &&
           (key = PEM_read_bio_PrivateKey_ex(bio, NULL, NULL, NULL, in, NULL)) != NULL) {
        found[count] = -1;
        for (int i = 0; i < KINDS; i++) {
            if (EVP_PKEY_eq(key, keys[i]) == 1) {
                found[count] = i;
            }
        }
        count++;
        EVP_PKEY_free(key);
    }
    BIO_free_all(bio);
    BIO_free(other_end);
    other_end = NULL;
    ERR_clear_error();
    return count;
}

/* A file of these blocks, before each so many bytes of other text. */
static size_t compose(const int order[], size_t count, size_t between, char text[TEXT_MAX])
{
    static const char filler[] = "\nabcdefghijklmnopqrstuvwxyz";
    size_t len = 0;

    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < between; j++) {
            text[len++] = filler[j % 64 == 63 || j + 1 == between ? 0 : 1 + j % 26];
        }
        memcpy(text + len, blocks[order[i]], strlen(blocks[order[i]]));
        len += strlen(blocks[order[i]]);
    }
    return len;
}

/*
 * What nobody but libcrypto could give: from a BIO that cannot go back, what the decoder that it
 * asks first has taken is lost to the others. That is the one of the provider loaded last; so a
 * reference needs us to be that one. And behind a block that is no private key, libcrypto looks for
 * one without any decoder.
 */
static int out_of_reach(const struct source *source, const int order[], size_t count)
{
    for (size_t i = 0; source->one_way && i < count; i++) {
        if (order[i] == REFERENCE && (module == first || (i > 0 && order[i - 1] == PUBLIC_KEY))) {
            return 1;
        }
    }
    return 0;
}

/*
 * What is to come: what the default provider alone gives for the same file with a software key of
 * its own where the reference stands. Where it gives less than all, through BIOs that it cannot
 * handle, ours need not do better.
 */
static void compare(const struct source *source, const int order[], size_t count, size_t between)
{
    static char text[TEXT_MAX], plain[TEXT_MAX];
    int plain_order[BLOCKS], expected[BLOCKS + 1] = { 0 }, found[BLOCKS + 1] = { 0 };
    size_t len, expected_count, found_count;

    for (size_t i = 0; i < count; i++) {
        plain_order[i] = order[i] == REFERENCE ? SOFTWARE_2 : order[i];
    }
    len = compose(plain_order, count, between, plain);
    expected_count = read_all(judge, source, plain, len, expected);
    for (size_t i = 0, j = 0; i < count; i++) {
        if (order[i] == PUBLIC_KEY) {
            continue;
        }
        if (j < expected_count && order[i] == REFERENCE && expected[j] == SOFTWARE_2) {
            expected[j] = REFERENCE;
        }
        j++;
    }
    len = compose(order, count, between, text);
    found_count = read_all(libctx, source, text, len, found);
    if (found_count != expected_count ||
        memcmp(found, expected, found_count * sizeof(found[0])) != 0) {
        fail_msg("%s, %zu bytes between: blocks %d %d %d of %zu: %zu keys (%d %d %d), not %zu "
                 "(%d %d %d)",
                 source->name, between, order[0], order[1], order[2], count, found_count, found[0],
                 found[1], found[2], expected_count, expected[0], expected[1], expected[2]);
    }
}

#ifdef __SANITIZE_ADDRESS__
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/* With every text between them a block begins at another place of a buffer of 4096 bytes. */
static void keys_come_in_their_order(void **state)
{
    static const size_t between[] = { 0, 1800, 3720, 4090 };

    (void)state;
    for (size_t i = 0; i < COUNT(sources); i++) {
        for (size_t j = 0; j < COUNT(between); j++) {
            for (int code = 0; code < KINDS * KINDS * KINDS; code++) {
                const int order[BLOCKS] = { code % KINDS, code / KINDS % KINDS,
                                            code / KINDS / KINDS };

                for (size_t count = 1; count <= BLOCKS; count++) {
                    if ((count == 1 && code >= KINDS) || (count == 2 && code >= KINDS * KINDS)) {
                        continue;
                    }
                    if (SANITIZED && count == BLOCKS && code % 6 != 1) {
                        continue; /* minutes of libcrypto's code */
                    }
                    if (between[j] > 0 && (count < 3 || code % 7 != 1)) {
                        continue; /* all of them would take their time */
                    }
                    if (!out_of_reach(&sources[i], order, count)) {
                        compare(&sources[i], order, count, between[j]);
                    }
                }
            }
        }
    }
}

/* Not PEM at all: nothing may be taken of it either. */
static void what_is_not_pem_stays(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(sources); i++) {
        unsigned char *der = NULL;
        int len = i2d_PrivateKey(keys[SOFTWARE_1], &der);
        OSSL_LIB_CTX *const contexts[] = { judge, libctx };
        int ok[2];

        for (size_t j = 0; j < COUNT(contexts); j++) {
            BIO *bio = sources[i].open((char *)der, (size_t)len);
            EVP_PKEY *key = NULL;
            OSSL_DECODER_CTX *ctx = OSSL_DECODER_CTX_new_for_pkey(
                &key, NULL, NULL, NULL, EVP_PKEY_KEYPAIR, contexts[j], NULL);

            ok[j] = OSSL_DECODER_from_bio(ctx, bio);
            OSSL_DECODER_CTX_free(ctx);
            EVP_PKEY_free(key);
            BIO_free_all(bio);
            BIO_free(other_end);
            other_end = NULL;
            ERR_clear_error();
        }
        if (ok[1] < ok[0]) {
            fail_msg("%s: a key in DER is read with the default provider alone", sources[i].name);
        }
        OPENSSL_free(der);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_come_in_their_order),
        cmocka_unit_test(what_is_not_pem_stays),
    };
    int descriptor_of_file = mkstemp(file_name), failed;

    (void)close(descriptor_of_file);
    failed = begin_judging() && make_blocks() ? run_with_module(tests) + end_judging() : 1;
    (void)unlink(file_name);
    return failed;
}
