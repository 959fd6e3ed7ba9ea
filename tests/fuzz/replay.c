/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target without libFuzzer: over each file that is named or is in a directory that is,
 * and over a fixed number of mutations of each (-runs=N), the same in every run. What does not
 * exist is named and passed over, except the first. SC_HSM_VECTORS names one more.
 */
#include "fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INPUT_MAX 65536
#define KEPT "fuzz-input"

/* What a target may have besides, as libFuzzer knows it. */
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);
__attribute__((weak)) size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room,
                                                     unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);

/* Where a sanitizer is in the program. */
__attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)(void));

static uint64_t random_state;
static int mutations = 400; /* of each file */

/* xorshift64*: the same numbers on every machine. */
static uint32_t next_random(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (uint32_t)((random_state * 0x2545F4914F6CDD1DULL) >> 32);
}

static const uint8_t *running;
static size_t running_len;

/* An input that ends the run stays, in the working directory. Only what a handler of signals may.
 */
static void keep_input(void)
{
    static const char told[] = "the input is in " KEPT "\n";
    int file = open(KEPT, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (file >= 0 && write(file, running, running_len) == (ssize_t)running_len) {
        (void)!write(STDERR_FILENO, told, sizeof(told) - 1);
    }
}

static void end_run(int number)
{
    keep_input();
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

/* The target gets a block of exactly the size, so that a sanitizer sees each read beyond. */
static void run(const uint8_t *data, size_t len)
{
    uint8_t *exact = malloc(len == 0 ? 1 : len);

    REQUIRE(exact != NULL);
    if (len > 0) {
        memcpy(exact, data, len);
    }
    running = data;
    running_len = len;
    (void)LLVMFuzzerTestOneInput(exact, len);
    free(exact);
}

static size_t mutate(uint8_t *data, size_t len, size_t room)
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
        if (len >= room) {
            return len;
        }
        memmove(data + at + 1, data + at, len - at);
        return len + 1;
    }
}

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room)
{
    for (uint32_t k = 1 + next_random() % 4; k > 0; k--) {
        size = mutate(data, size, room);
    }
    return size;
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
    for (int i = 0; i < mutations; i++) {
        memcpy(changed, original, len);
        run(changed, LLVMFuzzerCustomMutator != NULL
                         ? LLVMFuzzerCustomMutator(changed, len, sizeof(changed), next_random())
                         : LLVMFuzzerMutate(changed, len, sizeof(changed)));
    }
}

/* Returns the number of files; negative where there is no such file or directory. */
static int run_directory(const char *directory)
{
    DIR *entries = opendir(directory);
    struct dirent *entry;
    char path[4096];
    struct stat status;
    int files = 0;

    if (entries == NULL && stat(directory, &status) == 0 && S_ISREG(status.st_mode)) {
        run_file(directory);
        return 1;
    }
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
    int total = 0, first = 1;

    if (__sanitizer_set_death_callback != NULL) {
        __sanitizer_set_death_callback(keep_input);
    } else {
        (void)signal(SIGSEGV, end_run);
    }
    (void)signal(SIGABRT, end_run);
    if (LLVMFuzzerInitialize != NULL) {
        (void)LLVMFuzzerInitialize(&argc, &argv);
    }
    if (argc > 1 && strncmp(argv[1], "-runs=", 6) == 0) {
        mutations = (int)strtol(argv[1] + 6, NULL, 10);
        first++;
    }
    for (int i = first; i < argc; i++) {
        int files = run_directory(argv[i]);

        if (files <= 0 && i == first) {
            (void)fprintf(stderr, "no seeds in %s\n", argv[i]);
            return 1;
        }
        total += files > 0 ? files : 0;
    }
    if (vectors != NULL && *vectors != '\0') {
        int files = run_directory(vectors);

        total += files > 0 ? files : 0;
    }
    (void)printf("%d files, %d inputs\n", total, total * (1 + mutations));
    return 0;
}
