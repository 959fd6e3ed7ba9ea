/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Under valgrind's memcheck, with what the device decrypted marked undefined: a branch or a memory
 * address that depends on it is an error that memcheck counts. provider/rsa_pkcs1.c and rsa_oaep.c
 * are compiled for this program with SC_HSM_MEMCHECK, which marks success and length as defined
 * where they are the caller's to see.
 *
 * An unpadding that leaves at the first wrong byte comes first, and has to be noticed.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <valgrind/memcheck.h>

#include "provider/rsa_padding.h"
#include "../programs/malformed.h"

#define SIZE 256
#define MESSAGE_LEN 48 /* a TLS premaster secret as well */
#define VERSION 0x0303

/* One way to take a padding off. Returns its success; out has room for SIZE bytes. */
typedef int unpadding(const uint8_t *em, uint8_t *out, size_t *out_len);

static uint8_t rejection_key[SCHSM_REJECTION_KEY_SIZE];

static int pkcs1_told(const uint8_t *em, uint8_t *out, size_t *out_len)
{
    struct schsm_error err = SCHSM_ERROR_INIT;

    return schsm_rsa_pkcs1_unpad(NULL, em, SIZE, NULL, out, out_len, &err);
}

static int pkcs1_implicit(const uint8_t *em, uint8_t *out, size_t *out_len)
{
    struct schsm_error err = SCHSM_ERROR_INIT;

    return schsm_rsa_pkcs1_unpad(NULL, em, SIZE, rejection_key, out, out_len, &err);
}

static int tls(const uint8_t *em, uint8_t *out, size_t *out_len)
{
    struct schsm_error err = SCHSM_ERROR_INIT;

    *out_len = SCHSM_TLS_PREMASTER_SIZE;
    return schsm_rsa_tls_unpad(NULL, em, SIZE, VERSION, 0, out, &err);
}

static int oaep(const uint8_t *em, uint8_t *out, size_t *out_len)
{
    struct schsm_error err = SCHSM_ERROR_INIT;

    return schsm_rsa_oaep_unpad(EVP_sha256(), EVP_sha1(), (const uint8_t *)"label", 5, em, SIZE,
                                out, out_len, &err);
}

/* What nobody should write. */
static int leaky(const uint8_t *em, uint8_t *out, size_t *out_len)
{
    size_t i = 2;

    if (em[0] != 0 || em[1] != 2) {
        return 0;
    }
    while (i < SIZE - 1 && em[i] != 0) {
        i++;
    }
    *out_len = SIZE - i - 1;
    memcpy(out, em + i + 1, *out_len);
    return 1;
}

/* The errors that memcheck found while this block lost its padding. The result is compared with
 * message where that is not NULL. */
static unsigned long errors_of(unpadding *take_off, const uint8_t *block, const uint8_t *message)
{
    uint8_t em[SIZE], out[SIZE] = { 0 };
    size_t out_len = 0;
    unsigned long before = VALGRIND_COUNT_ERRORS, found;
    int ok;

    memcpy(em, block, SIZE);
    (void)VALGRIND_MAKE_MEM_UNDEFINED(em, SIZE);
    (void)VALGRIND_MAKE_MEM_UNDEFINED(rejection_key, sizeof(rejection_key));
    ok = take_off(em, out, &out_len);
    found = VALGRIND_COUNT_ERRORS - before;
    /* From here on all may be looked at. */
    (void)VALGRIND_MAKE_MEM_DEFINED(rejection_key, sizeof(rejection_key));
    (void)VALGRIND_MAKE_MEM_DEFINED(out, SIZE);
    (void)VALGRIND_MAKE_MEM_DEFINED(&ok, sizeof(ok));
    (void)VALGRIND_MAKE_MEM_DEFINED(&out_len, sizeof(out_len));
    ERR_clear_error();
    if (message != NULL &&
        (!ok || out_len != MESSAGE_LEN || memcmp(out, message, MESSAGE_LEN) != 0)) {
        (void)fprintf(stderr, "undefined_padding: a right block does not give its message\n");
        return found + 1;
    }
    return found;
}

/* Takes the padding off right and malformed blocks. Returns whether memcheck was content. */
static bool is_silent(const char *name, unpadding *take_off)
{
    uint8_t block[SIZE];
    unsigned long found = 0;

    if (!right_block(block, SIZE, MESSAGE_LEN) || !put_premaster(block, SIZE, VERSION)) {
        return false;
    }
    found += errors_of(take_off, block, block + SIZE - MESSAGE_LEN);
    for (unsigned int kind = 0; kind < malformed_kinds; kind++) {
        if (!malformed_block(kind, block, SIZE)) {
            return false;
        }
        found += errors_of(take_off, block, NULL);
    }
    printf("%s: %lu branches or addresses depend on the padding\n", name, found);
    return found == 0;
}

/* 00 || masked seed || masked (hash of the label || zeros || 01 || message) */
static bool oaep_block(uint8_t block[SIZE], const uint8_t message[MESSAGE_LEN])
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    uint8_t *seed = block + 1, *data = seed + 32;
    const size_t data_len = SIZE - 1 - 32;

    memset(block, 0, SIZE);
    memset(seed, 5, 32);
    data[data_len - MESSAGE_LEN - 1] = 1;
    memcpy(data + data_len - MESSAGE_LEN, message, MESSAGE_LEN);
    return EVP_Digest("label", 5, data, NULL, EVP_sha256(), NULL) &&
           schsm_rsa_mgf1_xor(EVP_sha1(), seed, 32, data, data_len, &err) &&
           schsm_rsa_mgf1_xor(EVP_sha1(), data, data_len, seed, 32, &err);
}

/* A right block of OAEP, and others with one byte changed. */
static bool oaep_is_silent(void)
{
    uint8_t message[MESSAGE_LEN] = { 7 }, block[SIZE];
    unsigned long found;

    if (!oaep_block(block, message)) {
        return false;
    }
    found = errors_of(oaep, block, message);
    for (size_t at = 0; at < SIZE; at += at < 2 ? 1 : 23) {
        block[at] ^= 1;
        found += errors_of(oaep, block, NULL);
        block[at] ^= 1;
    }
    printf("OAEP: %lu branches or addresses depend on the padding\n", found);
    return found == 0;
}

int main(void)
{
    bool ok;

    if (!RUNNING_ON_VALGRIND) {
        (void)fprintf(stderr, "undefined_padding: run it under valgrind\n");
        return 2;
    }
    if (is_silent("an unpadding that leaks", leaky)) {
        (void)fprintf(stderr, "undefined_padding: nothing would be noticed here\n");
        return 1;
    }
    ok = is_silent("PKCS#1 with implicit rejection", pkcs1_implicit);
    ok = is_silent("PKCS#1 without", pkcs1_told) && ok;
    ok = is_silent("TLS", tls) && ok;
    ok = oaep_is_silent() && ok;
    return ok ? 0 : 1;
}
