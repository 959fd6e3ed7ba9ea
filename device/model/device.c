/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device interface's one way in. Implementations may use the error as scratch paper, for
 * instance while they recover; here it reaches the caller only where the whole call failed.
 */
#include "device.h"

#include <string.h>

#include <openssl/crypto.h>

static int hand_out(int ok, const struct schsm_error *found, struct schsm_error *err)
{
    if (!ok && err != NULL) {
        *err = *found;
    }
    return ok;
}

/* What several devices that are one for a key's operations do not do together. */
static int fail_several(struct schsm_error *err)
{
    return schsm_fail(
        err, SCHSM_REASON_UNSUPPORTED,
        "this is for one device, and several were named as one: name it by its serial "
        "number");
}

int schsm_device_info(struct schsm_device *dev, struct schsm_device_info *info,
                      struct schsm_error *err)
{
    struct schsm_error found = SCHSM_ERROR_INIT;

    return hand_out(dev->ops->info == NULL ? fail_several(&found)
                                           : dev->ops->info(dev, info, &found),
                    &found, err);
}

int schsm_device_serial(struct schsm_device *dev, char serial[SCHSM_SERIAL_MAX + 1],
                        struct schsm_error *err)
{
    struct schsm_error found = SCHSM_ERROR_INIT;

    return hand_out(dev->ops->serial == NULL ? fail_several(&found)
                                             : dev->ops->serial(dev, serial, &found),
                    &found, err);
}

void schsm_device_token(struct schsm_device *dev, char label[SCHSM_TOKEN_LABEL_MAX + 1])
{
    label[0] = '\0';
    if (dev->ops->token != NULL) {
        dev->ops->token(dev, label);
    }
}

void schsm_device_name(struct schsm_device *dev, char name[SCHSM_DEVICE_NAME_MAX])
{
    dev->ops->name(dev, name);
}

void schsm_device_called(struct schsm_device *dev, char name[SCHSM_DEVICE_NAME_MAX])
{
    char serial[SCHSM_SERIAL_MAX + 1];

    if (schsm_device_serial(dev, serial, NULL) && serial[0] != '\0') {
        memcpy(name, serial, sizeof(serial));
    } else {
        schsm_device_place(dev, name);
    }
}

void schsm_device_place(struct schsm_device *dev, char place[SCHSM_DEVICE_NAME_MAX])
{
    dev->ops->place(dev, place);
}

int schsm_device_find(struct schsm_device *dev, const struct schsm_object_filter *filter,
                      struct schsm_object_list *list, struct schsm_error *err)
{
    struct schsm_error found = SCHSM_ERROR_INIT;

    size_t before = list->count;

    if (dev->ops->find == NULL ? !fail_several(&found)
                               : !dev->ops->find(dev, filter, list, &found)) {
        while (list->count > before) {
            schsm_object_clear(&list->objects[--list->count]);
        }
        if (before == 0) {
            schsm_object_list_clear(list);
        }
        return hand_out(0, &found, err);
    }
    return 1;
}

int schsm_device_hides_objects(struct schsm_device *dev, bool *hides, struct schsm_error *err)
{
    struct schsm_error found = SCHSM_ERROR_INIT;

    return hand_out(dev->ops->hides_objects == NULL ? fail_several(&found)
                                                    : dev->ops->hides_objects(dev, hides, &found),
                    &found, err);
}

unsigned long schsm_device_connection(struct schsm_device *dev)
{
    return dev->ops->connection(dev);
}

/* Where a device has to be logged in and the caller gave nothing for that, somebody else has to
 * have done it. */
static const struct schsm_login *login_or_none(const struct schsm_login *login)
{
    static const struct schsm_login none = { 0 };

    return login != NULL ? login : &none;
}

int schsm_device_read(struct schsm_device *dev, struct schsm_object *object,
                      const struct schsm_login *login, struct schsm_error *err)
{
    struct schsm_error found = SCHSM_ERROR_INIT;

    if (object->value != NULL) {
        return 1;
    }
    return hand_out(dev->ops->read == NULL
                        ? fail_several(&found)
                        : dev->ops->read(dev, object, login_or_none(login), &found),
                    &found, err);
}

int schsm_device_login(struct schsm_device *dev, const struct schsm_login *login,
                       struct schsm_error *err)
{
    struct schsm_error found = SCHSM_ERROR_INIT;

    return hand_out(dev->ops->login(dev, login, &found), &found, err);
}

int schsm_device_prepare_login(struct schsm_device *dev, const struct schsm_login *login,
                               struct schsm_pin_prospect *state, struct schsm_error *err)
{
    struct schsm_error found = SCHSM_ERROR_INIT;

    return hand_out(dev->ops->prepare_login(dev, login, state, &found), &found, err);
}

int schsm_device_operate(struct schsm_device *dev, enum schsm_operation operation,
                         const struct schsm_object *key, const struct schsm_login *login,
                         const uint8_t *in, size_t in_len, uint8_t *out, size_t *out_len,
                         struct schsm_error *err)
{
    struct schsm_error found = SCHSM_ERROR_INIT;

