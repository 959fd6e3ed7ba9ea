/* SPDX-License-Identifier: Apache-2.0 */
/* SELECT 00 A4: an application by its AID, or an EF by its id (protocol section 3). */
#include <string.h>

#include "commands.h"
#include "fs.h"
#include "tlv.h"

enum {
    P2_FCI = 0x00,
    P2_FCP = 0x04,
    P2_NO_RESPONSE = 0x0C,
    PLATFORM_JCOP = 0x00,
    VERSION_MAJOR = 3,
    VERSION_MINOR = 5,
};

static const uint8_t hsm_aid[] = {
    0xE8, 0x2B, 0x06, 0x01, 0x04, 0x01, 0x81, 0xC3, 0x1F, 0x02, 0x01
};
static const uint8_t security_domain_aid[] = { 0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00, 0x00 };

static void put_hsm_fci(const struct sim_state *state, struct sim_buf *out)
{
    struct sim_buf fci = { 0 };
    const uint8_t attributes[] = { (uint8_t)(state->options >> 8), (uint8_t)state->options,
                                   PLATFORM_JCOP, VERSION_MAJOR, VERSION_MINOR };
    sim_tlv_put(&fci, 0x81, "\x00\x00", 2);
    sim_tlv_put(&fci, 0x82, "\x38", 1);
    sim_tlv_put(&fci, 0x84, hsm_aid, sizeof(hsm_aid));
    sim_tlv_put(&fci, 0x8A, "\x05", 1);
    /* last, because OpenSC lets the last of 85 and A5 win (section 20) */
    sim_tlv_put(&fci, 0x85, attributes, sizeof(attributes));
    sim_tlv_put_buf(out, 0x62, &fci);
    sim_buf_free(&fci);
}

static void put_security_domain_fci(const struct sim_state *state, struct sim_buf *out)
{
    static const uint8_t maximum_length[] = { 0x9F, 0x65, 0x01, 0xFF };
    struct sim_buf fci = { 0 };
    (void)state;
    sim_tlv_put(&fci, 0x84, security_domain_aid, sizeof(security_domain_aid));
    sim_tlv_put(&fci, 0xA5, maximum_length, sizeof(maximum_length));
    sim_tlv_put_buf(out, 0x6F, &fci);
    sim_buf_free(&fci);
}

static const struct application {
    enum sim_applet applet;
    struct sim_slice aid;
    void (*put_fci)(const struct sim_state *state, struct sim_buf *out);
} applications[] = {
    { SIM_APPLET_HSM, { hsm_aid, sizeof(hsm_aid) }, put_hsm_fci },
    { SIM_APPLET_SECURITY_DOMAIN,
      { security_domain_aid, sizeof(security_domain_aid) },
      put_security_domain_fci },
};

static uint16_t select_application(struct sim_card *card, const struct sim_apdu *apdu,
                                   struct sim_buf *out)
{
    for (size_t i = 0; i < sizeof(applications) / sizeof(applications[0]); i++) {
        if (!sim_slice_equal(applications[i].aid, apdu->data)) {
            continue;
        }
        card->applet = applications[i].applet;
        sim_card_clear_security(card);
        if (apdu->p2 != P2_NO_RESPONSE) {
            applications[i].put_fci(&card->state, out);
        }
        return SIM_SW_OK;
    }
    return SIM_SW_FILE_NOT_FOUND;
}

static uint16_t select_file(struct sim_card *card, const struct sim_apdu *apdu, struct sim_buf *out)
{
    struct sim_slice path = apdu->data;
    uint16_t fid;
    /* paths from the master file may begin with its own id */
    if (path.len == 4 && memcmp(path.data, "\x3F\x00", 2) == 0) {
        sim_slice_take(&path, 2, NULL);
    }
    if (path.len != 2 || !sim_slice_u16(&path, &fid)) {
        return SIM_SW_WRONG_LENGTH;
    }
    /* keys are listed by ENUMERATE, yet genuine cards do not find them here (section 3.2) */
    const struct sim_file *file = sim_fs_find(&card->state, fid);
    if (file == NULL) {
        return SIM_SW_FILE_NOT_FOUND;
    }
    card->current_fid = fid;
    if (apdu->p2 == P2_NO_RESPONSE) {
        return SIM_SW_OK;
    }
    struct sim_buf fci = { 0 };
    const uint8_t size[] = { (uint8_t)(file->content.len >> 8), (uint8_t)file->content.len };
    const uint8_t id[] = { (uint8_t)(fid >> 8), (uint8_t)fid };
    sim_tlv_put(&fci, 0x81, size, sizeof(size));
    sim_tlv_put(&fci, 0x82, "\x01", 1);
    sim_tlv_put(&fci, 0x83, id, sizeof(id));
    sim_tlv_put_buf(out, 0x62, &fci);
    sim_buf_free(&fci);
    return SIM_SW_OK;
}

uint16_t sim_cmd_select(struct sim_card *card, const struct sim_apdu *apdu, struct sim_buf *out)
{
    bool by_name = apdu->p1 == 0x04;
    bool by_file_id = apdu->p1 == 0x00 || apdu->p1 == 0x02 || apdu->p1 == 0x08 || apdu->p1 == 0x09;
    if (card->applet != SIM_APPLET_HSM && !by_name) {
        return SIM_SW_UNKNOWN_INS;
    }
    if (!by_name && !by_file_id) {
        return SIM_SW_WRONG_P1P2;
    }
    if (apdu->p2 != P2_FCI && apdu->p2 != P2_FCP && apdu->p2 != P2_NO_RESPONSE) {
        return SIM_SW_WRONG_P1P2;
    }
    return by_name ? select_application(card, apdu, out) : select_file(card, apdu, out);
}
