/* SPDX-License-Identifier: Apache-2.0 */
/* Where the PIN comes from: whether it can be read there. It is not sent from here. */
#include "tool/doctor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WHAT "pin-source"
#define FILE_WORD "file:"
#define CREDENTIAL_WORD "credential:"

/* What the PIN source is called, by option or setting; NULL: none, or the PIN itself. */
static const char *source_text(const struct schsm_doctor *doctor)
{
    const char *given = schsm_tool_setting(doctor->tool, "pin-source");
    STACK_OF(CONF_VALUE) * values;

    if (given != NULL || doctor->section == NULL) {
        return given;
    }
    values = NCONF_get_section(doctor->file.conf, doctor->section);
    for (int i = 0; i < sk_CONF_VALUE_num(values); i++) {
        if (strcmp(sk_CONF_VALUE_value(values, i)->name, "pin-source") == 0) {
            return sk_CONF_VALUE_value(values, i)->value;
        }
    }
    return NULL;
}

/* What helps where a file cannot be read as it has to be. */
static void cure_file(struct schsm_doctor *doctor, const char *path)
{
    struct stat file;
    char user[64];

    schsm_registry_user(user, sizeof(user));
    if (strstr(path, "{serial}") != NULL) {
        schsm_doctor_cure(doctor, "make the file for this device, with mode 600 and its PIN in it");
    } else if (stat(path, &file) != 0 && errno != EACCES) {
        schsm_doctor_cure(doctor,
                          "make the file, 'install -m 600 /dev/null %s', and write the PIN into "
                          "it, or correct pin-source",
                          path);
    } else if (access(path, R_OK) != 0) {
        schsm_doctor_cure(doctor,
                          "let user %s read it: 'chown %s %s', and the right to come to its folder",
                          user, user, path);
    } else if (geteuid() == 0 || geteuid() == file.st_uid) {
        schsm_doctor_cure(doctor, "write nothing but the PIN into it, and 'chmod 600 %s'", path);
    } else {
        schsm_doctor_cure(doctor, "write nothing but the PIN into it, and 'chmod 640 %s'", path);
    }
}

/* What a service's unit says of this credential: NAME:PATH, NAME alone or more; NULL: nothing. */
static const char *find_credential(const struct schsm_unit *unit, const char *name)
{
    static const char *const keys[] = { "LoadCredential", "LoadCredentialEncrypted",
                                        "SetCredential", "SetCredentialEncrypted" };
    size_t len = strlen(name);

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const char *value;
        size_t at = 0;

        while ((value = schsm_unit_next(unit, keys[i], &at)) != NULL) {
            if (strncmp(value, name, len) == 0 && (value[len] == ':' || value[len] == '\0')) {
                return value;
            }
        }
    }
    return NULL;
}

static void fail_credential(struct schsm_doctor *doctor, const char *name,
                            const struct schsm_error *err)
{
    const char *unit = doctor->unit.name;

    if (unit != NULL && find_credential(&doctor->unit, name) != NULL &&
        getenv("CREDENTIALS_DIRECTORY") == NULL) {
        schsm_doctor_find(doctor, SCHSM_FINDING_WARNING, WHAT,
                          "%s gets the credential %s when it starts, and does not run now", unit,
                          name);
        schsm_doctor_cure(doctor, "start it, 'systemctl start %s', and look again", unit);
        return;
    }
    schsm_doctor_failure(doctor, WHAT, err);
    if (unit != NULL) {
        schsm_doctor_cure(doctor,
                          "a drop-in with 'LoadCredential=%s:PATH' below [Service]: 'systemctl "
                          "edit %s'",
                          name, unit);
    } else {
        schsm_doctor_cure(doctor,
                          "give the service 'LoadCredential=%s:PATH' and start the program by "
                          "systemd; 'sc-hsm doctor --service NAME' sees what it sees",
                          name);
    }
}

static void fail_source(struct schsm_doctor *doctor, const struct schsm_error *err)
{
    const char *text = source_text(doctor);

    if (text != NULL && strncmp(text, CREDENTIAL_WORD, strlen(CREDENTIAL_WORD)) == 0) {
        fail_credential(doctor, text + strlen(CREDENTIAL_WORD), err);
        return;
    }
    schsm_doctor_failure(doctor, WHAT, err);
    if (text != NULL && strncmp(text, FILE_WORD, strlen(FILE_WORD)) == 0) {
        cure_file(doctor, text + strlen(FILE_WORD));
    }
}

void schsm_doctor_pin(struct schsm_doctor *doctor)
{
    struct schsm_pin_source *source = doctor->tool->context.config.pin_source;
    const char *text = source_text(doctor);
    size_t read = 0;

    if (source == NULL) {
        if (text == NULL) {
            schsm_doctor_find(doctor, SCHSM_FINDING_OK, WHAT,
                              "none is set: the program that uses a key is asked for the PIN");
        }
        return;
    }
    if (!schsm_pin_source_is_stored(source)) {
        schsm_doctor_find(doctor, SCHSM_FINDING_OK, WHAT, "%s: a person is asked",
                          text != NULL ? text : "prompt");
        return;
    }
    for (size_t i = 0; i < doctor->device_count || i == 0; i++) {
        char serial[SCHSM_SERIAL_MAX + 1] = "";
        struct schsm_pin_prompt prompt = { .serial = serial };
        struct schsm_error err = SCHSM_ERROR_INIT;
        struct schsm_secret *pin = NULL;

        if (i < doctor->device_count) {
            (void)schsm_device_serial(doctor->devices[i], serial, &err);
        }
        if (!schsm_pin_source_read(source, &prompt, &pin, &err)) {
            fail_source(doctor, &err);
            return;
        }
        schsm_secret_free(pin);
        read++;
        if (!schsm_pin_source_takes_serial(source)) {
            break;
        }
    }
    doctor->pin_ready = read > 0;
    schsm_doctor_find(doctor, SCHSM_FINDING_OK, WHAT, "%s can be read",
                      text != NULL ? text : "the PIN");
}
