/* SPDX-License-Identifier: Apache-2.0 */
#include "apdu.h"

static size_t short_le(uint8_t byte)
{
    return byte == 0 ? 256 : byte;
}

static size_t extended_le(const uint8_t *bytes)
{
    size_t le = (size_t)bytes[0] << 8 | bytes[1];
    return le == 0 ? 65536 : le;
}

static bool parse_short(struct sim_apdu *apdu, const uint8_t *body, size_t len)
{
    size_t lc = body[0];
    if (len != 1 + lc && len != 2 + lc) {
        return false;
    }
    apdu->data = (struct sim_slice){ body + 1, lc };
    if (len == 2 + lc) {
        apdu->le = short_le(body[1 + lc]);
    }
    return true;
}

static bool parse_extended(struct sim_apdu *apdu, const uint8_t *body, size_t len)
{
    apdu->extended = true;
    if (len == 3) {
        apdu->le = extended_le(body + 1);
        return true;
    }
    if (len < 4) {
        return false;
    }
    size_t lc = (size_t)body[1] << 8 | body[2];
    if (lc == 0 || (len != 3 + lc && len != 5 + lc)) {
        return false;
    }
    apdu->data = (struct sim_slice){ body + 3, lc };
    if (len == 5 + lc) {
        apdu->le = extended_le(body + 3 + lc);
    }
    return true;
}

bool sim_apdu_parse(struct sim_apdu *apdu, const uint8_t *bytes, size_t len)
{
    *apdu = (struct sim_apdu){ 0 };
    if (len < 4) {
        return false;
    }
    apdu->cla = bytes[0];
    apdu->ins = bytes[1];
    apdu->p1 = bytes[2];
    apdu->p2 = bytes[3];
    if (len == 4) {
        return true;
    }
    const uint8_t *body = bytes + 4;
    len -= 4;
    if (len == 1) {
        apdu->le = short_le(body[0]);
        return true;
    }
    return body[0] == 0 ? parse_extended(apdu, body, len) : parse_short(apdu, body, len);
}

uint16_t sim_apdu_p1p2(const struct sim_apdu *apdu)
{
    return (uint16_t)(apdu->p1 << 8 | apdu->p2);
}
