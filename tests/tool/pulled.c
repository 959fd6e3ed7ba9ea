/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In front of libpcsclite (LD_PRELOAD): a card that is pulled out at one of the commands that the
 * program sends, and that is back at once or stays away. It loses what it loses without power, and
 * the program sees what it sees then, without the time that readers take to notice.
 *
 * SC_HSM_PULL: "N before", "N after": at command N, counted from 0, before or after the card has
 * executed it; with "away" behind that it stays away. SC_HSM_PULLED: a file that gets the command's
 * first four bytes when it came to that.
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <winscard.h>

#define EXPORTED __attribute__((visibility("default")))

static long commands;
static bool is_away;
static SCARDHANDLE gone; /* connections to the card as it was */

/* The function of that name which would be called without us. */
static void *next(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);

    if (function == NULL) {
        (void)fprintf(stderr, "pulled: there is no %s\n", name);
        abort();
    }
    return function;
}

/* Takes the card's power, and writes down that it happened. */
static void pull(SCARDHANDLE card, const unsigned char *command, bool stays_away)
{
    const char *path = getenv("SC_HSM_PULLED");
    FILE *file = path != NULL ? fopen(path, "we") : NULL;
    DWORD protocol = 0;
    __typeof__(SCardReconnect) *real = NULL;

    *(void **)&real = next("SCardReconnect");
    if (file == NULL || real(card, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1,
                             SCARD_RESET_CARD, &protocol) != SCARD_S_SUCCESS) {
        (void)fprintf(stderr, "pulled: the card cannot be reset\n");
        abort();
    }
    (void)fprintf(file, "%02X%02X%02X%02X\n", command[0], command[1], command[2], command[3]);
    (void)fclose(file);
    gone = card;
    is_away = stays_away;
}

EXPORTED LONG SCardTransmit(SCARDHANDLE hCard, const SCARD_IO_REQUEST *pioSendPci,
                            LPCBYTE pbSendBuffer, DWORD cbSendLength, SCARD_IO_REQUEST *pioRecvPci,
                            LPBYTE pbRecvBuffer, LPDWORD pcbRecvLength)
{
    const char *order = getenv("SC_HSM_PULL");
    char *how = NULL;
    long at = order != NULL ? strtol(order, &how, 10) : -1;
    __typeof__(SCardTransmit) *real = NULL;

    *(void **)&real = next("SCardTransmit");
    if (hCard == gone) {
        return SCARD_W_REMOVED_CARD;
    }
    if (order == NULL || commands++ != at) {
        return real(hCard, pioSendPci, pbSendBuffer, cbSendLength, pioRecvPci, pbRecvBuffer,
                    pcbRecvLength);
    }
    if (strstr(how, "after") != NULL) {
        (void)real(hCard, pioSendPci, pbSendBuffer, cbSendLength, pioRecvPci, pbRecvBuffer,
                   pcbRecvLength);
    }
    pull(hCard, pbSendBuffer, strstr(how, "away") != NULL);
    return SCARD_E_NOT_TRANSACTED;
}

EXPORTED LONG SCardBeginTransaction(SCARDHANDLE hCard)
{
    __typeof__(SCardBeginTransaction) *real = NULL;

    *(void **)&real = next("SCardBeginTransaction");
    return hCard == gone ? SCARD_W_REMOVED_CARD : real(hCard);
}

EXPORTED LONG SCardReconnect(SCARDHANDLE hCard, DWORD dwShareMode, DWORD dwPreferredProtocols,
                             DWORD dwInitialization, LPDWORD pdwActiveProtocol)
{
    __typeof__(SCardReconnect) *real = NULL;

    *(void **)&real = next("SCardReconnect");
    return hCard == gone ? SCARD_E_NO_SMARTCARD
                         : real(hCard, dwShareMode, dwPreferredProtocols, dwInitialization,
                                pdwActiveProtocol);
}

EXPORTED LONG SCardConnect(SCARDCONTEXT hContext, LPCSTR szReader, DWORD dwShareMode,
                           DWORD dwPreferredProtocols, LPSCARDHANDLE phCard,
                           LPDWORD pdwActiveProtocol)
{
    __typeof__(SCardConnect) *real = NULL;

    *(void **)&real = next("SCardConnect");
    return is_away ? SCARD_E_NO_SMARTCARD
                   : real(hContext, szReader, dwShareMode, dwPreferredProtocols, phCard,
                          pdwActiveProtocol);
}

/* Whoever waits for a card that stays away need not do so in our time. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): its own are reserved */
EXPORTED int nanosleep(const struct timespec *request, struct timespec *remaining)
{
    __typeof__(nanosleep) *real = NULL;

    *(void **)&real = next("nanosleep");
    return is_away ? 0 : real(request, remaining);
}
