/* SPDX-License-Identifier: Apache-2.0 */
#include "key_domain.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/obj_mac.h>

#include "format/algorithm_id.h"
#include "format/ecdsa.h"
#include "hsm/hsm_attestation.h"
#include "hsm/hsm_status.h"

#define UID_COMPARED 32 /* bytes: genuine devices name a domain by these alone (15.2) */

/* Finds a domain; *count becomes how many places the device has. 1 with domain->number above 255:
 * none fits. */
static int find_domain(struct schsm_device *device,
                       bool (*fits)(const struct schsm_hsm_domain *domain, const void *wanted),
                       const void *wanted, struct schsm_hsm_domain *domain, size_t *count,
                       struct schsm_error *err)
{
    struct schsm_hsm_domain *domains = OPENSSL_malloc(SCHSM_HSM_DOMAINS_MAX * sizeof(*domains));
    int ok = 0;

    *count = SCHSM_HSM_DOMAINS_MAX;
    domain->number = SCHSM_HSM_DOMAINS_MAX;
    if (domains == NULL) {
        return schsm_fail_memory(err);
    }
    ok = schsm_hsm_domains(device, domains, count, err);
    for (size_t i = 0; ok && i < *count; i++) {
        if (fits(&domains[i], wanted)) {
            *domain = domains[i];
            break;
        }
    }
    OPENSSL_free(domains);
    return ok;
}

static bool has_number(const struct schsm_hsm_domain *domain, const void *wanted)
{
    return domain->number == *(const unsigned int *)wanted;
}

int schsm_key_domain_read(struct schsm_device *device, unsigned int number,
                          struct schsm_hsm_domain *domain, struct schsm_error *err)
{
    struct schsm_hsm_status status;
    size_t count = 0;

    if (!find_domain(device, has_number, &number, domain, &count, err)) {
        return 0;
    }
    if (domain->number == number) {
        return 1;
    }
    if (count == 0 && !schsm_hsm_status(device, &status, err)) {
        return 0;
    }
    if (count == 0 && !status.so_pin_set) {
        return schsm_fail(err, SCHSM_REASON_NOT_INITIALISED,
                          "the device was never initialised: 'sc-hsm init --key-domains N' does "
                          "that, and makes room for key domains");
    }
    return count == 0
               ? schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                            "the device was initialised without key domains: 'sc-hsm init "
                            "--key-domains N' makes room for them, and erases everything")
               : schsm_fail(
                     err, SCHSM_REASON_NOT_FOUND,
                     "there is no key domain %u: the device has room for %zu, numbered from 0",
                     number, count);
}

int schsm_key_domain_check(struct schsm_device *device, unsigned int number,
                           struct schsm_error *err)
{
    struct schsm_hsm_domain domain;
    size_t count = 0;

    /* the first one needs no room of its own: a device without domains makes its keys there */
    if (number == 0 ? !find_domain(device, has_number, &number, &domain, &count, err)
                    : !schsm_key_domain_read(device, number, &domain, err)) {
        return 0;
    }
    if ((number == 0 && count == 0) || domain.created) {
        return 1;
    }
    return schsm_fail(err, SCHSM_REASON_NOT_FOUND,
                      "key domain %u has not been created: 'sc-hsm domain create %u' does "
                      "that; 'sc-hsm dkek status' shows which there are",
                      number, number);
}

/* --- keys ------------------------------------------------------------------------------------ */

/* For one purpose, and nothing else. */
static void make_spec(struct schsm_generate *spec, const uint8_t *algorithm)
{
    memset(spec, 0, sizeof(*spec));
    spec->type = SCHSM_KEY_EC;
    spec->curve_nid = NID_brainpoolP256r1;
    spec->key_ref = -1;
    spec->algorithms = algorithm;
    spec->algorithms_len = 1;
}

void schsm_key_domain_signer(struct schsm_generate *spec)
{
    static const uint8_t sign[] = { SCHSM_ALGORITHM_ECDSA_HASH };

    make_spec(spec, sign);
}

int schsm_key_domain_exchange_key(struct schsm_device *device, unsigned int number,
                                  struct schsm_hsm_domain *domain, struct schsm_generate *spec,
                                  struct schsm_error *err)
{
    static const uint8_t exchange[] = { SCHSM_ALGORITHM_ECDH_XKEK };
    char name[SCHSM_DEVICE_NAME_MAX];

    if (!schsm_key_domain_read(device, number, domain, err)) {
        return 0;
    }
    if (!domain->created || !domain->xkek) {
        schsm_device_called(device, name);
        return schsm_fail(err, SCHSM_REASON_NOT_FOUND,
                          "key domain %u of device %s is no XKEK domain: only devices of such a "
                          "domain agree on its key among themselves",
                          number, name);
    }
    make_spec(spec, exchange);
    spec->has_key_domain = true;
    spec->key_domain = number;
    spec->domain_uid = domain->uid;
    spec->domain_uid_len = domain->uid_len;
    return 1;
}

/* --- memberships ----------------------------------------------------------------------------- */

