/* SPDX-License-Identifier: Apache-2.0 */
/* The settings in our section: their names and values, by the rules that the provider has. */
#include "tool/doctor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "keymgmt/config_file.h"
#include "tool/configured.h"
#include "tool/target.h"

#define WHAT "setting"

static const char *get_value(STACK_OF(CONF_VALUE) * values, const char *name)
{
    for (int i = sk_CONF_VALUE_num(values) - 1; i >= 0; i--) {
        if (strcmp(sk_CONF_VALUE_value(values, i)->name, name) == 0) {
            return sk_CONF_VALUE_value(values, i)->value;
        }
    }
    return NULL;
}

static void look_at_names(struct schsm_doctor *doctor, STACK_OF(CONF_VALUE) * values)
{
    char place[SCHSM_CONFIG_PLACE_MAX];

    for (int i = 0; i < sk_CONF_VALUE_num(values); i++) {
        const char *name = sk_CONF_VALUE_value(values, i)->name;
        const char *meant = schsm_config_meant(name);

        if (meant != NULL) {
            schsm_doctor_place(doctor, doctor->section, name, place);
            schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, WHAT, "'%s' in %s is unknown", name,
                              place);
            schsm_doctor_cure(doctor, "write %s", meant);
            doctor->refused = true;
        }
    }
}

/* How many of the settings are there and good; all that is good is in the configuration then. */
static size_t look_at_values(struct schsm_doctor *doctor, STACK_OF(CONF_VALUE) * values)
{
    struct schsm_config *config = &doctor->tool->context.config;
    char place[SCHSM_CONFIG_PLACE_MAX];
    const char *key;
    size_t good = 0;

    for (size_t i = 0; (key = schsm_config_key(i)) != NULL; i++) {
        const char *value = get_value(values, key);
        struct schsm_error err = SCHSM_ERROR_INIT;

        if (value == NULL || schsm_tool_overruled(doctor->tool, key)) {
            continue;
        }
        schsm_doctor_place(doctor, doctor->section, key, place);
        if (schsm_config_set(config, place, key, value, &err)) {
            good++;
            continue;
        }
        schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, WHAT, "%s", err.text);
        schsm_doctor_cure(doctor, "correct %s there: openssl.cnf.sample has its values", key);
        doctor->refused = true;
    }
    return good;
}

/* Who may read the file may read the PIN in it. */
static void look_at_pin(struct schsm_doctor *doctor, STACK_OF(CONF_VALUE) * values)
{
    struct stat file;
    char place[SCHSM_CONFIG_PLACE_MAX];

    if (get_value(values, "pin") == NULL || stat(doctor->file.path, &file) != 0 ||
        (file.st_mode & S_IRWXO) == 0) {
        return;
    }
    schsm_doctor_place(doctor, doctor->section, "pin", place);
    schsm_doctor_find(doctor, SCHSM_FINDING_WARNING, WHAT,
                      "the PIN stands in %s, which every user may read", place);
    schsm_doctor_cure(doctor, "write the PIN into a file with mode 600, and pin-source = "
                              "file:PATH instead of pin");
}

void schsm_doctor_settings(struct schsm_doctor *doctor)
{
    STACK_OF(CONF_VALUE) *values =
        doctor->section != NULL ? NCONF_get_section(doctor->file.conf, doctor->section) : NULL;
    struct schsm_error err = SCHSM_ERROR_INIT;
    size_t before = doctor->count, good = 0;

    if (values != NULL) {
        look_at_names(doctor, values);
        good = look_at_values(doctor, values);
        look_at_pin(doctor, values);
        if (doctor->count == before) {
            schsm_doctor_find(doctor, SCHSM_FINDING_OK, WHAT, "%zu %s, all known and good", good,
                              good == 1 ? "setting" : "settings");
        }
    }
    /* What was found out decides where devices are looked for. */
    if (!schsm_tool_registry(doctor->tool, &err)) {
        schsm_doctor_failure(doctor, "devices", &err);
    }
}

/* Whether a file can be written, or made where it is not there; errno says why not. */
static bool is_writable(const char *path)
{
    char *folder, *slash;
    bool may;

    if (access(path, W_OK) == 0 || errno != ENOENT) {
        return access(path, W_OK) == 0;
    }
    folder = OPENSSL_strdup(path);
    slash = folder != NULL ? strrchr(folder, '/') : NULL;
    if (slash != NULL) {
        slash[slash == folder ? 1 : 0] = '\0';
    }
    may = access(slash != NULL ? folder : ".", W_OK | X_OK) == 0;
    OPENSSL_free(folder);
    return may;
}

void schsm_doctor_log_file(struct schsm_doctor *doctor)
{
    const struct schsm_config *config = &doctor->tool->context.config;

    if (config->log_file == NULL) {
        return;
    }
    if (is_writable(config->log_file)) {
        schsm_doctor_find(doctor, SCHSM_FINDING_OK, "log", "%s can be written", config->log_file);
        return;
    }
    schsm_doctor_find(
        doctor, config->log == SCHSM_LOG_OFF ? SCHSM_FINDING_WARNING : SCHSM_FINDING_ERROR, "log",
        "the log file %s cannot be written: %s", config->log_file, strerror(errno));
    schsm_doctor_cure(doctor, "make its folder and give the user of the program the right to write "
                              "there, or set log-file to another place");
}
