/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sign_forked KEY CHILDREN COUNT [late]: loads a key, signs with it (unless `late`), forks, and
 * signs COUNT messages in each child and in the parent at the same time, as servers do that load
 * their key before they fork. A child ends by exit(), so that OpenSSL cleans up in each process.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program.h"

static int sign_all(const struct program_key *key, unsigned int first, unsigned int count)
{
    for (unsigned int i = 0; i < count; i++) {
        if (!program_sign(key, first + i)) {
            program_print_errors("a signature failed");
            return 0;
        }
    }
    return 1;
}

/* Waits for one child; true if it ended well. */
static int ended_well(void)
{
    int status = 0;

    return wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(int argc, char **argv)
{
    struct program_key key;
    unsigned int children = 0;
    unsigned int count = 0;
    int ok = 0;

    if (argc < 4) {
        (void)fprintf(stderr, "usage: sign_forked KEY CHILDREN COUNT [late]\n");
        return 2;
    }
    children = program_number(argv[2]);
    count = program_number(argv[3]);
    program_load_key(&key, argv[1]);
    ok = (argc > 4 && strcmp(argv[4], "late") == 0) || sign_all(&key, 0, 1);
    for (unsigned int i = 0; ok && i < children; i++) {
        pid_t child = fork();

        if (child < 0) {
            ok = 0;
        } else if (child == 0) {
            ok = sign_all(&key, (i + 1) * count, count);
            program_free_key(&key);
            exit(ok ? 0 : 1);
        }
    }
    ok = ok && sign_all(&key, 0, count);
    for (unsigned int i = 0; i < children; i++) {
        ok = ended_well() && ok;
    }
    /* What the children did at their end must not have hurt us. */
    ok = ok && sign_all(&key, 0, 1);
    program_free_key(&key);
    printf("%s\n", ok ? "all signed" : "failed");
    return ok ? 0 : 1;
}
