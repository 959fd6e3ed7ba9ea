/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm status: the state of each device. */
#include "tool/commands.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "hsm/hsm_initialise.h"
#include "hsm/hsm_key_domain.h"
#include "hsm/hsm_status.h"
#include "tool/domain.h"
#include "tool/output.h"
#include "tool/tell.h"

#define UNKNOWN "unknown while logged in; 'sc-hsm status --log-out' tells"

#define LOOK_AGAIN_MS 200 /* while there is no device */

/* What one device told. */
struct state {
    struct schsm_device_info info;
    bool told; /* it told what follows, as devices of another kind do not */
    struct schsm_hsm_status hsm;
    struct schsm_hsm_domain domains[SCHSM_HSM_DOMAINS_MAX];
    size_t domain_count; /* places for key domains; a single DKEK is one of them */
};

static bool not_initialised(const struct state *state)
{
    return !state->info.initialised;
}

static bool must_change(const struct state *state)
{
    return state->info.pin_must_change;
}

static bool verified(const struct state *state)
{
    return state->info.logged_in;
}

static bool blocked(const struct state *state)
{
    return state->info.pin_tries == 0;
}

static bool public_keys(const struct state *state)
{
    return state->hsm.public_key_login;
}

static bool otherwise(const struct state *state)
{
    (void)state;
    return true;
}

/* The first row that fits a device is its PIN's state. */
static const struct pin_state {
    const char *name; /* in JSON */
    const char *text;
    bool (*fits)(const struct state *state);
} pin_states[] = {
    { "not-initialised", "not set", not_initialised },
    { "must-change", "transport PIN, must be changed before use", must_change },
    { "verified", "verified", verified },
    { "blocked", "blocked", blocked },
    { "public-keys", "not logged in, public keys have to authenticate", public_keys },
    { "unverified", "not verified", otherwise },
};

static const struct pin_state *pin_state(const struct state *state)
{
    const struct pin_state *row = pin_states;

    while (!row->fits(state)) {
        row++;
    }
    return row;
}

/* What the device was initialised with, beside what the SO-PIN may do. */
static const struct {
    unsigned int option;
    const char *name; /* in JSON */
    const char *text;
} options[] = {
    { SCHSM_HSM_TRANSPORT_PIN, "transport-pin", "transport PIN" },
    { SCHSM_HSM_REPLACE_PUBLIC_KEYS, "replaceable-public-keys", "public keys can be replaced" },
    { SCHSM_HSM_PIN_AND_PUBLIC_KEYS, "pin-and-public-keys", "PIN and public keys are needed" },
    { SCHSM_HSM_SESSION_PIN, "session-pin", "session PIN" },
    { SCHSM_HSM_BUTTON, "button", "button to be pressed" },
    { SCHSM_HSM_COUNT_ALL_USES, "count-uses", "uses of all keys are counted" },
    { SCHSM_HSM_SECURE_LOCK, "secure-lock", "secure lock" },
};
#define OPTION_COUNT (sizeof(options) / sizeof(options[0]))

/* What the SO-PIN may do for the PIN, in JSON as --unblock of init has it. */
static const struct {
    const char *name, *text;
} unblockings[] = {
    [SCHSM_UNBLOCK_UNKNOWN] = { NULL, NULL },
    [SCHSM_UNBLOCK_NEVER] = { "never", "no" },
    [SCHSM_UNBLOCK_KEEPS] = { "keep-pin", "only give it its tries back" },
    [SCHSM_UNBLOCK_SETS] = { "new-pin", "only by setting a new one" },
    [SCHSM_UNBLOCK_BOTH] = { "new-pin", "yes" },
};

static json_t *unblocking_json(const struct schsm_device_info *info)
{
    const char *name = unblockings[info->unblocking].name;

    return name != NULL ? json_string(name) : json_null();
}

static json_t *options_json(const struct schsm_hsm_status *hsm)
{
    json_t *array = hsm->options_known ? json_array() : json_null();

    for (size_t i = 0; i < OPTION_COUNT && hsm->options_known; i++) {
        if ((hsm->options & options[i].option) != 0) {
            schsm_json_append(&array, json_string(options[i].name));
        }
    }
    return array;
}

