/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of the SmartCard-HSM, one function each; section numbers are those of the protocol
 * reference. The functions know bytes and status words; they know nothing of who is logged in, of
 * PIN policy or of recovery: that is the session's.
 *
 * Each returns 1 where the card did it. Otherwise the error tells why, and card->result and
 * card->status_word tell the session whether the way to the card failed or the card refused.
 */
#ifndef SCHSM_CARD_COMMAND_H
#define SCHSM_CARD_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/algorithm_id.h"
#include "format/apdu.h"
#include "format/dkek.h"
#include "model/channel_policy.h"
#include "base/error.h"
#include "format/status_word.h"
#include "transport.h"

/* What chip authentication needs to know of a device. */
struct schsm_channel_device {
    bool looked;                     /* the members below are set */
    bool absent;                     /* it does not offer the channel */
    bool declined;                   /* it did not open one when it was asked to */
    const struct schsm_curve *curve; /* of the device key */
    uint8_t point[SCHSM_POINT_MAX];
    size_t point_len;
    char trust[sizeof(((struct schsm_error *)0)->text)]; /* why its certificates cannot be trusted;
                                                            "": they can */
};

/* A connection to a card, and what was learned about the way to it. */
struct schsm_card {
    const struct schsm_transport *transport;
    void *handle;      /* NULL: not connected */
    bool short_only;   /* the reader showed that it cannot carry extended APDUs (2.2) */
    bool long_works;   /* it carried one */
    bool get_response; /* the answer to a private operation came in pieces (61xx) once */
    const struct schsm_channel_policy *policy; /* NULL: no secure channel */
    struct schsm_channel_device channel_device;
    enum schsm_transport_result result; /* of the last command */
    unsigned int status_word;           /* of the last command; 0: it never got to the card */
    bool key_used; /* a command that takes a use of a key was done, or may have been: its answer was
                    * lost. Set only; whoever wants to know clears it first */
    int user_tries; /* the most that it told of the user PIN; 0: none. Where somebody is logged in
                     * it tells none, but has all: a right PIN gives them back */
    bool longer;    /* its answer was longer than the room for it: what has no room was left out */
};

/* File ids (4.1): type in the high byte, object id in the low one. */
enum schsm_file {
    SCHSM_FILE_DEVICE_CERTIFICATES = 0x2F02,
    SCHSM_FILE_TOKEN_INFO = 0x2F03,
    SCHSM_FILE_WRAPPED_KEY = 0x2F10, /* what UNWRAP KEY without data takes */
    SCHSM_FILE_KEY_DESCRIPTION = 0xC400,
    SCHSM_FILE_CERTIFICATE_DESCRIPTION = 0xC800,
    SCHSM_FILE_DATA_DESCRIPTION = 0xC900,
    SCHSM_FILE_CA_CERTIFICATE = 0xCA00,
    SCHSM_FILE_KEY_METADATA = 0xCB00,
    SCHSM_FILE_KEY = 0xCC00,
    SCHSM_FILE_PRIVATE_DATA = 0xCD00,
    SCHSM_FILE_CERTIFICATE = 0xCE00, /* of a key: certificate or request */
    SCHSM_FILE_PUBLIC_DATA = 0xCF00
};
#define SCHSM_FILE_TYPE(file) ((file)&0xFF00u)
#define SCHSM_FILE_ID(file) ((file)&0xFFu)

/*
 * Sends a command that carries no secret and collects the response, 61xx and 6Cxx included (2.1),
 * waiting while another program holds the card. Returns 1 where a status word came, whichever it
 * is: it is then in card->status_word. out and out_len may be NULL where no data is expected;
 * *out_len is the capacity and becomes the length. What a card sends beyond it, or without being
 * asked, is left out and makes a command that was done no failure; card->longer tells. (command.c)
 */
int schsm_card_exchange_plain(struct schsm_card *card, const struct schsm_apdu *apdu, uint8_t *out,
                              size_t *out_len, struct schsm_error *err);

/* Whether the last command, this one, was done (9000); else fails with what its status word means.
 * (command.c) */
int schsm_card_accepted(struct schsm_card *card, const struct schsm_apdu *apdu,
                        struct schsm_error *err);

/* schsm_card_exchange_plain of a command that the card has to do. *out_len is 0 where it did not.
 * (command.c) */
int schsm_card_execute(struct schsm_card *card, const struct schsm_apdu *apdu, uint8_t *out,
                       size_t *out_len, struct schsm_error *err);

