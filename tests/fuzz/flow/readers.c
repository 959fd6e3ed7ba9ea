/* SPDX-License-Identifier: Apache-2.0 */
#include "readers.h"

#include <stdio.h>
#include <string.h>

#include "fuzz.h"

/* Beyond it a card says no more: a flow ends some time. */
#define EXCHANGES_MAX 3000

const char *const flow_reader_names[FLOW_READERS] = { "Plain Reader 00 00", "Other Reader 01 00" };
static const char name_with_serial[] = "Plain USB Token (UTSIM0000010000         ) 00 00";

void flow_reader_atr(struct schsm_atr *atr)
{
    static const uint8_t known[] = { 0x3B, 0xFE, 0x18, 0x00, 0x00, 0x81, 0x31, 0xFE,
                                     0x45, 0x80, 0x31, 0x81, 0x54, 0x48, 0x53, 0x4D,
                                     0x31, 0x73, 0x80, 0x21, 0x40, 0x81, 0x07, 0xFA };

    memcpy(atr->bytes, known, sizeof(known));
    atr->len = sizeof(known);
}

static void set_atr(const struct flow_readers *readers, bool odd, struct schsm_atr *atr)
{
    static const uint8_t other[] = { 0x3B, 0x80, 0x80, 0x01, 0x01 };

    flow_reader_atr(atr);
    if (odd != ((readers->script->header[FLOW_SETUP] & FLOW_OTHER_ATR) != 0)) {
        memcpy(atr->bytes, other, sizeof(other));
        atr->len = sizeof(other);
    }
}

static const char *name_of(const struct flow_readers *readers, size_t i)
{
    return i == 0 && (readers->script->header[FLOW_SETUP] & FLOW_SERIAL_IN_READER) != 0
               ? name_with_serial
               : flow_reader_names[i == 0 ? 0 : 1];
}

void flow_readers_start(struct flow_readers *readers, struct flow_script *script, size_t pin_len)
{
    memset(readers, 0, sizeof(*readers));
    readers->script = script;
    readers->pin_len = pin_len;
    for (size_t i = 0; i < FLOW_READERS; i++) {
        flow_tries_start(&readers->tries[i]);
    }
}

static enum schsm_transport_result result_of(const struct flow_record *record,
                                             struct schsm_error *err)
{
    unsigned int result = record != NULL ? record->flags & FLOW_RESULT : 0u;

    result = result <= SCHSM_TRANSPORT_FAILED ? result : SCHSM_TRANSPORT_FAILED;
    if (result != SCHSM_TRANSPORT_OK) {
        schsm_fail(err,
                   result == SCHSM_TRANSPORT_NO_SERVICE ? SCHSM_REASON_NO_SERVICE
                   : result == SCHSM_TRANSPORT_REMOVED || result == SCHSM_TRANSPORT_GONE
                       ? SCHSM_REASON_DEVICE_REMOVED
                       : SCHSM_REASON_TRANSPORT,
                   "the way broke as the script says");
    }
    return (enum schsm_transport_result)result;
}

static const struct flow_record *ask_reader(struct flow_readers *readers, uint8_t whose,
                                            enum flow_reader_question what)
{
    const uint8_t question[3] = { (uint8_t)what };

    return flow_script_named(readers->script, whose, question);
}

static enum schsm_transport_result flow_list(void *arg, struct schsm_slot *slots, size_t *count,
                                             struct schsm_error *err)
{
    struct flow_readers *readers = arg;
    const struct flow_record *record = ask_reader(readers, 0, FLOW_LIST);
    size_t number = (readers->script->header[FLOW_SETUP] & FLOW_TWO_READERS) != 0 ? 2 : 1;
    uint8_t present = 0xFF, odd = 0;
    enum schsm_transport_result result = result_of(record, err);

    if (result != SCHSM_TRANSPORT_OK) {
        return result;
    }
    if (record != NULL && record->len > 0) {
        number = record->content[0] % (FLOW_READERS + 1);
        present = record->len > 1 ? record->content[1] : present;
        odd = record->len > 2 ? record->content[2] : odd;
    }
    *count = number < *count ? number : *count;
    for (size_t i = 0; i < *count; i++) {
        memset(&slots[i], 0, sizeof(slots[i]));
        (void)snprintf(slots[i].reader, sizeof(slots[i].reader), "%s", name_of(readers, i));
        slots[i].card_present = (present >> i & 1) != 0;
        if (slots[i].card_present) {
            set_atr(readers, (odd >> i & 1) != 0, &slots[i].atr);
        }
    }
    return SCHSM_TRANSPORT_OK;
}

