/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device interface: what a device that keeps keys offers, whichever it is. A SmartCard-HSM
 * behind PC/SC is one implementation (card_device.c); a token behind PKCS#11 can be another.
 * Nothing above this line may ask which.
 *
 * Threads: every function may be called from several threads on one device; the device serialises.
 * Fork: a child may go on using a device object of its parent; the implementation opens its own
 * connection and never touches the parent's.
 * PINs: no function spends a PIN try unless the caller handed it a login with a source.
 */
#ifndef SCHSM_MODEL_DEVICE_H
#define SCHSM_MODEL_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/secret.h"
#include "format/types.h"
#include "operation.h"
#include "pin/login.h"

#define SCHSM_READER_MAX 127
#define SCHSM_TOKEN_LABEL_MAX 96  /* bytes of UTF-8 that 32 characters may take */
#define SCHSM_DEVICE_NAME_MAX 320 /* see schsm_device_name */

enum schsm_object_type {
    SCHSM_OBJECT_PRIVATE = 1,
    SCHSM_OBJECT_PUBLIC = 2,
    SCHSM_OBJECT_CERTIFICATE = 4,
    SCHSM_OBJECT_DATA = 8,
    SCHSM_OBJECT_SECRET = 16, /* AES key: used by the tool, not through OpenSSL's pkey */
    SCHSM_OBJECT_ORPHAN = 32  /* what is of no use by itself: left by a deletion or a write that was
                               * interrupted, or so damaged that nobody can tell */
};
#define SCHSM_OBJECT_ANY 31u /* orphans are found only where they are asked for */

/* What of an object cannot be read. It is found all the same, and so is all the rest. */
enum schsm_defect {
    SCHSM_DEFECT_NONE = 0,
    SCHSM_DEFECT_DESCRIPTION, /* the description is none: id and label are unknown */
    SCHSM_DEFECT_NO_CONTENT,  /* a description of something that is not there */
    SCHSM_DEFECT_CONTENT,     /* no certificate, or beside a key no certificate and no request */
    SCHSM_DEFECT_UNREADABLE,  /* the device does not give it */
    SCHSM_DEFECT_COPY         /* ORPHAN: the certificate that stands beside its key as well */
};

#define SCHSM_OID_TEXT_MAX 80 /* "1.3.6.1..." with terminator; a longer one is cut */

/* One object on a device. */
struct schsm_object {
    enum schsm_object_type type;
    unsigned int handle; /* the device's own name for it; meaningless to others */
    int key_ref;         /* 1..255: the key it is or belongs to; -1: none */
    bool described;      /* id and label below were read (false after a lookup by key_ref) */
    uint8_t id[SCHSM_ID_MAX];
    size_t id_len;
    char label[SCHSM_LABEL_MAX + 1];       /* "" where it has none */
    enum schsm_key_type key_type;          /* keys; NONE where the device does not tell */
    unsigned int bits;                     /* modulus, field or key size; 0: unknown */
    bool authority;                        /* certificate without a key on the device */
    bool private_data;                     /* data object that is read only after login */
    char application[SCHSM_LABEL_MAX + 1]; /* data: the program it belongs to, "" where unknown */
    uint8_t *value;                        /* public part or content if already read, see _read */
    size_t value_len;
    bool told_beside; /* the value of a private key is that of an object beside it, which the device
                       * does not tie to it: no proof of what the key is */
    enum schsm_defect defect;
    char oid[SCHSM_OID_TEXT_MAX]; /* a key of a kind that we do not know: its algorithm, "" unknown
                                   */
    unsigned int orphan_of;       /* ORPHAN: what it may have belonged to, types or-ed */
    unsigned int whole;           /* ORPHAN: the handle of that */
};

struct schsm_object_list {
    struct schsm_object *objects;
    size_t count;
};

/* Frees the objects and their values; the list is empty afterwards. */
void schsm_object_list_clear(struct schsm_object_list *list);

/* Or-ed to the types of a search: nothing is spared to find what was left on the device, a thousand
 * commands where it does not list everything. */
#define SCHSM_SEARCH_THOROUGHLY 0x100u

