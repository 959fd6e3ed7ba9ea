/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module: where OpenSSL looks for it, and whether it comes up there, beside the default
 * provider. The configuration is loaded as every program loads it, into a context of its own.
 */
#include "tool/doctor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include "keymgmt/config_file.h"

#define WHAT "module"
#define PROVIDER "sc-hsm"
#define PATH_ROOM 4096

static const char *get_text(const CONF *conf, const char *section, const char *name)
{
    const char *value = NULL;

    (void)ERR_set_mark();
    value = section != NULL ? NCONF_get_string(conf, section, name) : NULL;
    (void)ERR_pop_to_mark();
    return value;
}

/* The folder that OpenSSL looks in, and in *by what says so. */
static const char *modules_folder(const char **by)
{
    const char *named = getenv("OPENSSL_MODULES");

    *by = named != NULL ? "OPENSSL_MODULES" : "OpenSSL's own MODULESDIR";
    return named != NULL ? named : OPENSSL_info(OPENSSL_INFO_MODULES_DIR);
}

/* Where OpenSSL looks: what the setting says, from that folder on, and as it stands; only the
 * provider's name gets an ending. */
static const char *module_path(const struct schsm_doctor *doctor, char path[PATH_ROOM])
{
    const char *module = get_text(doctor->file.conf, doctor->section, "module"), *by;
    const char *folder = modules_folder(&by);

    if (module != NULL && module[0] == '/') {
        BIO_snprintf(path, PATH_ROOM, "%s", module);
        return "the setting module";
    }
    BIO_snprintf(path, PATH_ROOM, "%s/%s%s", folder != NULL ? folder : ".",
                 module != NULL ? module : PROVIDER, module == NULL ? ".so" : "");
    return by;
}

/* The first sentence in the error queue; "" where there is none. */
static void queue_text(char *text, size_t size)
{
    const char *data = NULL;
    unsigned long code;
    int flags = 0;

    text[0] = '\0';
    while ((code = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0) {
        const char *reason = ERR_reason_error_string(code);

        if (text[0] == '\0' && (flags & ERR_TXT_STRING) != 0 && data != NULL && *data != '\0') {
            BIO_snprintf(text, size, "%s%s%s", reason != NULL ? reason : "",
                         reason != NULL ? ", " : "", data);
        }
    }
}

static void fail_no_module(struct schsm_doctor *doctor, const char *path, const char *by)
{
    const char *own = OPENSSL_info(OPENSSL_INFO_MODULES_DIR);
    char place[SCHSM_CONFIG_PLACE_MAX], usual[PATH_ROOM];
    bool by_setting = get_text(doctor->file.conf, doctor->section, "module") != NULL;

    BIO_snprintf(usual, sizeof(usual), "%s/" PROVIDER ".so", own != NULL ? own : "");
    schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, WHAT,
                      "there is no %s, where %s has the provider looked for", path, by);
    if (by_setting) {
        schsm_doctor_place(doctor, doctor->section, "module", place);
        schsm_doctor_cure(doctor, "correct module in %s%s%s", place,
                          access(usual, F_OK) == 0 ? ", or take the line out: there is " : "",
                          access(usual, F_OK) == 0 ? usual : "");
    } else if (access(usual, F_OK) == 0) {
        schsm_doctor_cure(doctor, "unset OPENSSL_MODULES: there is %s", usual);
    } else {
        schsm_doctor_cure(doctor,
                          "install the provider ('cmake --install build'), or name its file: "
                          "'module = /path/to/" PROVIDER ".so' in [%s] of %s",
                          doctor->section, doctor->file.path);
    }
}

/* What keeps this user from the file: the first folder on its way that cannot be entered, or the
 * file itself. */
static void find_barrier(const char *path, char barrier[PATH_ROOM])
{
    for (const char *end = strchr(path + 1, '/'); end != NULL; end = strchr(end + 1, '/')) {
        BIO_snprintf(barrier, PATH_ROOM, "%.*s", (int)(end - path), path);
        if (access(barrier, X_OK) != 0) {
            return;
        }
    }
    BIO_snprintf(barrier, PATH_ROOM, "%s", path);
}

static void fail_barred(struct schsm_doctor *doctor, const char *path, const char *by)
{
    char barrier[PATH_ROOM], user[64];
    bool is_file;

    schsm_registry_user(user, sizeof(user));
    find_barrier(path, barrier);
    is_file = strcmp(barrier, path) == 0;
    schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, WHAT,
                      "user %s may not %s %s%s, where %s has the provider looked for", user,
                      is_file ? "read" : "enter", barrier,
                      is_file ? "" : " and reach the module in it", by);
    schsm_doctor_cure(doctor,
                      "'chmod a+%s %s', or install the provider where every user may read it "
                      "('cmake --install build')",
                      is_file ? "r" : "x", barrier);
}

