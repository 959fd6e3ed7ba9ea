/* SPDX-License-Identifier: Apache-2.0 */
/* The plan's file: nothing of it is believed before it was looked at. */
#include "tool/ceremony.h"

#include <string.h>

#include <openssl/crypto.h>

#include "keymgmt/file.h"
#include "tool/suggest.h"
#include "tool/text.h"

#define PLAN_MAX ((size_t)256 * 1024) /* bytes of the file */
#define LINE_MAX_BYTES 200            /* of a title, a name, a person */
#define TEXT_MAX 4000                 /* of instructions */
#define WORD_MAX 1000                 /* of a command's word, or a file's name */
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
#define SERIAL_WORD "serial" /* {serial} is for PIN sources */

/* Where in the plan the reader is, for the sentence of a failure. */
struct place {
    size_t step; /* from 1; 0: in none */
    char pointer[96];
};

static void move_to(struct place *at, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void move_to(struct place *at, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): clang-tidy 14 misses the va_start */
    (void)vsnprintf(at->pointer, sizeof(at->pointer), format, arguments);
    va_end(arguments);
}

/* --- texts ---------------------------------------------------------------------------------- */

static int take_text(const json_t *value, size_t max, const char **out, struct schsm_error *err)
{
    const char *text = json_string_value(value);
    char *printable;
    bool same;

    if (text == NULL) {
        return schsm_fail(err, SCHSM_REASON_FILE, "a text is wanted");
    }
    if (text[0] == '\0' || strlen(text) > max) {
        return schsm_fail(err, SCHSM_REASON_FILE, "the text must have 1 to %zu bytes, not %zu", max,
                          strlen(text));
    }
    printable = schsm_text_printable(text);
    if (printable == NULL) {
        return schsm_fail_memory(err);
    }
    same = strcmp(printable, text) == 0;
    OPENSSL_free(printable);
    if (!same) {
        return schsm_fail(err, SCHSM_REASON_FILE,
                          "the text has a character that cannot be printed, such as a line break");
    }
    *out = text;
    return 1;
}

/* A member must be one of these names. */
static int check_members(const json_t *object, const char *const *names, size_t count,
                         struct schsm_error *err)
{
    const char *name;
    json_t *value;

    if (!json_is_object(object)) {
        return schsm_fail(err, SCHSM_REASON_FILE, "an object { } is wanted");
    }
    json_object_foreach((json_t *)object, name, value)
    {
        struct schsm_suggestion meant = SCHSM_SUGGESTION_INIT;
        char text[SCHSM_SUGGESTION_TEXT_MAX];
        size_t i = 0;

        while (i < count && strcmp(names[i], name) != 0) {
            i++;
        }
        if (i < count) {
            continue;
        }
        if (name[strspn(name, NAME_CHARACTERS)] != '\0') {
            return schsm_fail(err, SCHSM_REASON_FILE, "there is a member whose name is no word");
        }
        for (i = 0; i < count; i++) {
            schsm_suggest(&meant, name, names[i], strlen(names[i]));
        }
        schsm_suggestion_text(&meant, "'", "'", text);
        return schsm_fail(err, SCHSM_REASON_FILE, "there is no member '%.40s' here; %sleave it out",
                          name, text);
    }
    return 1;
}

static int check_array(const json_t *value, size_t max, struct schsm_error *err)
{
    if (!json_is_array(value)) {
        return schsm_fail(err, SCHSM_REASON_FILE, "a list [ ] is wanted");
    }
    if (json_array_size(value) == 0 || json_array_size(value) > max) {
        return schsm_fail(err, SCHSM_REASON_FILE, "the list must have 1 to %zu entries, not %zu",
                          max, json_array_size(value));
    }
    return 1;
}