/* Which objects; a member that is not set fits all. */
struct schsm_object_filter {
    unsigned int types; /* enum schsm_object_type, or-ed; never 0 */
    int key_ref;        /* -1: any */
    const uint8_t *id;  /* NULL: any */
    size_t id_len;
    const char *label; /* NULL: any; compared whole */
    bool describe;     /* with a key_ref: id and label are wanted as well */
    unsigned int
        handle;       /* this one is looked for even where the device does not list it; 0: none */
    size_t files_max; /* where a card has more files than that, nothing is found, as it would take
                       * too many commands; 0: no limit */
};

/* How long a PIN is, in bytes, and how people write it. */
struct schsm_pin_form {
    size_t min, max;
    bool hex; /* as hexadecimal digits, two for each byte */
};

/* What the SO-PIN may do for a user PIN that is blocked. */
enum schsm_unblocking {
    SCHSM_UNBLOCK_UNKNOWN, /* the device does not tell, or not now */
    SCHSM_UNBLOCK_NEVER,
    SCHSM_UNBLOCK_KEEPS, /* gives it its tries back, and cannot set another one */
    SCHSM_UNBLOCK_SETS,  /* sets a new one, and cannot keep the old one */
    SCHSM_UNBLOCK_BOTH   /* either, as one likes */
};

struct schsm_version {
    unsigned int major, minor; /* both 0: not told */
};

struct schsm_device_info {
    const char *kind; /* static text: "SmartCard-HSM", "Pico HSM", "PKCS#11 token" */
    char serial[SCHSM_SERIAL_MAX + 1];
    char label[SCHSM_LABEL_MAX + 1]; /* of the token, "" where none */
    char reader[SCHSM_READER_MAX + 1];
    unsigned int version_major, version_minor; /* of the firmware; 0.0: not told */
    bool initialised;
    bool pin_must_change; /* transport PIN */
    bool logged_in;       /* the device holds the user PIN for verified right now */
    int pin_tries;        /* -1: the device does not tell (logged in) */
    int so_pin_tries;     /* -1: likewise */
    bool so_pin_set;      /* false: the device was never initialised */
    bool so_pin_blocked;  /* for ever */
    struct schsm_pin_form pin, so_pin;
    enum schsm_unblocking unblocking;
    struct schsm_version hardware, module; /* of a token and the module before it */
    char manufacturer[33], model[17];      /* of a token, "" where it does not tell */
    bool options_known;                    /* the next one is */
    bool so_pin_reset_allowed;             /* RESET RETRY COUNTER by the SO-PIN may be used */
    bool dkek;                             /* DKEK or key domain 0 is set up */
    unsigned int dkek_shares, dkek_outstanding;
    uint8_t dkek_kcv[8]; /* key check value; zero while shares are outstanding */
};

/* A key to be made. */
struct schsm_generate {
    enum schsm_key_type type; /* of ecx.h: says it all */
    unsigned int bits;        /* RSA, AES */
    const uint8_t *exponent;  /* RSA, big endian, no leading zero; NULL: 65537 */
    size_t exponent_len;
    int curve_nid;     /* EC: libcrypto's NID */
    int key_ref;       /* -1: the next free one */
    const uint8_t *id; /* NULL: a free one */
    size_t id_len;
    const char *label;         /* NULL: none */
    const uint8_t *algorithms; /* card algorithm ids; NULL: everything allowed */
    size_t algorithms_len;
    uint32_t use_count; /* 0: unlimited */
    bool has_key_domain;
    unsigned int key_domain;   /* the number of the key domain it belongs to, if has_key_domain */
    const uint8_t *domain_uid; /* to be named in the key's request, as a key for the exchange of a
                                * domain's key encryption key needs; NULL: not named */
    size_t domain_uid_len;
};

/* A certificate or data object to be stored. */
struct schsm_store {
    enum schsm_object_type type; /* CERTIFICATE or DATA */
    const struct schsm_object
        *key;          /* certificate: of this key, as the device told it; NULL: none */
    const uint8_t *id; /* certificate without a key: required. Data: NULL, or one byte, the object's
                        * place on the device */
    size_t id_len;
    const char *label;       /* NULL: none; a key's certificate has its key's */
    const char *application; /* data: the program it belongs to; NULL: none */
    bool private_data;       /* data that is read only after login */
    const uint8_t *value;    /* DER of an X.509 certificate, or the content; not empty */
    size_t value_len;
    const struct schsm_object *replaces; /* data: goes once the new one is whole; NULL: none */
};

