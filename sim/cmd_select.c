/* SPDX-License-Identifier: Apache-2.0 */
/* SELECT 00 A4: an application by its AID, or an EF by its id (protocol section 3). */
#include <string.h>

#include "commands.h"
#include "fs.h"
#include "policy.h"
#include "tlv.h"

enum {
    P2_FCI = 0x00,
    P2_FCP = 0x04,
    P2_NO_RESPONSE = 0x0C,
    PLATFORM_JCOP = 0x00,
    P1_PATH_FROM_MF = 0x08,
    FID_DIR = 0x2F00,
    TAG_FCP = 0x62,
    TAG_FCI = 0x6F,
};

static const uint8_t hsm_aid[] = {
    0xE8, 0x2B, 0x06, 0x01, 0x04, 0x01, 0x81, 0xC3, 0x1F, 0x02, 0x01
};
static const uint8_t security_domain_aid[] = { 0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00, 0x00 };

/* Applets before 2.0 tell their version and nothing of their options (section 3.3). */
static void put_first_fci(const struct sim_card *card, uint8_t p2, struct sim_buf *out)
{
    struct sim_buf fci = { 0 };
    const uint8_t version[] = { card->profile->major, card->profile->minor };
    sim_tlv_put(&fci, 0x82, "\x78", 1);
    sim_tlv_put(&fci, 0x85, version, sizeof(version));
    sim_tlv_put_buf(out, p2 == P2_FCI ? TAG_FCI : TAG_FCP, &fci);
    sim_buf_free(&fci);
}

static void put_hsm_fci(const struct sim_card *card, uint8_t p2, struct sim_buf *out)
{
    struct sim_buf fci = { 0 };
    if (card->profile->device->fci == SIM_FCI_FIRST) {
        put_first_fci(card, p2, out);
        return;
    }
    const uint8_t attributes[] = { (uint8_t)(card->state.options >> 8),
                                   (uint8_t)card->state.options, PLATFORM_JCOP,
                                   card->profile->major, card->profile->minor };
    sim_tlv_put(&fci, 0x81, "\x00\x00", 2);
    sim_tlv_put(&fci, 0x82, "\x38", 1);
    sim_tlv_put(&fci, 0x84, hsm_aid, sizeof(hsm_aid));
    sim_tlv_put(&fci, 0x8A, "\x05", 1);
    /* last, because OpenSC lets the last of 85 and A5 win (section 20) */
    sim_tlv_put(&fci, 0x85, attributes, sizeof(attributes));
    sim_tlv_put_buf(out, 0x62, &fci);
    sim_buf_free(&fci);
}

static void put_security_domain_fci(const struct sim_card *card, uint8_t p2, struct sim_buf *out)
{
    static const uint8_t maximum_length[] = { 0x9F, 0x65, 0x01, 0xFF };
    struct sim_buf fci = { 0 };
    (void)card;
    (void)p2;
    sim_tlv_put(&fci, 0x84, security_domain_aid, sizeof(security_domain_aid));
    sim_tlv_put(&fci, 0xA5, maximum_length, sizeof(maximum_length));
    sim_tlv_put_buf(out, 0x6F, &fci);
    sim_buf_free(&fci);
}

static const struct application {
    enum sim_applet applet;
    struct sim_slice aid;
    void (*put_fci)(const struct sim_card *card, uint8_t p2, struct sim_buf *out);
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
            applications[i].put_fci(card, apdu->p2, out);
        }
        return SIM_SW_OK;
    }
    return SIM_SW_FILE_NOT_FOUND;
}

/* Make `fid` the current file and describe it; `key` NULL for a file that is none. */
static uint16_t answer(struct sim_card *card, const struct sim_apdu *apdu, uint16_t fid, size_t len,
                       const struct sim_key *key, struct sim_buf *out)
{
    struct sim_buf fci = { 0 }, policy = { 0 };
    const uint8_t size[] = { (uint8_t)(len >> 8), (uint8_t)len };
    const uint8_t id[] = { (uint8_t)(fid >> 8), (uint8_t)fid };
    card->current_fid = fid;
    if (apdu->p2 == P2_NO_RESPONSE) {
        return SIM_SW_OK;
    }
    /* genuine cards tell a file's size in tag 80 (section 3.2), which OpenSC reads as well as 81 */
    sim_tlv_put(&fci, 0x80, size, sizeof(size));
    sim_tlv_put(&fci, 0x82, "\x01", 1);
    sim_tlv_put(&fci, 0x83, id, sizeof(id));
    if (key != NULL) {
        sim_policy_put(key, &policy);
        sim_tlv_put_buf(&fci, 0xA5, &policy);
    }
    sim_tlv_put_buf(out, apdu->p2 == P2_FCI ? TAG_FCI : TAG_FCP, &fci);
    sim_buf_free(&policy);
    sim_buf_free(&fci);
    return SIM_SW_OK;
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
    /*
     * Genuine cards list keys in ENUMERATE and do not find them here (section 3.2). This one does,
     * because it is the way to read a key's policy that section 8.2 suggests.
     */
    if (fid >> 8 == SIM_PREFIX_KEY) {
        const struct sim_key *key = sim_keys_find(&card->state, (uint8_t)fid);
        return key == NULL ? SIM_SW_FILE_NOT_FOUND : answer(card, apdu, fid, 0, key, out);
    }
    /* as genuine cards say when OpenSC looks for EF.DIR from the master file (section 19.6) */
    if (fid == FID_DIR && apdu->p1 == P1_PATH_FROM_MF) {
        return SIM_SW_WRONG_P1P2;
    }
    const struct sim_file *file = sim_fs_find(&card->state, fid);
    return file == NULL ? SIM_SW_FILE_NOT_FOUND
                        : answer(card, apdu, fid, file->content.len, NULL, out);
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
