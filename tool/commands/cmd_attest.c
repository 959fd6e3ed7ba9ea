/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm attest: what can be proven of a device and of a key. */
#include "tool/commands.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "format/cvc_container.h"
#include "hsm/hsm_attestation.h"
#include "keymgmt/attest.h"
#include "keymgmt/file.h"
#include "keymgmt/find.h"
#include "keymgmt/uri.h"
#include "tool/object.h"
#include "tool/output.h"
#include "tool/target.h"

#define HASH_LEN 32
#define ALGORITHM_WRAP 0x92 /* in a key's policy: it may be exported under a key encryption key */
#define TAG_REQUEST 0x67

enum presence { PRESENCE_NOT_ASKED, PRESENCE_NOT_OFFERED, PRESENCE_PROVEN };

/* What is judged, and where it came from. */
struct subject {
    struct schsm_device *device; /* NULL: files alone */
    int key_ref;                 /* of a key on the device; -1: none, or from a file */
    uint8_t *device_id, *request, *file;
    size_t device_id_len, request_len, file_len;
    enum presence presence; /* of the device key in the device */
    struct schsm_key_policy policy;
    struct schsm_attestation attestation;
};

static void subject_clear(struct subject *subject)
{
    OPENSSL_free(subject->device_id);
    OPENSSL_free(subject->request);
    OPENSSL_free(subject->file);
    schsm_attestation_clear(&subject->attestation);
}

/* A request by itself, or a file that brings the chain of its device along. */
static int take_file(struct subject *subject, const char *path, bool with_chain,
                     struct schsm_error *err)
{
    struct schsm_container container;

    if (!schsm_file_read(path, SCHSM_CONTAINER_MAX, &subject->file, &subject->file_len, err)) {
        return 0;
    }
    if (subject->file_len > 0 && subject->file[0] == TAG_REQUEST) {
        subject->request = OPENSSL_memdup(subject->file, subject->file_len);
        subject->request_len = subject->file_len;
        return subject->request != NULL || schsm_fail_memory(err);
    }
    if (!schsm_container_parse(subject->file, subject->file_len, &container, err)) {
        return schsm_fail_context(err, "%s", path);
    }
    if (container.request.whole.len == 0 && !with_chain) {
        return schsm_fail(err, SCHSM_REASON_BAD_INPUT,
                          "%s is a device's certificate, with no key's request in it", path);
    }
    if (container.request.whole.len > 0) {
        subject->request =
            OPENSSL_memdup(container.request.whole.data, container.request.whole.len);
        subject->request_len = container.request.whole.len;
        if (subject->request == NULL) {
            return schsm_fail_memory(err);
        }
    }
    if (with_chain) {
        subject->device_id_len = SCHSM_DEVICE_ID_MAX;
        subject->device_id = OPENSSL_malloc(subject->device_id_len);
        if (subject->device_id == NULL) {
            return schsm_fail_memory(err);
        }
        return schsm_container_device_id(&container, subject->device_id, &subject->device_id_len,
                                         err);
    }
    return 1;
}

/* The one device, or that of the key that the URI names. */
static int take_device(struct schsm_tool *tool, const char *text, struct subject *subject,
                       struct schsm_error *err)
{
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_match match = { 0 };
    struct schsm_uri uri;
    int ok = 0;

    schsm_uri_init(&uri);
    if (text == NULL) {
        ok = schsm_tool_device(tool, &subject->device, serial, err);
        goto done;
    }
    if (!schsm_tool_uri(tool, text, &uri, err) ||
        !schsm_find_one(&tool->context, &uri, SCHSM_OBJECT_PRIVATE, &match, err)) {
        goto done;
    }
    subject->device = match.device;
    subject->key_ref = match.object.key_ref;
    ok = schsm_hsm_request(subject->device, subject->key_ref, &subject->request,
                           &subject->request_len, err) &&
         schsm_device_key_policy(subject->device, &match.object, &subject->policy, err);

done:
    schsm_match_clear(&match);
    schsm_uri_clear(&uri);
    return ok;
}

static int collect(struct schsm_tool *tool, struct subject *subject, struct schsm_error *err)
{
    const char *file = schsm_tool_setting(tool, "file");
    const char *device_id = schsm_tool_setting(tool, "device-id");

    if (file != NULL && tool->argument_count > 0) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "give a URI or --file, not both");
    }
    if (device_id != NULL && file == NULL) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "--device-id goes with --file");
    }
    if (device_id != NULL && !schsm_file_read(device_id, SCHSM_DEVICE_ID_MAX, &subject->device_id,
                                              &subject->device_id_len, err)) {
        return 0;
    }
    if (file != NULL && !take_file(subject, file, subject->device_id == NULL, err)) {
        return 0;
    }
    if (subject->device_id != NULL) {
        return 1;
    }
    return take_device(tool, tool->argument_count > 0 ? tool->arguments[0] : NULL, subject, err) &&
           schsm_hsm_certificates(subject->device, &subject->device_id, &subject->device_id_len,
                                  err);
}

