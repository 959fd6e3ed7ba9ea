/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The doctor: looks at everything between a program and its key, and says of each thing that is not
 * well what to do about it. doctor/ has one file for each area; an area adds findings and never
 * ends the examination. Nobody is printed to here: commands/cmd_doctor.c does that.
 */
#ifndef SCHSM_TOOL_DOCTOR_H
#define SCHSM_TOOL_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/conf.h>

#include "keymgmt/config_file.h"
#include "model/device.h"
#include "tool.h"
#include "unit.h"

enum schsm_finding_level { SCHSM_FINDING_OK, SCHSM_FINDING_WARNING, SCHSM_FINDING_ERROR };

struct schsm_finding {
    enum schsm_finding_level level;
    const char *what; /* static text, the same for ever: programs read it */
    char *sentence;   /* one, without an end */
    char *cure;       /* what to do; NULL: nothing */
};

struct schsm_doctor {
    struct schsm_tool *tool;
    struct schsm_finding *findings;
    size_t count;
    bool failed; /* memory ran out; there may be findings that are not here */

    struct schsm_unit unit; /* whose eyes these are; name NULL: our own */

    /* What one area learns and later ones build on. */
    struct schsm_config_file file; /* openssl.cnf in force */
    const char *section;           /* ours in it; NULL: there is none */
    const char *name;              /* that our provider has there: sc-hsm mostly */
    OSSL_LIB_CTX *openssl; /* a library context as a program would have it; NULL: there is none */
    bool works;            /* our provider and the default one are active in it */
    struct schsm_device *devices[SCHSM_TOOL_DEVICES_MAX];
    size_t device_count;
    bool refused;   /* a setting is wrong, so the provider does nothing until it is mended */
    bool pin_ready; /* a stored PIN can be read */
};

/* The areas, in the order of the examination. */
void schsm_doctor_versions(struct schsm_doctor *doctor);
void schsm_doctor_configuration(struct schsm_doctor *doctor);
void schsm_doctor_settings(struct schsm_doctor *doctor);
void schsm_doctor_log_file(struct schsm_doctor *doctor);
void schsm_doctor_module(struct schsm_doctor *doctor);
void schsm_doctor_service(struct schsm_doctor *doctor);
void schsm_doctor_devices(struct schsm_doctor *doctor);
void schsm_doctor_pin(struct schsm_doctor *doctor);
void schsm_doctor_certificates(struct schsm_doctor *doctor);
void schsm_doctor_references(struct schsm_doctor *doctor);
void schsm_doctor_signature(struct schsm_doctor *doctor);

/* What a systemd unit may lack, and then everything with its user, its environment and its root
 * directory, as far as this process may take them: it has them from then on. folder: of unit files;
 * NULL: systemd is asked. False where nothing can be learnt of the unit, and looking on is in vain.
 */
bool schsm_doctor_unit(struct schsm_doctor *doctor, const char *name, const char *folder);

/* Adds a finding. */
void schsm_doctor_find(struct schsm_doctor *doctor, enum schsm_finding_level level,
                       const char *what, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Says of the finding added last what to do. */
void schsm_doctor_cure(struct schsm_doctor *doctor, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Adds what a failure tells, with what is to be done about failures for this reason. */
void schsm_doctor_failure(struct schsm_doctor *doctor, const char *what,
                          const struct schsm_error *err);

/* The cure for failures with this reason, in general; never NULL. */
const char *schsm_doctor_remedy(enum schsm_reason reason);

/* "[sc_hsm_sect] of /etc/ssl/openssl.cnf, line 12" */
void schsm_doctor_place(const struct schsm_doctor *doctor, const char *section, const char *name,
                        char place[SCHSM_CONFIG_PLACE_MAX]);

void schsm_doctor_clear(struct schsm_doctor *doctor);

#endif
