/* SPDX-License-Identifier: Apache-2.0 */
#include "find.h"

/* Of some nine keys: on a fuller card it would cost more commands than making the key did. */
#define FILES_MAX 30

/* Keys by what signs or encrypts with them, as a URI names them. */
static unsigned int kin_of(const struct schsm_object *object)
{
    unsigned int keys = (unsigned int)SCHSM_OBJECT_PRIVATE | (unsigned int)SCHSM_OBJECT_SECRET;

    return ((unsigned int)object->type & keys) != 0 ? keys : (unsigned int)object->type;
}

size_t schsm_same_label(struct schsm_device *device, const struct schsm_object *made)
{
    const struct schsm_object_filter filter = {
        .types = kin_of(made), .key_ref = -1, .label = made->label, .files_max = FILES_MAX
    };
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    struct schsm_object_list list = { NULL, 0 };
    size_t count = 0;

    if (made->label[0] == '\0' || !schsm_device_find(device, &filter, &list, &ignored)) {
        return 0;
    }
    for (size_t i = 0; i < list.count; i++) {
        count += list.objects[i].authority == made->authority;
    }
    schsm_object_list_clear(&list);
    return count > 0 ? count - 1 : 0; /* it is one of them */
}