/* A list of texts at `pointer`; where it is missing, an empty one. */
static int take_texts(const json_t *list, size_t room, size_t max, const char *pointer,
                      struct place *at, const char **texts, size_t *count, struct schsm_error *err)
{
    move_to(at, "%s", pointer);
    *count = 0;
    if (list == NULL) {
        return 1;
    }
    if (!check_array(list, room, err)) {
        return 0;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        move_to(at, "%s/%zu", pointer, i);
        if (!take_text(json_array_get(list, i), max, &texts[i], err)) {
            return 0;
        }
        *count = i + 1;
    }
    return 1;
}

/* --- devices -------------------------------------------------------------------------------- */

struct schsm_plan_device *schsm_plan_device(struct schsm_plan *plan, const char *name, size_t len)
{
    for (size_t i = 0; i < plan->device_count; i++) {
        if (strlen(plan->devices[i].name) == len &&
            strncmp(plan->devices[i].name, name, len) == 0) {
            return &plan->devices[i];
        }
    }
    return NULL;
}

bool schsm_plan_serial_ok(const char *serial)
{
    size_t len = strlen(serial);

    return len > 0 && len <= SCHSM_SERIAL_MAX && strspn(serial, NAME_CHARACTERS ".") == len;
}

static int take_device(struct schsm_plan *plan, const char *name, const json_t *value,
                       struct schsm_error *err)
{
    struct schsm_plan_device *device = &plan->devices[plan->device_count];
    const char *serial = json_string_value(value);

    if (strlen(name) > LINE_MAX_BYTES || strspn(name, NAME_CHARACTERS) != strlen(name) ||
        name[0] == '\0' || strcmp(name, SERIAL_WORD) == 0) {
        return schsm_fail(err, SCHSM_REASON_FILE,
                          "a device's name has letters, digits, - and _, and is not " SERIAL_WORD);
    }
    if (!json_is_null(value) && (serial == NULL || !schsm_plan_serial_ok(serial))) {
        return schsm_fail(err, SCHSM_REASON_FILE,
                          "a device's serial number is wanted, or null for one that is chosen when "
                          "the ceremony begins");
    }
    for (size_t i = 0; serial != NULL && i < plan->device_count; i++) {
        if (strcmp(plan->devices[i].serial, serial) == 0) {
            return schsm_fail(err, SCHSM_REASON_FILE, "this is the device of '%s' already",
                              plan->devices[i].name);
        }
    }
    device->name = name;
    (void)snprintf(device->serial, sizeof(device->serial), "%s", serial != NULL ? serial : "");
    plan->device_count++;
    return 1;
}

static int take_devices(struct schsm_plan *plan, const json_t *devices, struct place *at,
                        struct schsm_error *err)
{
    const char *name;
    json_t *value;

    move_to(at, "/devices");
    if (devices == NULL) {
        return 1;
    }
    if (!json_is_object(devices) || json_object_size(devices) > SCHSM_PLAN_DEVICES_MAX) {
        return schsm_fail(err, SCHSM_REASON_FILE, "an object { } of at most %d devices is wanted",
                          SCHSM_PLAN_DEVICES_MAX);
    }
    json_object_foreach((json_t *)devices, name, value)
    {
        move_to(at, "/devices");
        if (name[strspn(name, NAME_CHARACTERS)] == '\0') {
            move_to(at, "/devices/%.40s", name);
        }
        if (!take_device(plan, name, value, err)) {
            return 0;
        }
    }
    return 1;
}

/* --- words ---------------------------------------------------------------------------------- */

/* What stands between braces at a place of a word; 0: there are none, or they do not close. */
static size_t braced(const char *word)
{
    size_t len = *word == '{' ? strspn(word + 1, NAME_CHARACTERS) : 0;

    return len > 0 && word[len + 1] == '}' ? len : 0;
}

static bool is_serial_word(const char *name, size_t len)
{
    return len == strlen(SERIAL_WORD) && strncmp(name, SERIAL_WORD, len) == 0;
}

