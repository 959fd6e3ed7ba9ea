/* SPDX-License-Identifier: Apache-2.0 */
#include "provider.h"

#include <stdarg.h>

#include <openssl/bio.h>

#include "base/log.h"

/*
 * How many times libcrypto takes its errors back to a mark on the way from a decoder up to the
 * program (3.0 to 3.6: 4). One too few, and the sentence is lost; one too many, and the program's
 * own next mark is.
 */
#define KEPT_MARKS 4

/* core_vset_error takes a va_list; this makes one of a plain argument list. */
static void set_error(const struct schsm_provider *prov, enum schsm_reason reason,
                      const char *format, ...)
{
    va_list args;

    va_start(args, format);
    prov->core_vset_error(prov->handle, (uint32_t)reason, format, args);
    va_end(args);
}

int schsm_raise_at(const struct schsm_provider *prov, const struct schsm_error *err,
                   const char *file, int line, const char *function)
{
    prov->core_new_error(prov->handle);
    prov->core_set_error_debug(prov->handle, file, line, function);
    set_error(prov, err->reason, "%s", err->text);
    schsm_reasons_load(prov->reasons, (int)err->reason, err->text);
    /* Many a program shows the queue's reason without its sentence, or not even that. */
    schsm_log(SCHSM_LOG_ERROR, "%s", err->text);
    return 0;
}

int schsm_raise_kept_at(const struct schsm_provider *prov, const struct schsm_error *err,
                        const char *file, int line, const char *function)
{
    schsm_raise_at(prov, err, file, line, function);
    return schsm_keep_raised(prov);
}

int schsm_keep_raised(const struct schsm_provider *prov)
{
    for (int i = 0; i < KEPT_MARKS && prov->core_set_error_mark != NULL; i++) {
        prov->core_set_error_mark(prov->handle);
    }
    return 0;
}

int schsm_raise_format(const struct schsm_provider *prov, enum schsm_reason reason,
                       const char *file, int line, const char *function, const char *format, ...)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    va_list args;

    va_start(args, format);
    (void)BIO_vsnprintf(err.text, sizeof(err.text), format, args);
    va_end(args);
    err.reason = reason;
    return schsm_raise_at(prov, &err, file, line, function);
}
