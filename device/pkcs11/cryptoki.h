/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As much of PKCS#11's binary interface as we use (OASIS, PKCS #11 Cryptographic Token Interface
 * Base Specification 2.40, section 3, and Current Mechanisms 2.40), for modules on Unix: structures
 * as the compiler lays them out. libp11 does not pass its own declarations on.
 */
#ifndef SCHSM_PKCS11_CRYPTOKI_H
#define SCHSM_PKCS11_CRYPTOKI_H

typedef unsigned long ck_rv;
typedef unsigned long ck_handle; /* of a slot, session or object */

#define CK_INVALID_HANDLE 0ul
#define CK_UNAVAILABLE_INFORMATION (~0ul)
#define CK_TRUE 1
#define CK_FALSE 0

struct ck_version {
    unsigned char major, minor;
};

struct ck_info {
    struct ck_version cryptoki;
    unsigned char manufacturer[32]; /* UTF-8, padded with blanks */
    unsigned long flags;
    unsigned char description[32]; /* likewise */
    struct ck_version library;
};

struct ck_initialize {
    void (*create_mutex)(void), (*destroy_mutex)(void), (*lock_mutex)(void), (*unlock_mutex)(void);
    unsigned long flags;
    void *reserved;
};

#define CKF_OS_LOCKING_OK 0x00000002ul

struct ck_token_info {
    unsigned char label[32]; /* these four: UTF-8, padded with blanks */
    unsigned char manufacturer[32];
    unsigned char model[16];
    unsigned char serial[16];
    unsigned long flags;
    unsigned long max_sessions, sessions, max_rw_sessions, rw_sessions;
    unsigned long max_pin_len, min_pin_len;
    unsigned long total_public_memory, free_public_memory;
    unsigned long total_private_memory, free_private_memory;
    struct ck_version hardware_version, firmware_version;
    unsigned char utc_time[16];
};

#define CKF_RNG 0x00000001ul
#define CKF_WRITE_PROTECTED 0x00000002ul
#define CKF_LOGIN_REQUIRED 0x00000004ul
#define CKF_USER_PIN_INITIALIZED 0x00000008ul
#define CKF_PROTECTED_AUTHENTICATION_PATH 0x00000100ul
#define CKF_TOKEN_INITIALIZED 0x00000400ul
#define CKF_USER_PIN_COUNT_LOW 0x00010000ul
#define CKF_USER_PIN_FINAL_TRY 0x00020000ul
#define CKF_USER_PIN_LOCKED 0x00040000ul
#define CKF_USER_PIN_TO_BE_CHANGED 0x00080000ul
#define CKF_SO_PIN_COUNT_LOW 0x00100000ul
#define CKF_SO_PIN_FINAL_TRY 0x00200000ul
#define CKF_SO_PIN_LOCKED 0x00400000ul

struct ck_session_info {
    ck_handle slot;
    unsigned long state, flags, device_error;
};

#define CKF_RW_SESSION 0x00000002ul
#define CKF_SERIAL_SESSION 0x00000004ul
#define CKS_RO_USER_FUNCTIONS 1ul
#define CKS_RW_USER_FUNCTIONS 3ul

#define CKU_SO 0ul
#define CKU_USER 1ul
#define CKU_CONTEXT_SPECIFIC 2ul

struct ck_attribute {
    unsigned long type;
    void *value;
    unsigned long len;
};

