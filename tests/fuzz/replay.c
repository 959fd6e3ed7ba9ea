/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target without libFuzzer: over each file of the directories that are named, and over
 * a fixed number of mutations of each, the same in every run. A directory that does not exist is
 * named and passed over, except the first. SC_HSM_VECTORS names one more.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_MAX 8192
#define MUTATIONS 400 /* of each file */

static uint64_t random_state;

/* xorshift64*: the same numbers on every machine. */
static uint32_t next_random(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (uint32_t)((random_state * 0x2545F4914F6CDD1DULL) >> 32);
}

/* The target gets a block of exactly the size, so that a sanitizer sees each read beyond. */
static void run(const uint8_t *data, size_t len)
{
    uint8_t *exact = malloc(len == 0 ? 1 : len);

    REQUIRE(exact != NULL);
    if (len > 0) {
        memcpy(exact, data, len);
    }
    (void)LLVMFuzzerTestOneInput(exact, len);
    free(exact);
}

static size_t mutate(uint8_t *data, size_t len)
{
    static const uint8_t interesting[] = { 0x00, 0x01, 0x30, 0x7F, 0x80, 0x81, 0x82, 0x84, 0xFF };
    size_t at, count;

    if (len == 0) {
        return 0;
    }
    at = next_random() % len;
    switch (next_random() % 6) {
    case 0:
        data[at] ^= (uint8_t)(1u << next_random() % 8);
        return len;
    case 1:
        data[at] = (uint8_t)next_random();
        return len;
    case 2:
        data[at] = interesting[next_random() % sizeof(interesting)];
        return len;
    case 3: /* the end is missing */
        return at;
    case 4: /* a piece is missing */
        count = 1 + next_random() % 8;
        count = count < len - at ? count : len - at;
        memmove(data + at, data + at + count, len - at - count);
        return len - count;
    default: /* a byte is there twice */
        if (len >= INPUT_MAX) {
            return len;
        }
        memmove(data + at + 1, data + at, len - at);
        return len + 1;
    }
}

static void run_file(const char *path)
{
    static uint8_t original[INPUT_MAX], changed[INPUT_MAX];
    FILE *file = fopen(path, "rb");
    size_t len;

    REQUIRE(file != NULL);
    len = fread(original, 1, sizeof(original), file);
    (void)fclose(file);
    run(original, len);
    random_state = 0x9E3779B97F4A7C15ULL + len;
    for (int i = 0; i < MUTATIONS; i++) {
        size_t changed_len = len;

        memcpy(changed, original, len);
        for (uint32_t k = 1 + next_random() % 4; k > 0; k--) {
            changed_len = mutate(changed, changed_len);
        }
        run(changed, changed_len);
    }
}

/* Returns the number of files; negative where there is no such directory. */
static int run_directory(const char *directory)
{
    DIR *entries = opendir(directory);
    struct dirent *entry;
    char path[4096];
    struct stat status;
    int files = 0;

    if (entries == NULL) {
        (void)fprintf(stderr, "*** no directory %s ***\n", directory);
        return -1;
    }
    while ((entry = readdir(entries)) != NULL) {
        if (snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name) < (int)sizeof(path) &&
            stat(path, &status) == 0 && S_ISREG(status.st_mode)) {
            run_file(path);
            files++;
        }
    }
    (void)closedir(entries);
    return files;
}

int main(int argc, char **argv)
{
    const char *vectors = getenv("SC_HSM_VECTORS");
    int total = 0;

    for (int i = 1; i < argc; i++) {
        int files = run_directory(argv[i]);

        if (files <= 0 && i == 1) {
            (void)fprintf(stderr, "no seeds in %s\n", argv[i]);
            return 1;
        }
        total += files > 0 ? files : 0;
    }
    if (vectors != NULL && *vectors != '\0') {
        int files = run_directory(vectors);

        total += files > 0 ? files : 0;
    }
    (void)printf("%d files, %d inputs\n", total, total * (1 + MUTATIONS));
    return 0;
}