/*
 * As schsm_card_exchange_plain, for a command that may carry a secret: one with a PIN or share goes
 * through a secure channel that lives for this command, where the policy asks for that; with policy
 * REQUIRE so does one whose data or answer is private (schsm_apdu_content). Where the card does
 * not offer a channel, policy AUTO sends the command as it is. Once there is a channel, nothing
 * falls back: an answer that is not authentic is WRONG_KEY. With policy REQUIRE, UNSUPPORTED or
 * WRONG_KEY tell that nothing was sent. (command_protected.c)
 */
int schsm_card_exchange(struct schsm_card *card, const struct schsm_apdu *apdu, uint8_t *out,
                        size_t *out_len, struct schsm_error *err);

/* schsm_card_exchange of a command that the card has to do. *out_len is 0 where it did not.
 * (command_protected.c) */
int schsm_card_execute_secret(struct schsm_card *card, const struct schsm_apdu *apdu, uint8_t *out,
                              size_t *out_len, struct schsm_error *err);

/*
 * Chip authentication (17.1): has the card prove that it holds the private key to this point of the
 * curve. On failure *offered tells a wrong proof (WRONG_KEY, DEVICE_DATA) from a card that does not
 * know chip authentication. The channel is not used. (command_protected.c)
 */
int schsm_card_authenticate_chip(struct schsm_card *card, const struct schsm_curve *curve,
                                 struct schsm_view point, bool *offered, struct schsm_error *err);

/* What SELECT of the applet tells (3.3). */
struct schsm_card_fci {
    unsigned int version_major, version_minor; /* 0.0: it did not tell */
    int type;                                  /* of card; -1: it did not tell */
    bool options_told;                         /* applets before 2.0 do not */
    unsigned int options;                      /* of INITIALIZE DEVICE (6.7) */
};

/*
 * What SELECT of a key's file tells of its policy (3.3, 8.2): the objects in A5. *len is the room
 * at metadata and becomes their length; 0 where the card tells nothing, as genuine ones do.
 */
int schsm_card_key_metadata(struct schsm_card *card, unsigned int key_ref, uint8_t *metadata,
                            size_t *len, struct schsm_error *err);

/*
 * What the card tells of a key's policy: behind SELECT of its file, else in the file CBxx. Genuine
 * cards may tell it in neither; policy->known tells. One command or two; nobody need be logged in.
 * (card_policy.c)
 */
int schsm_card_key_policy(struct schsm_card *card, unsigned int key_ref,
                          struct schsm_key_policy *policy, struct schsm_error *err);

/* SELECT the applet (3.1). Logs out everybody who shares the card. fci may be NULL. */
int schsm_card_select(struct schsm_card *card, struct schsm_card_fci *fci, struct schsm_error *err);

/* PIN references (5.1, 5.2). */
enum schsm_pin_reference { SCHSM_PIN_USER = 0x81, SCHSM_PIN_SO = 0x88 };

enum schsm_pin_state {
    SCHSM_PIN_VERIFIED,
    SCHSM_PIN_NOT_VERIFIED, /* tries left are known */
    SCHSM_PIN_BLOCKED,
    SCHSM_PIN_TRANSPORT, /* 6984: has to be changed first; applet 1.2: not initialised */
    SCHSM_PIN_ABSENT,    /* 6A88: not initialised */
    SCHSM_PIN_PUBLIC_KEY /* public-key authentication is in use instead */
};

struct schsm_pin_status {
    enum schsm_pin_state state;
    int tries_left; /* -1: unknown */
};

/* VERIFY without data: the state, no try spent (5.1). Fails where the answer is not one of the
 * applet's, such as 6D00 of another applet. */
int schsm_card_pin_status(struct schsm_card *card, enum schsm_pin_reference reference,
                          struct schsm_pin_status *status, struct schsm_error *err);

/* VERIFY the user PIN; 6..16 bytes, checked by the caller. */
int schsm_card_verify_pin(struct schsm_card *card, const uint8_t *pin, size_t len,
                          struct schsm_error *err);

/* The same, the PIN typed at the reader (18). */
int schsm_card_verify_pin_on_pad(struct schsm_card *card, struct schsm_error *err);

/*
 * CHANGE REFERENCE DATA (5.3): the old value and the new one; lengths checked by the caller, at
 * most SCHSM_USER_PIN_MAX each. The card parts them by the length of the PIN that it knows.
 */