static json_t *public_keys_json(const struct schsm_hsm_status *hsm)
{
    if (!hsm->public_keys) {
        return json_null();
    }
    return json_pack("{s:i, s:i, s:i, s:i}", "total", (int)hsm->public_keys_total, "registered",
                     (int)(hsm->public_keys_total - hsm->public_keys_missing), "required",
                     (int)hsm->public_keys_required, "authenticated",
                     (int)hsm->public_keys_authenticated);
}

static bool version_known(const struct schsm_device_info *info)
{
    return info->version_major != 0 || info->version_minor != 0;
}

static json_t *one_version_json(const struct schsm_version *version)
{
    return version->major != 0 || version->minor != 0
               ? json_sprintf("%u.%u", version->major, version->minor)
               : json_null();
}

static json_t *version_json(const struct schsm_device_info *info)
{
    return version_known(info) ? json_sprintf("%u.%u", info->version_major, info->version_minor)
                               : json_null();
}

/* The Pico HSM tells it after a login. */
static bool kcv_known(const uint8_t kcv[SCHSM_KCV_LEN])
{
    static const uint8_t untold[SCHSM_KCV_LEN];

    return memcmp(kcv, untold, sizeof(untold)) != 0;
}

static json_t *dkek_json(const struct schsm_device_info *info)
{
    char kcv[2 * sizeof(info->dkek_kcv) + 1];
    bool complete = info->dkek && info->dkek_outstanding == 0 && kcv_known(info->dkek_kcv);

    schsm_kcv_text(info->dkek_kcv, kcv);
    return json_pack("{s:b, s:i, s:i, s:o}", "exists", info->dkek ? 1 : 0, "shares",
                     (int)info->dkek_shares, "outstanding", (int)info->dkek_outstanding,
                     "key_check_value", complete ? json_string(kcv) : json_null());
}

static json_t *status_domain_json(const struct schsm_hsm_domain *domain)
{
    char kcv[SCHSM_KCV_TEXT_MAX];

    schsm_kcv_text(domain->kcv, kcv);
    return json_pack("{s:i, s:b, s:b, s:i, s:i, s:o}", "number", (int)domain->number, "created",
                     domain->created ? 1 : 0, "xkek", domain->xkek ? 1 : 0, "shares",
                     (int)domain->shares, "outstanding", (int)domain->outstanding,
                     "key_check_value", domain->complete ? json_string(kcv) : json_null());
}

static json_t *domains_json(const struct state *state)
{
    json_t *array = json_array();

    for (size_t i = 0; i < state->domain_count; i++) {
        schsm_json_append(&array, status_domain_json(&state->domains[i]));
    }
    return array;
}

static json_t *device_json(const struct state *state)
{
    const struct schsm_device_info *info = &state->info;
    const struct schsm_hsm_status *hsm = &state->hsm;

    return json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:b, s:{s:s, s:o}, s:{s:o, s:o, s:o}, s:o, s:o, s:o, s:o, s:o, "
        "s:o, "
        "s:o, s:o, s:o}",
        "kind", info->kind, "serial", schsm_json_text(info->serial), "label",
        schsm_json_text(info->label), "reader", schsm_json_text(info->reader), "version",
        version_json(info), "initialised", info->initialised ? 1 : 0, "pin", "state",
        pin_state(state)->name, "tries_left", schsm_json_count(info->pin_tries), "so_pin",
        "tries_left", schsm_json_count(info->so_pin_tries), "may_reset_pin",
        info->options_known ? json_boolean(info->so_pin_reset_allowed) : json_null(), "unblock",
        unblocking_json(info), "dkek", dkek_json(info), "key_domains", domains_json(state),
        "options", options_json(hsm), "public_keys", public_keys_json(hsm), "free_memory",
        hsm->memory_known ? json_integer(hsm->free_memory) : json_null(), "manufacturer",
        schsm_json_text(info->manufacturer), "model", schsm_json_text(info->model),
        "hardware_version", one_version_json(&info->hardware), "module_version",
        one_version_json(&info->module));
}

