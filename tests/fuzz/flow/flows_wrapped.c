/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that leave a device and come to one, one by one or all of them. */
#include "flows.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "backup/backup.h"
#include "backup/copy.h"
#include "hsm/hsm_wrap.h"
#include "keymgmt/import_key.h"
#include "keymgmt/unfinished.h"
#include "keymgmt/wrap_key.h"

#include "fuzz.h"

/* --- wrap and unwrap ------------------------------------------------------------------------- */

static bool unwrap(struct flow *flow, const uint8_t *file, size_t len)
{
    static const uint8_t id[] = { 0x0C };
    uint8_t wished = flow->header[FLOW_B];
    const struct schsm_unwrap wishes = {
        .key_ref = (wished & 0x01) != 0 ? 9 : -1,
        .id = (wished & 0x02) != 0 ? id : NULL,
        .id_len = (wished & 0x02) != 0 ? sizeof(id) : 0,
        .label = (wished & 0x04) != 0 ? "unwrapped" : NULL,
        .replace = (wished & 0x08) != 0,
        .dkek = (wished & 0x10) != 0 ? flow_fixtures.dkek : NULL,
        .libctx = flow->context.libctx,
    };
    struct schsm_wrapped_file wrapped;
    struct schsm_object made = { 0 };
    bool ok = FLOW_TRY(flow, schsm_wrapped_file_read(file, len, &wrapped, &flow->err)) &&
              FLOW_TRY(flow, schsm_unwrap_key(flow->other, &wrapped, &wishes, &flow->login, &made,
                                              &flow->err));

    if (ok) {
        REQUIRE(made.key_ref >= 1 && made.id_len > 0);
    }
    schsm_object_clear(&made);
    return ok;
}

static bool run_wrap(struct flow *flow)
{
    struct schsm_unfinished unfinished = { .count = 0 };
    uint8_t *file = NULL;
    size_t len = 0;
    bool ok = FLOW_TRY(flow, schsm_hsm_wraps_keys(flow->device, &flow->err)) &&
              FLOW_TRY(flow, schsm_wrap_key(flow->device, 1 + flow->header[FLOW_A] % 8,
                                            &flow->login, &file, &len, &flow->err));

    ok = ok && flow_find_other(flow) && unwrap(flow, file, len) &&
         FLOW_TRY(flow, schsm_unfinished_find(flow->other, (flow->header[FLOW_B] & 0x20) != 0, -1,
                                              &unfinished, &flow->err));
    OPENSSL_free(file);
    return ok;
}

/* --- import ---------------------------------------------------------------------------------- */

static bool run_import(struct flow *flow)
{
    static const uint8_t id[] = { 0x0D }, algorithms[] = { 0x73 };
    uint8_t kind = flow->header[FLOW_A] % 4, wished = flow->header[FLOW_B];
    struct schsm_import import = {
        .key = kind == 0   ? flow_fixtures.ec
               : kind == 1 ? flow_fixtures.rsa
                           : NULL,
        .secret = kind >= 2 ? flow_fixtures.aes : NULL,
        .certificate = kind == 0 && (wished & 0x01) != 0 ? flow_fixtures.ec_certificate : NULL,
        .dkek = flow_fixtures.dkek,
        .key_ref = (wished & 0x02) != 0 ? 9 : -1,
        .id = (wished & 0x04) != 0 ? id : NULL,
        .id_len = (wished & 0x04) != 0 ? sizeof(id) : 0,
        .label = (wished & 0x08) != 0 ? "imported" : NULL,
        .algorithms = (wished & 0x10) != 0 ? algorithms : NULL,
        .algorithms_len = (wished & 0x10) != 0 ? sizeof(algorithms) : 0,
    };
    STACK_OF(X509) *chain = sk_X509_new_null();
    struct schsm_object made = { 0 };
    size_t stored = 0;
    bool ok = FLOW_TRY(flow, schsm_import_check_dkek(flow->context.libctx, flow->device,
                                                     flow_fixtures.dkek, &flow->err));

    if (chain != NULL && (wished & 0x20) != 0 &&
        sk_X509_push(chain, flow_fixtures.authority_certificate) > 0) {
        import.chain = chain;
    }
    ok = ok && FLOW_TRY(flow, schsm_import_key(flow->context.libctx, flow->device, &import,
                                               &flow->login, &made, &stored, &flow->err));
    if (ok) {
        REQUIRE(made.key_ref >= 1);
    }
    schsm_object_clear(&made);
    sk_X509_free(chain);
    return ok;
}

/* --- backup ---------------------------------------------------------------------------------- */

struct tally {
    size_t told;
};

static void count_told(void *arg, const struct schsm_backup_entry *entry, const char *what,
                       const char *reason)
{
    struct tally *tally = arg;
    char name[SCHSM_LABEL_MAX + 64];

    REQUIRE(what != NULL && (reason == NULL || reason[0] != '\0'));
    schsm_backup_entry_name(entry, name, sizeof(name));
    tally->told++;
}

static struct schsm_backup_job make_job(struct flow *flow, struct schsm_device *device,
                                        struct tally *tally, char *path, size_t size)
{
    (void)snprintf(path, size, "%s", flow_path(flow, "backup"));
    return (struct schsm_backup_job){ .libctx = flow->context.libctx,
                                      .device = device,
                                      .login = &flow->login,
                                      .place = { .folder = path },
                                      .log = { count_told, tally } };
}

