/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm config: pieces of other programs' configuration, filled in for this device and machine. */
#include "tool/commands.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/conf.h>
#include <openssl/crypto.h>

#include "keymgmt/config_file.h"
#include "tool/configured.h"
#include "tool/object.h"
#include "tool/output.h"
#include "tool/snippet.h"
#include "tool/target.h"

#define MODULE "sc-hsm.so"
#define PATH_ROOM (PATH_MAX + 64)
#define FILE_WORD "file:"
#define CREDENTIAL_WORD "credential:"

static const struct schsm_snippet_kind *find_kind(const char *name)
{
    const struct schsm_snippet_kind *kind = schsm_snippet_kinds;

    while (kind->name != NULL && strcmp(kind->name, name) != 0) {
        kind++;
    }
    return kind->name != NULL ? kind : NULL;
}

static const char *copy_text(struct schsm_snippet *snippet, const char *text)
{
    return text != NULL ? schsm_snippet_keep(snippet, OPENSSL_strdup(text)) : NULL;
}

__attribute__((format(printf, 2, 3))) static const char *print_text(struct schsm_snippet *snippet,
                                                                    const char *format, ...)
{
    char text[PATH_ROOM];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return copy_text(snippet, text);
}

/* --- what is known ------------------------------------------------------------------------------
 */

/* A module in a folder, beside which nothing has to be said where it is OpenSSL's own. */
static const char *module_in(struct schsm_snippet *snippet, const char *folder)
{
    char path[PATH_ROOM];

    (void)snprintf(path, sizeof(path), "%s/" MODULE, folder);
    return access(path, R_OK) == 0 ? copy_text(snippet, path) : NULL;
}

/* The module beside this program, as in a build folder: bin/sc-hsm and lib/sc-hsm.so. */
static const char *module_beside(struct schsm_snippet *snippet)
{
    char path[PATH_ROOM];
    ssize_t len = readlink("/proc/self/exe", path, PATH_MAX);
    char *slash;

    for (int up = 0; up < 2; up++) {
        path[len > 0 ? len : 0] = '\0';
        slash = strrchr(path, '/');
        len = slash != NULL ? slash - path : 0;
    }
    if (len == 0) {
        return NULL;
    }
    (void)snprintf(path + len, sizeof(path) - (size_t)len, "/lib");
    return module_in(snippet, path);
}

static const char *find_module(struct schsm_snippet *snippet)
{
    const char *named = secure_getenv("OPENSSL_MODULES");
    const char *own = OPENSSL_info(OPENSSL_INFO_MODULES_DIR);
    const char *module = named != NULL ? module_in(snippet, named) : NULL;

    if (module == NULL && own != NULL && module_in(snippet, own) != NULL) {
        return NULL; /* where OpenSSL looks */
    }
    return module != NULL ? module : module_beside(snippet);
}

/* What stands in the section in force already. */
static int read_settings(struct schsm_tool *tool, struct schsm_snippet *snippet,
                         struct schsm_error *err)
{
    struct schsm_config_file file;
    const char *section;
    STACK_OF(CONF_VALUE) * values;

    if (!schsm_config_file_read(tool->context.libctx, &file)) {
        return schsm_fail_memory(err);
    }
    section = file.conf != NULL ? schsm_config_section(file.conf, 0, NULL) : NULL;
    values = section != NULL ? NCONF_get_section(file.conf, section) : NULL;
    for (int i = 0; i < sk_CONF_VALUE_num(values); i++) {
        const CONF_VALUE *value = sk_CONF_VALUE_value(values, i);

        if (strcmp(value->name, "module") == 0) {
            snippet->module = copy_text(snippet, value->value);
        } else if (strcmp(value->name, "pin-source") == 0) {
            snippet->pin_source = copy_text(snippet, value->value);
        }
    }
    schsm_config_file_clear(&file);
    return 1;
}

/* The device, where one is there; several are for the user to choose from. */
static int find_device(struct schsm_tool *tool, struct schsm_snippet *snippet,
                       struct schsm_error *err)
{
    struct schsm_error why = SCHSM_ERROR_INIT;
    char serial[SCHSM_SERIAL_MAX + 1] = "";
    struct schsm_device *device = NULL;

