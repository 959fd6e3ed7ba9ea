/* SPDX-License-Identifier: Apache-2.0 */
#include "unfinished.h"

#include "hsm/hsm_wrap.h"

int schsm_unfinished_find(struct schsm_device *device, bool secret, int key_ref,
                          struct schsm_unfinished *unfinished, struct schsm_error *err)
{
    const struct schsm_object_filter filter = { .types = secret ? SCHSM_OBJECT_SECRET
                                                                : SCHSM_OBJECT_PRIVATE,
                                                .key_ref = -1 };
    struct schsm_object_list list = { NULL, 0 };
    struct schsm_hsm_unwrap_traits traits;

    unfinished->count = 0;
    if (!schsm_hsm_unwrap_traits(device, &traits, err)) {
        return 0;
    }
    if (!traits.describes_keys) {
        return 1;
    }
    if (!schsm_device_find(device, &filter, &list, err)) {
        return 0;
    }
    for (size_t i = 0; i < list.count; i++) {
        const struct schsm_object *key = &list.objects[i];

        if ((key_ref < 0 || key->key_ref == key_ref) &&
            (secret || schsm_hsm_has_own_description(key)) &&
            unfinished->count < sizeof(unfinished->refs) / sizeof(unfinished->refs[0])) {
            unfinished->refs[unfinished->count++] = (unsigned int)key->key_ref;
        }
    }
    schsm_object_list_clear(&list);
    return 1;
}
