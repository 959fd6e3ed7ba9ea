/* SPDX-License-Identifier: Apache-2.0 */
/* Devices and whether they have the key. */
#include "pool_private.h"

#include <string.h>

#include <openssl/crypto.h>

#include "base/fork_guard.h"
#include "base/log.h"
#include "format/same_key.h"
#include "load.h"

/* A device that is gone may be back at any time; one that computes wrongly will go on doing so, and
 * one without the key gets it seldom. */
#define BACK_MS 900u
#define WRONG_MS 30000u
#define STRANGER_MS 30000u

/* A search that waits for devices which were there before. */
#define LONG_LOOK_MS 40000u

/* The serial number's place in the list, from 0; -1: it is not in it. */
static int place_in_list(const char *list, const char *serial)
{
    size_t len = strlen(serial);
    int place = 0;

    for (const char *p = list; len > 0 && *p != '\0'; place++) {
        size_t word = strcspn(p, ",");

        if (word == len && memcmp(p, serial, len) == 0) {
            return place;
        }
        p += word;
        p += *p == ',' ? 1 : 0;
    }
    return -1;
}

bool schsm_pool_begins_with(const struct schsm_pool *pool, const char *serial)
{
    int place = 0;

    if (pool->serials == NULL) {
        return true;
    }
    place = serial != NULL ? place_in_list(pool->serials, serial) : -1;
    return pool->mode == SCHSM_POOL_FAILOVER ? place == 0 : place >= 0;
}

static struct schsm_member *find_member(struct schsm_pooled_key *key,
                                        const struct schsm_device *device)
{
    struct schsm_member *member;

    schsm_guard_lock();
    for (member = key->members; member != NULL && member->device != device; member = member->next) {
    }
    schsm_guard_unlock();
    return member;
}

/* Its place in the list, where there is one: false where it is not in it. */
static bool rank_of(const struct schsm_pool *pool, struct schsm_device *device, unsigned int *rank)
{
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    char serial[SCHSM_SERIAL_MAX + 1];
    int place;

    *rank = 0;
    if (pool->serials == NULL) {
        return true;
    }
    if (!schsm_device_serial(device, serial, &ignored)) {
        return false;
    }
    place = place_in_list(pool->serials, serial);
    *rank = (unsigned int)place;
    return place >= 0;
}

/* A member for this device; NULL where it does not take part, or memory runs out. */
static struct schsm_member *add_member(struct schsm_pooled_key *key, struct schsm_device *device)
{
    struct schsm_member *member = find_member(key, device), **end = &key->members;
    char place[SCHSM_DEVICE_NAME_MAX];
    unsigned int number = 0;

    if (member != NULL || (member = OPENSSL_zalloc(sizeof(*member))) == NULL) {
        return member;
    }
    member->device = device;
    schsm_device_place(device, place);
    member->place = schsm_load_place(place);
    if (!rank_of(key->pool, device, &member->rank)) {
        OPENSSL_free(member);
        return NULL;
    }
    schsm_guard_lock();
    while (*end != NULL && (*end)->device != device) {
        end = &(*end)->next;
        number++;
    }
    if (*end != NULL || number >= SCHSM_POOL_MEMBERS_MAX) {
        OPENSSL_free(member);
        member = *end; /* another thread was quicker */
    } else {
        member->number = number;
        if (key->pool->serials == NULL) { /* they have the order in which they were met */
            member->rank = number;
        }
        *end = member;
    }
    schsm_guard_unlock();
    return member;
}

struct look {
    struct schsm_errand errand; /* first member */
    struct schsm_pooled_key *key;
    bool hurried;
};

static void run_look(struct schsm_errand *errand)
{
    const struct look *it = (const struct look *)errand;
    const struct schsm_device_selector all = { .hurried = it->hurried };
    struct schsm_pooled_key *key = it->key;
    struct schsm_device *devices[SCHSM_POOL_MEMBERS_MAX];
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    size_t count = SCHSM_POOL_MEMBERS_MAX;

    if (!schsm_registry_devices(key->pool->registry, &all, devices, &count, &ignored)) {
        schsm_log(SCHSM_LOG_DEBUG, "pool: %s", ignored.text);
        count = 0;
    }
    for (size_t i = 0; i < count; i++) {
        (void)add_member(key, devices[i]);
    }
    schsm_guard_lock();
    for (struct schsm_member *member = key->members; member != NULL; member = member->next) {
        member->seen = false;
        for (size_t i = 0; i < count && !member->seen; i++) {
            member->seen = devices[i] == member->device;
        }
    }
    schsm_guard_unlock();
}

