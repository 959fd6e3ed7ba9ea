/* SPDX-License-Identifier: Apache-2.0 */
#include "personalise.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cvc.h"
#include "fs.h"
#include "state.h"

#define ROOT_CHR "UTSRCASIM00001"
#define ISSUER_CHR "UTDISIM00001"

/* Years of validity; real ones have 20, 8 and 5 (the root's and the issuer's less a day). */
enum {
    ROOT_YEARS = 20,
    ISSUER_YEARS = 8,
    DEVICE_YEARS = 5,
};

bool sim_serial_is_valid(const char *serial)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    size_t len = strlen(serial);
    return len >= 3 && len <= 11 && strspn(serial, letters) >= 2 &&
           strspn(serial, characters) == len;
}

/* Today moved by years and days, as six bytes YYMMDD. */
static void set_date(uint8_t date[SIM_DATE_LEN], time_t now, int years, int days)
{
    struct tm day;
    gmtime_r(&now, &day);
    day.tm_year += years;
    day.tm_mday += days;
    timegm(&day); /* normalises 29 February and day 0 */
    int parts[3] = { day.tm_year % 100, day.tm_mon + 1, day.tm_mday };
    for (size_t i = 0; i < 3; i++) {
        date[2 * i] = (uint8_t)(parts[i] / 10);
        date[2 * i + 1] = (uint8_t)(parts[i] % 10);
    }
}

static bool make_key(struct sim_key *key)
{
    return sim_key_from_pkey(key, 0, sim_curve_generate(sim_curve_by_name(SIM_DEVICE_CURVE)));
}

static bool make_certificates(struct sim_state *state, struct sim_buf *chain)
{
    time_t now = time(NULL);
    struct sim_cvc_certificate root = {
        .car = ROOT_CHR, .chr = ROOT_CHR, .role = SIM_ROLE_ROOT, .with_domain_parameters = true
    };
    struct sim_cvc_certificate issuer = { .car = ROOT_CHR,
                                          .chr = ISSUER_CHR,
                                          .role = SIM_ROLE_DEVICE_ISSUER,
                                          .with_empty_extensions = true };
    struct sim_cvc_certificate device = { .car = ISSUER_CHR,
                                          .chr = state->device_chr,
                                          .role = SIM_ROLE_DEVICE };
    set_date(root.effective, now, 0, 0);
    set_date(root.expires, now, ROOT_YEARS, -1);
    set_date(issuer.effective, now, 0, 0);
    set_date(issuer.expires, now, ISSUER_YEARS, -1);
    set_date(device.effective, now, 0, 0);
    set_date(device.expires, now, DEVICE_YEARS, 0);
    return sim_cvc_put_certificate(&state->root_certificate, &root, &state->root_key,
                                   &state->root_key) &&
           sim_cvc_put_certificate(chain, &device, &state->device_key, &state->issuer_key) &&
           sim_cvc_put_certificate(chain, &issuer, &state->issuer_key, &state->root_key);
}

bool sim_personalise(struct sim_state *state, const char *serial)
{
    struct sim_buf chain = { 0 };
    snprintf(state->device_chr, sizeof(state->device_chr), "%s00000", serial);
    bool ok = make_key(&state->root_key) && make_key(&state->issuer_key) &&
              make_key(&state->device_key) && make_certificates(state, &chain) &&
              sim_fs_replace(state, SIM_FID_DEVICE_CERTIFICATE, sim_buf_slice(&chain)) == 0x9000;
    sim_buf_free(&chain);
    state->dirty = true;
    return ok;
}
