/* SPDX-License-Identifier: Apache-2.0 */
/* From one device into memory, and from there onto another. */
#include "copy.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "hsm/hsm_key_domain.h"
#include "hsm/hsm_wrap.h"
#include "format/same_key.h"
#include "saving.h"

#define KEY_REFS 256 /* 0..255 */

struct copying {
    const struct schsm_copy_job *job;
    struct schsm_restored *copied;
    struct schsm_object_list from, there;
    bool describes_keys;      /* the other device does, itself */
    bool certified[KEY_REFS]; /* the other device has this key and a certificate of it */
    struct schsm_backup_memory memory;
    struct schsm_manifest manifest; /* of what is in memory */
    size_t left_out;
};

/* --- the key encryption keys --------------------------------------------------------------- */

static bool is_key(const struct schsm_object *object)
{
    return object->type == SCHSM_OBJECT_PRIVATE || object->type == SCHSM_OBJECT_SECRET;
}

static bool is_wanted(const struct copying *copying, const struct schsm_object *object)
{
    return copying->job->wanted == NULL || copying->job->wanted(copying->job->wanted_arg, object);
}

static bool wants_keys(const struct copying *copying)
{
    for (size_t i = 0; i < copying->from.count; i++) {
        if (is_key(&copying->from.objects[i]) && is_wanted(copying, &copying->from.objects[i])) {
            return true;
        }
    }
    return false;
}

static bool has_kek(const struct schsm_hsm_domain *domains, size_t count,
                    const uint8_t kcv[SCHSM_KCV_LEN])
{
    for (size_t i = 0; i < count; i++) {
        if (domains[i].complete && memcmp(domains[i].kcv, kcv, SCHSM_KCV_LEN) == 0) {
            return true;
        }
    }
    return false;
}

/* Devices that have no key encryption key in common cannot exchange keys, and are no copies of one
 * another: then nothing is written at all. What one device has none for is told key by key. */
static int check_keks(const struct copying *copying, struct schsm_error *err)
{
    const struct schsm_copy_job *job = copying->job;
    struct schsm_hsm_domain ours[SCHSM_HSM_DOMAINS_MAX], theirs[SCHSM_HSM_DOMAINS_MAX];
    size_t our_count = SCHSM_HSM_DOMAINS_MAX, their_count = SCHSM_HSM_DOMAINS_MAX;
    const struct schsm_hsm_domain *missing = NULL;
    char name[SCHSM_DEVICE_NAME_MAX];
    unsigned int domain = 0;

    if (!wants_keys(copying)) {
        return 1;
    }
    if (!schsm_hsm_domains(job->from, ours, &our_count, err) ||
        !schsm_hsm_domains(job->to, theirs, &their_count, err)) {
        return 0;
    }
    for (size_t i = 0; i < our_count; i++) {
        if (ours[i].complete && has_kek(theirs, their_count, ours[i].kcv)) {
            return 1;
        }
        missing = ours[i].complete && missing == NULL ? &ours[i] : missing;
    }
    schsm_device_called(job->to, name);
    return missing == NULL ||
           schsm_hsm_find_kek_by_login(job->to, missing->kcv, job->to_login, &domain, err) ||
           schsm_fail_context(err, "nothing was copied to device %s", name);
}

/* --- what is there already ----------------------------------------------------------------- */

static bool same_pair(const struct schsm_copy_job *job, const struct schsm_object *a,
                      const struct schsm_object *b)
{
    const uint8_t *at = a->value;
    EVP_PKEY *key;
    bool same;

    if (a->value_len == 0 || b->value_len == 0) {
        return false;
    }
    (void)ERR_set_mark();
    key = d2i_PUBKEY_ex(NULL, &at, (long)a->value_len, job->libctx, NULL);
    same = key != NULL && schsm_public_key_is(job->libctx, b->value, b->value_len, key);
    (void)ERR_pop_to_mark();
    EVP_PKEY_free(key);
    return same;
}

