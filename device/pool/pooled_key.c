/* SPDX-License-Identifier: Apache-2.0 */
/* The device interface for all devices that have a key: one of them does what is asked. */
#include "pool_private.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>

#include "base/fork_guard.h"
#include "base/log.h"
#include "load.h"

/* Where all are out: a device that was pulled, or a service that was restarted, is waited for as
 * long as one device alone would be. */
#define RETURN_PAUSE_MS 100u
#define RETURN_LIMIT_MS 4000u

/* For a device that says nothing while no other can do it: times SCHSM_POOL_ANSWER_MS. */
#define PATIENCE 6

/* What one of the devices is to do. */
struct task {
    int (*run)(const struct task *task, struct schsm_member *member,
               const struct schsm_object *object, struct schsm_error *err);
    struct schsm_pooled_key *key;
    struct schsm_login login;
    enum schsm_operation operation;
    const uint8_t *in;
    size_t in_len;
    uint8_t *out;
    size_t room;
    size_t *out_len;
    struct schsm_pin_prospect *prospect;
    struct schsm_errand *errand; /* NULL: the caller does it himself */
};

static struct schsm_pooled_key *pooled_key(struct schsm_device *dev)
{
    return (struct schsm_pooled_key *)dev;
}

/* For the pool's thread, which asks nobody for a PIN. */
static void remember_login(struct schsm_pooled_key *key, const struct schsm_login *login)
{
    struct schsm_pin_source *before = NULL;

    schsm_guard_lock();
    key->min_pin_tries = login->min_pin_tries;
    key->keep_pin = login->keep_pin;
    if (login->source != key->source) {
        before = key->source;
        key->source = login->source != NULL ? schsm_pin_source_ref(login->source) : NULL;
    }
    schsm_guard_unlock();
    schsm_pin_source_free(before);
}

static bool is_gone(enum schsm_reason reason)
{
    switch (reason) {
    case SCHSM_REASON_NO_SERVICE:
    case SCHSM_REASON_NO_READER:
    case SCHSM_REASON_NO_DEVICE:
    case SCHSM_REASON_DEVICE_REMOVED:
    case SCHSM_REASON_TRANSPORT:
        return true;
    default:
        return false;
    }
}

/* The members that are out because the device is gone, and may come back at any moment. */
static uint64_t gone_members(struct schsm_pooled_key *key)
{
    uint64_t gone = 0;

    schsm_guard_lock();
    for (struct schsm_member *member = key->members; member != NULL; member = member->next) {
        if (member->state == SCHSM_MEMBER_OUT && is_gone(member->why.reason)) {
            gone |= (uint64_t)1 << member->number;
        }
    }
    schsm_guard_unlock();
    return gone;
}

/* The next member that is there, and not READY, and was not asked by this task. */
static struct schsm_member *next_to_ask(struct schsm_pooled_key *key, uint64_t asked)
{
    struct schsm_member *first = NULL;

    schsm_guard_lock();
    for (struct schsm_member *member = key->members; member != NULL; member = member->next) {
        bool stranger = member->state == SCHSM_MEMBER_STRANGER &&
                        schsm_device_connection(member->device) == member->connection;

        if (member->seen && !schsm_answers_missing_guarded(&member->answers) &&
            member->state != SCHSM_MEMBER_READY && !stranger &&
            (asked >> member->number & 1) == 0 && (first == NULL || member->rank < first->rank)) {
            first = member;
        }
    }
    schsm_guard_unlock();
    return first;
}

/*
 * No member is READY: looks which devices there are and asks them, in their order, until one has
 * the key. It is done while the caller waits, as there is nobody else to do his work.
 */
static bool find_one(struct schsm_pooled_key *key, uint64_t tried, bool hurried)
{
    struct schsm_member *member = NULL;
    uint64_t asked = tried;

    schsm_pool_look(key, hurried, NULL);
    while ((member = next_to_ask(key, asked)) != NULL) {
        asked |= (uint64_t)1 << member->number;
        schsm_member_ask(key, member, NULL);
        if (schsm_member_state(member) == SCHSM_MEMBER_READY) {
            return true;
        }
    }
    return false;
}

