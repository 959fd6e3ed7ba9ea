/* SPDX-License-Identifier: Apache-2.0 */
#include "shown_label.h"

#include <stdio.h>
#include <string.h>

#include "model/survey.h"

#define DEFAULT_LABEL "SmartCard-HSM" /* what OpenSC shows of a device without a label */
#define OF_USER_PIN " (UserPIN)"
#define SHOWN_CUT "... (UserPIN)"
#define SHOWN_MAX 32 /* PKCS#11's room for a token's label */

bool schsm_shown_label_fits(const char *shown, const char *label)
{
    const char *whole = label[0] != '\0' ? label : DEFAULT_LABEL;
    const char *end = strlen(whole) + strlen(OF_USER_PIN) <= SHOWN_MAX ? OF_USER_PIN : SHOWN_CUT;
    size_t kept = strcmp(end, OF_USER_PIN) == 0 ? strlen(whole) : SHOWN_MAX - strlen(SHOWN_CUT);

    return strcmp(shown, whole) == 0 ||
           (strlen(shown) == kept + strlen(end) && memcmp(shown, whole, kept) == 0 &&
            strcmp(shown + kept, end) == 0);
}

/* 1 it fits, 0 it does not, -1 it does not tell. */
static int device_fits(struct schsm_device *device, const char *shown, struct schsm_survey *survey,
                       struct schsm_error *err)
{
    char token[SCHSM_TOKEN_LABEL_MAX + 1], name[SCHSM_DEVICE_NAME_MAX];
    struct schsm_device_info info;
    const char *label = token;
    bool fits;

    schsm_device_token(device, token);
    if (token[0] != '\0') {
        fits = strcmp(shown, token) == 0;
    } else if (schsm_device_info(device, &info, err)) {
        label = info.label[0] != '\0' ? info.label : DEFAULT_LABEL;
        fits = schsm_shown_label_fits(shown, label);
    } else {
        return -1;
    }
    if (!fits) {
        schsm_device_name(device, name);
        schsm_survey_note(survey, "%s with label '%s'", name, label);
    }
    return fits;
}

int schsm_shown_label_filter(const char *shown, struct schsm_device **devices, size_t *count,
                             struct schsm_error *err)
{
    struct schsm_error silent = SCHSM_ERROR_INIT;
    struct schsm_survey survey = { .seen = "" };
    size_t kept = 0;

    for (size_t i = 0; i < *count; i++) {
        if (device_fits(devices[i], shown, &survey, &silent) > 0) {
            devices[kept++] = devices[i];
        }
    }
    *count = kept;
    if (kept > 0) {
        return 1;
    }
    if (silent.text[0] != '\0') {
        return schsm_fail_as(err, &silent);
    }
    return schsm_fail(err, SCHSM_REASON_NO_DEVICE,
                      "there is no device with the label '%s'; there is %s", shown, survey.seen);
}
