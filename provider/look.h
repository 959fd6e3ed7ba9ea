/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking at a PEM block without taking it.
 *
 * libcrypto asks the decoders of all providers one after the other, the one of the provider that
 * was loaded last first, and seeks back in between. There are BIOs that say where they are and
 * cannot seek back: after ours had read a block that is somebody else's, that one got the next.
 */
#ifndef SCHSM_PROVIDER_LOOK_H
#define SCHSM_PROVIDER_LOOK_H

#include <stdbool.h>

#include <openssl/bio.h>

enum schsm_look {
    SCHSM_LOOK_OURS,   /* the next block has that name; it may be taken */
    SCHSM_LOOK_OTHERS, /* it has not, or nobody can tell: nothing may be taken */
    SCHSM_LOOK_REREAD  /* the BIO can seek back: it may be taken in any case */
};

/*
 * Whether the first block that begins from here on has that name, damaged or not. Reads up to where
 * it begins.
 */
bool schsm_begins(BIO *in, const char *name);

/* name: of the PEM block, as it stands after BEGIN. Takes nothing from the BIO. */
enum schsm_look schsm_look(BIO *in, const char *name);

#endif
