/* SPDX-License-Identifier: Apache-2.0 */
#include "hsm_key_domain.h"
#include "hsm_status.h"

#include <stdio.h>
#include <string.h>

#include "card/card_private.h"

#define PURPOSE "key domains"
#define SHARES_MAX 255

static void fill_domain(struct schsm_hsm_domain *domain, unsigned int number,
                        const struct schsm_key_domain_status *status)
{
    static const uint8_t zero[SCHSM_KCV_LEN];

    memset(domain, 0, sizeof(*domain));
    domain->number = number;
    domain->created = status->exists;
    domain->xkek = status->uid_len > 0;
    domain->shares = status->shares;
    domain->outstanding = status->outstanding;
    memcpy(domain->kcv, status->kcv, sizeof(domain->kcv));
    domain->complete = status->exists && memcmp(status->kcv, zero, sizeof(zero)) != 0;
    domain->uid_len = status->uid_len;
    memcpy(domain->uid, status->uid, status->uid_len);
}

/* Runs a job for a domain, which sentences name where there may be several. */
static int run_job(struct schsm_device *dev, unsigned int domain, struct schsm_job *job,
                   struct schsm_error *err)
{
    struct schsm_session *session = schsm_card_session_for(dev, PURPOSE, err);
    char object[32];

    if (session == NULL) {
        return 0;
    }
    if (domain > SCHSM_KEY_DOMAIN_MAX) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "there is no key domain %u", domain);
    }
    (void)snprintf(object, sizeof(object), "key domain %u", domain);
    job->object = domain > 0 ? object : NULL;
    return schsm_session_run(session, job, err);
}

struct listing {
    struct schsm_hsm_domain *domains;
    size_t room, count;
};

/* 19.5: a Pico HSM tells no key check value before somebody logged in. */
static int look_whether_sealed(struct schsm_session *session, struct schsm_hsm_domain *domain,
                               struct schsm_error *err)
{
    const struct schsm_card_kind *kind;

    if (!domain->created || domain->complete || domain->outstanding > 0) {
        return 1;
    }
    kind = schsm_session_kind(session, err);
    domain->sealed = kind != NULL && kind->hides_kcv;
    return kind != NULL;
}

/* 19.1: what a Pico HSM tells of a DKEK that it was initialised without, ten zero bytes. */
static bool is_blank(const struct schsm_key_domain_status *status)
{
    static const uint8_t zero[SCHSM_KCV_LEN];

    return status->exists && status->shares == 0 && status->outstanding == 0 &&
           status->uid_len == 0 && memcmp(status->kcv, zero, sizeof(zero)) == 0;
}

static int run_list(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    struct listing *listing = arg;
    struct schsm_pin_status pin;

    listing->count = 0;
    /* "unknown command" is an answer of other applets as well, that of VERIFY is not */
    if (!schsm_card_pin_status(&session->card, SCHSM_PIN_USER, &pin, err)) {
        return 0;
    }
    while (listing->count < listing->room) {
        unsigned int number = (unsigned int)listing->count;
        struct schsm_key_domain_status status;

        if (!schsm_card_key_domain_status(&session->card, number, &status, err)) {
            return 0;
        }
        if (!status.slot) {
            break;
        }
        fill_domain(&listing->domains[listing->count], number, &status);
        if (pin.state == SCHSM_PIN_VERIFIED && is_blank(&status)) {
            break; /* it hides nothing now: there is nothing */
        }
        if (pin.state != SCHSM_PIN_VERIFIED &&
            !look_whether_sealed(session, &listing->domains[listing->count], err)) {
            return 0;
        }
        listing->count++;
    }
    return 1;
}

int schsm_hsm_domains(struct schsm_device *dev, struct schsm_hsm_domain *domains, size_t *count,
                      struct schsm_error *err)
{
    struct listing listing = { domains, *count, 0 };
    struct schsm_job job = { .run = run_list, .arg = &listing, .transaction = true };

    if (!run_job(dev, 0, &job, err)) {
        return 0;
    }
    *count = listing.count;
    return 1;
}

int schsm_hsm_refuse_without_kek(struct schsm_device *dev, struct schsm_error *err)
{
    char name[SCHSM_DEVICE_NAME_MAX];
    struct schsm_hsm_status status;

    if (!schsm_hsm_status(dev, &status, err)) {
        return 0;
    }
    schsm_device_called(dev, name);
    return status.so_pin_set
               ? schsm_fail(err, SCHSM_REASON_NOT_FOUND,
                            "device %s was initialised without a DKEK: only a new initialisation "
                            "(sc-hsm init --dkek-shares N), which erases it, can give it one",
                            name)
               : schsm_fail(err, SCHSM_REASON_NOT_INITIALISED,
                            "device %s was never initialised, and has no DKEK yet: 'sc-hsm init "
                            "--dkek-shares N' gives it one",
                            name);
}