/* Each object is told of, and a backup that calls itself complete has all of them. */
static bool back_up(struct flow *flow, const struct schsm_backup_job *job,
                    struct schsm_manifest *manifest, const struct tally *tally)
{
    const struct schsm_backup_wishes wishes = { .private_data = (flow->header[FLOW_A] & 0x01) != 0,
                                                .counted_keys =
                                                    (flow->header[FLOW_A] & 0x02) != 0 };
    size_t failed = 0;
    bool ok = FLOW_TRY(flow, schsm_backup(job, &wishes, manifest, &failed, &flow->err));

    if (ok) {
        REQUIRE(failed == 0 || !manifest->complete);
        REQUIRE(tally->told >= manifest->count);
    }
    for (size_t i = 0; ok && i < manifest->count; i++) {
        const struct schsm_backup_entry *entry = &manifest->entries[i];

        REQUIRE((entry->file[0] == '\0') == (entry->reason[0] != '\0'));
        if (entry->file[0] != '\0') {
            (void)FLOW_TRY(flow, schsm_backup_check_entry(job->place.folder, entry, &flow->err));
        }
    }
    return ok;
}

/* Opens the keys without a device. */
static void open_keys(struct flow *flow, const struct schsm_backup_job *job,
                      const struct schsm_manifest *manifest)
{
    for (size_t i = 0; i < manifest->count; i++) {
        const struct schsm_backup_entry *entry = &manifest->entries[i];
        struct schsm_backup_key key = { NULL, NULL };

        if (entry->kind == SCHSM_BACKUP_KEY && entry->file[0] != '\0' &&
            FLOW_TRY(flow, schsm_backup_open_key(job->libctx, job->place.folder, entry,
                                                 flow_fixtures.dkek, &key, &flow->err))) {
            REQUIRE((key.pair != NULL) != (key.secret != NULL));
        }
        schsm_backup_key_clear(&key);
        if (entry->kind == SCHSM_BACKUP_KEY && entry->file[0] != '\0' &&
            (flow->header[FLOW_A] & 0x10) != 0) { /* as a file of no backup */
            char path[1024];

            (void)snprintf(path, sizeof(path), "%s/%s", job->place.folder, entry->file);
            (void)FLOW_TRY(flow, schsm_backup_open_file(job->libctx, path, flow_fixtures.dkek, &key,
                                                        &flow->err));
            schsm_backup_key_clear(&key);
        }
    }
}

static bool run_backup(struct flow *flow)
{
    struct tally tally = { 0 };
    char path[512];
    const struct schsm_backup_job job = make_job(flow, flow->device, &tally, path, sizeof(path));
    struct schsm_manifest manifest = { .count = 0 };
    bool ok = back_up(flow, &job, &manifest, &tally);

    if (ok && (flow->header[FLOW_A] & 0x04) != 0) {
        open_keys(flow, &job, &manifest);
    }
    if ((flow->header[FLOW_A] & 0x08) != 0) { /* once more: it goes on, or is complete */
        schsm_manifest_clear(&manifest);
        (void)back_up(flow, &job, &manifest, &tally);
    }
    schsm_manifest_clear(&manifest);
    return ok;
}

static bool restore(struct flow *flow, const struct schsm_manifest *manifest)
{
    struct tally tally = { 0 };
    char path[512];
    const struct schsm_backup_job job = make_job(flow, flow->other, &tally, path, sizeof(path));
    struct schsm_restored restored = { 0 };
    bool ok = FLOW_TRY(flow, schsm_restore(&job, manifest, &restored, &flow->err));

    if (ok) {
        REQUIRE(restored.written + restored.present + restored.left_out + restored.failed <=
                manifest->count);
    }
    return ok;
}

static bool run_restore(struct flow *flow)
{
    struct tally tally = { 0 };
    char path[512];
    const struct schsm_backup_job job = make_job(flow, flow->device, &tally, path, sizeof(path));
    struct schsm_manifest manifest = { .count = 0 };
    bool ok = back_up(flow, &job, &manifest, &tally);

    ok = ok && flow_find_other(flow) && restore(flow, &manifest);
    if (ok && (flow->header[FLOW_A] & 0x08) != 0) {
        (void)restore(flow, &manifest);
    }
    schsm_manifest_clear(&manifest);
    return ok;
}

/* --- copy ------------------------------------------------------------------------------------- */

static bool copy(struct flow *flow, const struct schsm_copy_job *job)
{
    struct schsm_restored copied = { 0 };
    struct tally *tally = job->log.arg;
    bool ok;

    tally->told = 0;
    ok = FLOW_TRY(flow, schsm_copy(job, &copied, &flow->err));
    if (ok) {
        REQUIRE(copied.written + copied.present + copied.left_out + copied.failed <= tally->told);
    }
    return ok;
}

static bool run_copy(struct flow *flow)
{
    struct tally tally = { 0 };
    struct schsm_copy_job job = { .libctx = flow->context.libctx,
                                  .from = flow->device,
                                  .from_login = &flow->login,
                                  .to_login = &flow->login,
                                  .counted_keys = (flow->header[FLOW_A] & 0x02) != 0,
                                  .log = { count_told, &tally } };
    bool ok;

    if (!flow_find_other(flow)) {
        return false;
    }
    job.to = flow->other;
    ok = copy(flow, &job);
    if ((flow->header[FLOW_A] & 0x08) != 0) { /* once more: it goes on, or has nothing to do */
        (void)copy(flow, &job);
    }
    return ok;
}

const struct flow_kind flow_copy = { "copy", run_copy };
const struct flow_kind flow_wrap = { "wrap", run_wrap };
const struct flow_kind flow_import = { "import", run_import };
const struct flow_kind flow_backup = { "backup", run_backup };
const struct flow_kind flow_restore = { "restore", run_restore };
