/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sign_steps KEY: loads a key, says "ready", then signs once for each line of standard input and
 * answers "signed", or "failed: " with the sentences of all errors. What happens to the card
 * between two lines is up to the caller.
 */
#include <stdio.h>

#include <openssl/err.h>

#include "program.h"

int main(int argc, char **argv)
{
    struct program_key key;
    char line[64];

    if (argc != 2) {
        (void)fprintf(stderr, "usage: sign_steps KEY\n");
        return 2;
    }
    program_load_key(&key, argv[1]);
    (void)printf("ready\n");
    (void)fflush(stdout);
    for (unsigned int number = 0; fgets(line, sizeof(line), stdin) != NULL; number++) {
        if (program_sign(&key, number)) {
            (void)printf("signed\n");
        } else {
            program_say_errors();
        }
        (void)fflush(stdout);
    }
    program_free_key(&key);
    return 0;
}
