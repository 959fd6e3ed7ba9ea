/* SPDX-License-Identifier: Apache-2.0 */
#include "card_private.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

static int learn_serial(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    (void)arg;
    return schsm_session_learn_serial(session, err);
}

static int card_device_serial(struct schsm_device *dev, char serial[SCHSM_SERIAL_MAX + 1],
                              struct schsm_error *err)
{
    const struct schsm_job job = { .run = learn_serial };
    struct schsm_session *session = schsm_card_session(dev);

    if (schsm_session_known_serial(session, serial)) {
        return 1;
    }
    if (!schsm_session_run(session, &job, err)) {
        return 0;
    }
    (void)schsm_session_known_serial(session, serial);
    return 1;
}

static void card_device_token(struct schsm_device *dev, char label[SCHSM_TOKEN_LABEL_MAX + 1])
{
    (void)dev;
    label[0] = 0;
}

static void card_device_name(struct schsm_device *dev, char name[SCHSM_DEVICE_NAME_MAX])
{
    char serial[SCHSM_SERIAL_MAX + 1], reader[SCHSM_READER_MAX + 1];

    schsm_card_device_known(dev, serial, reader);
    (void)snprintf(name, SCHSM_DEVICE_NAME_MAX, "%s%s%s", serial, serial[0] != 0 ? " in " : "",
                   reader);
}

static void card_device_place(struct schsm_device *dev, char place[SCHSM_DEVICE_NAME_MAX])
{
    char reader[SCHSM_READER_MAX + 1];

    schsm_session_reader(schsm_card_session(dev), reader);
    (void)snprintf(place, SCHSM_DEVICE_NAME_MAX, "%s", reader);
}

static int card_device_login(struct schsm_device *dev, const struct schsm_login *login,
                             struct schsm_error *err)
{
    const struct schsm_job job = { .login = login, .prove = true, .object = login->object };

    return schsm_session_run(schsm_card_session(dev), &job, err);
}

static int card_device_prepare_login(struct schsm_device *dev, const struct schsm_login *login,
                                     struct schsm_pin_prospect *state, struct schsm_error *err)
{
    const struct schsm_job job = { .login = login, .prospect = state, .object = login->object };

    return schsm_session_run(schsm_card_session(dev), &job, err);
}

/* The only way to log out is to select the applet (3.1). */
static int select_applet(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    (void)arg;
    return schsm_session_select(session, err);
}

static int card_device_logout(struct schsm_device *dev, struct schsm_error *err)
{
    const struct schsm_job job = { .run = select_applet };

    return schsm_session_run(schsm_card_session(dev), &job, err);
}

static void card_device_free(struct schsm_device *dev)
{
    schsm_session_free(schsm_card_session(dev));
    OPENSSL_free(dev);
}

/* A card shows its files to everybody; only what is in some of them is hidden. */
static int card_device_hides_objects(struct schsm_device *dev, bool *hides, struct schsm_error *err)
{
    (void)dev;
    (void)err;
    *hides = false;
    return 1;
}

static unsigned long card_device_connection(struct schsm_device *dev)
{
    return atomic_load(&schsm_card_session(dev)->connections);
}

static const struct schsm_device_ops card_ops = {
    .info = schsm_card_device_info,
    .serial = card_device_serial,
    .token = card_device_token,
    .name = card_device_name,
    .place = card_device_place,
    .find = schsm_card_device_find,
    .connection = card_device_connection,
    .hides_objects = card_device_hides_objects,
    .read = schsm_card_device_read,
    .login = card_device_login,
    .prepare_login = card_device_prepare_login,
    .operate = schsm_card_device_operate,
    .generate = schsm_card_device_generate,
    .store = schsm_card_device_store,
    .key_policy = schsm_card_device_key_policy,
    .remove = schsm_card_device_remove,
    .rename = schsm_card_device_rename,
    .logout = card_device_logout,
    .change_pin = schsm_card_device_change_pin,
    .change_so_pin = schsm_card_device_change_so_pin,
    .unblock_pin = schsm_card_device_unblock_pin,
    .random = schsm_card_device_random,
    .free = card_device_free,
};

struct schsm_session *schsm_card_session_for(struct schsm_device *dev, const char *purpose,
                                             struct schsm_error *err)
{
    char serial[SCHSM_SERIAL_MAX + 1] = "this device";

    if (dev->ops == &card_ops) {
        return schsm_card_session(dev);
    }
    (void)schsm_device_serial(dev, serial, NULL);
    schsm_fail(err, SCHSM_REASON_UNSUPPORTED, "%s is no SmartCard-HSM, and only that has %s",
               serial, purpose);
    return NULL;
}

int schsm_card_run(struct schsm_device *dev, const char *purpose, const struct schsm_job *job,
                   struct schsm_error *err)
{
    struct schsm_session *session = schsm_card_session_for(dev, purpose, err);

    return session != NULL && schsm_session_run(session, job, err);
}

struct schsm_device *schsm_card_device_new(const struct schsm_transport *transport, void *arg,
                                           const char *reader, struct schsm_error *err)
{
    struct schsm_card_device *card = OPENSSL_zalloc(sizeof(*card));

    if (card == NULL) {
        schsm_fail_memory(err);
        return NULL;
    }
    card->device.ops = &card_ops;
    card->session = schsm_session_new(transport, arg, reader, err);
    if (card->session == NULL) {
        OPENSSL_free(card);
        return NULL;
    }
    return &card->device;
}

void schsm_card_device_protect(struct schsm_device *dev, const struct schsm_channel_policy *policy)
{
    schsm_card_session(dev)->card.policy = policy;
}

void schsm_card_device_known(struct schsm_device *dev, char serial[SCHSM_SERIAL_MAX + 1],
                             char reader[SCHSM_READER_MAX + 1])
{
    struct schsm_session *session = schsm_card_session(dev);

    (void)schsm_session_known_serial(session, serial);
    schsm_session_reader(session, reader);
}

bool schsm_card_device_exchanged(struct schsm_device *dev)
{
    return schsm_session_exchanged(schsm_card_session(dev));
}

int schsm_card_device_probe(struct schsm_device *dev, struct schsm_error *err)
{
    const struct schsm_job job = { 0 };

    return schsm_session_run(schsm_card_session(dev), &job, err);
}
