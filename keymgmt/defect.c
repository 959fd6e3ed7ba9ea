/* SPDX-License-Identifier: Apache-2.0 */
#include "defect.h"

#include <stdio.h>

#include <openssl/crypto.h>

const char *schsm_orphan_text(const struct schsm_object *orphan)
{
    if ((orphan->orphan_of & SCHSM_OBJECT_SECRET) != 0) {
        return "description of a key";
    }
    if ((orphan->orphan_of & SCHSM_OBJECT_PRIVATE) != 0) {
        return "certificate or request of a key";
    }
    if ((orphan->orphan_of & SCHSM_OBJECT_DATA) != 0) {
        return "description of data";
    }
    switch (orphan->defect) {
    case SCHSM_DEFECT_NO_CONTENT:
        return "description of a certificate";
    case SCHSM_DEFECT_NONE:
        return "part of a certificate";
    case SCHSM_DEFECT_COPY:
        return "copy of a key's certificate";
    default:
        return "damaged certificate";
    }
}

/* What is wrong, behind the object's name. */
static const char *complaint(const struct schsm_object *object)
{
    switch (object->defect) {
    case SCHSM_DEFECT_NO_CONTENT:
        return "belongs to nothing, because what it describes is not on the device";
    case SCHSM_DEFECT_CONTENT:
        return object->type == SCHSM_OBJECT_ORPHAN
                   ? "holds no certificate"
                   : "has neither a certificate nor a request that can be read beside it, so that "
                     "its public part is unknown";
    case SCHSM_DEFECT_UNREADABLE:
        return "cannot be read: the device refuses it";
    case SCHSM_DEFECT_DESCRIPTION:
    case SCHSM_DEFECT_COPY: /* which is no damage */
    case SCHSM_DEFECT_NONE:
        break;
    }
    return "has a description that is damaged, so that its id and label are unknown";
}

void schsm_defect_text(const struct schsm_match *match, char text[SCHSM_DEFECT_TEXT_MAX])
{
    char serial[SCHSM_SERIAL_MAX + 1] = "", name[SCHSM_OBJECT_NAME_MAX];
    char *uri = schsm_match_uri(match, true, NULL);

    (void)schsm_device_serial(match->device, serial, NULL);
    schsm_object_name(&match->object, name, sizeof(name));
    (void)snprintf(text, SCHSM_DEFECT_TEXT_MAX,
                   "device %s, %s: it %s; sc-hsm delete '%s' deletes it", serial, name,
                   complaint(&match->object), uri != NULL ? uri : "handle=...");
    OPENSSL_free(uri);
}

int schsm_defects_split(struct schsm_match_list *list, unsigned int types,
                        struct schsm_match_list *defects, struct schsm_error *err)
{
    size_t kept = 0;

    defects->matches = OPENSSL_zalloc((list->count + 1) * sizeof(*defects->matches));
    defects->count = 0;
    if (defects->matches == NULL) {
        return schsm_fail_memory(err);
    }
    for (size_t i = 0; i < list->count; i++) {
        struct schsm_match *match = &list->matches[i];

        if (match->object.defect != SCHSM_DEFECT_NONE) {
            struct schsm_match *copy = &defects->matches[defects->count++];

            *copy = *match;
            copy->object.value = NULL;
            copy->object.value_len = 0;
        }
        if ((match->object.type & types) != 0) {
            list->matches[kept++] = *match;
        } else {
            schsm_match_clear(match);
        }
    }
    list->count = kept;
    return 1;
}

bool schsm_failure_is_general(const struct schsm_error *err)
{
    switch (err->reason) {
    case SCHSM_REASON_NO_SERVICE:
    case SCHSM_REASON_NO_READER:
    case SCHSM_REASON_NO_DEVICE:
    case SCHSM_REASON_DEVICE_REMOVED:
    case SCHSM_REASON_TRANSPORT:
    case SCHSM_REASON_OUT_OF_MEMORY:
        return true;
    default:
        return false;
    }
}
