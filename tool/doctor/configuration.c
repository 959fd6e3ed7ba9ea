/* SPDX-License-Identifier: Apache-2.0 */
/* openssl.cnf in force: whether it is there, can be read, and names our provider. */
#include "tool/doctor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "keymgmt/config_file.h"

#define WHAT "configuration"
#define BY_SAMPLE "take the sections of openssl.cnf.sample over"

/* Whether a variable names the file, rather than OpenSSL's own idea of where it is. */
static bool is_named(void)
{
    return getenv("OPENSSL_CONF") != NULL;
}

static void fail_to_read(struct schsm_doctor *doctor, int reason)
{
    schsm_doctor_find(
        doctor, SCHSM_FINDING_ERROR, WHAT, "%s, which %s, cannot be read: %s", doctor->path,
        is_named() ? "OPENSSL_CONF names" : "is OpenSSL's own without the variable OPENSSL_CONF",
        strerror(reason));
    if (reason == EACCES) {
        schsm_doctor_cure(doctor,
                          "let everybody read it and come to its folder, 'chmod a+r %s', and keep "
                          "PINs out of it: pin-source",
                          doctor->path);
    } else {
        schsm_doctor_cure(doctor,
                          "%smake the file of openssl.cnf.sample, or let OPENSSL_CONF name another",
                          is_named() ? "correct or unset OPENSSL_CONF, " : "");
    }
}

static void fail_to_parse(struct schsm_doctor *doctor, long line)
{
    unsigned long code = ERR_peek_error();
    const char *reason = ERR_reason_error_string(code);

    schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, WHAT, "%s, line %ld: %s", doctor->path, line,
                      reason != NULL ? reason : "this is no line of a configuration file");
    schsm_doctor_cure(doctor, "correct line %ld of %s: until then no program reads any of it", line,
                      doctor->path);
}

static int load(struct schsm_doctor *doctor)
{
    long line = 0;

    doctor->path = CONF_get1_default_config_file();
    doctor->conf = NCONF_new_ex(doctor->tool->context.libctx, NULL);
    if (doctor->path == NULL || doctor->conf == NULL) {
        doctor->failed = true;
        return 0;
    }
    if (access(doctor->path, R_OK) != 0) {
        fail_to_read(doctor, errno);
    } else if (NCONF_load(doctor->conf, doctor->path, &line) > 0) {
        return 1;
    } else {
        fail_to_parse(doctor, line);
    }
    NCONF_free(doctor->conf);
    doctor->conf = NULL;
    return 0;
}

static void look_for_section(struct schsm_doctor *doctor)
{
    const char *providers = schsm_config_providers(doctor->conf);
    char place[SCHSM_DOCTOR_PLACE_MAX];

    if (providers == NULL || NCONF_get_section(doctor->conf, providers) == NULL) {
        schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, WHAT, "%s activates no providers",
                          doctor->path);
        schsm_doctor_cure(doctor,
                          BY_SAMPLE ": 'openssl_conf = openssl_init' at its head, [openssl_init] "
                                    "with 'providers = provider_sect', and what follows from that");
        return;
    }
    doctor->section = schsm_config_section(doctor->conf, 0);
    schsm_doctor_place(doctor, providers, NULL, place);
    if (doctor->section == NULL) {
        schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, WHAT,
                          "sc-hsm is not among the providers in "
                          "%s",
                          place);
        schsm_doctor_cure(doctor, "add 'sc-hsm = sc_hsm_sect' there, and a section [sc_hsm_sect] "
                                  "with 'activate = 1'");
        return;
    }
    if (NCONF_get_section(doctor->conf, doctor->section) == NULL) {
        schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, WHAT,
                          "%s has no section [%s], which the list of providers names", doctor->path,
                          doctor->section);
        schsm_doctor_cure(doctor, "add a section [%s] with 'activate = 1'", doctor->section);
        doctor->section = NULL;
        return;
    }
    schsm_doctor_find(doctor, SCHSM_FINDING_OK, WHAT, "%s%s, sc-hsm in [%s]", doctor->path,
                      is_named() ? " by OPENSSL_CONF" : "", doctor->section);
    if (schsm_config_section(doctor->conf, 1) != NULL) {
        schsm_doctor_find(doctor, SCHSM_FINDING_WARNING, WHAT,
                          "sc-hsm stands in the list of providers twice; [%s] is looked at here",
                          doctor->section);
        schsm_doctor_cure(doctor, "leave one of them in %s", place);
    }
}

void schsm_doctor_configuration(struct schsm_doctor *doctor)
{
    ERR_clear_error();
    if (load(doctor)) {
        look_for_section(doctor);
    }
    ERR_clear_error();
}