static void free_plain(struct schsm_errand *errand)
{
    OPENSSL_free(errand); /* an errand is the first member of what was allocated */
}

/* Nobody knows which are there: so any may be. */
static void suppose_seen(struct schsm_pooled_key *key)
{
    schsm_guard_lock();
    for (struct schsm_member *member = key->members; member != NULL; member = member->next) {
        member->seen = true;
    }
    schsm_guard_unlock();
}

void schsm_pool_look(struct schsm_pooled_key *key, bool hurried, const atomic_bool *stop)
{
    struct look *it = NULL;

    if (schsm_answers_missing(&key->pool->looks) || (it = OPENSSL_zalloc(sizeof(*it))) == NULL) {
        suppose_seen(key);
        return;
    }
    it->errand =
        (struct schsm_errand){ .run = run_look, .free = free_plain, .answers = &key->pool->looks };
    it->key = key;
    it->hurried = hurried;
    schsm_errand_start(&it->errand);
    if (!schsm_errand_wait(&it->errand, hurried ? SCHSM_POOL_ANSWER_MS : LONG_LOOK_MS, stop) &&
        schsm_errand_leave(&it->errand)) {
        schsm_log(SCHSM_LOG_ERROR, "%s: the search for devices gets no answer", key->name);
        suppose_seen(key);
        return;
    }
    schsm_errand_end(&it->errand);
}

static void set_state(struct schsm_member *member, enum schsm_member_state state)
{
    unsigned long connection = schsm_device_connection(member->device);
    uint64_t now = schsm_pool_now();

    schsm_guard_lock();
    member->state = state;
    member->connection = connection;
    member->asked_at = now;
    schsm_guard_unlock();
}

void schsm_pool_add(struct schsm_device *pooled, struct schsm_device *device,
                    const struct schsm_object *object)
{
    struct schsm_pooled_key *key = (struct schsm_pooled_key *)pooled;
    struct schsm_member *member = add_member(key, device);

    if (member == NULL) {
        return;
    }
    schsm_guard_lock();
    if (member->state == SCHSM_MEMBER_NEW) {
        member->object = *object;
        member->object.value = NULL;
        member->object.value_len = 0;
        member->state = SCHSM_MEMBER_READY;
    }
    schsm_guard_unlock();
}

static bool is_about_pins(enum schsm_reason reason)
{
    switch (reason) {
    case SCHSM_REASON_PIN_INCORRECT:
    case SCHSM_REASON_PIN_BLOCKED:
    case SCHSM_REASON_PIN_TRIES_LOW:
    case SCHSM_REASON_PIN_KNOWN_WRONG:
    case SCHSM_REASON_PIN_LENGTH:
    case SCHSM_REASON_PIN_MUST_CHANGE:
    case SCHSM_REASON_PIN_SOURCE:
        return true;
    default:
        return false;
    }
}

static enum schsm_failure failure_of(enum schsm_reason reason)
{
    switch (reason) {
    case SCHSM_REASON_PIN_MISSING:
    case SCHSM_REASON_NOT_PERMITTED:
    case SCHSM_REASON_UNSUPPORTED:
    case SCHSM_REASON_BAD_INPUT: /* perhaps because its key is another one by now */
        return SCHSM_FAILURE_ELSEWHERE;
    case SCHSM_REASON_CANCELLED:
    case SCHSM_REASON_ARGUMENT:
    case SCHSM_REASON_CRYPTO:
    case SCHSM_REASON_OUT_OF_MEMORY:
        return SCHSM_FAILURE_FINAL;
    default:
        return SCHSM_FAILURE_OUT;
    }
}

static void put_out(struct schsm_pooled_key *key, struct schsm_member *member,
                    const struct schsm_error *why)
{
    bool news;

    schsm_guard_lock();
    news = member->state != SCHSM_MEMBER_OUT && member->state != SCHSM_MEMBER_NEW;
    member->why = *why;
    schsm_guard_unlock();
    set_state(member, SCHSM_MEMBER_OUT);
    if (news) {
        schsm_log(SCHSM_LOG_ERROR, "%s: a device is left out: %s", key->name, why->text);
    }
}

enum schsm_failure schsm_member_failed(struct schsm_pooled_key *key, struct schsm_member *member,
                                       const struct schsm_error *why)
{
    enum schsm_failure failure = failure_of(why->reason);

    if (failure == SCHSM_FAILURE_OUT) {
        put_out(key, member, why);
    }
    return failure;
}