#define CKA_CLASS 0x000ul
#define CKA_TOKEN 0x001ul
#define CKA_PRIVATE 0x002ul
#define CKA_LABEL 0x003ul
#define CKA_APPLICATION 0x010ul
#define CKA_VALUE 0x011ul
#define CKA_CERTIFICATE_TYPE 0x080ul
#define CKA_ISSUER 0x081ul
#define CKA_SERIAL_NUMBER 0x082ul
#define CKA_KEY_TYPE 0x100ul
#define CKA_SUBJECT 0x101ul
#define CKA_ID 0x102ul
#define CKA_SENSITIVE 0x103ul
#define CKA_ENCRYPT 0x104ul
#define CKA_DECRYPT 0x105ul
#define CKA_SIGN 0x108ul
#define CKA_VERIFY 0x10Aul
#define CKA_DERIVE 0x10Cul
#define CKA_MODULUS 0x120ul
#define CKA_MODULUS_BITS 0x121ul
#define CKA_PUBLIC_EXPONENT 0x122ul
#define CKA_PUBLIC_KEY_INFO 0x129ul
#define CKA_VALUE_LEN 0x161ul
#define CKA_EXTRACTABLE 0x162ul
#define CKA_EC_PARAMS 0x180ul
#define CKA_EC_POINT 0x181ul
#define CKA_ALWAYS_AUTHENTICATE 0x202ul

#define CKO_DATA 0ul
#define CKO_CERTIFICATE 1ul
#define CKO_PUBLIC_KEY 2ul
#define CKO_PRIVATE_KEY 3ul
#define CKO_SECRET_KEY 4ul

#define CKC_X_509 0ul

#define CKK_RSA 0x00ul
#define CKK_EC 0x03ul
#define CKK_GENERIC_SECRET 0x10ul
#define CKK_AES 0x1Ful

struct ck_mechanism {
    unsigned long type;
    void *parameter;
    unsigned long parameter_len;
};

#define CKM_RSA_PKCS_KEY_PAIR_GEN 0x0000ul
#define CKM_RSA_PKCS 0x0001ul
#define CKM_RSA_X_509 0x0003ul
#define CKM_SHA1_RSA_PKCS 0x0006ul
#define CKM_RSA_PKCS_PSS 0x000Dul
#define CKM_SHA1_RSA_PKCS_PSS 0x000Eul
#define CKM_SHA256_RSA_PKCS 0x0040ul
#define CKM_SHA384_RSA_PKCS 0x0041ul
#define CKM_SHA512_RSA_PKCS 0x0042ul
#define CKM_SHA256_RSA_PKCS_PSS 0x0043ul
#define CKM_SHA384_RSA_PKCS_PSS 0x0044ul
#define CKM_SHA512_RSA_PKCS_PSS 0x0045ul
#define CKM_SHA_1 0x0220ul
#define CKM_SHA256 0x0250ul
#define CKM_SHA384 0x0260ul
#define CKM_SHA512 0x0270ul
#define CKM_EC_KEY_PAIR_GEN 0x1040ul
#define CKM_ECDSA 0x1041ul
#define CKM_ECDSA_SHA1 0x1042ul
#define CKM_ECDSA_SHA224 0x1043ul
#define CKM_ECDSA_SHA256 0x1044ul
#define CKM_ECDSA_SHA384 0x1045ul
#define CKM_ECDSA_SHA512 0x1046ul
#define CKM_ECDH1_DERIVE 0x1050ul
#define CKM_AES_KEY_GEN 0x1080ul
#define CKM_AES_CBC 0x1082ul
#define CKM_AES_CMAC 0x108Aul

struct ck_rsa_pss_parameter {
    unsigned long hash, mgf, salt_len;
};

#define CKG_MGF1_SHA1 1ul
#define CKG_MGF1_SHA256 2ul
#define CKG_MGF1_SHA384 3ul
#define CKG_MGF1_SHA512 4ul

struct ck_ecdh1_parameter {
    unsigned long kdf, shared_len;
    unsigned char *shared;
    unsigned long point_len;
    unsigned char *point;
};

#define CKD_NULL 1ul