/* What an object is to be called. */
struct schsm_rename {
    const char *label; /* NULL: as it is; "" for none */
    const uint8_t *id; /* NULL: as it is; a data object has none */
    size_t id_len;
};

struct schsm_device;

/* name, place, connection, login, prepare_login and operate are there always. */
struct schsm_device_ops {
    int (*info)(struct schsm_device *dev, struct schsm_device_info *info, struct schsm_error *err);
    int (*serial)(struct schsm_device *dev, char serial[SCHSM_SERIAL_MAX + 1],
                  struct schsm_error *err);
    void (*token)(struct schsm_device *dev, char label[SCHSM_TOKEN_LABEL_MAX + 1]);
    void (*name)(struct schsm_device *dev, char name[SCHSM_DEVICE_NAME_MAX]);
    void (*place)(struct schsm_device *dev, char place[SCHSM_DEVICE_NAME_MAX]);
    int (*find)(struct schsm_device *dev, const struct schsm_object_filter *filter,
                struct schsm_object_list *list, struct schsm_error *err);
    unsigned long (*connection)(struct schsm_device *dev);
    int (*hides_objects)(struct schsm_device *dev, bool *hides, struct schsm_error *err);
    int (*read)(struct schsm_device *dev, struct schsm_object *object,
                const struct schsm_login *login, struct schsm_error *err);
    int (*login)(struct schsm_device *dev, const struct schsm_login *login,
                 struct schsm_error *err);
    int (*prepare_login)(struct schsm_device *dev, const struct schsm_login *login,
                         struct schsm_pin_prospect *state, struct schsm_error *err);
    int (*operate)(struct schsm_device *dev, enum schsm_operation operation,
                   const struct schsm_object *key, const struct schsm_login *login,
                   const uint8_t *in, size_t in_len, uint8_t *out, size_t *out_len,
                   struct schsm_error *err);
    int (*generate)(struct schsm_device *dev, const struct schsm_generate *spec,
                    const struct schsm_login *login, struct schsm_object *made,
                    struct schsm_error *err);
    int (*store)(struct schsm_device *dev, const struct schsm_store *spec,
                 const struct schsm_login *login, struct schsm_object *stored,
                 struct schsm_error *err);
    int (*key_policy)(struct schsm_device *dev, const struct schsm_object *key,
                      struct schsm_key_policy *policy, struct schsm_error *err);
    int (*remove)(struct schsm_device *dev, const struct schsm_object *object,
                  const struct schsm_login *login, struct schsm_error *err);
    int (*rename)(struct schsm_device *dev, struct schsm_object *object,
                  const struct schsm_rename *spec, const struct schsm_login *login,
                  struct schsm_error *err);
    int (*logout)(struct schsm_device *dev, struct schsm_error *err);
    int (*change_pin)(struct schsm_device *dev, struct schsm_secret *old_pin,
                      struct schsm_secret *new_pin, int min_tries, struct schsm_error *err);
    int (*change_so_pin)(struct schsm_device *dev, const struct schsm_secret *old_pin,
                         const struct schsm_secret *new_pin, int min_tries,
                         struct schsm_error *err);
    int (*unblock_pin)(struct schsm_device *dev, const struct schsm_secret *so_pin,
                       struct schsm_secret *new_pin, int min_tries, struct schsm_error *err);
    int (*random)(struct schsm_device *dev, uint8_t *out, size_t len, struct schsm_error *err);
    void (*free)(struct schsm_device *dev);
};

/* First member of every implementation's own struct. What an implementation does not do is NULL:
 * the call fails with UNSUPPORTED. */
struct schsm_device {
    const struct schsm_device_ops *ops;
};

/*
 * The device's identity and state; logs nobody in and out. A SmartCard-HSM tells its options only
 * where that would log somebody out: they are not known while the PIN is verified, unless they were
 * told before.
 */