static int check_braces(struct schsm_plan *plan, const char *word, struct schsm_error *err)
{
    for (const char *at = strpbrk(word, "{}"); at != NULL; at = strpbrk(at, "{}")) {
        size_t len = braced(at);

        if (len == 0) {
            return schsm_fail(err, SCHSM_REASON_FILE,
                              "a brace stands for nothing: {NAME} is the serial number of a device "
                              "of this plan");
        }
        if (!is_serial_word(at + 1, len) && schsm_plan_device(plan, at + 1, len) == NULL) {
            return schsm_fail(err, SCHSM_REASON_FILE, "the plan has no device '%.*s'",
                              (int)(len < 40 ? len : 40), at + 1);
        }
        at += len + 2;
    }
    return 1;
}

char *schsm_plan_expand(const struct schsm_plan *plan, const char *word)
{
    char *out = OPENSSL_zalloc(strlen(word) * (SCHSM_SERIAL_MAX + 1) + 1);
    size_t len = 0;

    while (out != NULL && *word != '\0') {
        size_t name = braced(word);
        const struct schsm_plan_device *device =
            name > 0 ? schsm_plan_device((struct schsm_plan *)plan, word + 1, name) : NULL;

        if (device == NULL) {
            out[len++] = *word++;
            continue;
        }
        /* one that is still to be chosen counts as a word like any other */
        memcpy(out + len, device->serial[0] != '\0' ? device->serial : device->name,
               strlen(device->serial[0] != '\0' ? device->serial : device->name));
        len = strlen(out);
        word += name + 2;
    }
    return out;
}

json_t *schsm_plan_command(const struct schsm_plan *plan, const struct schsm_plan_step *step)
{
    json_t *words = json_array();

    for (size_t i = 0; words != NULL && i < step->word_count; i++) {
        char *word = schsm_plan_expand(plan, step->words[i]);

        if (word == NULL || json_array_append_new(words, json_string(word)) != 0) {
            json_decref(words);
            words = NULL;
        }
        OPENSSL_free(word);
    }
    return words;
}

static int check_words(struct schsm_plan *plan, const struct schsm_plan_step *step,
                       struct place *at, struct schsm_error *err)
{
    char *words[SCHSM_PLAN_WORDS_MAX] = { NULL };
    int ok = 1;

    for (size_t i = 0; ok && i < step->word_count; i++) {
        move_to(at, "/steps/%zu/run/%zu", at->step - 1, i);
        ok = check_braces(plan, step->words[i], err);
        words[i] = ok ? schsm_plan_expand(plan, step->words[i]) : NULL;
        if (ok && words[i] == NULL) {
            ok = schsm_fail_memory(err);
        }
    }
    if (ok) {
        move_to(at, "/steps/%zu/run", at->step - 1);
        ok = schsm_plan_check_command((const char *const *)words, step->word_count, err);
    }
    for (size_t i = 0; i < step->word_count; i++) {
        OPENSSL_free(words[i]);
    }
    return ok;
}

/* --- all of it ------------------------------------------------------------------------------ */

static int take_step(struct schsm_plan *plan, const json_t *json, struct schsm_plan_step *step,
                     struct place *at, struct schsm_error *err)
{
    static const char *const members[] = { "title", "say", "run", "files" };
    char pointer[48];
    size_t number = at->step - 1;

