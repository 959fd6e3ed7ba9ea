/* SPDX-License-Identifier: Apache-2.0 */
#include "domain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/crypto.h>

#include "output.h"

int schsm_domain_parse(const char *text, unsigned int *number, struct schsm_error *err)
{
    char *end = NULL;
    long value;

    errno = 0;
    value = strtol(text, &end, 0);
    if (end == text || *end != '\0' || errno != 0 || value < 0 || value > SCHSM_KEY_DOMAIN_MAX) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "'%.40s' is no number of a key domain, which are 0 to %d", text,
                          SCHSM_KEY_DOMAIN_MAX);
    }
    *number = (unsigned int)value;
    return 1;
}

int schsm_domain_read(struct schsm_device *device, unsigned int number,
                      struct schsm_hsm_domain *domain, struct schsm_error *err)
{
    size_t count = SCHSM_HSM_DOMAINS_MAX;
    struct schsm_hsm_domain *domains = OPENSSL_malloc(count * sizeof(*domains));
    int ok = 0;

    if (domains == NULL) {
        return schsm_fail_memory(err);
    }
    if (!schsm_hsm_domains(device, domains, &count, err)) {
        goto done;
    }
    for (size_t i = 0; i < count && !ok; i++) {
        if (domains[i].number == number) {
            *domain = domains[i];
            ok = 1;
        }
    }
    if (!ok && count == 0) {
        schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                   "the device was initialised without key domains: 'sc-hsm init --key-domains N' "
                   "makes room for them, and erases everything");
    } else if (!ok) {
        schsm_fail(err, SCHSM_REASON_NOT_FOUND,
                   "there is no key domain %u: the device has room for %zu, numbered from 0",
                   number, count);
    }

done:
    OPENSSL_free(domains);
    return ok;
}

const char *schsm_domain_state(const struct schsm_hsm_domain *domain, char *text, size_t size)
{
    if (!domain->created) {
        return "not created";
    }
    if (domain->complete) {
        return "has its key encryption key";
    }
    if (domain->xkek) {
        return "no key encryption key: not agreed on yet, or cleared";
    }
    (void)snprintf(text, size, "%u of %u key shares outstanding", domain->outstanding,
                   domain->shares);
    return text;
}

json_t *schsm_domain_json(const struct schsm_hsm_domain *domain)
{
    char kcv[SCHSM_KCV_TEXT_MAX] = "", uid[2 * SCHSM_DOMAIN_UID_MAX + 1] = "";

    if (domain->complete) {
        schsm_kcv_text(domain->kcv, kcv);
    }
    schsm_hex(domain->uid, domain->uid_len, uid);
    return json_pack(
        "{s:i, s:b, s:o, s:o, s:o, s:b, s:o, s:o}", "domain", (int)domain->number, "created",
        domain->created ? 1 : 0, "kind",
        domain->created ? json_string(domain->xkek ? "xkek" : "dkek") : json_null(), "shares",
        schsm_json_count(domain->created && !domain->xkek ? (int)domain->shares : -1),
        "outstanding",
        schsm_json_count(domain->created && !domain->xkek ? (int)domain->outstanding : -1),
        "complete", domain->complete ? 1 : 0, "key_check_value", schsm_json_text(kcv), "uid",
        schsm_json_text(uid));
}

int schsm_domain_report(const struct schsm_tool *tool, const char *done,
                        const struct schsm_hsm_domain *domain, struct schsm_error *err)
{
    char kcv[SCHSM_KCV_TEXT_MAX], text[64];

    if (tool->json) {
        return schsm_json_print(schsm_domain_json(domain), err);
    }
    (void)printf("%s key domain %u: %s", done, domain->number,
                 schsm_domain_state(domain, text, sizeof(text)));
    if (domain->complete) {
        schsm_kcv_text(domain->kcv, kcv);
        (void)printf(", key check value %s", kcv);
    }
    (void)printf(".\n");
    return 1;
}