int schsm_device_info(struct schsm_device *dev, struct schsm_device_info *info,
                      struct schsm_error *err);

/* The serial number alone, NUL terminated, "" where the device has none; none or few device
 * commands: mostly none, where it is known, or one. */
int schsm_device_serial(struct schsm_device *dev, char serial[SCHSM_SERIAL_MAX + 1],
                        struct schsm_error *err);

/* The token label that tells the device from others with its serial number; "" where the serial
 * number is all it takes. Asks nobody. */
void schsm_device_token(struct schsm_device *dev, char label[SCHSM_TOKEN_LABEL_MAX + 1]);

/* What a person chooses the device by, as far as that is known: serial number, and reader or token.
 * NUL terminated. Asks nobody. */
void schsm_device_name(struct schsm_device *dev, char name[SCHSM_DEVICE_NAME_MAX]);

/* What it is called in sentences: its serial number, else its place, where that cannot be read; as
 * many device commands as schsm_device_serial. */
void schsm_device_called(struct schsm_device *dev, char name[SCHSM_DEVICE_NAME_MAX]);

/* Where the device is, in words that are the same in all processes: its reader, or its token. NUL
 * terminated. Asks nobody. */
void schsm_device_place(struct schsm_device *dev, char place[SCHSM_DEVICE_NAME_MAX]);

/*
 * Which connection to the device we are on: another number whenever who is logged in had to be
 * found out anew, as after connecting, a reset, or another program's SELECT; not 0 once an
 * operation was done. What was learnt of a key on an earlier one may be out of date. Asks nobody.
 */
unsigned long schsm_device_connection(struct schsm_device *dev);

/* Whether some objects, private keys among them, are found only after a login, which has not been
 * yet. */
int schsm_device_hides_objects(struct schsm_device *dev, bool *hides, struct schsm_error *err);

/*
 * Appends the objects that fit to *list. No login, no PIN. A filter with key_ref reads nothing but
 * that key's files and may leave `described` false, unless `describe` is set. Private keys, their
 * public keys and their certificates share key_ref, id and label. Certificates come with their
 * value; a key whose public part was met on the way comes with it too. Nothing found is success
 * with nothing appended. What the device does not give, or what is malformed, makes a defect of
 * that object, never the search fail. A failure leaves the list as it was.
 *
 * An ORPHAN has the name that its description tells; orphan_of and whole say what it was a part of.
 */
int schsm_device_find(struct schsm_device *dev, const struct schsm_object_filter *filter,
                      struct schsm_object_list *list, struct schsm_error *err);

/*
 * Fills object->value if it is NULL: a DER SubjectPublicKeyInfo for PRIVATE and PUBLIC, the DER
 * certificate for CERTIFICATE, the content for DATA. Logs in for private_data, and for a key that
 * the device does not show before. Allocated with OPENSSL_malloc, owned by the object. Fails with
 * NO_PUBLIC_KEY where the device does not hold it.
 */
int schsm_device_read(struct schsm_device *dev, struct schsm_object *object,
                      const struct schsm_login *login, struct schsm_error *err);

/*
 * Proves the PIN now: at most one try is spent, none if the device is already logged in by us with
 * a PIN that worked. Fails with the PIN_* reasons; tries_left is set where known.
 */
int schsm_device_login(struct schsm_device *dev, const struct schsm_login *login,
                       struct schsm_error *err);

/*
 * For a PIN that somebody has yet to be asked for, outside every lock of ours: fails, as the login
 * would, where no PIN can help or too few tries are left. One device command, which the login
 * repeats, as others may spend tries meanwhile; none where a PIN was proven.
 */
int schsm_device_prepare_login(struct schsm_device *dev, const struct schsm_login *login,
                               struct schsm_pin_prospect *state, struct schsm_error *err);

/*
 * One private operation, one device command in the steady state, with an AES key several. key: as
 * the device told it in a search; a key_ref alone is enough. *out_len is the capacity of out and
 * becomes the length. Logs in when needed, and recovers once from reset, removal and return, and
 * another program's SELECT. What the key's policy does not permit fails with NOT_PERMITTED.
 */