#define CKR_OK 0x000ul
#define CKR_SLOT_ID_INVALID 0x003ul
#define CKR_HOST_MEMORY 0x002ul
#define CKR_GENERAL_ERROR 0x005ul
#define CKR_FUNCTION_FAILED 0x006ul
#define CKR_ARGUMENTS_BAD 0x007ul
#define CKR_ATTRIBUTE_READ_ONLY 0x010ul
#define CKR_ATTRIBUTE_SENSITIVE 0x011ul
#define CKR_ATTRIBUTE_TYPE_INVALID 0x012ul
#define CKR_ATTRIBUTE_VALUE_INVALID 0x013ul
#define CKR_ACTION_PROHIBITED 0x01Bul
#define CKR_DATA_INVALID 0x020ul
#define CKR_DATA_LEN_RANGE 0x021ul
#define CKR_DEVICE_ERROR 0x030ul
#define CKR_DEVICE_MEMORY 0x031ul
#define CKR_DEVICE_REMOVED 0x032ul
#define CKR_ENCRYPTED_DATA_INVALID 0x040ul
#define CKR_ENCRYPTED_DATA_LEN_RANGE 0x041ul
#define CKR_FUNCTION_CANCELED 0x050ul
#define CKR_FUNCTION_NOT_SUPPORTED 0x054ul
#define CKR_KEY_HANDLE_INVALID 0x060ul
#define CKR_KEY_SIZE_RANGE 0x062ul
#define CKR_KEY_TYPE_INCONSISTENT 0x063ul
#define CKR_KEY_FUNCTION_NOT_PERMITTED 0x068ul
#define CKR_MECHANISM_INVALID 0x070ul
#define CKR_MECHANISM_PARAM_INVALID 0x071ul
#define CKR_OBJECT_HANDLE_INVALID 0x082ul
#define CKR_OPERATION_ACTIVE 0x090ul
#define CKR_OPERATION_NOT_INITIALIZED 0x091ul
#define CKR_PIN_INCORRECT 0x0A0ul
#define CKR_PIN_INVALID 0x0A1ul
#define CKR_PIN_LEN_RANGE 0x0A2ul
#define CKR_PIN_EXPIRED 0x0A3ul
#define CKR_PIN_LOCKED 0x0A4ul
#define CKR_SESSION_CLOSED 0x0B0ul
#define CKR_SESSION_COUNT 0x0B1ul
#define CKR_SESSION_HANDLE_INVALID 0x0B3ul
#define CKR_SESSION_READ_ONLY 0x0B5ul
#define CKR_SESSION_READ_ONLY_EXISTS 0x0B7ul
#define CKR_TEMPLATE_INCOMPLETE 0x0D0ul
#define CKR_TEMPLATE_INCONSISTENT 0x0D1ul
#define CKR_TOKEN_NOT_PRESENT 0x0E0ul
#define CKR_TOKEN_NOT_RECOGNIZED 0x0E1ul
#define CKR_TOKEN_WRITE_PROTECTED 0x0E2ul
#define CKR_USER_ALREADY_LOGGED_IN 0x100ul
#define CKR_USER_NOT_LOGGED_IN 0x101ul
#define CKR_USER_PIN_NOT_INITIALIZED 0x102ul
#define CKR_USER_ANOTHER_ALREADY_LOGGED_IN 0x104ul
#define CKR_RANDOM_NO_RNG 0x121ul
#define CKR_DOMAIN_PARAMS_INVALID 0x130ul
#define CKR_CURVE_NOT_SUPPORTED 0x140ul
#define CKR_BUFFER_TOO_SMALL 0x150ul
#define CKR_CRYPTOKI_NOT_INITIALIZED 0x190ul
#define CKR_CRYPTOKI_ALREADY_INITIALIZED 0x191ul

/* A function that we do not call. */
typedef void (*ck_unused)(void);

