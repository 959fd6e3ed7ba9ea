/* SPDX-License-Identifier: Apache-2.0 */
/* What AES keys do: encrypt, decrypt, CMAC, derive, wrap another key. */
#include "flows.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "keymgmt/secret_key.h"

#include "fuzz.h"
#include "memory.h"

static const enum schsm_operation operations[] = {
    SCHSM_OP_AES_CBC_ENCRYPT,
    SCHSM_OP_AES_CBC_DECRYPT,
    SCHSM_OP_AES_CMAC,
    SCHSM_OP_AES_DERIVE,
};

/* What goes in, of one command and of several; for whole blocks it is cut. */
static const size_t lens[] = { 33, 600, 2000, 1 };

/* One operation of the device. A result has the length that it must have. */
static bool operate_once(struct flow *flow, const struct schsm_object *key,
                         enum schsm_operation operation)
{
    size_t len = lens[flow->header[FLOW_B] % (sizeof(lens) / sizeof(lens[0]))], out_len = 2048;
    uint8_t in[2048], out[2048];
    bool blocks = operation == SCHSM_OP_AES_CBC_ENCRYPT || operation == SCHSM_OP_AES_CBC_DECRYPT;
    bool ok;

    memset(in, 0x17, sizeof(in));
    len = blocks                             ? (len + 15) / 16 * 16
          : operation == SCHSM_OP_AES_DERIVE ? len % SCHSM_MESSAGE_MAX
                                             : len;
    len = len == 0 ? 1 : len;
    ok = FLOW_TRY(flow, schsm_device_operate(flow->device, operation, key, &flow->login, in, len,
                                             out, &out_len, &flow->err));
    REQUIRE(ok || out_len == 0);
    REQUIRE(!ok ||
            (blocks                           ? out_len == len
             : operation == SCHSM_OP_AES_CMAC ? out_len == SCHSM_AES_BLOCK
                                              : out_len == SCHSM_DERIVED_LEN || out_len == len));
    return ok;
}

/* A key is wrapped, and comes back as itself or not at all. */
static bool wrap_and_unwrap(struct flow *flow, const struct schsm_secret_key *key)
{
    const struct schsm_secret *content = flow_fixtures.dkek;
    size_t len = schsm_secret_len(content);
    uint8_t wrapped[SCHSM_KEY_WRAP_MAX + SCHSM_KEY_WRAP_MORE];
    struct schsm_secret *again = NULL;
    bool ok = FLOW_TRY(flow, schsm_secret_key_wrap(key, content, wrapped, &flow->err));

    if (!ok) {
        return false;
    }
    again = schsm_secret_key_unwrap(key, wrapped, len + SCHSM_KEY_WRAP_MORE, &flow->err);
    ok = flow_check(flow, again != NULL, "schsm_secret_key_unwrap");
    REQUIRE(again == NULL || schsm_secret_len(again) == len);
    schsm_secret_free(again);
    return ok;
}

static bool run_cipher(struct flow *flow)
{
    const struct schsm_object_filter secrets = { .types = SCHSM_OBJECT_SECRET, .key_ref = -1 };
    struct schsm_object_list list = { NULL, 0 };
    unsigned int what = flow->header[FLOW_A] % 5;
    bool ok = FLOW_TRY(flow, schsm_device_find(flow->device, &secrets, &list, &flow->err));

    if (ok && list.count == 0 && /* a token's hide until a login */
        FLOW_TRY(flow, schsm_device_login(flow->device, &flow->login, &flow->err))) {
        ok = FLOW_TRY(flow, schsm_device_find(flow->device, &secrets, &list, &flow->err));
    }
    if (ok && list.count > 0) {
        const struct schsm_secret_key key = { flow->device, &list.objects[0], &flow->login };

        ok = what < 4 ? operate_once(flow, key.object, operations[what])
                      : wrap_and_unwrap(flow, &key);
    }
    ok = ok && list.count > 0;
    schsm_object_list_clear(&list);
    return ok;
}

const struct flow_kind flow_cipher = { "cipher", run_cipher };
