/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PKCS#11 module that passes all on to SoftHSM, says on standard error which calls it got, and
 * gives wrong answers where SC_HSM_FAULT says so: FUNCTION:NUMBER:ANSWER:WHEN, for the call of this
 * number (0: all) this answer in hexadecimal digits, `before` or `after` it was passed on.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "real_module.h"

static struct ck_function_list list;
static const struct ck_function_list *real;

enum fault { NONE, BEFORE, AFTER };

/* Counts a call; what is to be wrong about it, and what it is to answer then. */
static enum fault fault_of(const char *function, unsigned int *calls, ck_rv *rv)
{
    const char *plan = getenv("SC_HSM_FAULT"); /* NOLINT(concurrency-mt-unsafe): nobody sets it */
    char name[32] = "", when[16] = "";
    unsigned int number = 0;

    (void)fprintf(stderr, "call of %s\n", function);
    (*calls)++;
    if (plan == NULL ||
        sscanf(plan, "%31[^:]:%u:%lx:%15s", /* NOLINT(cert-err34-c): the test's own */
               name, &number, rv, when) != 4 ||
        strcmp(name, function) != 0 || (number != 0 && number != *calls)) {
        return NONE;
    }
    return strcmp(when, "before") == 0 ? BEFORE : AFTER;
}

#define PASS_ON(function, arguments)                                                               \
    do {                                                                                           \
        static unsigned int calls;                                                                 \
        ck_rv wrong = CKR_OK, right = CKR_OK;                                                      \
        enum fault fault = fault_of(#function, &calls, &wrong);                                    \
                                                                                                   \
        if (fault != BEFORE) {                                                                     \
            right = real->function arguments;                                                      \
        }                                                                                          \
        return fault == NONE ? right : wrong;                                                      \
    } while (0)

static ck_rv initialize(const struct ck_initialize *arguments)
{
    PASS_ON(initialize, (arguments));
}

static ck_rv finalize(void *reserved)
{
    PASS_ON(finalize, (reserved));
}

/* `after`: only of tokens that were never initialised. */
static ck_rv get_token_info(ck_handle slot, struct ck_token_info *info)
{
    static unsigned int calls;
    ck_rv wrong = CKR_OK, right = real->get_token_info(slot, info);
    enum fault fault = fault_of("get_token_info", &calls, &wrong);

    return fault == BEFORE || (fault == AFTER && (info->flags & CKF_TOKEN_INITIALIZED) == 0)
               ? wrong
               : right;
}

static ck_rv login(ck_handle session, unsigned long user, const unsigned char *pin,
                   unsigned long pin_len)
{
    PASS_ON(login, (session, user, pin, pin_len));
}

static ck_rv create_object(ck_handle session, const struct ck_attribute *attributes,
                           unsigned long count, ck_handle *object)
{
    PASS_ON(create_object, (session, attributes, count, object));
}

static ck_rv destroy_object(ck_handle session, ck_handle object)
{
    PASS_ON(destroy_object, (session, object));
}

static ck_rv generate_key_pair(ck_handle session, const struct ck_mechanism *mechanism,
                               const struct ck_attribute *of_public, unsigned long public_count,
                               const struct ck_attribute *of_private, unsigned long private_count,
                               ck_handle *public_key, ck_handle *private_key)
{
    PASS_ON(generate_key_pair, (session, mechanism, of_public, public_count, of_private,
                                private_count, public_key, private_key));
}

/* Lets out no value that is asked for alone. */
static ck_rv get_attribute_value(ck_handle session, ck_handle object,
                                 struct ck_attribute *attributes, unsigned long count)
{
    static unsigned int calls;
    ck_rv rv = CKR_OK;

    if (count == 1 && attributes->type == CKA_VALUE &&
        fault_of("get_attribute_value", &calls, &rv) != NONE) {
        attributes->len = CK_UNAVAILABLE_INFORMATION;
        return rv;
    }
    return real->get_attribute_value(session, object, attributes, count);
}

/* One at a time, as a module may. */
static ck_rv find_objects(ck_handle session, ck_handle *objects, unsigned long room,
                          unsigned long *count)
{
    return real->find_objects(session, objects, room > 0 ? 1 : 0, count);
}

ck_get_function_list C_GetFunctionList;

__attribute__((visibility("default"))) ck_rv C_GetFunctionList(struct ck_function_list **functions)
{
    real = real_module();
    if (real == NULL) {
        return CKR_GENERAL_ERROR;
    }
    list = *real;
    list.initialize = initialize;
    list.finalize = finalize;
    list.get_token_info = get_token_info;
    list.login = login;
    list.create_object = create_object;
    list.destroy_object = destroy_object;
    list.generate_key_pair = generate_key_pair;
    list.find_objects = find_objects;
    list.get_attribute_value = get_attribute_value;
    *functions = &list;
    return CKR_OK;
}