/* Appends to a sentence what a domain has in place of the key that was looked for. */
static void append_state(char *text, size_t size, const struct schsm_hsm_domain *domain,
                         bool several)
{
    char kcv[SCHSM_KCV_TEXT_MAX], name[32] = "";
    size_t at = strlen(text);
    const char *between = at > 0 ? ", " : "";

    schsm_kcv_text(domain->kcv, kcv);
    if (several) {
        (void)snprintf(name, sizeof(name), "key domain %u: ", domain->number);
    }
    if (domain->complete) {
        (void)snprintf(text + at, size - at, "%s%s%s", between, name, kcv);
    } else if (domain->created && !domain->xkek) {
        (void)snprintf(text + at, size - at, "%s%snone yet, %u of %u %s being outstanding", between,
                       name, domain->outstanding, domain->shares,
                       domain->shares == 1 ? "share" : "shares");
    } else if (domain->created) {
        (void)snprintf(text + at, size - at, "%s%snone yet", between, name);
    }
}

static int fail_other_kek(struct schsm_device *dev, const uint8_t kcv[SCHSM_KCV_LEN],
                          const struct schsm_hsm_domain *domains, size_t count,
                          struct schsm_error *err)
{
    char wanted[SCHSM_KCV_TEXT_MAX], has[400] = "", name[SCHSM_DEVICE_NAME_MAX];
    bool shares = false;

    schsm_device_name(dev, name);
    schsm_kcv_text(kcv, wanted);
    for (size_t i = 0; i < count; i++) {
        append_state(has, sizeof(has), &domains[i], count > 1);
        shares = shares || !domains[i].created || !domains[i].xkek;
    }
    if (count == 0) {
        (void)schsm_hsm_refuse_without_kek(dev, err);
        return schsm_fail_context(err, "the key needs the DKEK with key check value %s", wanted);
    }
    return schsm_fail(
        err, SCHSM_REASON_WRONG_KEY,
        "the key needs the %s with key check value %s, and device %s has another "
        "(%s): a device that %s takes it",
        shares ? "DKEK" : "key encryption key", wanted, name, has[0] != '\0' ? has : "none",
        shares ? "imported the same shares" : "agreed on the same key in its key domain");
}

/* *sealed: the device has told nothing of that domain, which may be the one. */
static int look_for_kek(struct schsm_device *dev, const uint8_t kcv[SCHSM_KCV_LEN],
                        unsigned int *domain, bool *sealed, struct schsm_error *err)
{
    struct schsm_hsm_domain domains[SCHSM_HSM_DOMAINS_MAX];
    size_t count = SCHSM_HSM_DOMAINS_MAX;

    *sealed = false;
    if (!schsm_hsm_domains(dev, domains, &count, err)) {
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (domains[i].complete && memcmp(domains[i].kcv, kcv, SCHSM_KCV_LEN) == 0) {
            *sealed = false;
            *domain = domains[i].number;
            return 1;
        }
        if (domains[i].sealed && !*sealed) {
            *sealed = true;
            *domain = domains[i].number;
        }
    }
    return *sealed ? 1 : fail_other_kek(dev, kcv, domains, count, err);
}

int schsm_hsm_find_kek(struct schsm_device *dev, const uint8_t kcv[SCHSM_KCV_LEN],
                       unsigned int *domain, struct schsm_error *err)
{
    bool sealed;

    return look_for_kek(dev, kcv, domain, &sealed, err);
}

int schsm_hsm_find_kek_by_login(struct schsm_device *dev, const uint8_t kcv[SCHSM_KCV_LEN],
                                const struct schsm_login *login, unsigned int *domain,
                                struct schsm_error *err)
{
    struct schsm_job job = { .login = login };
    bool sealed;

    if (!look_for_kek(dev, kcv, domain, &sealed, err)) {
        return 0;
    }
    return !sealed || (run_job(dev, 0, &job, err) && look_for_kek(dev, kcv, domain, &sealed, err));
}

struct change {
    unsigned int domain, shares;
    const struct schsm_secret *share;
    bool sent;
    struct schsm_key_domain_status before, after;
};

/* The state of a domain that has to be there. */
static int read_existing(struct schsm_session *session, unsigned int domain,
                         struct schsm_key_domain_status *status, struct schsm_error *err)
{
    struct schsm_pin_status so;

    if (!schsm_session_confirm_applet(session, err) ||
        !schsm_card_key_domain_status(&session->card, domain, status, err)) {
        return 0;
    }
    if (status->exists) {
        return 1;
    }
    if (status->slot) {
        return schsm_fail(err, SCHSM_REASON_NOT_FOUND, "the key domain has not been created");
    }
    if (!schsm_card_pin_status(&session->card, SCHSM_PIN_SO, &so, err)) {
        return 0;
    }
    if (so.state == SCHSM_PIN_ABSENT) {
        return schsm_fail(err, SCHSM_REASON_NOT_INITIALISED,
                          "the device was never initialised: 'sc-hsm init' does that");
    }
    return schsm_fail(err, SCHSM_REASON_NOT_FOUND,
                      domain == 0 ? "the device was initialised without a DKEK: only a new "
                                    "initialisation, which erases it, can give it one"
                                  : "there is no key domain of this number");
}

