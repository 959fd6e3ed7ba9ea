/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11_error.h"

#include <stddef.h>

static const struct meaning {
    ck_rv rv;
    enum schsm_reason reason;
    enum schsm_pkcs11_remedy remedy;
    const char *text;
} meanings[] = {
    { CKR_HOST_MEMORY, SCHSM_REASON_OUT_OF_MEMORY, SCHSM_PKCS11_NONE, "out of memory" },
    { CKR_SLOT_ID_INVALID, SCHSM_REASON_DEVICE_REMOVED, SCHSM_PKCS11_SESSION,
      "the token's slot is gone" },
    { CKR_GENERAL_ERROR, SCHSM_REASON_DEVICE, SCHSM_PKCS11_ASK,
      "the PKCS#11 module reports a general error" },
    { CKR_FUNCTION_FAILED, SCHSM_REASON_DEVICE, SCHSM_PKCS11_ASK,
      "the PKCS#11 module reports that its function failed" },
    { CKR_ARGUMENTS_BAD, SCHSM_REASON_BAD_INPUT, SCHSM_PKCS11_NONE,
      "the PKCS#11 module refuses the arguments" },
    { CKR_ATTRIBUTE_READ_ONLY, SCHSM_REASON_UNSUPPORTED, SCHSM_PKCS11_NONE,
      "the token lets nobody set one of the object's attributes" },
    { CKR_ATTRIBUTE_SENSITIVE, SCHSM_REASON_ACCESS_DENIED, SCHSM_PKCS11_NONE,
      "the token does not let this value out" },
    { CKR_ATTRIBUTE_TYPE_INVALID, SCHSM_REASON_UNSUPPORTED, SCHSM_PKCS11_NONE,
      "the token does not know one of the object's attributes" },
    { CKR_ATTRIBUTE_VALUE_INVALID, SCHSM_REASON_UNSUPPORTED, SCHSM_PKCS11_NONE,
      "the token does not take the value of one of the object's attributes" },
    { CKR_ACTION_PROHIBITED, SCHSM_REASON_NOT_PERMITTED, SCHSM_PKCS11_NONE,
      "the token prohibits this for this object" },
    { CKR_DATA_INVALID, SCHSM_REASON_BAD_INPUT, SCHSM_PKCS11_NONE, "the token refuses the data" },
    { CKR_DATA_LEN_RANGE, SCHSM_REASON_BAD_INPUT, SCHSM_PKCS11_NONE,
      "the token refuses data of this length" },
    { CKR_ENCRYPTED_DATA_INVALID, SCHSM_REASON_BAD_INPUT, SCHSM_PKCS11_NONE,
      "the token refuses the data" },
    { CKR_ENCRYPTED_DATA_LEN_RANGE, SCHSM_REASON_BAD_INPUT, SCHSM_PKCS11_NONE,
      "the token refuses data of this length" },
    { CKR_DEVICE_ERROR, SCHSM_REASON_DEVICE, SCHSM_PKCS11_ASK, "the token reports an error" },
    { CKR_DEVICE_MEMORY, SCHSM_REASON_DEVICE_FULL, SCHSM_PKCS11_NONE,
      "the token has no room: delete something that is no longer needed" },
    { CKR_DEVICE_REMOVED, SCHSM_REASON_DEVICE_REMOVED, SCHSM_PKCS11_SESSION,
      "the token was removed, or the way to it broke" },
    { CKR_TOKEN_NOT_PRESENT, SCHSM_REASON_DEVICE_REMOVED, SCHSM_PKCS11_SESSION,
      "the token was removed: insert it again" },
    { CKR_TOKEN_NOT_RECOGNIZED, SCHSM_REASON_DEVICE_REMOVED, SCHSM_PKCS11_SESSION,
      "the PKCS#11 module does not recognise the token any more" },
    { CKR_TOKEN_WRITE_PROTECTED, SCHSM_REASON_UNSUPPORTED, SCHSM_PKCS11_NONE,
      "the token is write-protected" },
    { CKR_SESSION_READ_ONLY, SCHSM_REASON_UNSUPPORTED, SCHSM_PKCS11_NONE,
      "the token can only be read" },
    { CKR_FUNCTION_CANCELED, SCHSM_REASON_CANCELLED, SCHSM_PKCS11_NONE, "it was cancelled" },
    { CKR_FUNCTION_NOT_SUPPORTED, SCHSM_REASON_UNSUPPORTED, SCHSM_PKCS11_NONE,
      "the token cannot do this" },
    { CKR_KEY_HANDLE_INVALID, SCHSM_REASON_NOT_FOUND, SCHSM_PKCS11_FIND,
      "the token does not have this key any more" },
    { CKR_OBJECT_HANDLE_INVALID, SCHSM_REASON_NOT_FOUND, SCHSM_PKCS11_FIND,
      "the token does not have this object any more" },
    { CKR_KEY_SIZE_RANGE, SCHSM_REASON_UNSUPPORTED, SCHSM_PKCS11_NONE,
      "the token does not have keys of this size for this" },
    { CKR_KEY_TYPE_INCONSISTENT, SCHSM_REASON_NOT_PERMITTED, SCHSM_PKCS11_NONE,
      "the token does not do this with keys of this type" },
    { CKR_KEY_FUNCTION_NOT_PERMITTED, SCHSM_REASON_NOT_PERMITTED, SCHSM_PKCS11_NONE,
      "the key's attributes do not permit this" },
    { CKR_MECHANISM_INVALID, SCHSM_REASON_NOT_PERMITTED, SCHSM_PKCS11_NONE,
      "the token has no mechanism for this" },
    { CKR_MECHANISM_PARAM_INVALID, SCHSM_REASON_UNSUPPORTED, SCHSM_PKCS11_NONE,
      "the token's mechanism does not take these parameters" },
    { CKR_OPERATION_ACTIVE, SCHSM_REASON_DEVICE, SCHSM_PKCS11_SESSION,
      "an operation of before is still active" },
    { CKR_OPERATION_NOT_INITIALIZED, SCHSM_REASON_DEVICE, SCHSM_PKCS11_SESSION,
      "the operation was ended by somebody else" },
    { CKR_SESSION_CLOSED, SCHSM_REASON_DEVICE, SCHSM_PKCS11_SESSION, "the session was closed" },
    { CKR_SESSION_HANDLE_INVALID, SCHSM_REASON_DEVICE, SCHSM_PKCS11_SESSION,
      "the session is not valid any more" },
    { CKR_SESSION_COUNT, SCHSM_REASON_DEVICE, SCHSM_PKCS11_NONE, "the token has no session left" },
    { CKR_TEMPLATE_INCOMPLETE, SCHSM_REASON_UNSUPPORTED, SCHSM_PKCS11_NONE,
      "the token wants attributes that are not given" },
    { CKR_TEMPLATE_INCONSISTENT, SCHSM_REASON_UNSUPPORTED, SCHSM_PKCS11_NONE,
      "the token does not make objects like this" },
    { CKR_USER_NOT_LOGGED_IN, SCHSM_REASON_ACCESS_DENIED, SCHSM_PKCS11_LOGIN,
      "the user is not logged in" },
    { CKR_USER_ANOTHER_ALREADY_LOGGED_IN, SCHSM_REASON_ACCESS_DENIED, SCHSM_PKCS11_NONE,
      "the security officer is logged in to the token" },
    { CKR_SESSION_READ_ONLY_EXISTS, SCHSM_REASON_DEVICE, SCHSM_PKCS11_NONE,
      "another part of this process uses the token, which keeps its SO-PIN away: end that first" },
    { CKR_RANDOM_NO_RNG, SCHSM_REASON_UNSUPPORTED, SCHSM_PKCS11_NONE,
      "the token has no random generator" },
    { CKR_DOMAIN_PARAMS_INVALID, SCHSM_REASON_UNSUPPORTED, SCHSM_PKCS11_NONE,
      "the token has no keys on this curve" },
    { CKR_CURVE_NOT_SUPPORTED, SCHSM_REASON_UNSUPPORTED, SCHSM_PKCS11_NONE,
      "the token has no keys on this curve" },
    { CKR_BUFFER_TOO_SMALL, SCHSM_REASON_ARGUMENT, SCHSM_PKCS11_NONE,
      "the buffer is too small for the result" },
    { CKR_CRYPTOKI_NOT_INITIALIZED, SCHSM_REASON_DEVICE, SCHSM_PKCS11_SESSION,
      "the PKCS#11 module was finalised by somebody else" },
};

static const struct meaning *meaning_of(ck_rv rv)
{
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (meanings[i].rv == rv) {
            return &meanings[i];
        }
    }
    return NULL;
}

enum schsm_pkcs11_remedy schsm_pkcs11_remedy(ck_rv rv)
{
    const struct meaning *meaning = meaning_of(rv);

    return meaning != NULL ? meaning->remedy : SCHSM_PKCS11_NONE;
}

bool schsm_pkcs11_is_unsure(ck_rv rv)
{
    return schsm_pkcs11_remedy(rv) == SCHSM_PKCS11_ASK || rv == CKR_DEVICE_REMOVED ||
           rv == CKR_SESSION_CLOSED;
}

int schsm_pkcs11_describe(ck_rv rv, struct schsm_error *err)
{
    const struct meaning *meaning = meaning_of(rv);

    if (meaning == NULL) {
        return schsm_fail(err, SCHSM_REASON_DEVICE,
                          "the PKCS#11 module returns 0x%lx, which is not known here", rv);
    }
    return schsm_fail(err, meaning->reason, "%s", meaning->text);
}
