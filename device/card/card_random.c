/* SPDX-License-Identifier: Apache-2.0 */
/* Random bytes (6.1). */
#include "card_private.h"

struct drawing {
    uint8_t *out;
    size_t len;
};

static int draw(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    const struct drawing *drawing = arg;
    size_t done = 0;

    while (done < drawing->len) {
        size_t chunk = session->card.short_only ? SCHSM_APDU_SHORT_CHUNK : SCHSM_CHALLENGE_MAX;

        chunk = drawing->len - done < chunk ? drawing->len - done : chunk;
        if (schsm_card_get_challenge(&session->card, drawing->out + done, chunk, true, err)) {
            done += chunk;
        } else if (session->card.result == SCHSM_TRANSPORT_TOO_LONG &&
                   chunk > SCHSM_APDU_SHORT_CHUNK) {
            session->card.short_only = true;
        } else {
            return 0;
        }
    }
    return 1;
}

int schsm_card_device_random(struct schsm_device *dev, uint8_t *out, size_t len,
                             struct schsm_error *err)
{
    struct drawing drawing = { out, len };
    const struct schsm_job job = { .run = draw, .arg = &drawing };

    return schsm_session_run(schsm_card_session(dev), &job, err);
}