    return hand_out(dev->ops->operate(dev, operation, key, login_or_none(login), in, in_len, out,
                                      out_len, &found),
                    &found, err);
}

int schsm_device_generate(struct schsm_device *dev, const struct schsm_generate *spec,
                          const struct schsm_login *login, struct schsm_object *made,
                          struct schsm_error *err)
{
    struct schsm_error found = SCHSM_ERROR_INIT;

    memset(made, 0, sizeof(*made));
    return hand_out(dev->ops->generate == NULL
                        ? fail_several(&found)
                        : dev->ops->generate(dev, spec, login_or_none(login), made, &found),
                    &found, err);
}

int schsm_device_store(struct schsm_device *dev, const struct schsm_store *spec,
                       const struct schsm_login *login, struct schsm_object *stored,
                       struct schsm_error *err)
{
    struct schsm_error found = SCHSM_ERROR_INIT;

    memset(stored, 0, sizeof(*stored));
    return hand_out(dev->ops->store == NULL
                        ? fail_several(&found)
                        : dev->ops->store(dev, spec, login_or_none(login), stored, &found),
                    &found, err);
}

int schsm_device_key_policy(struct schsm_device *dev, const struct schsm_object *key,
                            struct schsm_key_policy *policy, struct schsm_error *err)
{
    struct schsm_error found = SCHSM_ERROR_INIT;

    memset(policy, 0, sizeof(*policy));
    policy->key_domain = -1;
    return hand_out(dev->ops->key_policy == NULL ? fail_several(&found)
                                                 : dev->ops->key_policy(dev, key, policy, &found),
                    &found, err);
}

int schsm_device_remove(struct schsm_device *dev, const struct schsm_object *object,
                        const struct schsm_login *login, struct schsm_error *err)
{
    struct schsm_error found = SCHSM_ERROR_INIT;

    return hand_out(dev->ops->remove == NULL
                        ? fail_several(&found)
                        : dev->ops->remove(dev, object, login_or_none(login), &found),
                    &found, err);
}

int schsm_device_rename(struct schsm_device *dev, struct schsm_object *object,
                        const struct schsm_rename *spec, const struct schsm_login *login,
                        struct schsm_error *err)
{
    struct schsm_error found = SCHSM_ERROR_INIT;

    return hand_out(dev->ops->rename == NULL
                        ? fail_several(&found)
                        : dev->ops->rename(dev, object, spec, login_or_none(login), &found),
                    &found, err);
}

int schsm_device_logout(struct schsm_device *dev, struct schsm_error *err)
{
    struct schsm_error found = SCHSM_ERROR_INIT;

    return hand_out(dev->ops->logout == NULL ? fail_several(&found) : dev->ops->logout(dev, &found),
                    &found, err);
}

int schsm_device_change_pin(struct schsm_device *dev, struct schsm_secret *old_pin,
                            struct schsm_secret *new_pin, int min_tries, struct schsm_error *err)
{
    struct schsm_error found = SCHSM_ERROR_INIT;

    return hand_out(dev->ops->change_pin == NULL
                        ? fail_several(&found)
                        : dev->ops->change_pin(dev, old_pin, new_pin, min_tries, &found),
                    &found, err);
}

int schsm_device_change_so_pin(struct schsm_device *dev, const struct schsm_secret *old_pin,
                               const struct schsm_secret *new_pin, int min_tries,
                               struct schsm_error *err)
{
    struct schsm_error found = SCHSM_ERROR_INIT;

    return hand_out(dev->ops->change_so_pin == NULL
                        ? fail_several(&found)
                        : dev->ops->change_so_pin(dev, old_pin, new_pin, min_tries, &found),
                    &found, err);
}

int schsm_device_unblock_pin(struct schsm_device *dev, const struct schsm_secret *so_pin,
                             struct schsm_secret *new_pin, int min_tries, struct schsm_error *err)
{
    struct schsm_error found = SCHSM_ERROR_INIT;

    return hand_out(dev->ops->unblock_pin == NULL
                        ? fail_several(&found)
                        : dev->ops->unblock_pin(dev, so_pin, new_pin, min_tries, &found),
                    &found, err);
}

int schsm_device_random(struct schsm_device *dev, uint8_t *out, size_t len, struct schsm_error *err)
{
    struct schsm_error found = SCHSM_ERROR_INIT;

    return hand_out(dev->ops->random == NULL ? fail_several(&found)
                                             : dev->ops->random(dev, out, len, &found),
                    &found, err);
}

bool schsm_object_same_key(const struct schsm_object *a, const struct schsm_object *b)
{
    if (a->key_ref >= 0 || b->key_ref >= 0) {
        return a->key_ref == b->key_ref;
    }
    return a->id_len > 0 && a->id_len == b->id_len && memcmp(a->id, b->id, a->id_len) == 0;
}

void schsm_object_clear(struct schsm_object *object)
{
    OPENSSL_clear_free(object->value, object->value_len);
    memset(object, 0, sizeof(*object));
    object->key_ref = -1;
}

void schsm_object_list_clear(struct schsm_object_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        schsm_object_clear(&list->objects[i]);
    }
    OPENSSL_free(list->objects);
    list->objects = NULL;
    list->count = 0;
}
