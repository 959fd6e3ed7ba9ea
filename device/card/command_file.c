/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include <string.h>

#include <openssl/crypto.h>

#include "base/tlv.h"

/* 4.3, 4.4: the data objects of READ and UPDATE BINARY */
#define TAG_OFFSET 0x54
#define TAG_DATA 0x53

#define FILE_MAX 0xFFFF /* the offset has two bytes */

static void put_offset(uint8_t out[4], size_t offset)
{
    out[0] = TAG_OFFSET;
    out[1] = 2;
    out[2] = (uint8_t)(offset >> 8);
    out[3] = (uint8_t)offset;
}

bool schsm_card_falls_back(struct schsm_card *card, size_t size)
{
    if (size <= SCHSM_APDU_SHORT_CHUNK) {
        return false;
    }
    if (card->result == SCHSM_TRANSPORT_TOO_LONG) {
        card->short_only = true;
        return true;
    }
    return card->result == SCHSM_TRANSPORT_OK && card->status_word == SCHSM_SW_WRONG_LENGTH;
}

/* READ BINARY (4.3): up to *len bytes at offset; *len becomes what came, 0 at the end of the file.
 */
static int read_binary(struct schsm_card *card, unsigned int file, size_t offset, uint8_t *buffer,
                       size_t *len, struct schsm_error *err)
{
    size_t capacity = *len;
    uint8_t data[4];
    struct schsm_apdu apdu = { .ins = SCHSM_INS_READ_BINARY,
                               .p1 = (uint8_t)(file >> 8),
                               .p2 = (uint8_t)file,
                               .data = data,
                               .data_len = sizeof(data),
                               .le = capacity };

    *len = 0;
    if (offset > FILE_MAX) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "file offset %zu is too large", offset);
    }
    put_offset(data, offset);
    *len = capacity;
    if (!schsm_card_exchange(card, &apdu, buffer, len, err)) {
        return 0;
    }
    if (card->status_word == SCHSM_SW_OFFSET) { /* at or behind the end */
        *len = 0;
        return 1;
    }
    return card->status_word == SCHSM_SW_END_OF_FILE || schsm_card_accepted(card, &apdu, err);
}

/* The length that the TLV at the beginning has altogether; 0 where it cannot be told yet. */
static size_t tlv_length(const uint8_t *bytes, size_t len)
{
    size_t at = 1, value = 0;

    if (len < 2) {
        return 0;
    }
    if ((bytes[0] & 0x1F) == 0x1F) { /* more bytes of the tag follow while their top bit is set */
        while (at < len && (bytes[at++] & 0x80) != 0) {
            ;
        }
    }
    if (at >= len) {
        return 0;
    }
    if (bytes[at] < 0x80) {
        return at + 1 + bytes[at];
    }
    for (size_t n = bytes[at++] & 0x7Fu; n > 0; n--) {
        if (at >= len || value > FILE_MAX) {
            return 0;
        }
        value = value << 8 | bytes[at++];
    }
    return value > FILE_MAX ? 0 : at + value;
}

int schsm_card_read_file(struct schsm_card *card, unsigned int file, enum schsm_file_form form,
                         uint8_t **content, size_t *len, struct schsm_error *err)
{
    size_t chunk = card->short_only ? SCHSM_APDU_SHORT_CHUNK : SCHSM_APDU_READ_CHUNK;
    size_t total = 0, capacity = 0;
    uint8_t *bytes = NULL;
    int ok = 0;

    *content = NULL;
    *len = 0;
    for (;;) {
        size_t wanted = form == SCHSM_FORM_TLV ? tlv_length(bytes, total) : 0;
        size_t got;

        if (total > FILE_MAX || (wanted != 0 && total >= wanted)) {
            break;
        }
        if (capacity - total < chunk) {
            uint8_t *larger = OPENSSL_clear_realloc(bytes, capacity, capacity + 2 * chunk);

            if (larger == NULL) {
                schsm_fail_memory(err);
                goto done;
            }
            bytes = larger;
            capacity += 2 * chunk;
        }
        got = chunk;
        if (!read_binary(card, file, total, bytes + total, &got, err)) {
            if (!schsm_card_falls_back(card, chunk)) {
                goto done;
            }
            chunk = SCHSM_APDU_SHORT_CHUNK;
            continue;
        }
        total += got;
        /* A short answer is the end, unless the content says that there must be more: a reader
         * with a small buffer gives less than was asked for. */
        if (got == 0 || card->status_word == SCHSM_SW_END_OF_FILE ||
            (got < chunk && (form == SCHSM_FORM_BYTES || tlv_length(bytes, total) <= total))) {
            break;
        }
    }
    ok = 1;

done:
    if (ok) {
        *content = bytes;
        *len = total;
    } else {
        OPENSSL_clear_free(bytes, capacity);
    }
    return ok;
}

