/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sign_configured CONFIGURATION KEY OTHER: loads one configuration file and then names another one
 * in the environment, where it is not in force; signs.
 */
#include <stdio.h>
#include <stdlib.h>

#include <openssl/conf.h>
#include <openssl/crypto.h>

#include "program.h"

int main(int argc, char **argv)
{
    struct program_key key;
    int ok;

    if (argc != 4 || OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1 ||
        CONF_modules_load_file(argv[1], NULL, 0) != 1 || setenv("OPENSSL_CONF", argv[3], 1) != 0) {
        (void)fprintf(stderr, "usage: sign_configured CONFIGURATION KEY OTHER\n");
        return 2;
    }
    program_load_key(&key, argv[2]);
    ok = program_sign(&key, 1);
    if (!ok) {
        program_print_errors("the signature failed");
    }
    program_free_key(&key);
    return ok ? 0 : 1;
}