bool flow_readers_are_free(const struct flow_readers *readers)
{
    for (size_t i = 0; i < FLOW_HANDLES; i++) {
        if (readers->handles[i].readers != NULL && readers->handles[i].transactions != 0) {
            return false;
        }
    }
    return true;
}

bool flow_readers_are_closed(const struct flow_readers *readers)
{
    for (size_t i = 0; i < FLOW_HANDLES; i++) {
        if (readers->handles[i].readers != NULL) {
            return false;
        }
    }
    return true;
}

static uint8_t whose_reader(size_t reader)
{
    return reader == 1 ? FLOW_SECOND : 0;
}

static enum schsm_transport_result flow_open(void *arg, const char *name, void **handle,
                                             struct schsm_atr *atr, struct schsm_error *err)
{
    struct flow_readers *readers = arg;
    size_t reader = strcmp(name, name_of(readers, 1)) == 0 ? 1 : 0, i = 0;
    const struct flow_record *record = ask_reader(readers, whose_reader(reader), FLOW_OPEN);
    enum schsm_transport_result result = result_of(record, err);

    if (result != SCHSM_TRANSPORT_OK) {
        return result;
    }
    while (i < FLOW_HANDLES && readers->handles[i].readers != NULL) {
        i++;
    }
    REQUIRE(i < FLOW_HANDLES);
    readers->handles[i] = (struct flow_handle){ readers, reader, 0 };
    set_atr(readers, record != NULL && record->len > 0, atr);
    *handle = &readers->handles[i];
    return SCHSM_TRANSPORT_OK;
}

static struct flow_handle *live(void *handle)
{
    struct flow_handle *it = handle;

    REQUIRE(it->readers != NULL);
    return it;
}

static void flow_close(void *handle)
{
    live(handle)->readers = NULL;
}

static enum schsm_transport_result flow_reconnect(void *handle, struct schsm_atr *atr,
                                                  struct schsm_error *err)
{
    struct flow_handle *it = live(handle);
    enum schsm_transport_result result =
        result_of(ask_reader(it->readers, whose_reader(it->reader), FLOW_RECONNECT), err);

    if (result == SCHSM_TRANSPORT_OK) {
        REQUIRE(it->transactions == 0);
        set_atr(it->readers, false, atr);
    }
    return result;
}

/* What a card says that has nothing to say, by the header. */
static enum schsm_transport_result answer_usual(const struct flow_readers *readers,
                                                uint8_t *response, size_t *len,
                                                struct schsm_error *err)
{
    static const uint16_t words[] = { 0x6A82, 0x9000, 0x6D00, 0x6A88, 0x6982,
                                      0x63C3, 0x6F00, 0x6282, 0x0000 };
    size_t i = readers->script->header[FLOW_DEFAULT] % (sizeof(words) / sizeof(words[0]));

    if (words[i] == 0 || readers->exchanges > EXCHANGES_MAX) {
        schsm_fail(err, SCHSM_REASON_TRANSPORT, "the script has come to its end");
        return SCHSM_TRANSPORT_FAILED;
    }
    response[0] = (uint8_t)(words[i] >> 8);
    response[1] = (uint8_t)words[i];
    *len = 2;
    return SCHSM_TRANSPORT_OK;
}

/* For the count of tries: what came of a command. */
static int status_word_of(enum schsm_transport_result result, const uint8_t *response, size_t len)
{
    switch (result) {
    case SCHSM_TRANSPORT_OK:
        return len >= 2 ? response[len - 2] << 8 | response[len - 1] : 0;
    case SCHSM_TRANSPORT_RESET:
    case SCHSM_TRANSPORT_GONE:
    case SCHSM_TRANSPORT_BUSY:
        return -1;
    case SCHSM_TRANSPORT_REMOVED:
    case SCHSM_TRANSPORT_NO_SERVICE:
    case SCHSM_TRANSPORT_TOO_LONG:
    case SCHSM_TRANSPORT_FAILED:
        break;
    }
    return 0;
}

