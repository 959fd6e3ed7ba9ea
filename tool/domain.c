/* SPDX-License-Identifier: Apache-2.0 */
#include "domain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

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

bool schsm_domain_has_key(const struct schsm_hsm_domain *domain)
{
    return domain->complete || (domain->sealed && domain->shares > 0);
}

const char *schsm_domain_state(const struct schsm_hsm_domain *domain, char *text, size_t size)
{
    if (!domain->created) {
        return "not created";
    }
    if (schsm_domain_has_key(domain)) {
        return "has its key encryption key";
    }
    if (domain->sealed) {
        return "its key encryption key is " SCHSM_TOLD_AFTER_LOGIN;
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
        "complete", schsm_domain_has_key(domain) ? 1 : 0, "key_check_value", schsm_json_text(kcv),
        "uid", schsm_json_text(uid));
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
