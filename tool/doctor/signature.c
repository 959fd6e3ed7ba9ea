/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One test signature on each device, the way a program makes it: by OpenSSL, with the configuration
 * in force. So a PIN is sent only where that names one and lets it be sent (min-pin-tries), and at
 * most once for each device.
 */
#include "tool/doctor.h"

#include <ctype.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/store.h>

#include "keymgmt/find.h"

#define WHAT "signature"
#define URI_ROOM 2048
#define SIGNATURE_ROOM 1024 /* bytes: RSA of 8192 bits */

/* Reads what libcrypto and the provider say; the provider's own sentence is the first with a text.
 */
static enum schsm_reason read_queue(char *text, size_t size)
{
    enum schsm_reason reason = SCHSM_REASON_NONE;
    const char *data = NULL;
    unsigned long code;
    int flags = 0;

    text[0] = '\0';
    while ((code = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0) {
        const char *library = ERR_lib_error_string(code);

        if ((flags & ERR_TXT_STRING) == 0 || data == NULL || *data == '\0') {
            continue;
        }
        if (library != NULL && strcmp(library, "sc-hsm") == 0) {
            BIO_snprintf(text, size, "%s", data);
            reason = (enum schsm_reason)ERR_GET_REASON(code);
        } else if (text[0] == '\0') {
            BIO_snprintf(text, size, "%s", data);
        }
    }
    return reason;
}

/* The URI of a key for the provider: with the PIN source of the command line, which knows nothing
 * of it. *uri is the caller's. */
static int make_uri(const struct schsm_tool *tool, const struct schsm_match *match,
                    char uri[URI_ROOM])
{
    const char *source = schsm_tool_setting(tool, "pin-source");
    struct schsm_error err = SCHSM_ERROR_INIT;
    char *name = schsm_match_uri(match, true, &err);
    int len = name != NULL
                  ? BIO_snprintf(uri, URI_ROOM, "%s%s", name, source != NULL ? "?pin-source=" : "")
                  : -1;

    OPENSSL_free(name);
    for (; len > 0 && source != NULL && *source != '\0'; source++) {
        int more =
            BIO_snprintf(uri + len, (size_t)(URI_ROOM - len),
                         isalnum((unsigned char)*source) ? "%c" : "%%%02x", (unsigned char)*source);

        len = more > 0 ? len + more : -1;
    }
    return len > 0;
}

static EVP_PKEY *load_key(OSSL_LIB_CTX *libctx, const char *uri)
{
    OSSL_STORE_CTX *store = OSSL_STORE_open_ex(uri, libctx, NULL, NULL, NULL, NULL, NULL, NULL);
    EVP_PKEY *key = NULL;

    while (store != NULL && key == NULL && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        if (info == NULL) {
            break;
        }
        if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY) {
            key = OSSL_STORE_INFO_get1_PKEY(info);
        }
        OSSL_STORE_INFO_free(info);
    }
    OSSL_STORE_close(store);
    return key;
}

/* Signs, and checks what came. */
static bool sign(OSSL_LIB_CTX *libctx, EVP_PKEY *key, bool hashes)
{
    static const unsigned char message[] = "sc-hsm doctor";
    const char *digest = hashes ? "SHA256" : NULL;
    unsigned char signature[SIGNATURE_ROOM];
    size_t len = sizeof(signature);
    EVP_MD_CTX *signing = EVP_MD_CTX_new(), *verifying = EVP_MD_CTX_new();
    bool good = signing != NULL && verifying != NULL &&
                EVP_DigestSignInit_ex(signing, NULL, digest, libctx, NULL, key, NULL) > 0 &&
                EVP_DigestSign(signing, signature, &len, message, sizeof(message)) > 0 &&
                EVP_DigestVerifyInit_ex(verifying, NULL, digest, libctx, NULL, key, NULL) > 0 &&
                EVP_DigestVerify(verifying, signature, len, message, sizeof(message)) > 0;

    EVP_MD_CTX_free(signing);
    EVP_MD_CTX_free(verifying);
    return good;
}