/* The one sentence where no device could do it. */
static int fail_all(struct schsm_pooled_key *key, const struct schsm_error *last,
                    struct schsm_error *err)
{
    char list[sizeof(last->text)] = "";
    struct schsm_error missing, only = SCHSM_ERROR_INIT;
    unsigned int count = 0;
    size_t used = 0;

    schsm_guard_lock();
    missing = key->missing;
    for (struct schsm_member *member = key->members; member != NULL; member = member->next) {
        if (member->state == SCHSM_MEMBER_OUT && used < sizeof(list)) {
            used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
                                     count > 0 ? "; " : "", member->why.text);
            only = member->why;
            count++;
        }
    }
    schsm_guard_unlock();
    if (count > 1) {
        return schsm_fail(err, last->reason != SCHSM_REASON_NONE ? last->reason : only.reason,
                          "%s: none of the %u devices that have it can be used: %s", key->name,
                          count, list);
    }
    if (last->reason != SCHSM_REASON_NONE) {
        return schsm_fail_as(err, last);
    }
    if (count == 1 || missing.reason != SCHSM_REASON_NONE) {
        return schsm_fail_as(err, count == 1 ? &only : &missing);
    }
    return schsm_fail(err, SCHSM_REASON_NOT_FOUND,
                      "%s: no device that is connected has it, or none of those named by "
                      "pool-devices",
                      key->name);
}

/* --- by a thread of its own ------------------------------------------------------------------ */

/* A task with all that it needs. */
struct job {
    struct schsm_errand errand; /* first member */
    struct task task;
    struct schsm_member *member;
    struct schsm_object object;
    char *login_object;
    uint8_t *in, *out;
    size_t out_len;
    struct schsm_pin_prospect prospect;
    struct schsm_error err;
    int ok;
};

static void run_job(struct schsm_errand *errand)
{
    struct job *job = (struct job *)errand;

    job->ok = job->task.run(&job->task, job->member, &job->object, &job->err);
}

static void free_job(struct schsm_errand *errand)
{
    struct job *job = (struct job *)errand;

    schsm_pin_source_free(job->task.login.source);
    OPENSSL_free(job->login_object);
    OPENSSL_clear_free(job->in, job->task.in_len);
    OPENSSL_clear_free(job->out, job->task.room);
    OPENSSL_free(job);
}

static struct job *new_job(const struct task *task, struct schsm_member *member,
                           const struct schsm_object *object)
{
    struct job *job = OPENSSL_zalloc(sizeof(*job));

    if (job == NULL) {
        return NULL;
    }
    job->errand =
        (struct schsm_errand){ .run = run_job, .free = free_job, .answers = &member->answers };
    job->err = (struct schsm_error)SCHSM_ERROR_INIT;
    job->member = member;
    job->object = *object;
    job->task = *task;
    job->task.login.source =
        task->login.source != NULL ? schsm_pin_source_ref(task->login.source) : NULL;
    job->login_object = task->login.object != NULL ? OPENSSL_strdup(task->login.object) : NULL;
    job->in = task->in_len > 0 ? OPENSSL_memdup(task->in, task->in_len) : NULL;
    job->out = task->room > 0 ? OPENSSL_zalloc(task->room) : NULL;
    if ((job->login_object == NULL) != (task->login.object == NULL) ||
        (job->in == NULL) != (task->in_len == 0) || (job->out == NULL) != (task->room == 0)) {
        free_job(&job->errand);
        return NULL;
    }
    job->task.login.object = job->login_object;
    job->task.in = job->in;
    job->task.out = job->out;
    job->task.out_len = &job->out_len;
    job->task.prospect = &job->prospect;
    job->task.errand = &job->errand;
    return job;
}

