/* SPDX-License-Identifier: Apache-2.0 */
#include "card_kind.h"

#include <string.h>

/* The last one is what a card is that tells nothing else. */
static const struct schsm_card_kind kinds[] = {
    { .name = "Pico HSM",
      .prefix = "ESP",
      .fci_type = 0xFF,
      .file_max = SCHSM_FILE_MAX_ANYWHERE,
      .label_built_in = true,
      .transport_pin_stays = true,
      .keys_need_pin = true,
      .key_domains_max = 16,
      .public_keys_max = 8,
      .exponent_fixed = true,
      .crt_bits_max = 2048,
      .describes_keys = true,
      .hides_kcv = true,
      .ecx = true,
      .shares_names = true },
    { .name = "SmartCard-HSM",
      .prefix = "",
      .fci_type = 0x00,
      .file_max = 0xFFFF,
      .key_domains_max = 255,
      .public_keys_max = 90 },
};
#define SEQUENCE_LEN 5 /* characters at the end of a device's name (section 12) */
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

const struct schsm_card_kind *schsm_card_kind_of_fci(unsigned int type)
{
    for (size_t i = 0; i < KINDS; i++) {
        if (kinds[i].fci_type == (int)type) {
            return &kinds[i];
        }
    }
    return &kinds[KINDS - 1];
}

const struct schsm_card_kind *schsm_card_kind_of_serial(const char *serial)
{
    const struct schsm_card_kind *kind = kinds;

    while (serial[0] != '\0' && strncmp(serial, kind->prefix, strlen(kind->prefix)) != 0) {
        kind++;
    }
    return kind;
}

bool schsm_card_serial_fits(const char *serial, const char *wanted)
{
    size_t len = strlen(serial), wanted_len = strlen(wanted);
    size_t common = len < wanted_len ? len : wanted_len;

    if (len == 0) {
        return false;
    }
    if (strcmp(serial, wanted) == 0) {
        return true;
    }
    return schsm_card_kind_of_serial(serial)->shares_names &&
           len + wanted_len == 2 * common + SEQUENCE_LEN && strncmp(serial, wanted, common) == 0;
}