static int judge(struct schsm_tool *tool, struct subject *subject, struct schsm_error *err)
{
    const struct schsm_device_identity *identity = &subject->attestation.identity;
    const struct schsm_curve *curve = NULL;
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    bool offered = false;

    if (!schsm_attest(tool->context.config.roots, schsm_attest_today(), subject->device_id,
                      subject->device_id_len, subject->request, subject->request_len,
                      &subject->attestation, err)) {
        return 0;
    }
    if (subject->device == NULL) {
        return 1;
    }
    curve = identity->curve;
    if (curve == NULL) {
        (void)schsm_cvc_likely_curve(&identity->device.key, &curve, &ignored);
    }
    if (!schsm_hsm_prove_device_key(subject->device, &identity->device.key, curve, &offered, err)) {
        return 0;
    }
    subject->presence = offered ? PRESENCE_PROVEN : PRESENCE_NOT_OFFERED;
    return 1;
}

static int hash_key(struct schsm_tool *tool, const struct schsm_attestation *attestation,
                    char text[2 * HASH_LEN + 1], struct schsm_error *err)
{
    uint8_t hash[HASH_LEN];
    size_t len = 0;

    if (EVP_Q_digest(tool->context.libctx, "SHA256", NULL, attestation->spki, attestation->spki_len,
                     hash, &len) != 1) {
        return schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto could not compute SHA-256");
    }
    schsm_hex(hash, len, text);
    return 1;
}

static bool may_be_exported(const struct schsm_key_policy *policy)
{
    return policy->algorithms_len == 0 ||
           memchr(policy->algorithms, ALGORITHM_WRAP, policy->algorithms_len) != NULL;
}

static const char *export_text(const struct subject *subject)
{
    if (!subject->policy.known) {
        return "not told: its policy and key domain decide, and no request proves them";
    }
    return may_be_exported(&subject->policy)
               ? "its policy permits it, under a key encryption key of its key domain"
               : "its policy forbids it";
}

static int print_text(struct schsm_tool *tool, const struct subject *subject,
                      struct schsm_error *err)
{
    const struct schsm_attestation *about = &subject->attestation;
    char hash[2 * HASH_LEN + 1];
    struct schsm_table table;

    if (about->has_key && !hash_key(tool, about, hash, err)) {
        return 0;
    }
    schsm_table_init(&table, 2, NULL);
    schsm_table_add(&table, "Device:");
    schsm_table_add(&table, about->serial);
    schsm_table_add(&table, "Maker:");
    if (about->verified) {
        schsm_table_addf(&table, "%s (root %s%s)", about->identity.maker, about->identity.root,
                         about->identity.built_in ? "" : ", trusted because you say so");
    } else {
        schsm_table_addf(&table, "not proven: %s", about->why);
    }
    if (about->expired[0] != '\0') {
        schsm_table_add(&table, "Warning:");
        schsm_table_addf(&table, "past its date: %s; devices outlive their certificates",
                         about->expired);
    }
    if (about->identity.test) {
        schsm_table_add(&table, "Warning:");
        schsm_table_add(&table, "a root for tests: it says nothing about how keys are protected");
    }
    schsm_table_add(&table, "Device key:");
    schsm_table_add(&table, subject->presence == PRESENCE_PROVEN
                                ? "the device proved that it holds it"
                            : subject->presence == PRESENCE_NOT_OFFERED
                                ? "not proven: the device does not offer chip authentication"
                                : "not asked: files alone were looked at");
    if (about->has_key) {
        schsm_table_add(&table, "Key:");
        schsm_table_add(&table, about->key_name);
        schsm_table_add(&table, "Public key (SHA-256):");
        schsm_table_add(&table, hash);
        schsm_table_add(&table, "Certified:");
        if (about->certified) {
            schsm_table_addf(&table, "by device %s%s", about->serial,
                             about->pico ? ", a Pico HSM, which does so for imported keys too"
                                         : ", when it made the key");
        } else {
            schsm_table_addf(&table, "not proven: %s", about->key_why);
        }
        schsm_table_add(&table, "Export:");
        schsm_table_add(&table, export_text(subject));
    }
    return schsm_table_print(&table, err);
}

static json_t *key_json(struct schsm_tool *tool, const struct subject *subject,
                        struct schsm_error *err)
{
    const struct schsm_attestation *about = &subject->attestation;
    char hash[2 * HASH_LEN + 1];