static int run_domain_create(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    struct change *change = arg;
    struct schsm_key_domain_status *status = &change->after;

    if (!schsm_session_confirm_applet(session, err) ||
        !schsm_card_key_domain_status(&session->card, change->domain, status, err)) {
        return 0;
    }
    if (status->exists && change->sent && status->shares == change->shares &&
        status->outstanding == change->shares) {
        return 1; /* the attempt before this one arrived */
    }
    if (status->exists) {
        return schsm_fail(err, SCHSM_REASON_EXISTS, "the key domain was created before");
    }
    if (!status->slot) {
        return schsm_fail(err, SCHSM_REASON_NOT_FOUND,
                          "the device was initialised with fewer key domains, or with none");
    }
    change->sent = true;
    return schsm_card_create_dkek_domain(&session->card, change->domain, change->shares, err);
}

int schsm_hsm_create_dkek_domain(struct schsm_device *dev, unsigned int domain, unsigned int shares,
                                 const struct schsm_login *login, struct schsm_error *err)
{
    struct change change = { .domain = domain, .shares = shares };
    struct schsm_job job = {
        .run = run_domain_create, .arg = &change, .login = login, .transaction = true
    };

    if (shares < 1 || shares > SHARES_MAX) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "a DKEK has 1 to %d shares, not %u",
                          SHARES_MAX, shares);
    }
    return run_job(dev, domain, &job, err);
}

/*
 * The same share twice is no share at all, and the card does not tell. So an attempt after a broken
 * connection looks first whether the one before it arrived.
 */
static int run_share_import(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    static const uint8_t zero[SCHSM_KCV_LEN];
    struct change *change = arg;
    struct schsm_key_domain_status now;
    char kcv[SCHSM_KCV_TEXT_MAX];

    if (!read_existing(session, change->domain, &now, err)) {
        return 0;
    }
    if (change->sent && now.outstanding + 1 == change->before.outstanding) {
        change->after = now;
        return 1;
    }
    if (now.uid_len > 0) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "the devices of this key domain agree on its key, it has no shares");
    }
    if (now.outstanding == 0 && memcmp(now.kcv, zero, sizeof(zero)) == 0) {
        return schsm_fail(err, SCHSM_REASON_EXISTS,
                          now.shares > 0
                              ? "no share is outstanding: the DKEK is complete"
                              : "no share is expected: the device was initialised without shares");
    }
    if (now.outstanding == 0) {
        schsm_kcv_text(now.kcv, kcv);
        return schsm_fail(err, SCHSM_REASON_EXISTS,
                          "no share is outstanding: the DKEK is complete, its key check value is "
                          "%s",
                          kcv);
    }
    change->before = now;
    change->sent = true;
    return schsm_card_import_dkek_share(&session->card, change->domain,
                                        schsm_secret_data(change->share), &change->after, err);
}

int schsm_hsm_import_share(struct schsm_device *dev, unsigned int domain,
                           const struct schsm_secret *share, const struct schsm_login *login,
                           struct schsm_hsm_domain *after, struct schsm_error *err)
{
    struct change change = { .domain = domain, .share = share };
    struct schsm_job job = { .run = run_share_import, .arg = &change, .transaction = true };
    struct schsm_error found = SCHSM_ERROR_INIT;
    int ok;

    if (schsm_secret_len(share) != SCHSM_DKEK_LEN) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "a DKEK share has %d bytes, not %zu",
                          SCHSM_DKEK_LEN, schsm_secret_len(share));
    }
    ok = run_job(dev, domain, &job, &found);
    if (!ok && found.status_word == SCHSM_SW_SECURITY_STATUS && login != NULL) {
        change.sent = false; /* refused */
        job.login = login;
        ok = run_job(dev, domain, &job, &found);
    }
    if (!ok) {
        return schsm_fail_as(err, &found);
    }
    fill_domain(after, domain, &change.after);
    return 1;
}

static int run_delete_kek(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    struct change *change = arg;

    return read_existing(session, change->domain, &change->before, err) &&
           schsm_card_delete_kek(&session->card, change->domain, err);
}

int schsm_hsm_delete_kek(struct schsm_device *dev, unsigned int domain,
                         const struct schsm_login *login, struct schsm_error *err)
{
    struct change change = { .domain = domain };
    struct schsm_job job = {
        .run = run_delete_kek, .arg = &change, .login = login, .transaction = true
    };

    return run_job(dev, domain, &job, err);
}

static int run_delete_domain(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    struct change *change = arg;

    if (!schsm_session_confirm_applet(session, err) ||
        !schsm_card_key_domain_status(&session->card, change->domain, &change->before, err)) {
        return 0;
    }
    if (change->sent && !change->before.exists) {
        return 1; /* the attempt before this one arrived */
    }
    if (!read_existing(session, change->domain, &change->before, err)) {
        return 0;
    }
    change->sent = true;
    return schsm_card_delete_key_domain(&session->card, change->domain, err);
}

int schsm_hsm_delete_domain(struct schsm_device *dev, unsigned int domain,
                            const struct schsm_login *login, struct schsm_error *err)
{
    struct change change = { .domain = domain };
    struct schsm_job job = {
        .run = run_delete_domain, .arg = &change, .login = login, .transaction = true
    };

    return run_job(dev, domain, &job, err);
}
