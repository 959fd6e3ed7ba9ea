/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm list: keys, certificates and data objects, each with its URI. */
#include "tool/commands.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "keymgmt/defect.h"
#include "keymgmt/find.h"
#include "keymgmt/reveal.h"
#include "keymgmt/uri.h"
#include "tool/object.h"
#include "tool/object_table.h"
#include "tool/output.h"
#include "tool/tell.h"

/* A public key is a part of its private one here, and listed alone only where it is asked for. */
#define LISTED                                                                                     \
    (SCHSM_OBJECT_PRIVATE | SCHSM_OBJECT_SECRET | SCHSM_OBJECT_CERTIFICATE | SCHSM_OBJECT_DATA)

/* They take a command of their own for each key: to be asked for where there are not many, or
 * where somebody wants them. */
static bool wants_policies(const struct schsm_tool *tool, const struct schsm_uri *uri)
{
    return tool->json || schsm_tool_flag(tool, "policy") || schsm_uri_names_object(uri);
}

/* One for each match, *policies is the caller's; those of other objects than keys stay unknown, and
 * those that the device does not give. */
static int read_policies(const struct schsm_match_list *list, struct schsm_key_policy **policies,
                         struct schsm_error *err)
{
    struct schsm_key_policy *policy = OPENSSL_zalloc((list->count + 1) * sizeof(*policy));

    *policies = policy;
    if (policy == NULL) {
        return schsm_fail_memory(err);
    }
    for (size_t i = 0; i < list->count; i++) {
        const struct schsm_object *object = &list->matches[i].object;
        struct schsm_error found = SCHSM_ERROR_INIT;

        policy[i].key_domain = -1;
        if ((object->type == SCHSM_OBJECT_PRIVATE || object->type == SCHSM_OBJECT_SECRET) &&
            !schsm_device_key_policy(list->matches[i].device, object, &policy[i], &found) &&
            schsm_failure_is_general(&found)) {
            return schsm_fail_as(err, &found);
        }
    }
    return 1;
}

/* What of the objects cannot be read, for programs. */
static json_t *defects_json(const struct schsm_match_list *defects)
{
    json_t *array = json_array();

    for (size_t i = 0; i < defects->count; i++) {
        char *uri = schsm_match_uri(&defects->matches[i], true, NULL);
        char text[SCHSM_DEFECT_TEXT_MAX];

        schsm_defect_text(&defects->matches[i], text);
        schsm_json_append(&array,
                          json_pack("{s:o, s:o}", "uri", schsm_json_text(uri != NULL ? uri : ""),
                                    "text", schsm_json_text(text)));
        OPENSSL_free(uri);
    }
    return array;
}

static int print_objects_json(const struct schsm_tool *tool, const struct schsm_match_list *list,
                              const struct schsm_key_policy *policies,
                              const struct schsm_match_list *defects, struct schsm_error *err)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->count; i++) {
        char *uri = schsm_match_uri(&list->matches[i], true, err);

        if (uri == NULL) {
            json_decref(array);
            return 0;
        }
        schsm_json_append(&array,
                          schsm_object_json(tool, &list->matches[i].object, &policies[i], uri));
        OPENSSL_free(uri);
    }
    return schsm_json_print(
        json_pack("{s:o, s:o}", "objects", array, "defects", defects_json(defects)), err);
}

/* Names each object that cannot be read, and fails by that of the last one. */
static int fail_for_defects(const struct schsm_tool *tool, const struct schsm_match_list *defects,
                            struct schsm_error *err)
{
    for (size_t i = 0; i < defects->count; i++) {
        char text[SCHSM_DEFECT_TEXT_MAX];

        schsm_defect_text(&defects->matches[i], text);
        schsm_fail(err, SCHSM_REASON_DEVICE_DATA, "%s", text);
        if (i + 1 < defects->count) {
            schsm_tell_warning(tool, err);
        }
    }
    return defects->count == 0;
}

/* Orphans are found by what they belonged to. */
struct orphans_wanted {
    unsigned int types; /* that are listed, or-ed */
};

static int is_listed(void *arg, struct schsm_match *match, struct schsm_error *err)
{
    const struct orphans_wanted *wanted = arg;

    (void)err;
    return match->object.type != SCHSM_OBJECT_ORPHAN ||
           (match->object.orphan_of & wanted->types) != 0;
}

/*
 * The objects that are listed, and what of them cannot be read. Orphans are listed with --all, or
 * where one is named by its handle; else they are told of only where something is damaged.
 */
static int find_listed(struct schsm_tool *tool, const struct schsm_uri *uri,
                       struct schsm_match_list *list, struct schsm_match_list *defects,
                       struct schsm_error *err)
{
    struct orphans_wanted wanted = { uri->types != 0 ? uri->types : LISTED };
    bool orphans = schsm_tool_flag(tool, "all") || uri->handle != 0;
    struct schsm_uri any = *uri; /* shares what it points to */
    size_t kept = 0;