/* What came of it, to the caller. */
static int end_job(struct job *job, const struct task *task, struct schsm_error *err)
{
    int ok = job->ok;

    if (ok && task->out != NULL) {
        memcpy(task->out, job->out, job->out_len);
        *task->out_len = job->out_len;
    }
    if (ok && task->prospect != NULL) {
        *task->prospect = job->prospect;
    }
    *err = job->err;
    schsm_errand_end(&job->errand);
    return ok;
}

/* A person who is asked for a PIN may take his time, and is asked by the caller's own thread. */
static bool may_ask_person(const struct schsm_login *login)
{
    return login->source != NULL && !schsm_pin_source_is_stored(login->source);
}

/*
 * Lets a member do it. Where it says nothing for long and another one can do it instead, this one
 * fails; and some time later even where there is none, unless it is the only device that there is.
 */
static int perform(const struct task *task, struct schsm_member *member,
                   const struct schsm_object *object, uint64_t tried, struct schsm_error *err)
{
    struct schsm_pooled_key *key = task->key;
    uint64_t others = tried | (uint64_t)1 << member->number;
    struct job *job = NULL;

    if (may_ask_person(&task->login)) {
        return task->run(task, member, object, err);
    }
    if ((job = new_job(task, member, object)) == NULL) {
        return schsm_fail_memory(err);
    }
    schsm_errand_start(&job->errand);
    for (int i = 1; !schsm_errand_wait(&job->errand, SCHSM_POOL_ANSWER_MS, NULL); i++) {
        if ((schsm_pool_has_other(key, others) || find_one(key, others, true) ||
             (i >= PATIENCE && schsm_pool_count(key) > 1)) &&
            schsm_errand_leave(&job->errand)) {
            return schsm_member_silent(member, err);
        }
    }
    return end_job(job, task, err);
}

/* --- by one of the members -------------------------------------------------------------------- */

/* Lets one member after the other try it, until one can. */
static int run(struct task *task, struct schsm_error *err)
{
    struct schsm_pooled_key *key = task->key;
    struct schsm_error last = SCHSM_ERROR_INIT;
    uint64_t began = schsm_pool_now();
    uint64_t tried = 0;

    atomic_store(&key->used_at, began);
    remember_login(key, &task->login);
    schsm_pool_watch(key->pool);
    for (;;) {
        struct schsm_error found = SCHSM_ERROR_INIT;
        struct schsm_object object;
        struct schsm_member *member = schsm_pool_choose(key, tried, &object);
        enum schsm_failure failure;
        int ok;

        if (member == NULL) {
            uint64_t gone = gone_members(key);

            if (find_one(key, tried, true)) {
                continue;
            }
            /* A worker that was forked while all devices are away knows none yet. */
            if (!schsm_pool_has_member(&key->device) && find_one(key, tried, false)) {
                continue;
            }
            if (gone == 0 || schsm_pool_now() - began >= RETURN_LIMIT_MS) {
                return fail_all(key, &last, err);
            }
            (void)nanosleep(&(struct timespec){ 0, RETURN_PAUSE_MS * 1000000L }, NULL);
            tried &= ~gone;
            continue;
        }
        task->login.hurried = schsm_pool_count(key) > 1;
        ok = perform(task, member, &object, tried, &found);
        schsm_load_leave(member->place);
        if (ok) {
            return 1;
        }
        tried |= (uint64_t)1 << member->number;
        failure = schsm_member_failed(key, member, &found);
        if (failure == SCHSM_FAILURE_FINAL || last.reason == SCHSM_REASON_NONE ||
            failure == SCHSM_FAILURE_OUT) {
            last = found;
        }
        if (failure == SCHSM_FAILURE_FINAL) {
            return schsm_fail_as(err, &last);
        }
        if (!task->login.hurried) {
            began = 0; /* it was waited for already */
        }
    }
}