int schsm_device_operate(struct schsm_device *dev, enum schsm_operation operation,
                         const struct schsm_object *key, const struct schsm_login *login,
                         const uint8_t *in, size_t in_len, uint8_t *out, size_t *out_len,
                         struct schsm_error *err);

/*
 * Makes a key pair or a secret key on the device and its description. *made is filled (value: the
 * public key of a pair) and the caller clears it with schsm_object_clear. A taken key_ref or id is
 * refused before anything is made (EXISTS); a failure after generation removes what was made.
 */
int schsm_device_generate(struct schsm_device *dev, const struct schsm_generate *spec,
                          const struct schsm_login *login, struct schsm_object *made,
                          struct schsm_error *err);

/*
 * Stores a certificate or data object, with its description where it has one; *stored is filled
 * without its value. A taken id is EXISTS. A key's certificate takes the place of the certificate
 * or request that the device held for that key. At every moment the old content or the new one is
 * whole on the device, and the same call finishes what a device that was pulled out left half done;
 * any other failure leaves the device as it was, DEVICE_FULL among them.
 */
int schsm_device_store(struct schsm_device *dev, const struct schsm_store *spec,
                       const struct schsm_login *login, struct schsm_object *stored,
                       struct schsm_error *err);

/* Asks for a key's policy, where the device tells it. No login; at most three device commands. */
int schsm_device_key_policy(struct schsm_device *dev, const struct schsm_object *key,
                            struct schsm_key_policy *policy, struct schsm_error *err);

/*
 * Deletes the object: for PRIVATE the key, its description and its certificate or request; an
 * ORPHAN alone. What an interrupted deletion left is deleted like the whole object, under the type
 * and handle that this had.
 */
int schsm_device_remove(struct schsm_device *dev, const struct schsm_object *object,
                        const struct schsm_login *login, struct schsm_error *err);

/*
 * Gives a key, a certificate without a key, or a data object another label and id; a key's
 * certificate and public part have theirs from the key, which is to be named. *object becomes what
 * it is called then. At every moment the object has the old name or the new one, whole; what it has
 * already is written again, so that the same call can be repeated. An id that another key or
 * certificate has is EXISTS.
 */
int schsm_device_rename(struct schsm_device *dev, struct schsm_object *object,
                        const struct schsm_rename *spec, const struct schsm_login *login,
                        struct schsm_error *err);

/* Logs out: on a SmartCard-HSM every program that uses it. */
int schsm_device_logout(struct schsm_device *dev, struct schsm_error *err);

/*
 * PINs. Each of these spends at most one try, and only on a value that the caller gave. Wrong ones
 * fail with PIN_INCORRECT and tries_left where that is known, blocked ones with PIN_BLOCKED.
 * min_tries: nothing is sent when fewer tries are left (PIN_TRIES_LOW), 0 for what a person typed.
 */

/*
 * Changes the user PIN; one that has to be changed before it can be used, too, which ends that
 * state. Where the connection broke in the middle, the sentence says that either PIN may be the
 * right one.
 */
int schsm_device_change_pin(struct schsm_device *dev, struct schsm_secret *old_pin,
                            struct schsm_secret *new_pin, int min_tries, struct schsm_error *err);

/* Changes the SO-PIN, likewise. */
int schsm_device_change_so_pin(struct schsm_device *dev, const struct schsm_secret *old_pin,
                               const struct schsm_secret *new_pin, int min_tries,
                               struct schsm_error *err);

/* Sets the user PIN's counter back by the SO-PIN, and with new_pin (may be NULL) sets a new PIN.
 * Fails with UNSUPPORTED where the device does not do that (struct schsm_device_info). */
int schsm_device_unblock_pin(struct schsm_device *dev, const struct schsm_secret *so_pin,
                             struct schsm_secret *new_pin, int min_tries, struct schsm_error *err);

/* Fills out with random bytes that the device made. No PIN. */
int schsm_device_random(struct schsm_device *dev, uint8_t *out, size_t len,
                        struct schsm_error *err);

/* Whether two objects of one device are parts of the same key: by its reference, else by their id.
 */
bool schsm_object_same_key(const struct schsm_object *a, const struct schsm_object *b);

/* Frees object->value and forgets the rest. */
void schsm_object_clear(struct schsm_object *object);

#endif
