/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct bytes copy_bytes(const uint8_t *data, size_t len)
{
    struct bytes bytes = { malloc(len == 0 ? 1 : len), len };

    assert_non_null(bytes.data);
    if (len > 0) {
        memcpy(bytes.data, data, len);
    }
    return bytes;
}

static int digit(char c)
{
    const char *digits = "0123456789abcdef", *at;

    if (c >= 'A' && c <= 'F') {
        c = (char)(c - 'A' + 'a');
    }
    at = c == '\0' ? NULL : strchr(digits, c);
    return at == NULL ? -1 : (int)(at - digits);
}

struct bytes from_hex(const char *hex)
{
    struct bytes bytes = { malloc(strlen(hex) / 2 + 1), 0 };
    int high = -1;

    assert_non_null(bytes.data);
    for (; *hex != '\0'; hex++) {
        int value = digit(*hex);

        if (value < 0) {
            continue; /* spaces */
        }
        if (high < 0) {
            high = value;
        } else {
            bytes.data[bytes.len++] = (uint8_t)(high << 4 | value);
            high = -1;
        }
    }
    return bytes;
}

void free_bytes(struct bytes *bytes)
{
    free(bytes->data);
    bytes->data = NULL;
    bytes->len = 0;
}

void assert_bytes_equal(const uint8_t *actual, size_t actual_len, const uint8_t *expected,
                        size_t expected_len)
{
    assert_int_equal(actual_len, expected_len);
    if (expected_len > 0) {
        assert_memory_equal(actual, expected, expected_len);
    }
}

void assert_bytes_are_hex(const uint8_t *actual, size_t actual_len, const char *hex)
{
    struct bytes expected = from_hex(hex);

    assert_bytes_equal(actual, actual_len, expected.data, expected.len);
    free_bytes(&expected);
}

static const char *vectors_directory(void)
{
    const char *directory = getenv("SC_HSM_VECTORS");

    return directory == NULL || *directory == '\0' ? VECTORS_DEFAULT : directory;
}

bool vectors_present(void)
{
    struct stat status;

    if (stat(vectors_directory(), &status) == 0 && S_ISDIR(status.st_mode)) {
        return true;
    }
    (void)fprintf(stderr,
                  "*** SKIPPED: no files from real devices in %s; set SC_HSM_VECTORS to their "
                  "directory ***\n",
                  vectors_directory());
    return false;
}

struct bytes read_vector(const char *name)
{
    static uint8_t buffer[0x20000];
    char path[4096];
    FILE *file;
    size_t len;

    if (!vectors_present()) {
        skip();
    }
    (void)snprintf(path, sizeof(path), "%s/%s", vectors_directory(), name);
    file = fopen(path, "rb");
    if (file == NULL) {
        fail_msg("%s is missing", path);
    }
    len = fread(buffer, 1, sizeof(buffer), file);
    assert_int_equal(ferror(file), 0);
    (void)fclose(file);
    return copy_bytes(buffer, len);
}

struct bytes read_reference_vector(const char *heading)
{
    char path[4096], line[1024], hex[8192] = "";
    bool found = false;
    FILE *file;

    if (!vectors_present()) {
        skip();
    }
    (void)snprintf(path, sizeof(path), "%s/../card-protocol.md", vectors_directory());
    file = fopen(path, "r");
    if (file == NULL) {
        fail_msg("%s is missing", path);
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        size_t len = strcspn(line, "\r\n");

        line[len] = '\0';
        if (strncmp(line, "### ", 4) == 0) {
            found = strncmp(line, heading, strlen(heading)) == 0;
        } else if (found && len >= 8 && strspn(line, "0123456789ABCDEF") == len &&
                   strlen(hex) + len < sizeof(hex)) {
            (void)snprintf(hex + strlen(hex), sizeof(hex) - strlen(hex), "%s", line);
        }
    }
    (void)fclose(file);
    return from_hex(hex);
}

void assert_truncations_fail(const struct bytes *input, int (*parse)(const uint8_t *, size_t))
{
    for (size_t len = 0; len < input->len; len++) {
        struct bytes shorter = copy_bytes(input->data, len);

        if (parse(shorter.data, len) != 0) {
            fail_msg("accepted when cut to %zu of %zu bytes", len, input->len);
        }
        free_bytes(&shorter);
    }
}

void survive_bit_flips(const struct bytes *input, int (*parse)(const uint8_t *, size_t))
{
    for (size_t bit = 0; bit < 8 * input->len; bit++) {
        struct bytes changed = copy_bytes(input->data, input->len);

        changed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        (void)parse(changed.data, changed.len);
        free_bytes(&changed);
    }
}

int vectors_status(int failed)
{
    return failed != 0 || vectors_present() ? failed : 77;
}
