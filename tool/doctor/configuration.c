/* SPDX-License-Identifier: Apache-2.0 */
/* openssl.cnf in force: whether it is there, can be read, and names our provider. */
#include "tool/doctor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
        doctor, SCHSM_FINDING_ERROR, WHAT, "%s, which %s, cannot be read: %s", doctor->file.path,
        is_named() ? "OPENSSL_CONF names" : "is OpenSSL's own without the variable OPENSSL_CONF",
        strerror(reason));
    if (reason == EACCES) {
        schsm_doctor_cure(doctor,
                          "let everybody read it and come to its folder, 'chmod a+r %s', and keep "
                          "PINs out of it: pin-source",
                          doctor->file.path);
    } else {
        schsm_doctor_cure(doctor,
                          "%smake the file of openssl.cnf.sample, or let OPENSSL_CONF name another",
                          is_named() ? "correct or unset OPENSSL_CONF, " : "");
    }
}

static void fail_to_parse(struct schsm_doctor *doctor)
{
    const struct schsm_config_file *file = &doctor->file;

    schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, WHAT, "%s, line %ld: %s", file->path, file->line,
                      file->why != NULL ? file->why : "this is no line of a configuration file");
    schsm_doctor_cure(doctor, "correct line %ld of %s: until then no program reads any of it",
                      file->line, file->path);
}

static int load(struct schsm_doctor *doctor)
{
    if (!schsm_config_file_read(doctor->tool->context.libctx, &doctor->file)) {
        doctor->failed = true;
        return 0;
    }
    if (doctor->file.error != 0) {
        fail_to_read(doctor, doctor->file.error);
    } else if (doctor->file.conf == NULL) {
        fail_to_parse(doctor);
    }
    return doctor->file.conf != NULL;
}

static void look_for_section(struct schsm_doctor *doctor)
{
    const char *providers = schsm_config_providers(doctor->file.conf);
    char place[SCHSM_CONFIG_PLACE_MAX];

    if (providers == NULL || NCONF_get_section(doctor->file.conf, providers) == NULL) {
        schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, WHAT, "%s activates no providers",
                          doctor->file.path);
        schsm_doctor_cure(doctor,
                          BY_SAMPLE ": 'openssl_conf = openssl_init' at its head, [openssl_init] "
                                    "with 'providers = provider_sect', and what follows from that");
        return;
    }
    doctor->section = schsm_config_section(doctor->file.conf, 0, &doctor->name);
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
    if (NCONF_get_section(doctor->file.conf, doctor->section) == NULL) {
        schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, WHAT,
                          "%s has no section [%s], which the list of providers names",
                          doctor->file.path, doctor->section);
        schsm_doctor_cure(doctor, "add a section [%s] with 'activate = 1'", doctor->section);
        doctor->section = NULL;
        return;
    }
    schsm_doctor_find(doctor, SCHSM_FINDING_OK, WHAT, "%s%s, %s in [%s]", doctor->file.path,
                      is_named() ? " by OPENSSL_CONF" : "", doctor->name, doctor->section);
    if (schsm_config_section(doctor->file.conf, 1, NULL) != NULL) {
        schsm_doctor_find(doctor, SCHSM_FINDING_WARNING, WHAT,
                          "sc-hsm stands in the list of providers twice; [%s] is looked at here",
                          doctor->section);
        schsm_doctor_cure(doctor, "leave one of them in %s", place);
    }
}

void schsm_doctor_configuration(struct schsm_doctor *doctor)
{
    if (load(doctor)) {
        look_for_section(doctor);
    }
}
