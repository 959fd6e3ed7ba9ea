/* SPDX-License-Identifier: Apache-2.0 */
/* A systemd service, and this process in its place. */
#include "tool/doctor.h"

#include <string.h>

#define WHAT "unit"

/* The PC/SC service is behind a socket of the family AF_UNIX. */
static void look_at_families(struct schsm_doctor *doctor, const struct schsm_unit *unit)
{
    const char *families = schsm_unit_get(unit, "RestrictAddressFamilies");
    bool named = families != NULL && strstr(families, "AF_UNIX") != NULL;

    if (families != NULL && (*families == '~') == named) {
        schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, WHAT,
                          "%s may not use sockets of the family AF_UNIX, which lead to pcscd",
                          unit->name);
        schsm_doctor_cure(doctor,
                          "a drop-in with 'RestrictAddressFamilies=AF_UNIX' for it: "
                          "'systemctl edit %s'",
                          unit->name);
    }
}

/* Whether what was said of it is known here: a user that systemd makes at the start is not. */
static void look_at_user(struct schsm_doctor *doctor, const struct schsm_unit *unit)
{
    const char *dynamic = schsm_unit_get(unit, "DynamicUser");

    if (dynamic != NULL && (strcmp(dynamic, "yes") == 0 || strcmp(dynamic, "true") == 0)) {
        schsm_doctor_find(doctor, SCHSM_FINDING_WARNING, WHAT,
                          "%s runs as a user that is made at its start, and cannot be looked "
                          "through before",
                          unit->name);
        schsm_doctor_cure(doctor, "start it, and look again");
    }
}

bool schsm_doctor_unit(struct schsm_doctor *doctor, const char *name, const char *folder)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_unit unit;
    const char *user, *root;
    bool known = false;

    if (!schsm_unit_read(&unit, name, folder, &err)) {
        schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, WHAT, "%s", err.text);
        schsm_doctor_cure(doctor,
                          err.reason == SCHSM_REASON_UNSUPPORTED
                              ? "name the folder of its unit file by --units, such as "
                                "/lib/systemd/system"
                              : "correct the name: 'systemctl list-units --type=service' has all");
        goto done;
    }
    known = true;
    user = schsm_unit_get(&unit, "User");
    root = schsm_unit_get(&unit, "RootDirectory");
    look_at_families(doctor, &unit);
    look_at_user(doctor, &unit);
    if (!schsm_unit_take_environment(&unit, &err)) {
        schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, WHAT, "%s: %s", unit.name, err.text);
        schsm_doctor_cure(doctor, "correct EnvironmentFile, or what it names");
    }
    if (schsm_unit_take_rights(&unit, &err)) {
        schsm_doctor_find(doctor, SCHSM_FINDING_OK, WHAT, "%s, as user %s%s%s", unit.name,
                          user != NULL ? user : "root", root != NULL ? " in " : "",
                          root != NULL ? root : "");
    } else if (err.reason == SCHSM_REASON_ACCESS_DENIED) {
        schsm_doctor_find(doctor, SCHSM_FINDING_WARNING, WHAT, "%s", err.text);
        schsm_doctor_cure(doctor, "run it as root: 'sudo sc-hsm doctor --service %s'", name);
    } else {
        schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, WHAT, "%s", err.text);
        schsm_doctor_cure(doctor, "make that user, or correct User and Group of the service");
    }

done:
    schsm_unit_clear(&unit);
    return known;
}
