/* SPDX-License-Identifier: Apache-2.0 */
/* sign_many KEY COUNT: loads a key once and signs COUNT messages with it. */
#include <stdio.h>

#include "program.h"

int main(int argc, char **argv)
{
    struct program_key key;
    unsigned int count = 0;
    unsigned int done = 0;

    if (argc != 3) {
        (void)fprintf(stderr, "usage: sign_many KEY COUNT\n");
        return 2;
    }
    count = program_number(argv[2]);
    program_load_key(&key, argv[1]);
    while (done < count && program_sign(&key, done)) {
        done++;
    }
    program_free_key(&key);
    if (done < count) {
        program_print_errors("a signature failed");
        return 1;
    }
    printf("%u signatures\n", done);
    return 0;
}
