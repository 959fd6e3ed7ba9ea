/* SPDX-License-Identifier: Apache-2.0 */
#include "reasons.h"

#include <stdatomic.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/error.h"

struct schsm_reasons {
    atomic_int library;                              /* 0: not loaded */
    ERR_STRING_DATA strings[SCHSM_REASON_COUNT + 1]; /* the library's name first, zeros last */
};

struct schsm_reasons *schsm_reasons_new(void)
{
    struct schsm_reasons *reasons = OPENSSL_zalloc(sizeof(*reasons));

    if (reasons != NULL) {
        atomic_init(&reasons->library, 0);
    }
    return reasons;
}

void schsm_reasons_load(struct schsm_reasons *reasons, int reason, const char *sentence)
{
    const char *text = "";
    int flags = 0, library = 0, none = 0;
    unsigned long code = 0;

    if (atomic_load(&reasons->library) != 0) {
        return;
    }
    code = ERR_peek_last_error_data(&text, &flags);
    library = ERR_GET_LIB(code);
    /* The queue may hold less than the whole sentence. */
    if (ERR_GET_REASON(code) != reason || (flags & ERR_TXT_STRING) == 0 || text[0] == '\0' ||
        strncmp(text, sentence, strlen(text)) != 0 ||
        !atomic_compare_exchange_strong(&reasons->library, &none, library)) {
        return;
    }
    reasons->strings[0].error = ERR_PACK(library, 0, 0);
    reasons->strings[0].string = "sc-hsm";
    for (unsigned int i = 1; i < SCHSM_REASON_COUNT; i++) {
        reasons->strings[i].error = i;
        reasons->strings[i].string = schsm_reason_text((enum schsm_reason)i);
    }
    ERR_load_strings(library, reasons->strings);
}

void schsm_reasons_free(struct schsm_reasons *reasons)
{
    if (reasons == NULL) {
        return;
    }
    if (atomic_load(&reasons->library) != 0 && !schsm_libcrypto_is_gone()) {
        ERR_unload_strings(atomic_load(&reasons->library), reasons->strings);
    }
    OPENSSL_free(reasons);
}

/* The only thing that can still be asked of libcrypto is to initialise, which it then refuses. */
bool schsm_libcrypto_is_gone(void)
{
    return OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL) == 0;
}
