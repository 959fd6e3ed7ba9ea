/* SPDX-License-Identifier: Apache-2.0 */
#include "personalise.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cvc.h"
#include "fs.h"
#include "pki.h"
#include "state.h"

enum { DEVICE_YEARS = 5 }; /* of validity, as real ones */

bool sim_serial_is_valid(const char *serial)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    size_t len = strlen(serial);
    return len >= 3 && len <= 11 && strspn(serial, letters) >= 2 &&
           strspn(serial, characters) == len;
}

/* Today in `years` years, as six bytes YYMMDD. */
static void set_date(uint8_t date[SIM_DATE_LEN], time_t now, int years)
{
    struct tm day;
    gmtime_r(&now, &day);
    day.tm_year += years;
    timegm(&day); /* normalises 29 February */
    int parts[3] = { day.tm_year % 100, day.tm_mon + 1, day.tm_mday };
    for (size_t i = 0; i < 3; i++) {
        date[2 * i] = (uint8_t)(parts[i] / 10);
        date[2 * i + 1] = (uint8_t)(parts[i] % 10);
    }
}

bool sim_personalise_put_chain(struct sim_buf *out, const struct sim_state *state)
{
    time_t now = time(NULL);
    struct sim_slice issuer_certificate = sim_pki_issuer_certificate();
    struct sim_cvc_certificate device = { .car = SIM_ISSUER_CHR, .chr = state->device_chr };
    struct sim_key issuer;
    set_date(device.effective, now, 0);
    set_date(device.expires, now, DEVICE_YEARS);
    if (!sim_pki_issuer_key(&issuer)) {
        return false;
    }
    bool ok = sim_cvc_put_certificate(out, &device, &state->device_key, &issuer);
    sim_buf_put(out, issuer_certificate.data, issuer_certificate.len);
    sim_key_free(&issuer);
    return ok && !out->failed;
}

bool sim_personalise(struct sim_state *state, const char *serial)
{
    struct sim_buf chain = { 0 };
    struct sim_slice root = sim_pki_root_certificate();
    EVP_PKEY *pkey = sim_curve_generate(sim_curve_by_name(SIM_DEVICE_CURVE));
    (void)snprintf(state->device_chr, sizeof(state->device_chr), "%s00000", serial);
    sim_buf_put(&state->root_certificate, root.data, root.len);
    bool ok = sim_key_from_pkey(&state->device_key, 0, pkey) && !state->root_certificate.failed &&
              sim_personalise_put_chain(&chain, state) &&
              sim_fs_replace(state, SIM_FID_DEVICE_CERTIFICATE, sim_buf_slice(&chain)) == 0x9000;
    sim_buf_free(&chain);
    state->dirty = true;
    return ok;
}
