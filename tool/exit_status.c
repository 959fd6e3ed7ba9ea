/* SPDX-License-Identifier: Apache-2.0 */
#include "exit_status.h"

/* Reasons that are not here mean that the command failed. */
static const unsigned char statuses[SCHSM_REASON_COUNT] = {
    [SCHSM_REASON_ARGUMENT] = SCHSM_EXIT_USAGE,
    [SCHSM_REASON_CONFIG] = SCHSM_EXIT_USAGE,
    [SCHSM_REASON_URI] = SCHSM_EXIT_USAGE,
    [SCHSM_REASON_NO_SERVICE] = SCHSM_EXIT_NO_DEVICE,
    [SCHSM_REASON_NO_READER] = SCHSM_EXIT_NO_DEVICE,
    [SCHSM_REASON_NO_DEVICE] = SCHSM_EXIT_NO_DEVICE,
    [SCHSM_REASON_DEVICE_AMBIGUOUS] = SCHSM_EXIT_NO_DEVICE,
    [SCHSM_REASON_DEVICE_REMOVED] = SCHSM_EXIT_NO_DEVICE,
    [SCHSM_REASON_PIN_INCORRECT] = SCHSM_EXIT_PIN,
    [SCHSM_REASON_PIN_BLOCKED] = SCHSM_EXIT_PIN,
    [SCHSM_REASON_PIN_TRIES_LOW] = SCHSM_EXIT_PIN,
    [SCHSM_REASON_PIN_KNOWN_WRONG] = SCHSM_EXIT_PIN,
    [SCHSM_REASON_PIN_LENGTH] = SCHSM_EXIT_PIN,
};

enum schsm_exit schsm_exit_status(enum schsm_reason reason)
{
    unsigned char status = reason < SCHSM_REASON_COUNT ? statuses[reason] : 0;

    return status != 0 ? (enum schsm_exit)status : SCHSM_EXIT_FAILED;
}

const char *schsm_exit_text(size_t status)
{
    static const char *const texts[] = {
        [SCHSM_EXIT_DONE] = "done",
        [SCHSM_EXIT_FAILED] = "failed",
        [SCHSM_EXIT_USAGE] = "wrong usage",
        [SCHSM_EXIT_NO_DEVICE] = "no device: no PC/SC service, reader or card, or not this one",
        [SCHSM_EXIT_PIN] = "PIN wrong or blocked",
    };

    return status < sizeof(texts) / sizeof(texts[0]) ? texts[status] : NULL;
}