int schsm_card_change_reference_data(struct schsm_card *card, enum schsm_pin_reference reference,
                                     const uint8_t *old_value, size_t old_len,
                                     const uint8_t *new_value, size_t new_len,
                                     struct schsm_error *err);

/* RESET RETRY COUNTER of the user PIN by the SO-PIN (5.4), which has SCHSM_SO_PIN_LEN bytes.
 * new_pin may be NULL: the PIN stays as it is. */
int schsm_card_reset_retry_counter(struct schsm_card *card, const uint8_t *so_pin,
                                   const uint8_t *new_pin, size_t new_len, struct schsm_error *err);

/* How a file's end is told. */
enum schsm_file_form {
    SCHSM_FORM_TLV,  /* one BER-TLV; what follows is not read to its end */
    SCHSM_FORM_BYTES /* everything up to the end of the file */
};

/* After a failure of a command with so many bytes of data or answer: is it worth to try with
 * SCHSM_APDU_SHORT_CHUNK? The reader may not carry extended APDUs, or the card's buffer be smaller
 * (2.2, 2.3). */
bool schsm_card_falls_back(struct schsm_card *card, size_t size);

/*
 * Reads a file in as few commands as its size allows; one that does not exist fails with status
 * word 6A82. *content is allocated with OPENSSL_malloc and the caller's to free; *len may be 0. In
 * form TLV bytes may follow the element.
 */
int schsm_card_read_file(struct schsm_card *card, unsigned int file, enum schsm_file_form form,
                         uint8_t **content, size_t *len, struct schsm_error *err);

/* UPDATE BINARY (4.4) in chunks from offset 0; creates the file. A longer old content keeps its
 * tail: delete first. */
int schsm_card_write_file(struct schsm_card *card, unsigned int file, const uint8_t *content,
                          size_t len, struct schsm_error *err);

/* DELETE FILE (4.5); a file that is not there fails with status word 6A82. */
int schsm_card_delete_file(struct schsm_card *card, unsigned int file, struct schsm_error *err);

/*
 * SELECT of a file (3.2), for its length alone; logs nobody out. *exists is false where there is
 * none; real cards say so of keys as well. *length is -1 where the card does not tell.
 */
int schsm_card_select_file(struct schsm_card *card, unsigned int file, bool *exists,
                           int32_t *length, struct schsm_error *err);

/* Every file id there can be: nine types with 256 each, and a few besides. */
#define SCHSM_FILES_MAX 2048

/* ENUMERATE OBJECTS (4.2). *count is the room at files and becomes their number; zero ids, which
 * the Pico HSM pads with, are left out. */
int schsm_card_enumerate(struct schsm_card *card, uint16_t *files, size_t *count,
                         struct schsm_error *err);

/*
 * GENERATE ASYMMETRIC KEY PAIR (6.2) under a free key reference. No response data is asked for:
 * the card stores the request in CE<id>, and reading it there works for readers with any limit.
 */
int schsm_card_generate_key_pair(struct schsm_card *card, unsigned int key_ref, const uint8_t *body,
                                 size_t len, struct schsm_error *err);

/* GENERATE SYMMETRIC KEY (6.3): AES of 128, 192 or 256 bits under a free key reference; body: its
 * policy objects. */
int schsm_card_generate_secret_key(struct schsm_card *card, unsigned int key_ref, unsigned int bits,
                                   const uint8_t *body, size_t len, struct schsm_error *err);

/*
 * INITIALIZE DEVICE (6.7) with this concatenation of data objects; erases everything. A card whose
 * memory has to be tidied first (6A84) gets the command twice.
 */
int schsm_card_initialise(struct schsm_card *card, const uint8_t *objects, size_t len,
                          struct schsm_error *err);

/* The same command without data: bytes that are free, and the version of the software (6.7). A card
 * that does not tell refuses. */
int schsm_card_free_memory(struct schsm_card *card, uint32_t *bytes, uint8_t version[2],
                           struct schsm_error *err);

/* What one GET CHALLENGE gives at most (6.1). */
#define SCHSM_CHALLENGE_MAX 1024

/* GET CHALLENGE (6.1): len random bytes, 1..SCHSM_CHALLENGE_MAX. secret: nobody else may know them.
 */
int schsm_card_get_challenge(struct schsm_card *card, uint8_t *out, size_t len, bool secret,
                             struct schsm_error *err);

/* A device without public-key authentication is success with enabled false. */
int schsm_card_public_key_status(struct schsm_card *card, struct schsm_public_key_status *status,
                                 struct schsm_error *err);