static void add_tries(struct schsm_table *table, const char *name, const char *state, int tries)
{
    if (tries > 0) {
        schsm_table_row(table, name, "%s%s%d %s left", state, state[0] != '\0' ? ", " : "", tries,
                        tries == 1 ? "try" : "tries");
    } else {
        schsm_table_row(table, name, "%s",
                        state[0] != '\0' ? state
                        : tries == 0     ? "blocked"
                                         : "unknown");
    }
}

static void add_dkek(struct schsm_table *table, const struct state *state)
{
    const struct schsm_device_info *info = &state->info;
    char kcv[2 * sizeof(info->dkek_kcv) + 1];

    schsm_kcv_text(info->dkek_kcv, kcv);
    if (state->domain_count == 1 && state->domains[0].sealed) {
        schsm_table_row(table, "DKEK:", "%s, key check value " SCHSM_TOLD_AFTER_LOGIN,
                        schsm_domain_has_key(&state->domains[0]) ? "set up" : "maybe");
    } else if (!info->dkek) {
        schsm_table_row(table, "DKEK:", "none");
    } else if (info->dkek_outstanding > 0) {
        schsm_table_row(table, "DKEK:", "%u of %u shares still to be imported",
                        info->dkek_outstanding, info->dkek_shares);
    } else {
        schsm_table_row(table, "DKEK:", "set up, key check value %s", kcv);
    }
}

/* A single DKEK as such, key domains one by one as far as they were created. */
static void add_domains(struct schsm_table *table, const struct state *state)
{
    size_t created = 0;

    if (state->domain_count == 0 || (state->domain_count == 1 && state->domains[0].created)) {
        add_dkek(table, state);
        return;
    }
    for (size_t i = 0; i < state->domain_count; i++) {
        const struct schsm_hsm_domain *domain = &state->domains[i];
        char kcv[SCHSM_KCV_TEXT_MAX], name[32];

        if (!domain->created) {
            continue;
        }
        created++;
        schsm_kcv_text(domain->kcv, kcv);
        (void)snprintf(name, sizeof(name), "Key domain %u:", domain->number);
        if (domain->outstanding > 0) {
            schsm_table_row(table, name, "%u of %u shares still to be imported",
                            domain->outstanding, domain->shares);
        } else if (domain->sealed) {
            schsm_table_row(table, name, "%s%s, key check value " SCHSM_TOLD_AFTER_LOGIN,
                            domain->xkek ? "XKEK, " : "",
                            schsm_domain_has_key(domain) ? "set up" : "maybe");
        } else if (!domain->complete) {
            schsm_table_row(table, name, domain->xkek ? "XKEK, no key yet" : "no key yet");
        } else {
            schsm_table_row(table, name, "%sset up, key check value %s",
                            domain->xkek ? "XKEK, " : "", kcv);
        }
    }
    schsm_table_row(table, "Key domains:", "%zu of %zu created", created, state->domain_count);
}

static const char *unknown_options(const struct schsm_hsm_status *hsm)
{
    return hsm->options_untold ? "unknown: the device does not tell" : UNKNOWN;
}

static void add_options(struct schsm_table *table, const struct schsm_hsm_status *hsm)
{
    char text[256] = "";

    for (size_t i = 0; i < OPTION_COUNT; i++) {
        size_t at = strlen(text);

        if ((hsm->options & options[i].option) != 0) {
            (void)snprintf(text + at, sizeof(text) - at, "%s%s", at > 0 ? ", " : "",
                           options[i].text);
        }
    }
    schsm_table_row(table, "Options:", "%s",
                    !hsm->options_known ? unknown_options(hsm)
                    : text[0] != '\0'   ? text
                                        : "none");
}