    if (!about->has_key) {
        return json_null();
    }
    if (!hash_key(tool, about, hash, err)) {
        return NULL;
    }
    return json_pack(
        "{s:o, s:o, s:s, s:b, s:o, s:o}", "name", schsm_json_text(about->key_name), "certified_by",
        schsm_json_text(about->made_by), "sha256", hash, "certified", about->certified ? 1 : 0,
        "why_not", schsm_json_text(about->key_why), "may_be_exported",
        subject->policy.known ? json_boolean(may_be_exported(&subject->policy)) : json_null());
}

static int print_json(struct schsm_tool *tool, const struct subject *subject,
                      struct schsm_error *err)
{
    const struct schsm_attestation *about = &subject->attestation;
    json_t *key = key_json(tool, subject, err);
    json_t *device = NULL;

    if (key == NULL) {
        return 0;
    }
    device =
        json_pack("{s:o, s:o, s:b, s:o, s:o, s:o, s:b, s:b, s:o, s:o}", "serial",
                  schsm_json_text(about->serial), "name", schsm_json_text(about->name), "verified",
                  about->verified ? 1 : 0, "why_not", schsm_json_text(about->why), "root",
                  schsm_json_text(about->identity.root), "maker",
                  schsm_json_text(about->verified ? about->identity.maker : ""), "built_in_root",
                  about->identity.built_in ? 1 : 0, "test_root", about->identity.test ? 1 : 0,
                  "expired", schsm_json_text(about->expired), "holds_device_key",
                  subject->presence == PRESENCE_NOT_ASKED
                      ? json_null()
                      : json_boolean(subject->presence == PRESENCE_PROVEN));
    return schsm_json_print(json_pack("{s:o, s:o, s:b}", "device", device, "key", key,
                                      "made_on_device",
                                      about->verified && about->certified && !about->pico ? 1 : 0),
                            err);
}

/* The one sentence. */
static int conclude(const struct schsm_tool *tool, const struct subject *subject,
                    struct schsm_error *err)
{
    const struct schsm_attestation *about = &subject->attestation;

    if (about->has_key && !about->certified) {
        return schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                          "nothing proves that this key was made on device %s: %s", about->serial,
                          about->key_why);
    }
    if (!about->verified) {
        return schsm_fail(
            err, SCHSM_REASON_WRONG_KEY,
            "nothing proves who made device %s: %s; --root FILE names a root that you "
            "trust",
            about->serial, about->why);
    }
    if (about->has_key && about->pico) {
        return schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                          "device %s is a Pico HSM, which certifies imported keys as well: that "
                          "this key was made on it is not proven",
                          about->serial);
    }
    if (tool->json) {
        return 1;
    }
    if (about->has_key) {
        (void)printf("This key was made on device %s.\n", about->serial);
    } else {
        (void)printf("Device %s is what it says%s.\n", about->serial,
                     subject->presence == PRESENCE_PROVEN ? "" : ", by its certificates");
    }
    return 1;
}

static int run(struct schsm_tool *tool, struct schsm_error *err)
{
    struct subject subject = { .key_ref = -1 };
    int ok = collect(tool, &subject, err) && judge(tool, &subject, err) &&
             (tool->json ? print_json(tool, &subject, err) : print_text(tool, &subject, err)) &&
             conclude(tool, &subject, err);

    subject_clear(&subject);
    return ok;
}

static const struct schsm_option options[] = {
    { "file", '\0', false, "FILE",
      "judge the key in this file: its request, or a key with its certificates", NULL },
    { "device-id", '\0', false, "FILE",
      "with --file: the certificates of the device, instead of a device that is there", NULL },
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_attest = {
    .name = "attest",
    .synopsis = "[URI]",
    .arguments_max = 1,
    .summary = "Prove who made the device, and that a key was made on it",
    .help =
        "Verifies the device's certificates up to the root of its maker, and has the device prove "
        "that it holds the key they are for. The roots of CardContact (SmartCard-HSM, Nitrokey "
        "HSM), GoID and Pico HSM are built in; --root FILE names others.\n"
        "With a URI, or with a key's request in a file, verifies as well that this device "
        "certified the key when it made it. A key that was imported has no such request. A Pico "
        "HSM certifies imported keys too, so there it proves nothing.\n"
        "What is proven is that the key was made on the device. Whether it can be exported is "
        "its policy's and its key domain's matter, and told where the device tells it.\n"
        "The request is overwritten when a certificate is stored for the key: export it before. "
        "No PIN is needed. Ends with status 0 only if all was proven.\n"
        " sc-hsm attest\n"
        " sc-hsm attest sc-hsm:label=web\n"
        " sc-hsm attest --file web.req --device-id device.id\n",
    .options = options,
    .run = run,
};
