/* SPDX-License-Identifier: Apache-2.0 */
#include "attest.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "format/algorithm_id.h"
#include "format/cvc_container.h"
#include "format/cvc_tags.h"
#include "hsm/hsm_attestation.h"
#include "file.h"

#define DATE_DIGITS 6

/* Section 12: names of Pico HSM devices and of their roots begin so */
#define PICO_PREFIX "ESP"

/* --- what is judged -------------------------------------------------------------------------- */

void schsm_evidence_clear(struct schsm_evidence *evidence)
{
    OPENSSL_free(evidence->device_id);
    OPENSSL_free(evidence->file);
    memset(evidence, 0, sizeof(*evidence));
}

int schsm_evidence_read(struct schsm_evidence *evidence, const char *path,
                        const char *device_id_path, struct schsm_error *err)
{
    struct schsm_container container;
    size_t len = 0;

    if ((device_id_path != NULL &&
         !schsm_file_read(device_id_path, SCHSM_DEVICE_ID_MAX, &evidence->device_id,
                          &evidence->device_id_len, err)) ||
        !schsm_file_read(path, SCHSM_CONTAINER_MAX, &evidence->file, &len, err)) {
        return 0;
    }
    if (len > 0 && evidence->file[0] == SCHSM_CVC_REQUEST) {
        evidence->request = (struct schsm_view){ evidence->file, len };
        return 1;
    }
    if (!schsm_container_parse(evidence->file, len, &container, err)) {
        return schsm_fail_context(err, "%s", path);
    }
    evidence->request = container.request.whole;
    if (device_id_path != NULL) {
        return evidence->request.len > 0 ||
               schsm_fail(err, SCHSM_REASON_BAD_INPUT,
                          "%s is a device's certificate, with no key's request in it", path);
    }
    evidence->device_id_len = SCHSM_DEVICE_ID_MAX;
    evidence->device_id = OPENSSL_malloc(evidence->device_id_len);
    return evidence->device_id == NULL ? schsm_fail_memory(err)
                                       : schsm_container_device_id(&container, evidence->device_id,
                                                                   &evidence->device_id_len, err);
}

int schsm_evidence_ask(struct schsm_evidence *evidence, struct schsm_device *device,
                       const struct schsm_object *key, struct schsm_error *err)
{
    size_t len = 0;

    evidence->device = device;
    if (key != NULL) {
        if (!schsm_hsm_request(device, key->key_ref, &evidence->file, &len, err) ||
            !schsm_device_key_policy(device, key, &evidence->policy, err)) {
            return 0;
        }
        evidence->request = (struct schsm_view){ evidence->file, len };
    }
    return schsm_hsm_certificates(device, &evidence->device_id, &evidence->device_id_len, err);
}

/* --- what is true of it ---------------------------------------------------------------------- */

/* Today's date, UTC, as YYMMDD. */
static unsigned int today(void)
{
    time_t now = time(NULL);
    struct tm parts;

    if (gmtime_r(&now, &parts) == NULL) {
        return 0;
    }
    return (unsigned int)(parts.tm_year % 100) * 10000 + (unsigned int)(parts.tm_mon + 1) * 100 +
           (unsigned int)parts.tm_mday;
}

/* A certificate's date, one digit each byte, likewise; 0 where it is none. */
static unsigned int date_of(struct schsm_view digits)
{
    unsigned int date = 0;

    if (digits.len != DATE_DIGITS) {
        return 0;
    }
    for (size_t i = 0; i < DATE_DIGITS; i++) {
        if (digits.data[i] > 9) {
            return 0;
        }
        date = date * 10 + digits.data[i];
    }
    return date;
}

static bool is_past(const struct schsm_cvc *cvc)
{
    unsigned int expires = date_of(cvc->expires);

    return expires != 0 && today() > expires;
}

static void judge_dates(struct schsm_attestation *attestation)
{
    bool device = is_past(&attestation->identity.device);
    bool issuer =
        attestation->identity.issuer.whole.len > 0 && is_past(&attestation->identity.issuer);

    (void)snprintf(attestation->expired, sizeof(attestation->expired), "%s%s%s",
                   device ? "device certificate" : "", device && issuer ? " and " : "",
                   issuer ? "issuer's certificate" : "");
}

static void judge_request(struct schsm_attestation *attestation,
                          const struct schsm_cvc_request *request)
{
    const struct schsm_cvc *device = &attestation->identity.device;
    const struct schsm_curve *curve = attestation->identity.curve;
    struct schsm_error why = SCHSM_ERROR_INIT;

    /* Whether this device signed can be told of a device that nobody vouches for as well. */
    if ((device->key.type == SCHSM_KEY_EC && curve == NULL &&
         !schsm_cvc_likely_curve(&device->key, &curve, &why)) ||
        !schsm_cvc_verify_request(request, device, curve, &why)) {
        (void)snprintf(attestation->key_why, sizeof(attestation->key_why), "%s", why.text);
        return;
    }
    attestation->certified = true;
}