/* In the order of the standard. */
struct ck_function_list {
    struct ck_version version;
    ck_rv (*initialize)(const struct ck_initialize *arguments);
    ck_rv (*finalize)(void *reserved);
    ck_rv (*get_info)(struct ck_info *info);
    ck_unused get_function_list;
    ck_rv (*get_slot_list)(unsigned char with_token, ck_handle *slots, unsigned long *count);
    ck_unused get_slot_info;
    ck_rv (*get_token_info)(ck_handle slot, struct ck_token_info *info);
    ck_unused get_mechanism_list, get_mechanism_info, init_token;
    ck_rv (*init_pin)(ck_handle session, const unsigned char *pin, unsigned long pin_len);
    ck_rv (*set_pin)(ck_handle session, const unsigned char *old_pin, unsigned long old_pin_len,
                     const unsigned char *new_pin, unsigned long new_pin_len);
    ck_rv (*open_session)(ck_handle slot, unsigned long flags, void *application, void *notify,
                          ck_handle *session);
    ck_rv (*close_session)(ck_handle session);
    ck_unused close_all_sessions;
    ck_rv (*get_session_info)(ck_handle session, struct ck_session_info *info);
    ck_unused get_operation_state, set_operation_state;
    ck_rv (*login)(ck_handle session, unsigned long user, const unsigned char *pin,
                   unsigned long pin_len);
    ck_rv (*logout)(ck_handle session);
    ck_rv (*create_object)(ck_handle session, const struct ck_attribute *attributes,
                           unsigned long count, ck_handle *object);
    ck_unused copy_object;
    ck_rv (*destroy_object)(ck_handle session, ck_handle object);
    ck_unused get_object_size;
    ck_rv (*get_attribute_value)(ck_handle session, ck_handle object,
                                 struct ck_attribute *attributes, unsigned long count);
    ck_unused set_attribute_value;
    ck_rv (*find_objects_init)(ck_handle session, const struct ck_attribute *attributes,
                               unsigned long count);
    ck_rv (*find_objects)(ck_handle session, ck_handle *objects, unsigned long room,
                          unsigned long *count);
    ck_rv (*find_objects_final)(ck_handle session);
    ck_rv (*encrypt_init)(ck_handle session, const struct ck_mechanism *mechanism, ck_handle key);
    ck_rv (*encrypt)(ck_handle session, const unsigned char *in, unsigned long in_len,
                     unsigned char *out, unsigned long *out_len);
    ck_unused encrypt_update, encrypt_final;
    ck_rv (*decrypt_init)(ck_handle session, const struct ck_mechanism *mechanism, ck_handle key);
    ck_rv (*decrypt)(ck_handle session, const unsigned char *in, unsigned long in_len,
                     unsigned char *out, unsigned long *out_len);
    ck_unused decrypt_update, decrypt_final;
    ck_unused digest_init, digest, digest_update, digest_key, digest_final;
    ck_rv (*sign_init)(ck_handle session, const struct ck_mechanism *mechanism, ck_handle key);
    ck_rv (*sign)(ck_handle session, const unsigned char *in, unsigned long in_len,
                  unsigned char *out, unsigned long *out_len);
    ck_unused sign_update, sign_final, sign_recover_init, sign_recover;
    ck_unused verify_init, verify, verify_update, verify_final, verify_recover_init, verify_recover;
    ck_unused digest_encrypt_update, decrypt_digest_update, sign_encrypt_update;
    ck_unused decrypt_verify_update;
    ck_rv (*generate_key)(ck_handle session, const struct ck_mechanism *mechanism,
                          const struct ck_attribute *attributes, unsigned long count,
                          ck_handle *key);
    ck_rv (*generate_key_pair)(ck_handle session, const struct ck_mechanism *mechanism,
                               const struct ck_attribute *of_public, unsigned long public_count,
                               const struct ck_attribute *of_private, unsigned long private_count,
                               ck_handle *public_key, ck_handle *private_key);
    ck_unused wrap_key, unwrap_key;
    ck_rv (*derive_key)(ck_handle session, const struct ck_mechanism *mechanism, ck_handle base,
                        const struct ck_attribute *attributes, unsigned long count, ck_handle *key);
    ck_unused seed_random;
    ck_rv (*generate_random)(ck_handle session, unsigned char *out, unsigned long len);
    ck_unused get_function_status, cancel_function;
    ck_unused wait_for_slot_event;
};

typedef ck_rv ck_get_function_list(struct ck_function_list **list);

#endif