/*
 * Certified keys of other devices (6.13, 6.14). MANAGE SECURITY ENVIRONMENT B6: choose the key of
 * this name to verify certificates with; a name that the card does not know fails with status word
 * 6A88, and *known tells that apart (it may be NULL).
 */
int schsm_card_select_verifier(struct schsm_card *card, const uint8_t *name, size_t len,
                               bool *known, struct schsm_error *err);

/* PSO VERIFY CERTIFICATE: content of the 7F21 element; the card knows that name afterwards. */
int schsm_card_verify_certificate(struct schsm_card *card, const uint8_t *content, size_t len,
                                  struct schsm_error *err);

/* Registers the next key: the content of its request 67. The verifier was selected before. */
int schsm_card_pka_register(struct schsm_card *card, const uint8_t *content, size_t len,
                            struct schsm_public_key_status *status, struct schsm_error *err);

/* The name of a registered key; *name_len is the capacity and becomes the length, 0 where that
 * place is empty. */
int schsm_card_pka_name(struct schsm_card *card, unsigned int index, uint8_t *name,
                        size_t *name_len, bool *authenticated, struct schsm_error *err);

/* MANAGE SECURITY ENVIRONMENT A4: choose a registered key to authenticate. */
enum schsm_pka_selection { SCHSM_PKA_SELECTED, SCHSM_PKA_UNKNOWN, SCHSM_PKA_DONE };
int schsm_card_pka_select(struct schsm_card *card, const uint8_t *name, size_t len,
                          enum schsm_pka_selection *selection, struct schsm_error *err);

/* EXTERNAL AUTHENTICATE (6.15): r || s. */
int schsm_card_external_authenticate(struct schsm_card *card, const uint8_t *signature, size_t len,
                                     struct schsm_error *err);

/* KEY DOMAIN, creation of an XKEK domain (15.4): content of the signer's request 67, and 54 with
 * its signature. The verifier was selected before. */
int schsm_card_create_xkek_domain(struct schsm_card *card, unsigned int domain, const uint8_t *data,
                                  size_t len, struct schsm_error *err);

/* DECIPHER with algorithm 84 (15.5): content of the peer's request 67, likewise. */
int schsm_card_derive_xkek(struct schsm_card *card, unsigned int key_ref, const uint8_t *content,
                           size_t len, struct schsm_error *err);

/* KEY DOMAIN, query (6.8). */
struct schsm_key_domain_status {
    bool slot;   /* there is a place for a domain of this number */
    bool exists; /* and it was created */
    unsigned int shares, outstanding;
    uint8_t kcv[SCHSM_KCV_LEN];
    uint8_t uid[SCHSM_DOMAIN_UID_MAX]; /* of an XKEK domain */
    size_t uid_len;                    /* 0: a DKEK domain */
};

/* A domain that does not exist, or a device without any, is success with exists false. */
int schsm_card_key_domain_status(struct schsm_card *card, unsigned int domain,
                                 struct schsm_key_domain_status *status, struct schsm_error *err);

/* KEY DOMAIN, creation of a DKEK domain that expects 1..255 shares. */
int schsm_card_create_dkek_domain(struct schsm_card *card, unsigned int domain, unsigned int shares,
                                  struct schsm_error *err);

/* KEY DOMAIN, import of a DKEK share (13.5); *status is what is there afterwards. */
int schsm_card_import_dkek_share(struct schsm_card *card, unsigned int domain,
                                 const uint8_t share[SCHSM_DKEK_LEN],
                                 struct schsm_key_domain_status *status, struct schsm_error *err);

/* KEY DOMAIN, deletion of the key encryption key: its shares are outstanding again. */
int schsm_card_delete_kek(struct schsm_card *card, unsigned int domain, struct schsm_error *err);

/* KEY DOMAIN, deletion of a domain without keys. */
int schsm_card_delete_key_domain(struct schsm_card *card, unsigned int domain,
                                 struct schsm_error *err);

/* WRAP KEY (6.9). *len is the capacity of out and becomes the length of the blob. */
int schsm_card_wrap_key(struct schsm_card *card, unsigned int key_ref, uint8_t *out, size_t *len,
                        struct schsm_error *err);

/* UNWRAP KEY (6.10) under a free key reference; blob NULL: the one in file 2F10. */
int schsm_card_unwrap_key(struct schsm_card *card, unsigned int key_ref, const uint8_t *blob,
                          size_t len, struct schsm_error *err);

#endif