/* 1: *found is the key, its value the caller's; 0: it is not among them; -1: they cannot be seen.
 */
static int find_key(struct schsm_pooled_key *key, struct schsm_device *device, int key_ref,
                    struct schsm_object *found, struct schsm_error *err)
{
    const struct schsm_object_filter filter = { .types = SCHSM_OBJECT_PRIVATE, .key_ref = key_ref };
    struct schsm_object_list list = { NULL, 0 };
    int is_there = 0;

    if (!schsm_device_find(device, &filter, &list, err)) {
        return -1;
    }
    for (size_t i = 0; i < list.count && !is_there; i++) {
        struct schsm_object *object = &list.objects[i];
        struct schsm_error ignored = SCHSM_ERROR_INIT;

        is_there = schsm_device_read(device, object, NULL, &ignored) &&
                   schsm_public_key_is(key->expected.libctx, object->value, object->value_len,
                                       key->expected.public_key);
        if (is_there) {
            *found = *object;
            object->value = NULL; /* it has moved */
        }
    }
    schsm_object_list_clear(&list);
    return is_there;
}

/* A PIN that nobody has to be asked for, as the last login had it. */
static int log_in(struct schsm_pooled_key *key, struct schsm_device *device,
                  struct schsm_error *err)
{
    struct schsm_login login = { .object = key->name, .hurried = true };
    int ok;

    schsm_guard_lock();
    login.source = key->source != NULL ? schsm_pin_source_ref(key->source) : NULL;
    login.min_pin_tries = key->min_pin_tries;
    login.keep_pin = key->keep_pin;
    schsm_guard_unlock();
    ok = login.source != NULL && schsm_pin_source_is_stored(login.source)
             ? schsm_device_login(device, &login, err)
             : schsm_fail(err, SCHSM_REASON_PIN_MISSING,
                          "the PIN would have to be asked for once more");
    schsm_pin_source_free(login.source);
    return ok;
}

/* As find_key: under the key reference that is known first, which is one command. */
static int look_up(struct schsm_pooled_key *key, struct schsm_device *device,
                   struct schsm_object *found, struct schsm_error *err)
{
    int is_there = 0;
    bool hides = false;

    if (key->object.key_ref >= 0) {
        is_there = find_key(key, device, key->object.key_ref, found, err);
    }
    if (is_there == 0) {
        is_there = find_key(key, device, -1, found, err);
    }
    if (is_there == 0 && schsm_device_hides_objects(device, &hides, err) && hides) {
        is_there = log_in(key, device, err) ? find_key(key, device, -1, found, err) : -1;
    }
    return is_there;
}

/* Whether a device counts the uses of its copy. */
static bool is_counted(struct schsm_device *device, const struct schsm_object *object)
{
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    struct schsm_key_policy policy;

    return schsm_device_key_policy(device, object, &policy, &ignored) && policy.known &&
           policy.limited;
}

static void tell_counted(const struct schsm_pooled_key *key, struct schsm_device *device)
{
    char name[SCHSM_DEVICE_NAME_MAX];

    schsm_device_name(device, name);
    schsm_log(
        SCHSM_LOG_ERROR,
        "%s has a use counter on device %s: such a key is used on one device alone, and takes "
        "no part in the pool",
        key->name, name);
}

/* The device that uses the key so far, without a question whether it counts; NULL: there is none,
 * or it was asked already. */
static struct schsm_member *first_user(struct schsm_pooled_key *key, struct schsm_object *object)
{
    struct schsm_member *member;

    schsm_guard_lock();
    for (member = key->members; member != NULL && member->state != SCHSM_MEMBER_READY;
         member = member->next) {
    }
    if (member != NULL && member->asked_at != 0) {
        member = NULL;
    }
    if (member != NULL) {
        *object = member->object;
    }
    schsm_guard_unlock();
    return member;
}

/*
 * Whether a member may use the key beside others. A use of one copy must not be repeated with
 * another one, and nobody may wonder how many uses are left: a key with a counter is used on the
 * first device that used it, and nowhere else.
 */
static bool may_join(struct schsm_pooled_key *key, struct schsm_member *member,
                     const struct schsm_object *object)
{
    bool counted = is_counted(member->device, object);
    struct schsm_object its_object;
    struct schsm_member *first = first_user(key, &its_object);
    bool first_counted = first != NULL && is_counted(first->device, &its_object);
    bool may = true, news = false;

    schsm_guard_lock();
    if (first != NULL) {
        first->asked_at = schsm_pool_now();
        news = first_counted;
        key->alone = first_counted ? first : key->alone;
    }
    if (key->alone != NULL) {
        may = key->alone == member;
    } else if (counted) {
        for (struct schsm_member *other = key->members; other != NULL; other = other->next) {
            may = may && (other == member ||
                          (other->state != SCHSM_MEMBER_READY && other->state != SCHSM_MEMBER_OUT));
        }
        key->alone = may ? member : NULL;
        news = true;
    }
    schsm_guard_unlock();
    if (news) {
        tell_counted(key, first_counted ? first->device : member->device);
    }
    return may;
}