/* The same secret key, as far as anybody can tell: they have no public part. */
static bool same_secret(const struct schsm_object *a, const struct schsm_object *b)
{
    return a->id_len > 0 && a->id_len == b->id_len && memcmp(a->id, b->id, a->id_len) == 0 &&
           a->key_type == b->key_type && strcmp(a->label, b->label) == 0;
}

/*
 * The key on the other device; NULL: it is not there. One that the device described itself may be
 * what an interruption left: that is for the restoring to find out, with the wrapped key. So are
 * secret keys on such a device.
 */
static const struct schsm_object *find_there(const struct copying *copying,
                                             const struct schsm_object *key)
{
    for (size_t i = 0; i < copying->there.count; i++) {
        const struct schsm_object *object = &copying->there.objects[i];

        if (object->type != key->type ||
            (copying->describes_keys &&
             (object->type == SCHSM_OBJECT_SECRET || schsm_hsm_has_own_description(object)))) {
            continue;
        }
        if (object->type == SCHSM_OBJECT_PRIVATE ? same_pair(copying->job, key, object)
                                                 : same_secret(key, object)) {
            return object;
        }
    }
    return NULL;
}

static struct schsm_view certificate_in(const struct schsm_object_list *list, int key_ref)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->objects[i].type == SCHSM_OBJECT_CERTIFICATE &&
            list->objects[i].key_ref == key_ref) {
            return (struct schsm_view){ list->objects[i].value, list->objects[i].value_len };
        }
    }
    return (struct schsm_view){ NULL, 0 };
}

/* Whether the key is on the other device; that is told then. Without its certificate there, the
 * certificate goes to it by itself. */
static int leave_there(struct copying *copying, struct schsm_object *key, bool *there,
                       struct schsm_error *err)
{
    const struct schsm_copy_job *job = copying->job;
    struct schsm_error failure = SCHSM_ERROR_INIT;
    const struct schsm_object *present;
    struct schsm_backup_entry entry;
    struct schsm_view now;

    if (key->type == SCHSM_OBJECT_PRIVATE && key->value == NULL &&
        !schsm_device_read(job->from, key, job->from_login, &failure) &&
        !schsm_backup_is_objects_own(&failure)) {
        return schsm_fail_as(err, &failure);
    }
    present = find_there(copying, key);
    *there = present != NULL;
    if (present == NULL) {
        return 1;
    }
    now = certificate_in(&copying->there, present->key_ref);
    if (key->key_ref >= 0 && key->key_ref < KEY_REFS) {
        copying->certified[key->key_ref] = now.len > 0;
    }
    schsm_backup_describe(key, &entry);
    copying->copied->present++;
    if (job->log.tell != NULL) {
        job->log.tell(job->log.arg, &entry,
                      schsm_backup_there_already(job->libctx,
                                                 certificate_in(&copying->from, key->key_ref), now),
                      NULL);
    }
    return 1;
}

/* --- into memory --------------------------------------------------------------------------- */

/* What was read is told once it is on the other device. */
static void tell_read(void *arg, const struct schsm_backup_entry *entry, const char *what,
                      const char *reason)
{
    struct copying *copying = arg;
    const struct schsm_backup_log *log = &copying->job->log;

    (void)what;
    if (reason == NULL) {
        return;
    }
    copying->left_out += entry->failed ? 0 : 1;
    if (log->tell != NULL) {
        log->tell(log->arg, entry, entry->failed ? SCHSM_COPY_FAILED : "left out", reason);
    }
}

static int read_object(struct copying *copying, const struct schsm_saving *saving,
                       struct schsm_object *object, struct schsm_error *err)
{
    struct schsm_backup_entry entry;
    bool there = false;