/* Whether a signature with this key costs nothing and proves something. */
static bool is_fit(const struct schsm_match *match)
{
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    struct schsm_key_policy policy = { .known = false };

    switch (match->object.key_type) {
    case SCHSM_KEY_RSA:
    case SCHSM_KEY_EC:
    case SCHSM_KEY_ED25519:
    case SCHSM_KEY_ED448:
        break;
    default:
        return false;
    }
    return match->object.defect == SCHSM_DEFECT_NONE &&
           !(schsm_device_key_policy(match->device, &match->object, &policy, &ignored) &&
             policy.known && policy.limited);
}

/* Tries one key; false where another one may be more use. */
static bool try_key(struct schsm_doctor *doctor, const struct schsm_match *match)
{
    bool hashes = match->object.key_type == SCHSM_KEY_RSA || match->object.key_type == SCHSM_KEY_EC;
    char uri[URI_ROOM], text[768], name[SCHSM_OBJECT_NAME_MAX];
    enum schsm_reason reason;
    EVP_PKEY *key = NULL;
    bool done = true;

    if (!make_uri(doctor->tool, match, uri)) {
        doctor->failed = true;
        return true;
    }
    schsm_object_name(&match->object, name, sizeof(name));
    ERR_clear_error();
    key = load_key(doctor->openssl, uri);
    if (key != NULL && sign(doctor->openssl, key, hashes)) {
        schsm_doctor_find(doctor, SCHSM_FINDING_OK, WHAT, "made with %s, and verified", name);
    } else {
        reason = read_queue(text, sizeof(text));
        done = reason != SCHSM_REASON_NOT_PERMITTED && reason != SCHSM_REASON_NO_PUBLIC_KEY;
        if (done) {
            schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, WHAT, "%s: %s", name,
                              text[0] != '\0' ? text : "no signature came, and no reason");
            schsm_doctor_cure(doctor, "%s", schsm_doctor_remedy(reason));
        }
    }
    EVP_PKEY_free(key);
    return done;
}

static void try_device(struct schsm_doctor *doctor, struct schsm_device *device,
                       const struct schsm_match_list *list)
{
    char name[SCHSM_DEVICE_NAME_MAX];

    for (size_t i = 0; i < list->count; i++) {
        if (list->matches[i].device == device && is_fit(&list->matches[i]) &&
            try_key(doctor, &list->matches[i])) {
            return;
        }
    }
    schsm_device_called(device, name);
    schsm_doctor_find(doctor, SCHSM_FINDING_OK, WHAT,
                      "not tried: device %s shows no key for it (RSA or EC, and no use counter)",
                      name);
}

/* Why no signature can be made; NULL: it can. */
static const char *find_hindrance(const struct schsm_doctor *doctor)
{
    if (doctor->device_count == 0) {
        return "there is no device that could";
    }
    if (!doctor->works) {
        return "OpenSSL does not reach the provider";
    }
    if (doctor->refused) {
        return "a setting is wrong, and the provider does nothing until it is corrected";
    }
    if (doctor->pin_ready) {
        return NULL;
    }
    return doctor->tool->context.config.pin_source == NULL ||
                   !schsm_pin_source_is_stored(doctor->tool->context.config.pin_source)
               ? "there is no PIN in the configuration"
               : "the PIN cannot be read";
}

void schsm_doctor_signature(struct schsm_doctor *doctor)
{
    struct schsm_match_list list = { NULL, 0 };
    struct schsm_error err = SCHSM_ERROR_INIT;
    const char *hindrance = find_hindrance(doctor);
    struct schsm_uri uri;

    if (hindrance != NULL) {
        schsm_doctor_find(doctor, SCHSM_FINDING_OK, WHAT, "not tried: %s", hindrance);
        return;
    }
    schsm_uri_init(&uri);
    if (!schsm_find(&doctor->tool->context, &uri, SCHSM_OBJECT_PRIVATE, &list, &err)) {
        schsm_doctor_failure(doctor, WHAT, &err);
        return;
    }
    for (size_t i = 0; i < doctor->device_count; i++) {
        try_device(doctor, doctor->devices[i], &list);
    }
    schsm_match_list_clear(&list);
    ERR_clear_error();
}