    move_to(at, "/steps/%zu", number);
    if (!check_members(json, members, sizeof(members) / sizeof(members[0]), err)) {
        return 0;
    }
    move_to(at, "/steps/%zu/title", number);
    if (!take_text(json_object_get(json, "title"), LINE_MAX_BYTES, &step->title, err)) {
        return 0;
    }
    move_to(at, "/steps/%zu/say", number);
    if (json_object_get(json, "say") != NULL &&
        !take_text(json_object_get(json, "say"), TEXT_MAX, &step->say, err)) {
        return 0;
    }
    (void)snprintf(pointer, sizeof(pointer), "/steps/%zu/run", number);
    if (!take_texts(json_object_get(json, "run"), SCHSM_PLAN_WORDS_MAX, WORD_MAX, pointer, at,
                    step->words, &step->word_count, err) ||
        (step->word_count > 0 && !check_words(plan, step, at, err))) {
        return 0;
    }
    (void)snprintf(pointer, sizeof(pointer), "/steps/%zu/files", number);
    if (!take_texts(json_object_get(json, "files"), SCHSM_PLAN_FILES_MAX, WORD_MAX, pointer, at,
                    step->files, &step->file_count, err)) {
        return 0;
    }
    move_to(at, "/steps/%zu", number);
    return step->say != NULL || step->word_count > 0 || step->file_count > 0 ||
           schsm_fail(err, SCHSM_REASON_FILE, "the step has nothing to say, run or look at");
}

static int take_plan(struct schsm_plan *plan, struct place *at, struct schsm_error *err)
{
    static const char *const members[] = { "title", "devices", "people", "steps" };
    const json_t *steps = json_object_get(plan->json, "steps");

    move_to(at, "/");
    if (!check_members(plan->json, members, sizeof(members) / sizeof(members[0]), err)) {
        return 0;
    }
    move_to(at, "/title");
    if (!take_text(json_object_get(plan->json, "title"), LINE_MAX_BYTES, &plan->title, err) ||
        !take_devices(plan, json_object_get(plan->json, "devices"), at, err) ||
        !take_texts(json_object_get(plan->json, "people"), SCHSM_PLAN_PEOPLE_MAX, LINE_MAX_BYTES,
                    "/people", at, plan->people, &plan->people_count, err)) {
        return 0;
    }
    move_to(at, "/steps");
    if (!check_array(steps, SCHSM_PLAN_STEPS_MAX, err)) {
        return 0;
    }
    plan->step_count = json_array_size(steps);
    plan->steps = OPENSSL_zalloc(plan->step_count * sizeof(*plan->steps));
    if (plan->steps == NULL) {
        return schsm_fail_memory(err);
    }
    for (size_t i = 0; i < plan->step_count; i++) {
        at->step = i + 1;
        if (!take_step(plan, json_array_get(steps, i), &plan->steps[i], at, err)) {
            return 0;
        }
    }
    return 1;
}

static int parse(struct schsm_plan *plan, const uint8_t *content, size_t len,
                 struct schsm_error *err)
{
    struct place at = { .step = 0 };
    json_error_t where;

    plan->json = json_loadb((const char *)content, len, JSON_REJECT_DUPLICATES, &where);
    if (plan->json == NULL) {
        return schsm_fail(err, SCHSM_REASON_FILE, "%s, line %d, column %d: no JSON: %s", plan->path,
                          where.line, where.column, where.text);
    }
    if (take_plan(plan, &at, err)) {
        return 1;
    }
    return at.step > 0
               ? schsm_fail_context(err, "%s, step %zu, at %s", plan->path, at.step, at.pointer)
               : schsm_fail_context(err, "%s, at %s", plan->path, at.pointer);
}

int schsm_plan_read(OSSL_LIB_CTX *libctx, const char *path, struct schsm_plan *plan,
                    struct schsm_error *err)
{
    uint8_t *content = NULL;
    size_t len = 0;
    int ok;

    *plan = (struct schsm_plan){ .path = path };
    if (!schsm_file_read(path, PLAN_MAX, &content, &len, err)) {
        return 0;
    }
    ok = schsm_ceremony_digest(libctx, content, len, plan->digest, err) &&
         parse(plan, content, len, err);
    OPENSSL_free(content);
    return ok;
}

void schsm_plan_clear(struct schsm_plan *plan)
{
    OPENSSL_free(plan->steps);
    json_decref(plan->json);
    *plan = (struct schsm_plan){ .path = NULL };
}
