/* SPDX-License-Identifier: Apache-2.0 */
/* The list of findings, and what is to be done about a failure in general. */
#include "tool/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

__attribute__((format(printf, 2, 0))) static char *print_text(struct schsm_doctor *doctor,
                                                              const char *format, va_list arguments)
{
    char *text = NULL;

    if (vasprintf(&text, format, arguments) < 0) {
        text = NULL;
        doctor->failed = true;
    }
    return text;
}

void schsm_doctor_find(struct schsm_doctor *doctor, enum schsm_finding_level level,
                       const char *what, const char *format, ...)
{
    struct schsm_finding *more =
        OPENSSL_realloc(doctor->findings, (doctor->count + 1) * sizeof(doctor->findings[0]));
    va_list arguments;

    if (more == NULL) {
        doctor->failed = true;
        return;
    }
    doctor->findings = more;
    va_start(arguments, format);
    more[doctor->count] = (struct schsm_finding){
        .level = level, .what = what, .sentence = print_text(doctor, format, arguments)
    };
    va_end(arguments);
    if (more[doctor->count].sentence != NULL) {
        doctor->count++;
    }
}

void schsm_doctor_cure(struct schsm_doctor *doctor, const char *format, ...)
{
    va_list arguments;

    if (doctor->failed || doctor->count == 0) {
        return;
    }
    va_start(arguments, format);
    free(doctor->findings[doctor->count - 1].cure);
    doctor->findings[doctor->count - 1].cure = print_text(doctor, format, arguments);
    va_end(arguments);
}

static const char *const remedies[SCHSM_REASON_COUNT] = {
    [SCHSM_REASON_NO_SERVICE] = "start pcscd: 'systemctl start pcscd.socket', or as root 'pcscd'",
    [SCHSM_REASON_NO_READER] = "plug in the reader or token, and look with 'sc-hsm readers'",
    [SCHSM_REASON_NO_DEVICE] =
        "plug in the device, or name in serial, reader or token one that 'sc-hsm readers' shows",
    [SCHSM_REASON_DEVICE_AMBIGUOUS] = "name one of them by the setting serial or reader",
    [SCHSM_REASON_DEVICE_REMOVED] = "plug the device in again",
    [SCHSM_REASON_TRANSPORT] = "take the device out, insert it again, and look once more",
    [SCHSM_REASON_NOT_INITIALISED] = "initialise it: 'sc-hsm init'",
    [SCHSM_REASON_PIN_INCORRECT] =
        "correct the PIN where it comes from, before the next start of a program takes another try",
    [SCHSM_REASON_PIN_BLOCKED] = "unblock it with the SO-PIN: 'sc-hsm pin unblock'",
    [SCHSM_REASON_PIN_MISSING] = "set pin-source",
    [SCHSM_REASON_PIN_TRIES_LOW] =
        "see that the stored PIN is right; then 'sc-hsm pin unblock', or type it once",
    [SCHSM_REASON_PIN_KNOWN_WRONG] = "correct the PIN where it comes from",
    [SCHSM_REASON_PIN_LENGTH] = "correct the PIN where it comes from",
    [SCHSM_REASON_PIN_MUST_CHANGE] = "change it: 'sc-hsm pin change'",
    [SCHSM_REASON_PIN_SOURCE] = "correct pin-source, or what it names",
    [SCHSM_REASON_CONFIG] = "correct the setting",
    [SCHSM_REASON_NOT_PERMITTED] = "use another key",
    [SCHSM_REASON_WRONG_KEY] =
        "write the key reference file again: 'sc-hsm pubkey URI --reference --out FILE'",
};

const char *schsm_doctor_remedy(enum schsm_reason reason)
{
    const char *remedy = reason < SCHSM_REASON_COUNT ? remedies[reason] : NULL;

    return remedy != NULL ? remedy : "docs/errors.md says more of such errors";
}

void schsm_doctor_failure(struct schsm_doctor *doctor, const char *what,
                          const struct schsm_error *err)
{
    schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, what, "%s", err->text);
    schsm_doctor_cure(doctor, "%s", schsm_doctor_remedy(err->reason));
}

void schsm_doctor_place(const struct schsm_doctor *doctor, const char *section, const char *name,
                        char place[SCHSM_CONFIG_PLACE_MAX])
{
    schsm_config_place(doctor->file.path, section, name, place);
}

void schsm_doctor_clear(struct schsm_doctor *doctor)
{
    for (size_t i = 0; i < doctor->count; i++) {
        free(doctor->findings[i].sentence);
        free(doctor->findings[i].cure);
    }
    OPENSSL_free(doctor->findings);
    schsm_unit_clear(&doctor->unit);
    schsm_config_file_clear(&doctor->file);
    OSSL_LIB_CTX_free(doctor->openssl);
    memset(doctor, 0, sizeof(*doctor));
}
