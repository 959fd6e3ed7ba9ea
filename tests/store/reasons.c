/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the reasons of errors: `| 8 | PIN incorrect |`. */
#include <stdio.h>

#include "base/error.h"

int main(void)
{
    for (unsigned int i = 1; i < SCHSM_REASON_COUNT; i++) {
        printf("| %u | %s |\n", i, schsm_reason_text((enum schsm_reason)i));
    }
    return 0;
}