    if (!schsm_tool_device(tool, &device, serial, &why)) {
        snippet->serial = tool->context.config.serial;
        snippet->token = tool->context.config.token;
        return why.reason == SCHSM_REASON_NO_DEVICE || why.reason == SCHSM_REASON_NO_READER ||
               why.reason == SCHSM_REASON_NO_SERVICE || schsm_fail_as(err, &why);
    }
    if (strcmp(serial, SCHSM_TOOL_NO_SERIAL) != 0) {
        snippet->serial = copy_text(snippet, serial);
    }
    snippet->token = tool->context.config.token;
    snippet->pkcs11 = tool->context.config.pkcs11_module;
    return 1;
}

/* The PIN's file and the source that names it, for this machine or for a service. */
static void find_pin(struct schsm_tool *tool, struct schsm_snippet *snippet)
{
    const char *given = schsm_tool_setting(tool, "pin-source");

    if (given != NULL) {
        snippet->pin_source = given;
    }
    snippet->pin_file = SCHSM_SNIPPET_PIN_FILE;
    if (snippet->pin_source != NULL &&
        strncmp(snippet->pin_source, FILE_WORD, strlen(FILE_WORD)) == 0) {
        snippet->pin_file = snippet->pin_source + strlen(FILE_WORD);
    }
    if (snippet->service != NULL) {
        snippet->pin_source = CREDENTIAL_WORD SCHSM_SNIPPET_CREDENTIAL;
    } else if (snippet->pin_source == NULL) {
        snippet->pin_source = FILE_WORD SCHSM_SNIPPET_PIN_FILE;
    }
}

/* A name for files: what a label has of plain letters. */
static void name_files(struct schsm_snippet *snippet, const char *label)
{
    char name[SCHSM_LABEL_MAX + 1];
    size_t len = 0;

    for (const char *c = label; *c != '\0'; c++) {
        bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                     (*c >= '0' && *c <= '9') || *c == '-' || *c == '_';

        name[len++] = (char)(plain ? *c : '_');
    }
    name[len] = '\0';
    snippet->key = print_text(snippet, "/etc/ssl/private/%s.pem", len > 0 ? name : "sc-hsm");
    if (snippet->certificate == NULL) {
        snippet->certificate =
            print_text(snippet, "/etc/ssl/certs/%s.crt", len > 0 ? name : "sc-hsm");
    }
}

/* A key on the device: how its reference file and its certificate come into files. */
static int find_key(struct schsm_tool *tool, struct schsm_snippet *snippet, const char *text,
                    struct schsm_error *err)
{
    bool certificate_given = snippet->certificate != NULL;
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_match match = { 0 };
    char *uri = NULL;
    int ok = 0;

    if (!schsm_tool_object(tool, text, SCHSM_OBJECT_PRIVATE, &match, serial, err)) {
        goto done;
    }
    uri = schsm_match_uri(&match, false, err);
    if (uri == NULL) {
        goto done;
    }
    name_files(snippet, match.object.label);
    snippet->write_key =
        print_text(snippet, SCHSM_TOOL_NAME " pubkey %s --reference --out %s",
                   schsm_snippet_quote(snippet, SCHSM_QUOTE_SHELL, uri), snippet->key);
    if (!certificate_given) {
        snippet->write_certificate =
            print_text(snippet, SCHSM_TOOL_NAME " cert export %s --out %s",
                       schsm_snippet_quote(snippet, SCHSM_QUOTE_SHELL, uri), snippet->certificate);
    }
    ok = 1;

done:
    OPENSSL_free(uri);
    schsm_match_clear(&match);
    return ok;
}

/* What the second argument names: a reference file, or a key. */
static int find_files(struct schsm_tool *tool, struct schsm_snippet *snippet,
                      struct schsm_error *err)
{
    const char *text = tool->argument_count > 1 ? tool->arguments[1] : NULL;
    char path[PATH_MAX];

    snippet->certificate = schsm_tool_setting(tool, "cert");
    if (text == NULL) {
        name_files(snippet, "web");
        snippet->write_key =
            SCHSM_TOOL_NAME " pubkey URI --reference --out /etc/ssl/private/web.pem";
        return 1;
    }
    if (realpath(text, path) == NULL) {
        return find_key(tool, snippet, text, err);
    }
    name_files(snippet, "web");
    snippet->key = copy_text(snippet, path);
    return 1;
}

/* --- the command --------------------------------------------------------------------------------
 */

