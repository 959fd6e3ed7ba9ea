/* SPDX-License-Identifier: Apache-2.0 */
/* sign_as KEY UID: loads a key, becomes that user as a daemon does, and signs. */
#include <stdio.h>
#include <unistd.h>

#include "program.h"

int main(int argc, char **argv)
{
    struct program_key key;
    int ok;

    if (argc != 3) {
        (void)fprintf(stderr, "usage: sign_as KEY UID\n");
        return 2;
    }
    program_load_key(&key, argv[1]);
    if (setuid(program_number(argv[2])) != 0) {
        perror("setuid");
        return 2;
    }
    ok = program_sign(&key, 1);
    if (!ok) {
        program_print_errors("the signature failed");
    }
    program_free_key(&key);
    return ok ? 0 : 1;
}