/* For whoever looks at one input: FLOW_TELL in the environment. */
static void tell(const struct flow_handle *it, const struct schsm_apdu *apdu,
                 enum schsm_transport_result result, const uint8_t *response, size_t len)
{
    if (getenv("FLOW_TELL") == NULL) { /* NOLINT(concurrency-mt-unsafe) */
        return;
    }
    (void)fprintf(stderr, "%d: %02X%02X%02X%02X +%zu > ", (int)it->reader, apdu->cla, apdu->ins,
                  apdu->p1, apdu->p2, apdu->data_len);
    if (result != SCHSM_TRANSPORT_OK || len < 2) {
        (void)fprintf(stderr, "result %d, %zu bytes\n", (int)result, len);
    } else {
        (void)fprintf(stderr, "%zu bytes, %02X%02X\n", len - 2, response[len - 2],
                      response[len - 1]);
    }
}

static enum schsm_transport_result flow_transmit(void *handle, const uint8_t *command,
                                                 size_t command_len, uint8_t *response,
                                                 size_t *response_len, struct schsm_error *err)
{
    struct flow_handle *it = live(handle);
    const struct flow_record *record = NULL;
    enum schsm_transport_result result;
    uint8_t question[3], whose = whose_reader(it->reader);
    struct schsm_apdu apdu;

    REQUIRE(*response_len >= 2);
    REQUIRE(schsm_apdu_parse(command, command_len, &apdu));
    flow_tries_command(&it->readers->tries[it->reader], &apdu, it->readers->pin_len);
    question[0] = apdu.ins;
    question[1] = apdu.p1;
    question[2] = apdu.p2;
    whose |= apdu.data_len > 0 ? FLOW_WITH_DATA : 0;
    if (it->readers->exchanges++ <= EXCHANGES_MAX) {
        record = flow_script_answer(it->readers->script, whose, question);
    }
    if (record == NULL) {
        result = answer_usual(it->readers, response, response_len, err);
    } else if ((result = result_of(record, err)) == SCHSM_TRANSPORT_OK) {
        *response_len = record->len < *response_len ? record->len : *response_len;
        if (*response_len > 0) {
            memcpy(response, record->content, *response_len);
        }
    }
    tell(it, &apdu, result, response, *response_len);
    flow_tries_answer(&it->readers->tries[it->reader], &apdu, it->readers->pin_len,
                      status_word_of(result, response, *response_len));
    return result;
}

static enum schsm_transport_result flow_begin(void *handle, struct schsm_error *err)
{
    struct flow_handle *it = live(handle);
    enum schsm_transport_result result =
        result_of(ask_reader(it->readers, whose_reader(it->reader), FLOW_BEGIN), err);

    it->transactions += result == SCHSM_TRANSPORT_OK ? 1 : 0;
    return result;
}

static void flow_end(void *handle)
{
    struct flow_handle *it = live(handle);

    REQUIRE(it->transactions > 0);
    it->transactions--;
}

static bool flow_has_pin_pad(void *handle)
{
    struct flow_handle *it = live(handle);

    return (it->readers->script->header[FLOW_SETUP] & FLOW_PIN_PAD) != 0;
}

static enum schsm_transport_result flow_verify_on_pad(void *handle, const uint8_t *structure,
                                                      size_t len, uint8_t *response,
                                                      size_t *response_len, struct schsm_error *err)
{
    struct flow_handle *it = live(handle);
    const struct flow_record *record = ask_reader(it->readers, whose_reader(it->reader), FLOW_PAD);
    enum schsm_transport_result result = result_of(record, err);

    REQUIRE(flow_has_pin_pad(handle));
    REQUIRE(structure != NULL && len > 0);
    if (record == NULL) {
        return answer_usual(it->readers, response, response_len, err);
    }
    if (result == SCHSM_TRANSPORT_OK) {
        *response_len = record->len < *response_len ? record->len : *response_len;
        if (*response_len > 0) {
            memcpy(response, record->content, *response_len);
        }
    }
    return result;
}

const struct schsm_transport flow_readers_transport = {
    .list = flow_list,
    .open = flow_open,
    .close = flow_close,
    .abandon = flow_close,
    .reconnect = flow_reconnect,
    .transmit = flow_transmit,
    .begin = flow_begin,
    .end = flow_end,
    .has_pin_pad = flow_has_pin_pad,
    .verify_on_pad = flow_verify_on_pad,
};
