/* SPDX-License-Identifier: Apache-2.0 */
/* sign_unclean KEY: signs, and returns from main without freeing anything, nor does libcrypto at
 * the end: as with OpenSSL 4.0. */
#include <stdio.h>

#include <openssl/crypto.h>

#include "program.h"

int main(int argc, char **argv)
{
    static struct program_key key;

    if (argc != 2 || OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL) != 1) {
        (void)fprintf(stderr, "usage: sign_unclean KEY\n");
        return 2;
    }
    program_load_key(&key, argv[1]);
    if (!program_sign(&key, 1)) {
        program_print_errors("the signature failed");
        return 1;
    }
    return 0;
}