static int hash_key(OSSL_LIB_CTX *libctx, const struct schsm_cvc_key *key,
                    uint8_t hash[SCHSM_KEY_HASH_LEN], struct schsm_error *err)
{
    uint8_t *spki = NULL;
    size_t len = 0;
    int ok = 0;

    if (!schsm_cvc_public_key(key, NULL, &spki, &len, err)) {
        return schsm_fail_context(err, "the request's public key");
    }
    ok = EVP_Q_digest(libctx, "SHA256", NULL, spki, len, hash, &len) == 1
             ? 1
             : schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto could not compute SHA-256");
    OPENSSL_free(spki);
    return ok;
}

static int judge_key(const struct schsm_context *context, const struct schsm_evidence *evidence,
                     struct schsm_attestation *attestation, struct schsm_error *err)
{
    const struct schsm_key_policy *policy = &evidence->policy;
    struct schsm_cvc_request request;
    size_t made_by;

    if (!schsm_cvc_parse_request(evidence->request.data, evidence->request.len, &request, err) ||
        !schsm_cvc_holder(&request.cvc, attestation->key_name, sizeof(attestation->key_name),
                          err) ||
        !hash_key(context->libctx, &request.cvc.key, attestation->key_hash, err)) {
        return 0;
    }
    made_by =
        request.outer_car.len < SCHSM_CVC_NAME_MAX ? request.outer_car.len : SCHSM_CVC_NAME_MAX;
    if (made_by > 0) {
        memcpy(attestation->made_by, request.outer_car.data, made_by);
    }
    if (policy->known) {
        attestation->may_be_exported =
            policy->algorithms_len == 0 ||
                    memchr(policy->algorithms, SCHSM_ALGORITHM_WRAP, policy->algorithms_len) != NULL
                ? SCHSM_EXPORT_PERMITTED
                : SCHSM_EXPORT_FORBIDDEN;
    }
    attestation->has_key = true;
    judge_request(attestation, &request);
    return 1;
}

static int judge_presence(struct schsm_device *device, struct schsm_attestation *attestation,
                          struct schsm_error *err)
{
    const struct schsm_cvc_key *key = &attestation->identity.device.key;
    const struct schsm_curve *curve = attestation->identity.curve;
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    bool offered = false;

    if (curve == NULL) {
        (void)schsm_cvc_likely_curve(key, &curve, &ignored);
    }
    if (!schsm_hsm_prove_device_key(device, key, curve, &offered, err)) {
        return 0;
    }
    attestation->presence = offered ? SCHSM_PRESENCE_PROVEN : SCHSM_PRESENCE_NOT_OFFERED;
    return 1;
}

static bool is_pico(const char *name)
{
    return strncmp(name, PICO_PREFIX, strlen(PICO_PREFIX)) == 0;
}

/* A certificate that cannot be read, or none: who is asked for one is named. */
static int fail_device_certificate(const struct schsm_evidence *evidence, struct schsm_error *err)
{
    char name[SCHSM_DEVICE_NAME_MAX];

    if (evidence->device == NULL) {
        return 0;
    }
    schsm_device_called(evidence->device, name);
    if (evidence->device_id_len == 0) {
        return schsm_fail(err, SCHSM_REASON_NOT_FOUND,
                          "device %s has no certificate of its own, so nothing about it can be "
                          "proven",
                          name);
    }
    return schsm_fail_context(err, "device %s", name);
}

int schsm_attest(const struct schsm_context *context, const struct schsm_evidence *evidence,
                 struct schsm_attestation *attestation, struct schsm_error *err)
{
    struct schsm_error why = SCHSM_ERROR_INIT;

    memset(attestation, 0, sizeof(*attestation));
    if (!schsm_cvc_serial(evidence->device_id, evidence->device_id_len, attestation->serial,
                          sizeof(attestation->serial), err)) {
        return fail_device_certificate(evidence, err);
    }
    attestation->verified =
        schsm_roots_verify_device(context->config.roots, evidence->device_id,
                                  evidence->device_id_len, &attestation->identity, &why) != 0;
    if (!attestation->verified) {
        (void)snprintf(attestation->why, sizeof(attestation->why), "%s", why.text);
    }
    if (!schsm_cvc_holder(&attestation->identity.device, attestation->name,
                          sizeof(attestation->name), err)) {
        return 0;
    }
    attestation->pico = is_pico(attestation->serial) || is_pico(attestation->identity.root);
    judge_dates(attestation);
    return (evidence->request.len == 0 || judge_key(context, evidence, attestation, err)) &&
           (evidence->device == NULL || judge_presence(evidence->device, attestation, err));
}
