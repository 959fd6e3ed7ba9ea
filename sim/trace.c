/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"

#include <stdio.h>
#include <string.h>

#include "commands.h"

static void put_hex(struct sim_buf *line, const uint8_t *data, size_t len)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < len; i++) {
        sim_buf_put_u8(line, (uint8_t)digits[data[i] >> 4]);
        sim_buf_put_u8(line, (uint8_t)digits[data[i] & 0x0F]);
    }
}

static void put_hidden(struct sim_buf *line, size_t number)
{
    char text[64];
    int len = snprintf(text, sizeof(text), "[%zu bytes hidden]", number);
    sim_buf_put(line, text, (size_t)len);
}

/* One write for each line, so that lines of a log shared with others stay whole. */
static void finish(struct sim_buf *line)
{
    sim_buf_put_u8(line, '\n');
    if (!line->failed) {
        /* a log that cannot be written must not stop the card */
        (void)fwrite(line->data, 1, line->len, stderr);
        (void)fflush(stderr);
    }
    sim_buf_free(line);
}

static bool hides_data(const struct sim_apdu *apdu)
{
    const struct sim_command *command = sim_command_find(sim_commands_pico, -1, apdu->ins);
    return command != NULL && (command->flags & SIM_CMD_HIDE_DATA) != 0;
}

void sim_trace_command(const struct sim_apdu *apdu, bool well_formed, const uint8_t *bytes,
                       size_t len)
{
    struct sim_buf line = { 0 };
    sim_buf_put(&line, "> ", 2);
    bool hidden = len >= 4 && hides_data(apdu);
    if (!hidden || (well_formed && apdu->data.len == 0)) {
        put_hex(&line, bytes, len);
    } else if (!well_formed) {
        /* where the data begins is unclear: show the header alone */
        put_hex(&line, bytes, 4);
        put_hidden(&line, len - 4);
    } else {
        size_t before = (size_t)(apdu->data.data - bytes);
        size_t behind = before + apdu->data.len;
        put_hex(&line, bytes, before);
        put_hidden(&line, apdu->data.len);
        put_hex(&line, bytes + behind, len - behind);
    }
    finish(&line);
}

void sim_trace_plain_command(const struct sim_apdu *apdu)
{
    struct sim_buf line = { 0 };
    const uint8_t header[] = { apdu->cla, apdu->ins, apdu->p1, apdu->p2 };
    sim_buf_put(&line, ">> ", 3);
    put_hex(&line, header, sizeof(header));
    if (apdu->data.len > 0) {
        sim_buf_put(&line, " ", 1);
        if (hides_data(apdu)) {
            put_hidden(&line, apdu->data.len);
        } else {
            put_hex(&line, apdu->data.data, apdu->data.len);
        }
    }
    finish(&line);
}

void sim_trace_response(const char *sign, const struct sim_buf *data, uint16_t sw, bool hidden)
{
    struct sim_buf line = { 0 };
    uint8_t status[2] = { (uint8_t)(sw >> 8), (uint8_t)sw };
    sim_buf_put(&line, sign, strlen(sign));
    if (data->len > 0) {
        if (hidden) {
            put_hidden(&line, data->len);
        } else {
            put_hex(&line, data->data, data->len);
        }
        sim_buf_put(&line, " ", 1);
    }
    put_hex(&line, status, sizeof(status));
    finish(&line);
}

void sim_trace_latency(unsigned ms)
{
    char text[32];
    struct sim_buf line = { 0 };
    int len = snprintf(text, sizeof(text), "= %u ms", ms);
    sim_buf_put(&line, text, (size_t)len);
    finish(&line);
}
