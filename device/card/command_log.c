/* SPDX-License-Identifier: Apache-2.0 */
#include "command_log.h"

#include <stdbool.h>
#include <stdio.h>

#include "base/log.h"
#include "format/apdu.h"

static void add_text(char *line, size_t *len, const char *text)
{
    while (*text != '\0' && *len < SCHSM_LOG_LINE_MAX - 1) {
        line[(*len)++] = *text++;
    }
}

static void add_hex(char *line, size_t *len, const uint8_t *bytes, size_t count)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t room = (SCHSM_LOG_LINE_MAX - 64 - *len) / 2; /* some is left for the texts after it */
    size_t shown = count < room ? count : room;

    for (size_t i = 0; i < shown; i++) {
        line[(*len)++] = digits[bytes[i] >> 4];
        line[(*len)++] = digits[bytes[i] & 15];
    }
    if (shown < count) {
        add_text(line, len, "...");
    }
}

static void add_hidden(char *line, size_t *len, unsigned int secrecy, size_t count)
{
    char text[48];

    if ((secrecy & SCHSM_APDU_SECRET_LENGTH) != 0) {
        add_text(line, len, " (data not shown)");
        return;
    }
    (void)snprintf(text, sizeof(text), " (%zu bytes not shown)", count);
    add_text(line, len, text);
}

void schsm_log_command(const uint8_t *apdu, size_t len)
{
    char line[SCHSM_LOG_LINE_MAX];
    struct schsm_apdu parsed;
    unsigned int secrecy;
    size_t used = 0;

    if (!schsm_log_wants(SCHSM_LOG_APDU)) {
        return;
    }
    add_text(line, &used, "> ");
    secrecy = schsm_apdu_secrecy(apdu, len);
    if ((secrecy & SCHSM_APDU_SECRET_DATA) == 0) {
        add_hex(line, &used, apdu, len);
    } else if (len >= 4) {
        bool regular = schsm_apdu_parse(apdu, len, &parsed);

        add_hex(line, &used, apdu, 4);
        if (!regular || parsed.data_len > 0) {
            add_hidden(line, &used, secrecy, regular ? parsed.data_len : len - 4);
        }
    } else {
        add_hidden(line, &used, secrecy, len);
    }
    schsm_log_line(SCHSM_LOG_APDU, line, used);
}

void schsm_log_response(const uint8_t *command, size_t command_len, const uint8_t *response,
                        size_t len)
{
    char line[SCHSM_LOG_LINE_MAX];
    unsigned int secrecy;
    size_t used = 0;

    if (!schsm_log_wants(SCHSM_LOG_APDU)) {
        return;
    }
    add_text(line, &used, "< ");
    secrecy = schsm_apdu_secrecy(command, command_len);
    if ((secrecy & SCHSM_APDU_SECRET_RESPONSE) == 0 || len == 2) {
        add_hex(line, &used, response, len);
    } else if (len > 2) {
        add_hex(line, &used, response + len - 2, 2);
        add_hidden(line, &used, secrecy, len - 2);
    } else {
        add_hidden(line, &used, secrecy, len);
    }
    schsm_log_line(SCHSM_LOG_APDU, line, used);
}
