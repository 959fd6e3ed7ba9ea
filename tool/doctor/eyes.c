/* SPDX-License-Identifier: Apache-2.0 */
/* A systemd service, and this process in its place. */
#include "tool/doctor.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define WHAT "unit"

/* The PC/SC service is behind a socket of the family AF_UNIX. A list that begins with ~ is of those
 * that are forbidden; later ones add to it, or take away. */
static void look_at_families(struct schsm_doctor *doctor, const struct schsm_unit *unit)
{
    bool first = true, reached = true;
    const char *families;
    size_t at = 0;

    while ((families = schsm_unit_next(unit, "RestrictAddressFamilies", &at)) != NULL) {
        if (strstr(families, "AF_UNIX") != NULL) {
            reached = *families != '~';
        } else if (first) {
            reached = *families == '~';
        }
        first = false;
    }
    if (!reached) {
        schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, WHAT,
                          "%s may not use sockets of the family AF_UNIX, which lead to pcscd",
                          unit->name);
        schsm_doctor_cure(doctor,
                          "a drop-in with 'RestrictAddressFamilies=AF_UNIX' for it: "
                          "'systemctl edit %s'",
                          unit->name);
    }
}

/* systemd reads these files as root when it starts the service. */
static void look_at_credentials(struct schsm_doctor *doctor, const struct schsm_unit *unit)
{
    const char *credential;
    size_t at = 0;

    while ((credential = schsm_unit_next(unit, "LoadCredential", &at)) != NULL) {
        const char *path = strchr(credential, ':');

        if (path != NULL && path[1] == '/' && access(path + 1, F_OK) != 0 && errno == ENOENT) {
            schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, WHAT,
                              "%s does not start: there is no %s, which LoadCredential=%s names",
                              unit->name, path + 1, credential);
            schsm_doctor_cure(doctor,
                              "make the file, 'install -m 600 /dev/null %s', and write the PIN "
                              "into it",
                              path + 1);
        }
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
    struct schsm_unit *unit = &doctor->unit;
    const char *user, *root;
    if (!schsm_unit_read(unit, name, folder, &err)) {
        schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, WHAT, "%s", err.text);
        schsm_doctor_cure(doctor,
                          err.reason == SCHSM_REASON_UNSUPPORTED
                              ? "name the folder of its unit file by --units, such as "
                                "/lib/systemd/system"
                              : "correct the name: 'systemctl list-units --type=service' has all");
        return false;
    }
    user = schsm_unit_get(unit, "User");
    root = schsm_unit_get(unit, "RootDirectory");
    look_at_families(doctor, unit);
    look_at_credentials(doctor, unit);
    look_at_user(doctor, unit);
    if (!schsm_unit_take_environment(unit, &err)) {
        schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, WHAT, "%s: %s", unit->name, err.text);
        schsm_doctor_cure(doctor, "correct EnvironmentFile, or what it names");
    }
    if (schsm_unit_take_rights(unit, &err)) {
        schsm_doctor_find(doctor, SCHSM_FINDING_OK, WHAT, "%s, as user %s%s%s", unit->name,
                          user != NULL ? user : "root", root != NULL ? " in " : "",
                          root != NULL ? root : "");
    } else if (err.reason == SCHSM_REASON_ACCESS_DENIED) {
        schsm_doctor_find(doctor, SCHSM_FINDING_WARNING, WHAT, "%s", err.text);
        schsm_doctor_cure(doctor, "run it as root: 'sudo sc-hsm doctor --service %s'", name);
    } else {
        schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, WHAT, "%s", err.text);
        schsm_doctor_cure(doctor, "make that user, or correct User and Group of the service");
    }
    return true;
}
