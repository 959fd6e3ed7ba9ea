/* SPDX-License-Identifier: Apache-2.0 */
/* The certificates on the devices: those that have ended or end soon, and what cannot be read. */
#include "tool/doctor.h"

#include <openssl/crypto.h>
#include <openssl/x509.h>

#include "keymgmt/defect.h"
#include "keymgmt/find.h"
#include "tool/certificate_view.h"

#define WHAT "certificate"

/* Adds a finding about the time of a certificate; true where there is nothing to say. */
static bool is_valid(struct schsm_doctor *doctor, X509 *certificate, const char *uri)
{
    int days = 0, seconds = 0, since_days = 0, since_seconds = 0;

    if (!ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(certificate)) ||
        !ASN1_TIME_diff(&since_days, &since_seconds, X509_get0_notBefore(certificate), NULL)) {
        schsm_doctor_find(doctor, SCHSM_FINDING_WARNING, WHAT, "%s: the times in it cannot be read",
                          uri);
        schsm_doctor_cure(doctor, "have it issued again");
    } else if (days < 0 || seconds < 0) {
        if (days == 0) {
            schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, WHAT, "%s expired today", uri);
        } else {
            schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, WHAT, "%s expired %d %s ago", uri, -days,
                              days == -1 ? "day" : "days");
        }
        schsm_doctor_cure(
            doctor,
            "have it renewed, and 'sc-hsm cert import --replace FILE'; or, where nobody needs "
            "it: sc-hsm cert delete '%s'",
            uri);
    } else if (days < SCHSM_CERTIFICATE_SOON) {
        schsm_doctor_find(doctor, SCHSM_FINDING_WARNING, WHAT, "%s expires in %d %s", uri, days,
                          days == 1 ? "day" : "days");
        schsm_doctor_cure(doctor, "have it renewed, and 'sc-hsm cert import --replace FILE'");
    } else if (since_days < 0 || since_seconds < 0) {
        schsm_doctor_find(doctor, SCHSM_FINDING_WARNING, WHAT, "%s is not valid yet", uri);
        schsm_doctor_cure(doctor, "set the clock of this machine, if that is wrong");
    } else {
        return true;
    }
    return false;
}

static bool look_at_match(struct schsm_doctor *doctor, const struct schsm_match *match)
{
    const unsigned char *der = match->object.value;
    struct schsm_error err = SCHSM_ERROR_INIT;
    char *uri = schsm_match_uri(match, true, &err);
    X509 *certificate = NULL;
    bool well = false;

    if (uri == NULL) {
        doctor->failed = true;
        return false;
    }
    if (match->object.defect != SCHSM_DEFECT_NONE) {
        char text[SCHSM_DEFECT_TEXT_MAX];

        schsm_defect_text(match, text);
        schsm_doctor_find(doctor, SCHSM_FINDING_WARNING, "object", "%s", text);
        schsm_doctor_cure(doctor, "'sc-hsm list --all' shows it, 'sc-hsm tidy' and 'sc-hsm delete' "
                                  "take it away");
    } else if (der != NULL) {
        certificate = X509_new_ex(doctor->tool->context.libctx, NULL);
        well = certificate != NULL &&
               d2i_X509(&certificate, &der, (long)match->object.value_len) != NULL &&
               is_valid(doctor, certificate, uri);
    }
    X509_free(certificate);
    OPENSSL_free(uri);
    return well;
}

void schsm_doctor_certificates(struct schsm_doctor *doctor)
{
    struct schsm_match_list list = { NULL, 0 };
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_uri uri;
    size_t valid = 0;

    if (doctor->device_count == 0) {
        return;
    }
    schsm_uri_init(&uri);
    if (!schsm_find(&doctor->tool->context, &uri, SCHSM_OBJECT_CERTIFICATE | SCHSM_OBJECT_PRIVATE,
                    &list, &err)) {
        schsm_doctor_failure(doctor, WHAT, &err);
        return;
    }
    for (size_t i = 0; i < list.count; i++) {
        if (list.matches[i].object.type == SCHSM_OBJECT_CERTIFICATE ||
            list.matches[i].object.defect != SCHSM_DEFECT_NONE) {
            valid += look_at_match(doctor, &list.matches[i]);
        }
    }
    if (valid > 0) {
        schsm_doctor_find(doctor, SCHSM_FINDING_OK, WHAT, "%zu valid for %d days and more", valid,
                          SCHSM_CERTIFICATE_SOON);
    }
    schsm_match_list_clear(&list);
}