    if (!is_wanted(copying, object) || schsm_backup_is_part(saving, object) ||
        (object->type == SCHSM_OBJECT_CERTIFICATE && object->key_ref >= 0 &&
         object->key_ref < KEY_REFS && copying->certified[object->key_ref])) {
        return 1;
    }
    if (is_key(object) && !leave_there(copying, object, &there, err)) {
        return 0;
    }
    return there || (schsm_backup_save(saving, object, &entry, err) &&
                     schsm_manifest_add(saving->manifest, &entry, err));
}

static int read_objects(struct copying *copying, size_t *failed, struct schsm_error *err)
{
    const struct schsm_copy_job *job = copying->job;
    const struct schsm_backup_job reading = { .libctx = job->libctx,
                                              .device = job->from,
                                              .login = job->from_login,
                                              .place = { .memory = &copying->memory },
                                              .log = { tell_read, copying } };
    const struct schsm_backup_wishes wishes = { .private_data = true,
                                                .counted_keys = job->counted_keys };
    const struct schsm_saving saving = {
        .job = &reading, .wishes = &wishes, .manifest = &copying->manifest, .failed = failed
    };

    if (!schsm_device_serial(job->from, copying->manifest.serial, err)) {
        return 0;
    }
    for (size_t i = 0; i < copying->from.count; i++) {
        if (!read_object(copying, &saving, &copying->from.objects[i], err)) {
            return schsm_fail_context(err, "nothing was copied");
        }
    }
    return 1;
}

/* --- the whole ------------------------------------------------------------------------------- */

/* Both devices, and what is on them. */
static int look_at_both(struct copying *copying, struct schsm_error *err)
{
    const struct schsm_copy_job *job = copying->job;
    const struct schsm_object_filter everything = { .types = SCHSM_BACKUP_TYPES, .key_ref = -1 };
    const struct schsm_object_filter wanted = {
        .types = SCHSM_BACKUP_TYPES | (job->wanted == NULL ? (unsigned int)SCHSM_OBJECT_ORPHAN : 0),
        .key_ref = -1
    };
    struct schsm_hsm_unwrap_traits traits;

    if (!schsm_hsm_wraps_keys(job->from, err) || !schsm_hsm_wraps_keys(job->to, err) ||
        !schsm_device_login(job->from, job->from_login, err) ||
        !schsm_device_login(job->to, job->to_login, err) ||
        !schsm_hsm_unwrap_traits(job->to, &traits, err) ||
        !schsm_device_find(job->from, &wanted, &copying->from, err) ||
        !schsm_device_find(job->to, &everything, &copying->there, err)) {
        return 0;
    }
    copying->describes_keys = traits.describes_keys;
    return check_keks(copying, err);
}

int schsm_copy(const struct schsm_copy_job *job, struct schsm_restored *copied,
               struct schsm_error *err)
{
    struct copying *copying = OPENSSL_zalloc(sizeof(*copying));
    const struct schsm_backup_job writing = {
        .libctx = job->libctx,
        .device = job->to,
        .login = job->to_login,
        .place = { .memory = copying != NULL ? &copying->memory : NULL },
        .log = job->log
    };
    struct schsm_restored written;
    size_t failed = 0;
    int ok = 0;

    memset(copied, 0, sizeof(*copied));
    if (copying == NULL) {
        return schsm_fail_memory(err);
    }
    copying->job = job;
    copying->copied = copied;
    ok = look_at_both(copying, err) && read_objects(copying, &failed, err) &&
         schsm_restore(&writing, &copying->manifest, &written, err);
    if (ok) {
        copied->written = written.written;
        copied->present += written.present;
        copied->left_out = written.left_out + copying->left_out;
        copied->failed = written.failed + failed;
    }
    schsm_object_list_clear(&copying->from);
    schsm_object_list_clear(&copying->there);
    schsm_manifest_clear(&copying->manifest);
    schsm_backup_memory_clear(&copying->memory);
    OPENSSL_free(copying);
    return ok;
}