/* One UPDATE BINARY. */
static int update_binary(struct schsm_card *card, unsigned int file, size_t offset,
                         const uint8_t *bytes, size_t len, struct schsm_error *err)
{
    uint8_t data[4 + 4 + SCHSM_APDU_WRITE_CHUNK];
    struct schsm_apdu apdu = { .ins = SCHSM_INS_UPDATE_BINARY,
                               .p1 = (uint8_t)(file >> 8),
                               .p2 = (uint8_t)file,
                               .data = data };
    struct schsm_tlv_writer writer;
    int ok;

    put_offset(data, offset);
    schsm_tlv_write(&writer, data + 4, sizeof(data) - 4);
    schsm_tlv_put(&writer, TAG_DATA, bytes, len);
    if (writer.failed) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "a write of %zu bytes is too long", len);
    }
    apdu.data_len = 4 + writer.len;
    ok = schsm_card_execute_secret(card, &apdu, NULL, NULL, err);
    OPENSSL_cleanse(data, apdu.data_len); /* private data objects pass here */
    return ok;
}

int schsm_card_write_file(struct schsm_card *card, unsigned int file, const uint8_t *content,
                          size_t len, struct schsm_error *err)
{
    size_t chunk = card->short_only ? SCHSM_APDU_SHORT_CHUNK : SCHSM_APDU_WRITE_CHUNK;
    size_t offset = 0;

    if (len > FILE_MAX) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "%zu bytes do not fit a file on the device",
                          len);
    }
    do {
        size_t part = len - offset < chunk ? len - offset : chunk;

        if (!update_binary(card, file, offset, content + offset, part, err)) {
            if (!schsm_card_falls_back(card, chunk)) {
                return 0;
            }
            chunk = SCHSM_APDU_SHORT_CHUNK;
            continue;
        }
        offset += part;
    } while (offset < len);
    return 1;
}

int schsm_card_delete_file(struct schsm_card *card, unsigned int file, struct schsm_error *err)
{
    const uint8_t data[2] = { (uint8_t)(file >> 8), (uint8_t)file };
    const struct schsm_apdu apdu = {
        .ins = SCHSM_INS_DELETE_FILE, .p1 = 0x02, .data = data, .data_len = sizeof(data)
    };

    return schsm_card_execute(card, &apdu, NULL, NULL, err);
}

static bool is_of_known_kind(uint16_t file)
{
    static const uint8_t kinds[] = { 0x2F, 0xC4, 0xC8, 0xC9, 0xCA, 0xCB, 0xCC, 0xCD, 0xCE, 0xCF };

    return memchr(kinds, file >> 8, sizeof(kinds)) != NULL;
}

/* Genuine cards list their certificates and every kind of card its own key (4.2). A list with
 * neither, but with files that nobody knows, is nonsense, and must not pass for a device without
 * keys. */
static bool is_list_of_files(const uint16_t *files, size_t count)
{
    bool strange = false;

    for (size_t i = 0; i < count; i++) {
        if (files[i] == SCHSM_FILE_DEVICE_CERTIFICATES || files[i] == SCHSM_FILE_KEY) {
            return true;
        }
        strange = strange || !is_of_known_kind(files[i]);
    }
    return !strange;
}

int schsm_card_enumerate(struct schsm_card *card, uint16_t *files, size_t *count,
                         struct schsm_error *err)
{
    struct schsm_apdu apdu = { .cla = 0x80, .ins = SCHSM_INS_ENUMERATE_OBJECTS };
    uint8_t response[SCHSM_RESPONSE_MAX];
    size_t room = *count, n = 0, len;

    *count = 0;
    apdu.le = card->short_only ? SCHSM_APDU_SHORT_LE_MAX : SCHSM_APDU_LE_MAX;
    for (;;) {
        len = sizeof(response);
        if (schsm_card_exchange_plain(card, &apdu, response, &len, err)) {
            break;
        }
        if (card->result != SCHSM_TRANSPORT_TOO_LONG || apdu.le == SCHSM_APDU_SHORT_LE_MAX) {
            return 0;
        }
        card->short_only = true;
        apdu.le = SCHSM_APDU_SHORT_LE_MAX;
    }
    if (card->status_word != SCHSM_SW_END_OF_FILE && !schsm_card_accepted(card, &apdu, err)) {
        return 0;
    }
    for (size_t i = 0; i + 2 <= len && n < room; i += 2) {
        uint16_t file = (uint16_t)(response[i] << 8 | response[i + 1]);

        if (file != 0) {
            files[n++] = file;
        }
    }
    if (!card->short_only && !is_list_of_files(files, n)) { /* a short answer is not all of it */
        return schsm_fail_malformed(err, "the device's list of files");
    }
    *count = n;
    return 1;
}
