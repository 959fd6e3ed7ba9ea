/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a status word means after which command (protocol reference section 7, the notes of section
 * 6 and the Pico HSM's differences of section 19.1): one table, used for reasons and for sentences.
 */
#ifndef SCHSM_FORMAT_STATUS_WORD_H
#define SCHSM_FORMAT_STATUS_WORD_H

#include <stdint.h>

#include "base/error.h"

/* Those that callers tell apart themselves. */
#define SCHSM_SW_OK 0x9000u
#define SCHSM_SW_ALREADY_AUTHENTICATED 0x9001u /* 54 02: this key has authenticated */
#define SCHSM_SW_END_OF_FILE 0x6282u
#define SCHSM_SW_WRONG_LENGTH 0x6700u
#define SCHSM_SW_SECURITY_STATUS 0x6982u
#define SCHSM_SW_BLOCKED 0x6983u
#define SCHSM_SW_REFERENCE_DATA 0x6984u /* VERIFY: transport PIN */
#define SCHSM_SW_CONDITIONS 0x6985u
#define SCHSM_SW_WRONG_DATA 0x6A80u
#define SCHSM_SW_FILE_NOT_FOUND 0x6A82u
#define SCHSM_SW_NO_MEMORY 0x6A84u
#define SCHSM_SW_WRONG_P1P2 0x6A86u
#define SCHSM_SW_REFERENCE_NOT_FOUND 0x6A88u
#define SCHSM_SW_OFFSET 0x6B00u
#define SCHSM_SW_INS 0x6D00u
#define SCHSM_SW_CLA 0x6E00u

/* The tries left that 63Cx names, 0..15; -1 for every other status word. */
int schsm_status_word_tries(unsigned int status_word);

/* What the status word means after this instruction (enum schsm_ins): NONE for 9000. */
enum schsm_reason schsm_status_word_reason(uint8_t ins, unsigned int status_word);

/* The same in words, without a subject ("the key's policy does not permit this algorithm"); fixed
 * text, never NULL. */
const char *schsm_status_word_text(uint8_t ins, unsigned int status_word);

/*
 * Fills the error from a status word: reason, status_word, tries_left for 63Cx, and the sentence
 * "SIGN failed: the key's policy does not permit this algorithm (status word 6A81)". The caller
 * puts device and object before it with schsm_fail_context. Returns 0.
 */
int schsm_fail_status_word(struct schsm_error *err, uint8_t ins, unsigned int status_word);

#endif
