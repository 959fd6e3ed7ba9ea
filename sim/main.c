/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm-sim: a SmartCard-HSM in software, for development and tests. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "card.h"
#include "control.h"
#include "options.h"
#include "personalise.h"
#include "pki.h"
#include "vpcd.h"

enum {
    EXIT_USAGE = 2,
};

/* A Pico HSM is named by itself or by its maker, whatever serial number it was started with. */
static bool is_named_by_serial(const struct sim_card *card)
{
    return card->profile->personalise == sim_personalise;
}

static bool has_serial(const struct sim_card *card, const char *serial)
{
    const struct sim_state *state = &card->state;
    size_t len = strlen(serial);
    return !is_named_by_serial(card) ||
           (strlen(state->device_chr) == len + 5 && strncmp(state->device_chr, serial, len) == 0);
}

/* Load the card from its file, or make a new one. */
static bool load(struct sim_card *card, const struct sim_arguments *arguments)
{
    struct sim_buf content = { 0 };
    const char *serial = arguments->serial;
    bool ok = false;
    switch (sim_store_open(card->store, arguments->state, &content)) {
    case SIM_STORE_FRESH:
        ok = card->profile->personalise(&card->state, serial != NULL ? serial : SIM_DEFAULT_SERIAL);
        if (!ok) {
            (void)fputs("sc-hsm-sim: cannot make the keys of a new card\n", stderr);
        }
        break;
    case SIM_STORE_LOADED:
        ok = sim_state_decode(&card->state, sim_buf_slice(&content));
        if (!ok) {
            (void)fprintf(stderr, "sc-hsm-sim: %s: state file makes no sense; left as it is\n",
                          arguments->state);
        } else if (serial != NULL && !has_serial(card, serial)) {
            (void)fprintf(stderr, "sc-hsm-sim: %s is the card %.*s, not %s\n", arguments->state,
                          (int)strlen(card->state.device_chr) - 5, card->state.device_chr, serial);
            ok = false;
        }
        break;
    case SIM_STORE_ERROR:
    default:
        break;
    }
    sim_buf_free(&content);
    return ok && sim_card_start(card);
}

static bool write_root(struct sim_slice root, const char *path)
{
    FILE *file = fopen(path, "wb");
    bool ok = file != NULL && fwrite(root.data, 1, root.len, file) == root.len;
    if (file != NULL && fclose(file) != 0) {
        ok = false;
    }
    if (!ok) {
        perror(path);
    }
    return ok;
}

static void warn(const struct sim_card *card, const char *path)
{
    (void)fprintf(
        stderr,
        "sc-hsm-sim: **** A SIMULATOR: IT PROTECTS NOTHING. Keys and PINs lie readable in\n"
        "sc-hsm-sim: **** %s\n"
        "sc-hsm-sim: **** Never keep a key on it that matters.\n"
        "sc-hsm-sim: card %.*s\n",
        path, (int)strlen(card->state.device_chr) - (is_named_by_serial(card) ? 5 : 0),
        card->state.device_chr);
}

int main(int argc, char **argv)
{
    struct sim_arguments arguments;
    struct sim_store store = { .lock_fd = -1 };
    struct sim_card card = { .store = &store };
    if (!sim_options_parse(&arguments, argc, argv)) {
        return EXIT_USAGE;
    }
    if (arguments.print != NULL) {
        arguments.print();
        return fflush(stdout) != 0 || ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    if (arguments.tell != NULL) {
        return sim_control_tell(arguments.control, arguments.tell) ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    if (arguments.write_root != NULL && arguments.state == NULL) {
        return write_root(sim_pki_root_certificate(), arguments.write_root) ? EXIT_SUCCESS
                                                                            : EXIT_FAILURE;
    }
    /*
     * The card must not read the openssl.cnf of the programs that use it: it may load the
     * provider that is just asking this card.
     */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    card.profile = arguments.profile != NULL ? arguments.profile : &sim_profile_default;
    bool ok = load(&card, &arguments);
    if (ok && arguments.write_root != NULL) {
        ok = write_root(sim_buf_slice(&card.state.root_certificate), arguments.write_root);
    } else if (ok) {
        warn(&card, arguments.state);
        card.latency = arguments.latency;
        card.challenge_rule = arguments.challenge_rule;
        card.trace = arguments.log;
        ok = sim_vpcd_serve(&card, arguments.host, arguments.port, arguments.control);
    }
    sim_card_free(&card);
    sim_store_close(&store);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
