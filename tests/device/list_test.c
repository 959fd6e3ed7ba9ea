/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list_test FAILURES: lists the readers through PC/SC, where the first calls that ask for their
 * states fail as they do when something changes at that moment. Prints what was found.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include <winscard.h>

#include "card/transport.h"

static int failures;

/* In place of libpcsclite's. */
LONG SCardGetStatusChange(SCARDCONTEXT hContext, DWORD dwTimeout, SCARD_READERSTATE *rgReaderStates,
                          DWORD cReaders)
{
    LONG (*real)(SCARDCONTEXT, DWORD, SCARD_READERSTATE *, DWORD) = NULL;

    if (failures > 0) {
        failures--;
        return SCARD_E_UNKNOWN_READER;
    }
    *(void **)&real = dlsym(RTLD_NEXT, "SCardGetStatusChange");
    return real != NULL ? real(hContext, dwTimeout, rgReaderStates, cReaders)
                        : SCARD_F_INTERNAL_ERROR;
}

int main(int argc, char **argv)
{
    struct schsm_error error = SCHSM_ERROR_INIT;
    struct schsm_slot slots[16];
    size_t count = 16, cards = 0;

    if (argc != 2) {
        (void)fprintf(stderr, "usage: list_test FAILURES\n");
        return 2;
    }
    failures = (int)strtol(argv[1], NULL, 10);
    if (schsm_transport_pcsc.list(NULL, slots, &count, &error) != SCHSM_TRANSPORT_OK) {
        printf("failed, %d failures left: %s\n", failures, error.text);
        return 1;
    }
    for (size_t i = 0; i < count; i++) {
        cards += slots[i].card_present ? 1 : 0;
    }
    printf("%zu readers, %zu cards\n", count, cards);
    return 0;
}