static void add_hsm(struct schsm_table *table, const struct state *state)
{
    const struct schsm_hsm_status *hsm = &state->hsm;

    add_options(table, hsm);
    if (hsm->public_keys) {
        schsm_table_row(
            table, "Public keys:", "%u of %u have to authenticate; %u registered, %u authenticated",
            hsm->public_keys_required, hsm->public_keys_total,
            hsm->public_keys_total - hsm->public_keys_missing, hsm->public_keys_authenticated);
    } else {
        schsm_table_row(table, "Public keys:", "none");
    }
    add_domains(table, state);
    if (hsm->memory_known) {
        schsm_table_row(table, "Free memory:", "%lu bytes", (unsigned long)hsm->free_memory);
    } else {
        schsm_table_row(table, "Free memory:", "unknown");
    }
}

static void add_version(struct schsm_table *table, const char *name,
                        const struct schsm_version *version)
{
    if (version->major != 0 || version->minor != 0) {
        schsm_table_row(table, name, "%u.%u", version->major, version->minor);
    }
}

/* A token's are three, of which it need not tell any. */
static void add_versions(struct schsm_table *table, const struct state *state)
{
    const struct schsm_device_info *info = &state->info;

    if (version_known(info)) {
        schsm_table_row(table, "Version:", "%u.%u", info->version_major, info->version_minor);
    } else {
        schsm_table_row(table, "Version:", "%s", state->told ? UNKNOWN : "not told");
    }
    add_version(table, "Hardware version:", &info->hardware);
    add_version(table, "Module version:", &info->module);
    if (info->model[0] != '\0' || info->manufacturer[0] != '\0') {
        schsm_table_row(table, "Model:", "%s%s%s", info->model,
                        info->model[0] != '\0' && info->manufacturer[0] != '\0' ? ", " : "",
                        info->manufacturer);
    }
}

static int print_status(const struct state *state, struct schsm_error *err)
{
    const struct schsm_device_info *info = &state->info;
    struct schsm_table table;

    schsm_table_init(&table, 2, NULL);
    schsm_table_row(&table, "Device:", "%s", info->kind);
    schsm_table_row(&table, "Serial number:", "%s",
                    info->serial[0] != '\0' ? info->serial
                                            : "none that can be read; name the device by --reader");
    schsm_table_row(&table, "Label:", "%s", info->label[0] != '\0' ? info->label : "none");
    schsm_table_row(&table, "Reader:", "%s", info->reader);
    add_versions(&table, state);
    schsm_table_row(&table, "Initialised:", info->initialised ? "yes" : "no");
    add_tries(&table, "PIN:", pin_state(state)->text, info->pin_tries);
    add_tries(&table, "SO-PIN:", "", info->so_pin_tries);
    if (state->told || info->unblocking != SCHSM_UNBLOCK_UNKNOWN) {
        schsm_table_row(&table, "SO-PIN may reset the PIN:", "%s",
                        info->unblocking != SCHSM_UNBLOCK_UNKNOWN
                            ? unblockings[info->unblocking].text
                            : unknown_options(&state->hsm));
    }
    if (state->told) {
        add_hsm(&table, state);
    }
    return schsm_table_print(&table, err);
}

static int learn(struct schsm_device *device, bool log_out, struct state *state,
                 struct schsm_error *err)
{
    struct schsm_error found = SCHSM_ERROR_INIT;

    memset(state, 0, sizeof(*state));
    if ((log_out && !schsm_device_logout(device, err)) ||
        !schsm_device_info(device, &state->info, err)) {
        return 0;
    }
    state->domain_count = SCHSM_HSM_DOMAINS_MAX;
    if (schsm_hsm_status(device, &state->hsm, &found) &&
        schsm_hsm_domains(device, state->domains, &state->domain_count, &found)) {
        state->told = true;
        if (!version_known(&state->info)) { /* the FCI tells it after a logout only */
            state->info.version_major = state->hsm.version_major;
            state->info.version_minor = state->hsm.version_minor;
        }
        return 1;
    }
    state->domain_count = 0;
    if (found.reason != SCHSM_REASON_UNSUPPORTED) {
        *err = found;
        return 0;
    }
    return 1; /* a device of another kind */
}