/* A provider that is known under this name in the list, and is not active. */
static void fail_inactive(struct schsm_doctor *doctor, const char *name)
{
    const char *providers = schsm_config_providers(doctor->file.conf);
    const char *section = get_text(doctor->file.conf, providers, name);
    char place[SCHSM_CONFIG_PLACE_MAX];

    schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, "provider", "the provider %s is not active%s",
                      name,
                      strcmp(name, doctor->name) == 0
                          ? ""
                          : ", which has the random generator, files, digests and TLS");
    if (section == NULL) {
        schsm_doctor_place(doctor, providers, NULL, place);
        schsm_doctor_cure(doctor,
                          "add '%s = %s_sect' to %s, and a section [%s_sect] with 'activate = 1'",
                          name, name, place, name);
    } else {
        schsm_doctor_place(doctor, section, NULL, place);
        schsm_doctor_cure(doctor,
                          get_text(doctor->file.conf, section, "activate") == NULL
                              ? "write 'activate = 1' in %s"
                              : "see to 'activate = 1' in %s; where it is there, another provider "
                                "of the list fails before it: take that one out",
                          place);
    }
}

/* Compares the provider's version with the tool's; both come from one build mostly. */
static void look_at_version(struct schsm_doctor *doctor, OSSL_PROVIDER *provider, const char *path)
{
    char *version = NULL;
    OSSL_PARAM request[] = { OSSL_PARAM_construct_utf8_ptr(OSSL_PROV_PARAM_VERSION, &version, 0),
                             OSSL_PARAM_END };

    if (OSSL_PROVIDER_get_params(provider, request) && version != NULL &&
        strcmp(version, SC_HSM_VERSION) == 0) {
        schsm_doctor_find(doctor, SCHSM_FINDING_OK, WHAT, "%s, version %s", path, version);
        return;
    }
    schsm_doctor_find(doctor, SCHSM_FINDING_WARNING, WHAT,
                      "%s has version %s, and this tool " SC_HSM_VERSION, path,
                      version != NULL ? version : "unknown");
    schsm_doctor_cure(doctor, "install both of one version, or correct module or OPENSSL_MODULES");
}

/* OpenSSL says nothing of a module in its configuration that it could not load: so the file is
 * loaded by itself. */
static bool look_at_module(struct schsm_doctor *doctor, const char *path)
{
    OSSL_LIB_CTX *libctx = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *provider = libctx != NULL ? OSSL_PROVIDER_load(libctx, path) : NULL;
    char text[SCHSM_CONFIG_PLACE_MAX];
    bool loads = provider != NULL;

    queue_text(text, sizeof(text));
    if (loads) {
        look_at_version(doctor, provider, path);
        OSSL_PROVIDER_unload(provider);
    } else {
        schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, WHAT, "%s does not load: %s", path, text);
        schsm_doctor_cure(doctor, "install the library that is named, or a provider that was built "
                                  "for this machine and its OpenSSL");
    }
    OSSL_LIB_CTX_free(libctx);
    return loads;
}

static bool has_others(OSSL_LIB_CTX *libctx)
{
    return OSSL_PROVIDER_available(libctx, "default") != 0 ||
           OSSL_PROVIDER_available(libctx, "fips") != 0;
}

/* Whether the default provider would be active with ours. OpenSSL has it as a fallback as long as
 * no other one is, which ends with `-provider sc-hsm`, or with the cure for ours. */
static bool would_have_others(const struct schsm_doctor *doctor)
{
    OSSL_LIB_CTX *libctx = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *provider = NULL;
    bool others = false;

    if (libctx != NULL) {
        (void)OSSL_LIB_CTX_load_config(libctx, doctor->file.path);
        provider = OSSL_PROVIDER_load(libctx, doctor->name);
        others = has_others(libctx);
    }
    if (provider != NULL) {
        OSSL_PROVIDER_unload(provider);
    }
    OSSL_LIB_CTX_free(libctx);
    return others;
}

/* What works is seen in a context that loads the file as programs do. */
static void look_at_activation(struct schsm_doctor *doctor)
{
    bool ours, others;

    doctor->openssl = OSSL_LIB_CTX_new();
    if (doctor->openssl == NULL) {
        doctor->failed = true;
        return;
    }
    (void)OSSL_LIB_CTX_load_config(doctor->openssl, doctor->file.path);
    ours = OSSL_PROVIDER_available(doctor->openssl, doctor->name) != 0;
    others = ours ? has_others(doctor->openssl) : would_have_others(doctor);
    doctor->works = ours && others;
    if (doctor->works) {
        schsm_doctor_find(doctor, SCHSM_FINDING_OK, "provider",
                          "%s and the default provider are active", doctor->name);
        return;
    }
    if (!ours) {
        fail_inactive(doctor, doctor->name);
    }
    if (!others) {
        fail_inactive(doctor, "default");
    }
}

void schsm_doctor_module(struct schsm_doctor *doctor)
{
    char path[PATH_ROOM];
    const char *by;

    if (doctor->section == NULL) {
        return;
    }
    ERR_clear_error();
    by = module_path(doctor, path);
    if (access(path, R_OK) == 0) {
        if (look_at_module(doctor, path)) {
            look_at_activation(doctor);
        }
    } else if (errno == EACCES) {
        fail_barred(doctor, path, by);
    } else {
        fail_no_module(doctor, path, by);
    }
    ERR_clear_error();
}
