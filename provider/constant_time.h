/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Comparisons and choices without branches, for code whose timing must not depend on decrypted
 * data. A mask is all ones (true) or all zeros (false), so masks combine with & | ~.
 *
 * Promise: no branch and no memory address depends on an argument. The price is that callers must
 * do the work of all alternatives, and choose at the end.
 */
#ifndef SCHSM_PROVIDER_CONSTANT_TIME_H
#define SCHSM_PROVIDER_CONSTANT_TIME_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#ifdef SC_HSM_MEMCHECK /* tests/provider/undefined_padding.c alone */
#include <valgrind/memcheck.h>
#endif

/*
 * Hides from the optimiser that a mask has only two values; knowing that, it may well turn a
 * choice by mask back into the branch that the mask was to avoid.
 */
static inline size_t schsm_ct_hide(size_t mask)
{
    __asm__("" : "+r"(mask));
    return mask;
}

static inline size_t schsm_ct_top_bit(size_t value)
{
    return (size_t)0 - (value >> (sizeof(value) * CHAR_BIT - 1));
}

/* Only zero has its top bit clear and borrows when one is taken from it. */
static inline size_t schsm_ct_is_zero(size_t value)
{
    return schsm_ct_top_bit(~value & (value - 1));
}

static inline size_t schsm_ct_equal(size_t a, size_t b)
{
    return schsm_ct_is_zero(a ^ b);
}

/* The borrow of a - b, in a form that is right for the whole range of size_t. */
static inline size_t schsm_ct_less(size_t a, size_t b)
{
    return schsm_ct_top_bit((~a & b) | ((~a | b) & (a - b)));
}

static inline size_t schsm_ct_select(size_t mask, size_t yes, size_t no)
{
    mask = schsm_ct_hide(mask);
    return (mask & yes) | (~mask & no);
}

static inline uint8_t schsm_ct_select_byte(size_t mask, uint8_t yes, uint8_t no)
{
    return (uint8_t)schsm_ct_select(mask, yes, no);
}

/*
 * A result that the caller gets to see, and that may therefore steer what is done from here on.
 * Returns its argument; a test that looks for branches on secrets takes it from here for no secret
 * any more.
 */
static inline size_t schsm_ct_tell(size_t result)
{
#ifdef SC_HSM_MEMCHECK
    (void)VALGRIND_MAKE_MEM_DEFINED(&result, sizeof(result));
#endif
    return result;
}

#endif
