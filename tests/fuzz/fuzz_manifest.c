/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a backup's manifest; what was read is written again and must read the same. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "backup/manifest.h"

static void check_entry(const struct schsm_backup_entry *entry)
{
    REQUIRE(strchr(entry->file, '/') == NULL && entry->file[0] != '.');
    REQUIRE((entry->kind == SCHSM_BACKUP_KEY) == (entry->key_ref > 0));
    REQUIRE(entry->id_len <= sizeof(entry->id));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_manifest manifest, again;
    char *text = NULL, *text_again = NULL;
    size_t text_len = 0, again_len = 0;

    if (!schsm_manifest_parse(data, len, &manifest, &err)) {
        REQUIRE(err.reason == SCHSM_REASON_FILE && manifest.entries == NULL);
        return 0;
    }
    for (size_t i = 0; i < manifest.count; i++) {
        check_entry(&manifest.entries[i]);
    }
    REQUIRE(schsm_manifest_format(&manifest, &text, &text_len, NULL));
    REQUIRE(schsm_manifest_parse((const uint8_t *)text, text_len, &again, NULL));
    REQUIRE(schsm_manifest_format(&again, &text_again, &again_len, NULL));
    REQUIRE(text_len == again_len && memcmp(text, text_again, text_len) == 0);
    OPENSSL_free(text);
    OPENSSL_free(text_again);
    schsm_manifest_clear(&manifest);
    schsm_manifest_clear(&again);
    REQUIRE(ERR_peek_error() == 0);
    return 0;
}
