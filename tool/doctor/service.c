/* SPDX-License-Identifier: Apache-2.0 */
/* The PC/SC service: whether it can be reached, whom it lets in, and its readers. */
#include "tool/doctor.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "keymgmt/file.h"

#define READERS_MAX 64
#define PROGRAM_MAX ((size_t)8 * 1024 * 1024) /* bytes of pcscd */

static void fail_service(struct schsm_doctor *doctor, const struct schsm_error *err)
{
    bool named;
    const char *path = schsm_registry_socket(&named);
    char user[64];

    schsm_registry_user(user, sizeof(user));
    schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, "service", "%s", err->text);
    if (schsm_unit_get(&doctor->unit, "RootDirectory") != NULL && access(path, F_OK) != 0) {
        schsm_doctor_cure(doctor,
                          "show it the folder of %s: a drop-in with 'BindPaths=' and that folder "
                          "below [Service], 'systemctl edit %s'",
                          path, doctor->unit.name);
    } else if (access(path, W_OK) != 0 && errno == EACCES) {
        schsm_doctor_cure(doctor,
                          "give user %s the right to write to %s and to come to its folder, or run "
                          "the program as a user who has it",
                          user, path);
    } else if (named && access(path, F_OK) == 0) {
        schsm_doctor_cure(doctor, "start the pcscd of %s again, or unset PCSCLITE_CSOCK_NAME",
                          path);
    } else if (named) {
        schsm_doctor_cure(
            doctor, "correct PCSCLITE_CSOCK_NAME, unset it, or start a pcscd that makes %s", path);
    } else {
        schsm_doctor_cure(doctor, "%s; where it is not there, install the package pcscd",
                          schsm_doctor_remedy(SCHSM_REASON_NO_SERVICE));
    }
}

/* Whether the pcscd of this machine asks polkit: then it is linked with polkit's library. */
static bool asks_polkit(const char *program, bool *known)
{
    static const char library[] = "libpolkit-gobject";
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    uint8_t *content = NULL;
    size_t len = 0;
    bool asks = false;

    *known = schsm_file_read(program, PROGRAM_MAX, &content, &len, &ignored) != 0;
    if (*known) {
        asks = memmem(content, len, library, sizeof(library) - 1) != NULL;
    }
    OPENSSL_free(content);
    return asks;
}

static void tell_rights(struct schsm_doctor *doctor)
{
    bool named, known, asks = asks_polkit("/usr/sbin/pcscd", &known);
    const char *path = schsm_registry_socket(&named);
    char user[64];

    if (!known) {
        asks = asks_polkit("/usr/bin/pcscd", &known);
    }
    schsm_registry_user(user, sizeof(user));
    schsm_doctor_find(doctor, SCHSM_FINDING_OK, "service", "pcscd answers at %s%s", path,
                      named ? ", which PCSCLITE_CSOCK_NAME names" : "");
    if (!known) {
        return;
    }
    if (asks) {
        schsm_doctor_find(doctor, SCHSM_FINDING_OK, "rights",
                          "pcscd was built with polkit, and user %s is let in", user);
    } else {
        schsm_doctor_find(doctor, SCHSM_FINDING_OK, "rights",
                          "pcscd was built without polkit: user %s, like all who reach its socket, "
                          "may use every device",
                          user);
    }
}

static const char *content_of(const struct schsm_reader *reader)
{
    return reader->is_token        ? "a PKCS#11 token"
           : !reader->card_present ? "no card"
           : reader->is_hsm        ? "a SmartCard-HSM"
                                   : "another card";
}

/* A module that does not come up is no failure of a search that finds a card; here it is. */
static void look_at_tokens(struct schsm_doctor *doctor)
{
    const struct schsm_config *config = &doctor->tool->context.config;
    struct schsm_device_selector selector = { .token = config->token != NULL ? config->token : "" };
    struct schsm_device *devices[SCHSM_TOOL_DEVICES_MAX];
    struct schsm_error err = SCHSM_ERROR_INIT;
    size_t count = SCHSM_TOOL_DEVICES_MAX;

    if (config->pkcs11_module == NULL ||
        schsm_registry_devices(doctor->tool->context.registry, &selector, devices, &count, &err) ||
        err.reason == SCHSM_REASON_NO_DEVICE) {
        return;
    }
    schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, "pkcs11-module", "%s", err.text);
    schsm_doctor_cure(doctor, "correct pkcs11-module, or take it out: %s is what it names",
                      config->pkcs11_module);
}

void schsm_doctor_service(struct schsm_doctor *doctor)
{
    struct schsm_registry *registry = doctor->tool->context.registry;
    struct schsm_reader readers[READERS_MAX];
    struct schsm_error err = SCHSM_ERROR_INIT;
    size_t count = READERS_MAX, tokens = 0;

    if (registry == NULL) {
        return;
    }
    look_at_tokens(doctor);
    if (!schsm_registry_readers(registry, readers, &count, &err)) {
        if (err.reason == SCHSM_REASON_NO_SERVICE) {
            fail_service(doctor, &err);
            return;
        }
        if (err.reason == SCHSM_REASON_NO_READER) {
            tell_rights(doctor);
        }
        schsm_doctor_failure(doctor, "reader", &err);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        tokens += readers[i].is_token != 0;
    }
    if (count > tokens) {
        tell_rights(doctor);
    }
    for (size_t i = 0; i < count; i++) {
        schsm_doctor_find(doctor, SCHSM_FINDING_OK, "reader", "%s: %s", readers[i].name,
                          content_of(&readers[i]));
    }
}