static time_t now_in_seconds(void)
{
    struct timespec now = { 0 };

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* What passes as devices come: there is no service, reader or device yet, or it was plugged in
 * right now. */
static bool may_come(const struct schsm_error *err)
{
    return err->reason == SCHSM_REASON_NO_SERVICE || err->reason == SCHSM_REASON_NO_DEVICE ||
           err->reason == SCHSM_REASON_NO_READER || err->reason == SCHSM_REASON_DEVICE_REMOVED;
}

/* The devices that are there; with --wait it waits so long until there is one. */
static int find_devices(struct schsm_tool *tool, const struct schsm_device_selector *selector,
                        struct schsm_device **devices, size_t *count, struct schsm_error *err)
{
    const struct timespec pause = { .tv_nsec = LOOK_AGAIN_MS * 1000000L };
    time_t end =
        schsm_tool_flag(tool, "wait") ? now_in_seconds() + (time_t)tool->context.config.wait : 0;
    size_t room = *count;

    while (!schsm_registry_devices(tool->context.registry, selector, devices, count, err)) {
        if (!may_come(err) || now_in_seconds() >= end) {
            return 0;
        }
        (void)nanosleep(&pause, NULL);
        *count = room;
        *err = (struct schsm_error)SCHSM_ERROR_INIT;
    }
    return 1;
}

static int run_status(struct schsm_tool *tool, struct schsm_error *err)
{
    const struct schsm_device_selector selector = { .serial = tool->context.config.serial,
                                                    .reader = tool->context.config.reader,
                                                    .token = tool->context.config.token };
    bool log_out = schsm_tool_flag(tool, "log-out");
    struct schsm_device *devices[SCHSM_TOOL_DEVICES_MAX];
    size_t count = SCHSM_TOOL_DEVICES_MAX, told = 0;
    json_t *array = json_array();
    struct schsm_error first = SCHSM_ERROR_INIT;
    int ok = find_devices(tool, &selector, devices, &count, err);

    /* A device that does not answer keeps no other from being shown; the status is its. */
    for (size_t i = 0; ok && i < count; i++) {
        struct schsm_error found = SCHSM_ERROR_INIT;
        struct state state;

        if (!learn(devices[i], log_out, &state, &found)) {
            if (first.reason == SCHSM_REASON_NONE) {
                first = found;
            } else {
                schsm_tell_warning(tool, &found);
            }
            continue;
        }
        told++;
        if (tool->json) {
            schsm_json_append(&array, device_json(&state));
        } else {
            (void)fputs(told > 1 ? "\n" : "", stdout);
            ok = print_status(&state, err);
        }
    }
    if (ok && tool->json && (told > 0 || first.reason == SCHSM_REASON_NONE)) {
        ok = schsm_json_print(json_pack("{s:o}", "devices", array), err);
    } else {
        json_decref(array);
    }
    return ok && first.reason != SCHSM_REASON_NONE ? schsm_fail_as(err, &first) : ok;
}

static const struct schsm_option status_options[] = {
    { "log-out", '\0', false, NULL, "log out first, so that the device tells everything", NULL },
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_status = {
    .name = "status",
    .synopsis = "",
    .summary = "Show the state of the device: PINs, version, options, DKEK",
    .help = "Shows for each device: its serial number and label, the version of its software, "
            "whether it is initialised and with which options, the state of PIN and SO-PIN with "
            "the tries that are left, public-key authentication, the state of its device key "
            "encryption key (DKEK) or of its key domains, and its free memory.\n"
            "No PIN is needed, no try is spent, and nobody is logged out. What the device tells "
            "only to who is not logged in, its options and what the SO-PIN may do, is shown as "
            "unknown while somebody is. With --log-out it is asked for after logging out every "
            "program that uses the device; those log in again by themselves where they can.\n"
            "With --wait SECONDS it waits so long until there is a device.\n"
            " sc-hsm status --wait 60\n",
    .options = status_options,
    .run = run_status,
};