    any.types = 0;
    if (!schsm_find(&tool->context, &any,
                    wanted.types | SCHSM_OBJECT_ORPHAN | (orphans ? SCHSM_SEARCH_THOROUGHLY : 0),
                    list, err) ||
        !schsm_match_list_filter(list, is_listed, &wanted, err) ||
        !schsm_object_read_sizes(list, err) ||
        !schsm_defects_split(list, orphans ? wanted.types | SCHSM_OBJECT_ORPHAN : wanted.types,
                             defects, err)) {
        return 0;
    }
    for (size_t i = 0; i < defects->count && orphans; i++) { /* what is listed needs no sentence */
        if (defects->matches[i].object.type != SCHSM_OBJECT_ORPHAN) {
            defects->matches[kept++] = defects->matches[i];
        }
    }
    if (orphans) {
        defects->count = kept;
    }
    return 1;
}

static int say_nothing_listed(const struct schsm_hiding *hiding, struct schsm_error *err)
{
    char name[SCHSM_DEVICE_NAME_MAX];

    if (hiding->device == NULL) {
        return schsm_say(err, "There is nothing to list.");
    }
    schsm_device_name(hiding->device, name);
    return schsm_say(err,
                     "There is nothing to list without a login: device %s shows its keys only with "
                     "--pin-source%s.",
                     name, hiding->several ? " and --token" : "");
}

static int run_list(struct schsm_tool *tool, struct schsm_error *err)
{
    struct schsm_match_list list = { NULL, 0 }, defects = { NULL, 0 };
    struct schsm_key_policy *policies = NULL;
    struct schsm_uri uri;
    struct schsm_hiding hiding = { .device = NULL };
    bool revealed = false;
    int ok = 0;

    schsm_uri_init(&uri);
    if (tool->argument_count > 0 && !schsm_tool_uri(tool, tool->arguments[0], &uri, err)) {
        goto done;
    }
    /* Nobody is asked for a PIN to list; one that is given shows what a device hides. */
    /* A configured PIN is for what needs one, and a list does not. */
    if (tool->context.config.pin_source != NULL && tool->origins.pin == NULL &&
        !schsm_tool_reveal(tool, &uri, &revealed, err)) {
        goto done;
    }
    if (!find_listed(tool, &uri, &list, &defects, err)) {
        goto done;
    }
    if (list.count == 0 && defects.count == 0 &&
        !schsm_hiding_find(&tool->context, &uri, &hiding, err)) {
        goto done;
    }
    if (hiding.device != NULL && schsm_uri_names_object(&uri)) {
        schsm_hiding_fail(&uri, uri.types, &hiding, err);
        goto done;
    }
    if (list.count == 0 && defects.count == 0 && schsm_uri_names_object(&uri)) {
        schsm_fail(err, SCHSM_REASON_NOT_FOUND,
                   "nothing on the device has that name; '" SCHSM_TOOL_NAME
                   " list' shows what is there");
        goto done;
    }
    if (list.count == 0 && !tool->json) {
        ok = defects.count > 0 || say_nothing_listed(&hiding, err);
    } else {
        ok = (!wants_policies(tool, &uri) || read_policies(&list, &policies, err)) &&
             (tool->json ? print_objects_json(tool, &list, policies, &defects, err)
                         : schsm_object_table_print(tool, &list, policies, err));
    }
    ok = ok && fail_for_defects(tool, &defects, err);

done:
    OPENSSL_free(policies);
    schsm_match_list_clear(&defects);
    schsm_match_list_clear(&list);
    schsm_uri_clear(&uri);
    return ok;
}

static const struct schsm_option list_options[] = {
    { "all", 'a', false, NULL, "orphans too: what belongs to nothing", NULL },
    { "policy", 'p', false, NULL, "what each key may be used for", NULL },
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_list = {
    .name = "list",
    .synopsis = "[URI]",
    .arguments_max = 1,
    .summary = "Show keys, certificates and data objects",
    .help =
        "Shows what is on the device, each object with the sc-hsm: URI that names it for openssl. "
        "A URI as argument narrows the list, for example sc-hsm:type=cert or sc-hsm:id=10, or "
        "shorter id=10 or label=web.\n"
        "Behind the objects it shows of each certificate when it ends, its subject and its issuer. "
        "On a terminal the tables are fitted to its width, and what has ended or ends within 30 "
        "days has a colour, unless NO_COLOR is set.\n"
        "With --policy, and where URI names an object, the column POLICY shows what a key may be "
        "used for if that is not everything, how many uses it has left, and its key domain if that "
        "is not the first, where the device tells it; --json has all three of each key. That takes "
        "one more command for each key.\n"
        "An object of which something cannot be read is named on standard error, all others are "
        "listed, and the exit status is 1. With --all, what belongs to nothing is listed as well, "
        "such as the certificate of a key that another program deleted: 'sc-hsm tidy' deletes all "
        "of that, 'sc-hsm delete' one by its handle.\n"
        "No PIN is needed; the size of a data object that is read only after login stays unknown. "
        "A PKCS#11 token shows private data objects, secret keys, and private keys without a "
        "public "
        "part beside them only with --pin-source; where several devices are there, name the token, "
        "because a PIN is no other device's.\n",
    .options = list_options,
    .run = run_list,
};