static int list_kinds(const struct schsm_tool *tool, struct schsm_error *err)
{
    struct schsm_table table;
    json_t *array = NULL;

    if (!tool->json) {
        schsm_table_init(&table, 2, NULL);
        for (const struct schsm_snippet_kind *kind = schsm_snippet_kinds; kind->name != NULL;
             kind++) {
            schsm_table_row(&table, kind->name, "%s", kind->summary);
        }
        return schsm_table_print(&table, err);
    }
    array = json_array();
    for (const struct schsm_snippet_kind *kind = schsm_snippet_kinds; kind->name != NULL; kind++) {
        schsm_json_append(&array,
                          json_pack("{s:s, s:s}", "name", kind->name, "summary", kind->summary));
    }
    return schsm_json_print(json_pack("{s:o}", "configurations", array), err);
}

static int print_snippet(const struct schsm_tool *tool, const struct schsm_snippet_kind *kind,
                         struct schsm_snippet *snippet, struct schsm_error *err)
{
    char *text = NULL, *copy = NULL;
    size_t len;
    int ok;

    kind->write(snippet);
    if (snippet->why.reason != SCHSM_REASON_NONE) {
        return schsm_fail_as(err, &snippet->why);
    }
    len = (size_t)BIO_get_mem_data(snippet->out, &text);
    if (!tool->json) {
        (void)fwrite(text, 1, len, stdout); /* main looks whether it came out */
        return 1;
    }
    copy = OPENSSL_strndup(text, len);
    ok = copy != NULL
             ? schsm_json_print(
                   json_pack("{s:s, s:o}", "name", kind->name, "text", schsm_json_text(copy)), err)
             : schsm_fail_memory(err);
    OPENSSL_free(copy);
    return ok;
}

static int run_config(struct schsm_tool *tool, struct schsm_error *err)
{
    const struct schsm_snippet_kind *kind = NULL;
    struct schsm_snippet snippet = { .out = BIO_new(BIO_s_mem()), .why = SCHSM_ERROR_INIT };
    const char *user = schsm_tool_setting(tool, "user");
    int ok = 0;

    if (snippet.out == NULL) {
        return schsm_fail_memory(err);
    }
    if (tool->argument_count == 0) {
        ok = list_kinds(tool, err);
        goto done;
    }
    kind = find_kind(tool->arguments[0]);
    if (kind == NULL) {
        schsm_fail(err, SCHSM_REASON_ARGUMENT,
                   "there is no configuration '%.40s'; '" SCHSM_TOOL_NAME " config' lists them",
                   tool->arguments[0]);
        goto done;
    }
    snippet.service = schsm_tool_setting(tool, "service");
    if (snippet.service != NULL &&
        snippet.service[strspn(snippet.service,
                               "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "0123456789-_.@:\\")] != '\0') {
        schsm_fail(err, SCHSM_REASON_ARGUMENT, "'%.40s' is no name of a service", snippet.service);
        goto done;
    }
    snippet.user = user != NULL ? user : "www-data";
    /* Which of several devices it is matters to one kind alone. */
    if (read_settings(tool, &snippet, err) &&
        (kind->write != schsm_snippet_openssl || find_device(tool, &snippet, err)) &&
        find_files(tool, &snippet, err)) {
        find_pin(tool, &snippet);
        if (snippet.module == NULL) {
            snippet.module = find_module(&snippet);
        }
        ok = print_snippet(tool, kind, &snippet, err);
    }

done:
    schsm_snippet_clear(&snippet);
    return ok;
}

static const struct schsm_option config_options[] = {
    { "service", '\0', false, "NAME", "for this systemd service: the PIN is a credential of its",
      NULL },
    { "user", '\0', false, "USER", "who uses the device, for polkit; default: www-data", NULL },
    { "cert", '\0', false, "FILE", "the server's certificate", NULL },
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_config = {
    .name = "config",
    .synopsis = "[NAME [URI|FILE]]",
    .arguments_max = 2,
    .summary = "Print configuration for OpenSSL, systemd and servers",
    .help =
        "Prints a piece of configuration, filled in for this device and machine; without a name, "
        "what there is. Nothing is changed: put it where its first lines say.\n"
        "openssl is first: it names the provider's module, the device and where the PIN is. A "
        "server's piece names certificate and key reference file: those of a key, by its URI, with "
        "the commands that write them, or a reference FILE that is there already.\n"
        "With --service NAME the PIN is a credential that systemd gives to this service alone: "
        "'config systemd' prints the drop-in, and 'config openssl' the sections that go with it.\n"
        " sc-hsm config\n"
        " sc-hsm config openssl\n"
        " sc-hsm config systemd --service nginx\n"
        " sc-hsm config nginx label=web\n"
        " sc-hsm config apache /etc/ssl/private/web.pem --cert /etc/ssl/certs/web.crt\n",
    .options = config_options,
    .run = run_config,
};
