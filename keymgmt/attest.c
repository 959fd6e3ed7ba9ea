/* SPDX-License-Identifier: Apache-2.0 */
#include "attest.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>

#define DATE_DIGITS 6

/* Section 12: names of Pico HSM devices and of their roots begin so */
#define PICO_PREFIX "ESP"

void schsm_attestation_clear(struct schsm_attestation *attestation)
{
    OPENSSL_free(attestation->spki);
    memset(attestation, 0, sizeof(*attestation));
}

unsigned int schsm_attest_today(void)
{
    time_t now = time(NULL);
    struct tm parts;

    if (gmtime_r(&now, &parts) == NULL) {
        return 0;
    }
    return (unsigned int)(parts.tm_year % 100) * 10000 + (unsigned int)(parts.tm_mon + 1) * 100 +
           (unsigned int)parts.tm_mday;
}

/* A certificate's date, one digit each byte, as YYMMDD; 0 where it is none. */
static unsigned int read_date(struct schsm_view digits)
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

static bool is_past(const struct schsm_cvc *cvc, unsigned int today)
{
    unsigned int expires = read_date(cvc->expires);

    return expires != 0 && today > expires;
}

static void judge_dates(struct schsm_attestation *attestation, unsigned int today)
{
    bool device = is_past(&attestation->identity.device, today);
    bool issuer =
        attestation->identity.issuer.whole.len > 0 && is_past(&attestation->identity.issuer, today);

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

static int read_request(struct schsm_attestation *attestation, const uint8_t *request, size_t len,
                        struct schsm_error *err)
{
    struct schsm_cvc_request parsed;
    size_t made_by;

    if (!schsm_cvc_parse_request(request, len, &parsed, err) ||
        !schsm_cvc_holder(&parsed.cvc, attestation->key_name, sizeof(attestation->key_name), err)) {
        return 0;
    }
    made_by = parsed.outer_car.len;
    if (made_by > SCHSM_CVC_NAME_MAX) {
        made_by = SCHSM_CVC_NAME_MAX;
    }
    if (made_by > 0) {
        memcpy(attestation->made_by, parsed.outer_car.data, made_by);
    }
    attestation->made_by[made_by] = '\0';
    if (!schsm_cvc_public_key(&parsed.cvc.key, NULL, &attestation->spki, &attestation->spki_len,
                              err)) {
        return schsm_fail_context(err, "the request's public key");
    }
    attestation->has_key = true;
    judge_request(attestation, &parsed);
    return 1;
}

int schsm_attest(const struct schsm_roots *roots, unsigned int today, const uint8_t *device_id,
                 size_t device_id_len, const uint8_t *request, size_t request_len,
                 struct schsm_attestation *attestation, struct schsm_error *err)
{
    struct schsm_error why = SCHSM_ERROR_INIT;

    memset(attestation, 0, sizeof(*attestation));
    if (!schsm_cvc_serial(device_id, device_id_len, attestation->serial,
                          sizeof(attestation->serial), err)) {
        return 0;
    }
    attestation->verified = schsm_roots_verify_device(roots, device_id, device_id_len,
                                                      &attestation->identity, &why) != 0;
    if (!attestation->verified) {
        (void)snprintf(attestation->why, sizeof(attestation->why), "%s", why.text);
    }
    if (!schsm_cvc_holder(&attestation->identity.device, attestation->name,
                          sizeof(attestation->name), err)) {
        return 0;
    }
    attestation->pico = strncmp(attestation->serial, PICO_PREFIX, strlen(PICO_PREFIX)) == 0 ||
                        strncmp(attestation->identity.root, PICO_PREFIX, strlen(PICO_PREFIX)) == 0;
    judge_dates(attestation, today);
    return request == NULL || read_request(attestation, request, request_len, err);
}
