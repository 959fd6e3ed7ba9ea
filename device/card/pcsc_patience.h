/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for other programs that use the same card, for a bounded time. While one of them is in a
 * transaction, libpcsclite waits without an end: in SCardConnect inside the service; in
 * SCardTransmit, SCardStatus, SCardReconnect and SCardBeginTransaction by asking again and again
 * (pcsc-lite's winscard.c and winscard_clnt.c, 1.9 to 2.5). For transport_pcsc.c.
 */
#ifndef SCHSM_CARD_PCSC_PATIENCE_H
#define SCHSM_CARD_PCSC_PATIENCE_H

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include <winscard.h>

/*
 * As SCardConnect, shared and with T=0 or T=1, for at most so many seconds. SCARD_E_TIMEOUT where
 * that was not enough: then *context is 0 and released once the service answers.
 */
LONG schsm_pcsc_connect(SCARDCONTEXT *context, const char *reader, unsigned int seconds,
                        SCARDHANDLE *card, DWORD *protocol);

/* As the transport's hurry: from now on this thread waits for a few seconds at most. */
void schsm_pcsc_hurry(bool hurried);

/* For how many seconds this thread waits where so many are set. */
unsigned int schsm_pcsc_limit(unsigned int seconds);

/* A look at a call of libpcsclite that another thread is in. The caller owns it; its members are
 * the watch's own. */
struct schsm_pcsc_watch {
    pthread_mutex_t mutex;
    pthread_cond_t over; /* by CLOCK_MONOTONIC */
    bool done, ended;    /* under the mutex: the call returned; the watch ended it */
    bool begins;         /* the call begins a transaction */
    bool running;
    SCARDHANDLE card;
    struct timespec until;
    pthread_t thread;
};

/*
 * Around a call on this card: after so many seconds, if it waits for another program's transaction,
 * the connection to the card is closed under it, which ends the waiting (SCARD_E_INVALID_HANDLE)
 * before anything has come to the card. That somebody is in one is asked of the service first, for
 * the call may take as long because the card works for us; but not where it begins a transaction
 * (begins): to ask could end it. Such a call does nothing else that takes time, and gets a second
 * at least. Must not be used in a transaction of ours. Without a thread to spare nothing is
 * watched.
 */
void schsm_pcsc_watch_start(struct schsm_pcsc_watch *watch, SCARDHANDLE card, unsigned int seconds,
                            bool begins);

/* After it. True: the connection was closed, whatever the call returned. */
bool schsm_pcsc_watch_end(struct schsm_pcsc_watch *watch);

#endif