static int run_operation(const struct task *task, struct schsm_member *member,
                         const struct schsm_object *object, struct schsm_error *err)
{
    const struct schsm_asked asked = { member->device,  object,   &task->login,
                                       task->operation, task->in, task->in_len };

    *task->out_len = task->room;
    return schsm_device_operate(member->device, task->operation, object, &task->login, task->in,
                                task->in_len, task->out, task->out_len, err) &&
           (task->errand == NULL || !schsm_errand_is_left(task->errand)) &&
           schsm_check_result(&task->key->expected, &member->checked, &asked, task->out,
                              task->out_len, err);
}

static int pooled_operate(struct schsm_device *dev, enum schsm_operation operation,
                          const struct schsm_object *key, const struct schsm_login *login,
                          const uint8_t *in, size_t in_len, uint8_t *out, size_t *out_len,
                          struct schsm_error *err)
{
    struct task task = {
        .run = run_operation,
        .key = pooled_key(dev),
        .login = *login,
        .operation = operation,
        .in = in,
        .in_len = in_len,
        .out = out,
        .room = *out_len,
        .out_len = out_len,
    };
    int ok = run(&task, err);

    (void)key;
    if (!ok) {
        *out_len = 0;
    }
    return ok;
}

static int run_login(const struct task *task, struct schsm_member *member,
                     const struct schsm_object *object, struct schsm_error *err)
{
    (void)object;
    return schsm_device_login(member->device, &task->login, err);
}

/*
 * PINs that are kept are for children, which may not be able to read them again: a server's workers
 * give up root. So each device that is there is logged in now. One that refuses is left out.
 */
static void log_in_everywhere(struct task *task)
{
    struct schsm_pooled_key *key = task->key;
    struct schsm_member *member = NULL;
    struct schsm_object object;
    uint64_t asked = 0;

    schsm_pool_look(key, true, NULL);
    while ((member = next_to_ask(key, asked)) != NULL) {
        asked |= (uint64_t)1 << member->number;
        schsm_member_ask(key, member, NULL);
    }
    asked = 0;
    while ((member = schsm_pool_choose(key, asked, &object)) != NULL) {
        struct schsm_error err = SCHSM_ERROR_INIT;

        asked |= (uint64_t)1 << member->number;
        if (!perform(task, member, &object, asked, &err)) {
            (void)schsm_member_failed(key, member, &err);
        }
        schsm_load_leave(member->place);
    }
}

static int pooled_login(struct schsm_device *dev, const struct schsm_login *login,
                        struct schsm_error *err)
{
    struct task task = { .run = run_login, .key = pooled_key(dev), .login = *login };
    int ok = run(&task, err);

    if (ok && login->keep_pin && login->source != NULL &&
        schsm_pin_source_is_stored(login->source)) {
        task.login.hurried = true;
        log_in_everywhere(&task);
    }
    return ok;
}

static int run_prepare_login(const struct task *task, struct schsm_member *member,
                             const struct schsm_object *object, struct schsm_error *err)
{
    (void)object;
    return schsm_device_prepare_login(member->device, &task->login, task->prospect, err);
}

static int pooled_prepare_login(struct schsm_device *dev, const struct schsm_login *login,
                                struct schsm_pin_prospect *state, struct schsm_error *err)
{
    struct task task = {
        .run = run_prepare_login, .key = pooled_key(dev), .login = *login, .prospect = state
    };

    return run(&task, err);
}

static void pooled_name(struct schsm_device *dev, char name[SCHSM_DEVICE_NAME_MAX])
{
    (void)snprintf(name, SCHSM_DEVICE_NAME_MAX, "all that have %s", pooled_key(dev)->name);
}

/* It is not the way to the devices that changes, but to which of them. */
static unsigned long pooled_connection(struct schsm_device *dev)
{
    (void)dev;
    return 1;
}

const struct schsm_device_ops schsm_pooled_ops = {
    .name = pooled_name,
    .place = pooled_name,
    .connection = pooled_connection,
    .login = pooled_login,
    .prepare_login = pooled_prepare_login,
    .operate = pooled_operate,
};