int schsm_device_id(struct schsm_device *device, uint8_t *id, size_t *len, struct schsm_error *err)
{
    struct schsm_container container;
    uint8_t *file = NULL;
    size_t file_len = 0;
    int ok = schsm_hsm_certificates(device, &file, &file_len, err) &&
             schsm_container_parse(file, file_len, &container, err) &&
             schsm_container_device_id(&container, id, len, err);

    OPENSSL_free(file);
    return ok;
}

int schsm_member_read(const char *path, const struct schsm_roots *roots, bool unverified,
                      uint8_t **file, struct schsm_container *member, struct schsm_error *err)
{
    struct schsm_device_identity identity;
    uint8_t id[SCHSM_DEVICE_ID_MAX];
    size_t len = sizeof(id);

    if (!schsm_certified_file_read(path, SCHSM_CONTAINER_DEVICE_ID,
                                   "a device id is needed, as 'sc-hsm domain export-id' writes it",
                                   file, member, err)) {
        return 0;
    }
    if (!schsm_container_device_id(member, id, &len, err)) {
        return schsm_fail_context(err, "%s", path);
    }
    return unverified || schsm_roots_verify_device(roots, id, len, &identity, err) ||
           schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                      "%s: nothing proves that this is a device, so no membership was issued: "
                      "trust its maker with --root FILE, or say --unverified",
                      path);
}

int schsm_member_admit(OSSL_LIB_CTX *libctx, const struct schsm_certified_key *signer,
                       const struct schsm_container *member, const struct schsm_login *login,
                       char name[SCHSM_CVC_NAME_MAX + 1], uint8_t **membership, size_t *len,
                       struct schsm_error *err)
{
    uint8_t message[1 + SCHSM_FIELD_MAX], signature[SCHSM_ECDSA_RAW_MAX];
    size_t message_len = sizeof(message), signature_len = sizeof(signature);

    *len = SCHSM_CONTAINER_MAX;
    *membership = OPENSSL_malloc(*len);
    if (*membership == NULL) {
        return schsm_fail_memory(err);
    }
    if (schsm_cvc_holder(&member->device, name, SCHSM_CVC_NAME_MAX + 1, err) &&
        schsm_membership_message(&member->device, message, &message_len, err) &&
        schsm_certified_key_sign(libctx, signer, login, message, message_len, signature,
                                 &signature_len, err) &&
        schsm_container_build_membership(signer->request, signer->request_len, signer->device_id,
                                         signer->device_id_len, signature, signature_len,
                                         *membership, len, err)) {
        return 1;
    }
    OPENSSL_free(*membership);
    *membership = NULL;
    return 0;
}

/* --- the exchange ---------------------------------------------------------------------------- */

int schsm_peer_read(const char *path, uint8_t **file, struct schsm_container *peer,
                    struct schsm_view *uid, struct schsm_error *err)
{
    if (!schsm_certified_file_read(
            path, SCHSM_CONTAINER_PUBLIC_KEY,
            "the other device's exchange key is needed, as 'sc-hsm domain export-key' writes it",
            file, peer, err)) {
        return 0;
    }
    schsm_cvc_domain_uid(&peer->request.cvc, uid);
    return uid->len > 0 || schsm_fail(err, SCHSM_REASON_BAD_INPUT,
                                      "%s holds a key that is of no key domain: make one with "
                                      "'sc-hsm domain create-exchange-key'",
                                      path);
}

/* Genuine devices have 32 bytes, the Pico HSM appends as many; the first name the domain. */
static bool same_domain(struct schsm_view a, struct schsm_view b)
{
    return a.len >= UID_COMPARED && b.len >= UID_COMPARED &&
           memcmp(a.data, b.data, UID_COMPARED) == 0;
}

static bool has_uid(const struct schsm_hsm_domain *domain, const void *wanted)
{
    return same_domain((struct schsm_view){ domain->uid, domain->uid_len },
                       *(const struct schsm_view *)wanted);
}

int schsm_peer_check(struct schsm_device *device, int key_ref, struct schsm_view uid,
                     unsigned int *number, struct schsm_error *err)
{
    struct schsm_certified_key own = { 0 };
    struct schsm_hsm_domain domain;
    struct schsm_view own_uid;
    size_t count = 0;
    int ok = 0;

    if (!find_domain(device, has_uid, &uid, &domain, &count, err)) {
        return 0;
    }
    *number = domain.number;
    if (domain.number == SCHSM_HSM_DOMAINS_MAX) {
        return schsm_fail(
            err, SCHSM_REASON_WRONG_KEY,
            "the other device's exchange key is of a key domain that this device is no member of");
    }
    ok = schsm_certified_key_load(device, key_ref, &own, err);
    if (ok) {
        schsm_cvc_domain_uid(&own.parts.request.cvc, &own_uid);
        ok = same_domain(own_uid, uid) ||
             schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                        "key reference %d is no exchange key of the other key's key domain",
                        key_ref);
    }
    schsm_certified_key_clear(&own);
    return ok;
}
