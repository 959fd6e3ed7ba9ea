/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token whose every answer is a script's: the functions of a PKCS#11 module. The content of a
 * record begins with the return value, two bytes; what follows it is told beside the questions.
 */
#ifndef FLOW_TOKEN_H
#define FLOW_TOKEN_H

#include "pkcs11/cryptoki.h"
#include "script.h"

/* The first byte of a record's question; the second is given behind it, else it is 0. */
enum flow_token_question {
    FLOW_TOKEN_INITIALIZE = 0x01,
    FLOW_TOKEN_FINALIZE,
    FLOW_TOKEN_SLOTS,        /* how many: slots 1, 2, ... */
    FLOW_TOKEN_INFO,         /* slot; flags (4 bytes), shortest and longest PIN, serial number (16
                              * bytes), label */
    FLOW_TOKEN_OPEN,         /* */
    FLOW_TOKEN_SESSION_INFO, /* state */
    FLOW_TOKEN_LOGIN,        /* */
    FLOW_TOKEN_LOGOUT,       /* */
    FLOW_TOKEN_CREATE,       /* handle */
    FLOW_TOKEN_DESTROY,      /* */
    FLOW_TOKEN_ATTRIBUTES, /* object; for each: type and length (2 bytes each, see below), value */
    FLOW_TOKEN_FIND_INIT,  /* class */
    FLOW_TOKEN_FIND,       /* class; handles, a byte each; FF: so many as never were */
    FLOW_TOKEN_DECRYPT_INIT,  /* */
    FLOW_TOKEN_DECRYPT,       /* what comes out */
    FLOW_TOKEN_SIGN_INIT,     /* */
    FLOW_TOKEN_SIGN,          /* likewise */
    FLOW_TOKEN_GENERATE,      /* handle */
    FLOW_TOKEN_GENERATE_PAIR, /* handles of the public and the private key */
    FLOW_TOKEN_DERIVE,        /* handle */
    FLOW_TOKEN_INIT_PIN,      /* */
    FLOW_TOKEN_SET_PIN,       /* */
    FLOW_TOKEN_RANDOM,        /* the bytes, over and over */
    FLOW_TOKEN_ENCRYPT_INIT,  /* */
    FLOW_TOKEN_ENCRYPT        /* what comes out */
};

/* In the type of an attribute. */
#define FLOW_ATTRIBUTE_HIDDEN 0x8000 /* there, but not for us */
#define FLOW_ATTRIBUTE_GROWS 0x4000  /* told to be twice as long as it is */

#define FLOW_TOKEN_FLAGS (0x40Cul) /* initialised, its PIN too, login required */

/* Answers by this script from here on, NULL: as an empty token does. */
void flow_token_start(struct flow_script *by);

/* What the user asks for next is another command; see tries.h. */
void flow_token_next_command(void);

/* The module's functions. */
struct ck_function_list *flow_token_functions(void);

#endif