int schsm_member_silent(const struct schsm_member *member, struct schsm_error *err)
{
    char name[SCHSM_DEVICE_NAME_MAX];

    schsm_device_name(member->device, name);
    return schsm_fail(err, SCHSM_REASON_TRANSPORT, "device %s gave no answer for %u seconds", name,
                      SCHSM_POOL_ANSWER_MS / 1000u);
}

struct question {
    struct schsm_errand errand; /* first member */
    struct schsm_pooled_key *key;
    struct schsm_member *member;
};

static void run_question(struct schsm_errand *errand)
{
    const struct question *it = (const struct question *)errand;
    struct schsm_pooled_key *key = it->key;
    struct schsm_member *member = it->member;
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_object found = { .value = NULL };
    bool was_out, refused;
    int is_there;

    schsm_guard_lock();
    was_out = member->state == SCHSM_MEMBER_OUT;
    refused = was_out && is_about_pins(member->why.reason);
    schsm_guard_unlock();
    is_there = look_up(key, member->device, &found, &err);
    OPENSSL_free(found.value);
    found.value = NULL;
    found.value_len = 0;
    if (is_there < 0 || (is_there > 0 && refused && !log_in(key, member->device, &err))) {
        put_out(key, member, &err);
        return;
    }
    if (is_there == 0 || !may_join(key, member, &found)) {
        set_state(member, SCHSM_MEMBER_STRANGER);
        return;
    }
    schsm_guard_lock();
    member->object = found;
    schsm_guard_unlock();
    set_state(member, SCHSM_MEMBER_READY);
    if (schsm_log_wants(SCHSM_LOG_INFO)) {
        char name[SCHSM_DEVICE_NAME_MAX];

        schsm_device_name(member->device, name);
        schsm_log(SCHSM_LOG_INFO, "%s: device %s %s", key->name, name,
                  was_out ? "is back" : "takes part");
    }
}

void schsm_member_ask(struct schsm_pooled_key *key, struct schsm_member *member,
                      const atomic_bool *stop)
{
    struct schsm_error silent = SCHSM_ERROR_INIT;
    struct question *it = NULL;

    if (schsm_answers_missing(&member->answers) || (it = OPENSSL_zalloc(sizeof(*it))) == NULL) {
        return;
    }
    it->errand = (struct schsm_errand){ .run = run_question,
                                        .free = free_plain,
                                        .answers = &member->answers };
    it->key = key;
    it->member = member;
    schsm_errand_start(&it->errand);
    if (!schsm_errand_wait(&it->errand, SCHSM_POOL_ANSWER_MS, stop) &&
        schsm_errand_leave(&it->errand)) {
        (void)schsm_member_silent(member, &silent);
        put_out(key, member, &silent);
        return;
    }
    schsm_errand_end(&it->errand);
}

enum schsm_member_state schsm_member_state(struct schsm_member *member)
{
    enum schsm_member_state state;

    schsm_guard_lock();
    state = member->state;
    schsm_guard_unlock();
    return state;
}

bool schsm_member_is_due(struct schsm_pooled_key *key, struct schsm_member *member)
{
    unsigned long connection = schsm_device_connection(member->device);
    bool wanted = atomic_load(&key->wanted), due = false;
    uint64_t now = schsm_pool_now(), since;

    if (schsm_answers_missing(&member->answers)) {
        return false;
    }
    schsm_guard_lock();
    since = now > member->asked_at ? now - member->asked_at : 0;
    if (member->seen) { /* one that is not there would be waited for */
        switch (member->state) {
        case SCHSM_MEMBER_NEW:
            due = wanted;
            break;
        case SCHSM_MEMBER_OUT:
            due = since >= (member->why.reason == SCHSM_REASON_WRONG_KEY ? WRONG_MS : BACK_MS);
            break;
        case SCHSM_MEMBER_STRANGER:
            due = wanted && (since >= STRANGER_MS || connection != member->connection);
            break;
        case SCHSM_MEMBER_READY:
            break;
        }
    }
    schsm_guard_unlock();
    return due;
}
