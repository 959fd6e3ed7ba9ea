/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and other objects. */
#include "device_test.h"

#include <time.h>

#include <openssl/obj_mac.h>
#include <openssl/objects.h>

/* generate NID_OR_BITS [ID [LABEL]]: makes a key, uses it, prints its reference */
void scenario_generate(char **args)
{
    int key_ref;

    open_device();
    key_ref =
        generate(args[0][0] >= '0' && args[0][0] <= '9' ? number(args[0]) : OBJ_sn2nid(args[0]),
                 args[0] != NULL ? args[1] : NULL, args[1] != NULL ? args[2] : NULL);
    try_key(key_ref);
    printf("%d\n", key_ref);
    close_device();
}

void scenario_list(char **args)
{
    struct schsm_object_filter filter = { .types = SCHSM_OBJECT_ANY, .key_ref = -1 };
    struct schsm_object_list list = { 0 };

    (void)args;
    open_device();
    EXPECT_OK(schsm_device_find(device, &filter, &list, err));
    for (size_t i = 0; i < list.count; i++) {
        struct schsm_object *object = &list.objects[i];

        printf("type %d handle %04X ref %d id ", (int)object->type, object->handle,
               object->key_ref);
        for (size_t j = 0; j < object->id_len; j++) {
            printf("%02x", object->id[j]);
        }
        printf(" label '%s' key %d bits %u value %zu\n", object->label, (int)object->key_type,
               object->bits, object->value_len);
    }
    schsm_object_list_clear(&list);
    close_device();
}

/* find LABEL COUNT: private keys of that label */
void scenario_find(char **args)
{
    struct schsm_object_filter filter = { .types = SCHSM_OBJECT_PRIVATE,
                                          .key_ref = -1,
                                          .label = args[0] };
    struct schsm_object_list list = { 0 };

    open_device();
    EXPECT_OK(schsm_device_find(device, &filter, &list, err));
    EXPECT(list.count == (size_t)number(args[1]));
    schsm_object_list_clear(&list);
    close_device();
}

void scenario_info(char **args)
{
    struct schsm_device_info info;

    (void)args;
    open_device();
    EXPECT_OK(schsm_device_info(device, &info, err));
    printf("%s %s '%s' in '%s' version %u.%u initialised %d must-change %d logged-in %d tries %d "
           "so-tries %d reset %d dkek %d\n",
           info.kind, info.serial, info.label, info.reader, info.version_major, info.version_minor,
           info.initialised, info.pin_must_change, info.logged_in, info.pin_tries,
           info.so_pin_tries, info.so_pin_reset_allowed, info.dkek);
    close_device();
}

/* remove KEY_REF */
void scenario_remove(char **args)
{
    struct schsm_object_filter filter = { .types = SCHSM_OBJECT_PRIVATE,
                                          .key_ref = number(args[0]) };
    struct schsm_object_list list = { 0 };

    open_device();
    EXPECT_OK(schsm_device_find(device, &filter, &list, err));
    EXPECT(list.count == 1);
    EXPECT_OK(schsm_device_remove(device, &list.objects[0], &login, err));
    schsm_object_list_clear(&list);
    EXPECT_OK(schsm_device_find(device, &filter, &list, err));
    EXPECT(list.count == 0);
    close_device();
}

/* exists ID: an id that is taken is refused */
void scenario_exists(char **args)
{
    struct schsm_generate spec = { .key_ref = -1,
                                   .type = SCHSM_KEY_EC,
                                   .curve_nid = NID_X9_62_prime256v1,
                                   .id = (const uint8_t *)args[0],
                                   .id_len = strlen(args[0]) };
    struct schsm_object made;

    open_device();
    EXPECT_REASON(schsm_device_generate(device, &spec, &login, &made, err), SCHSM_REASON_EXISTS);
    close_device();
}

/* many KEY_REF COUNT: signatures one after the other; prints the time for each */
void scenario_many(char **args)
{
    int key_ref = number(args[0]), count = number(args[1]);
    struct timespec begin, end;
    EVP_PKEY *key;

    open_device();
    key = public_key(key_ref);
    EXPECT_OK(sign_once(key, key_ref, err));
    (void)clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int i = 0; i < count; i++) {
        EXPECT_OK(sign_once(key, key_ref, err));
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%.1f us each, verification included\n",
           ((double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec)) /
               1e3 / count);
    EVP_PKEY_free(key);
    close_device();
}
