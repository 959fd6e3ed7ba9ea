/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm-sim: a SmartCard-HSM in software, for development and tests. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "card.h"
#include "personalise.h"
#include "vpcd.h"

#define DEFAULT_HOST "127.0.0.1"
#define DEFAULT_PORT "35963"

enum {
    EXIT_USAGE = 2,
};

struct arguments {
    const char *state;
    const char *serial; /* NULL: the default for a new card, whatever it has for an old one */
    const char *write_root;
    char host[256];
    char port[32];
    const struct sim_profile *profile;
    bool real_latency;
    bool log;
};

static const char help[] =
    "usage: sc-hsm-sim --state FILE [--vpcd HOST:PORT] [--serial S]\n"
    "                  [--profile default|jcop3|jcop4|microsd] [--latency none|real] [--log]\n"
    "\n"
    "A SmartCard-HSM in software, plugged into the virtual reader vpcd of pcscd.\n"
    "It protects nothing: keys and PINs lie readable in the state file.\n"
    "\n"
    "  --state FILE         the card; created when it does not exist\n"
    "  --vpcd HOST:PORT     where vpcd listens (default " DEFAULT_HOST ":" DEFAULT_PORT ")\n"
    "  --serial S           serial number of a new card (default " SIM_DEFAULT_SERIAL ")\n"
    "  --profile P          sizes, memory and version of a real device, or of none (default)\n"
    "  --latency none|real  take as long as a real device for private operations\n"
    "  --log                each command and response on stderr, PINs and plaintexts left out\n"
    "  --write-root FILE    write the root certificate of all virtual cards and exit\n"
    "  --help, --version\n";

/* HOST:PORT, the port behind the last colon; [::1]:35963 for IPv6. */
static bool parse_address(struct arguments *arguments, const char *text)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL || colon == text || colon[1] == '\0') {
        return false;
    }
    size_t host_len = (size_t)(colon - text);
    if (text[0] == '[' && text[host_len - 1] == ']') {
        text++;
        host_len -= 2;
    }
    int host = snprintf(arguments->host, sizeof(arguments->host), "%.*s", (int)host_len, text);
    int port = snprintf(arguments->port, sizeof(arguments->port), "%s", colon + 1);
    return host > 0 && (size_t)host < sizeof(arguments->host) && port > 0 &&
           (size_t)port < sizeof(arguments->port);
}

static int usage(const char *problem, const char *detail)
{
    fprintf(stderr, "sc-hsm-sim: %s%s\n%s", problem, detail, help);
    return EXIT_USAGE;
}

static int puts_or_fail(const char *text)
{
    return fputs(text, stdout) < 0 || fflush(stdout) != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* -1: go on; otherwise the exit status. */
static int parse_arguments(struct arguments *arguments, int argc, char **argv)
{
    static const struct option options[] = {
        { "state", required_argument, NULL, 's' },      { "vpcd", required_argument, NULL, 'v' },
        { "serial", required_argument, NULL, 'n' },     { "profile", required_argument, NULL, 'p' },
        { "latency", required_argument, NULL, 'l' },    { "log", no_argument, NULL, 'g' },
        { "write-root", required_argument, NULL, 'r' }, { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },          { NULL, 0, NULL, 0 },
    };
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 's':
            arguments->state = optarg;
            break;
        case 'v':
            if (!parse_address(arguments, optarg)) {
                return usage("--vpcd wants HOST:PORT, not ", optarg);
            }
            break;
        case 'n':
            if (!sim_serial_is_valid(optarg)) {
                return usage("--serial wants two letters and 1 to 9 letters or digits, not ",
                             optarg);
            }
            arguments->serial = optarg;
            break;
        case 'p':
            arguments->profile = sim_profile_find(optarg);
            if (arguments->profile == NULL) {
                return usage("--profile wants default, jcop3, jcop4 or microsd, not ", optarg);
            }
            break;
        case 'l':
            if (strcmp(optarg, "none") != 0 && strcmp(optarg, "real") != 0) {
                return usage("--latency wants none or real, not ", optarg);
            }
            arguments->real_latency = strcmp(optarg, "real") == 0;
            break;
        case 'g':
            arguments->log = true;
            break;
        case 'r':
            arguments->write_root = optarg;
            break;
        case 'h':
            return puts_or_fail(help);
        case 'V':
            return puts_or_fail("sc-hsm-sim " SC_HSM_VERSION "\n");
        default:
            return EXIT_USAGE; /* getopt has said why */
        }
    }
    if (optind < argc) {
        return usage("unexpected argument ", argv[optind]);
    }
    if (arguments->state == NULL) {
        return usage("--state FILE is missing", "");
    }
    return -1;
}

static bool has_serial(const struct sim_state *state, const char *serial)
{
    size_t len = strlen(serial);
    return strlen(state->device_chr) == len + 5 && strncmp(state->device_chr, serial, len) == 0;
}

/* Load the card from its file, or make a new one. */
static bool load(struct sim_card *card, const struct arguments *arguments)
{
    struct sim_buf content = { 0 };
    const char *serial = arguments->serial;
    bool ok = false;
    switch (sim_store_open(card->store, arguments->state, &content)) {
    case SIM_STORE_FRESH:
        ok = sim_personalise(&card->state, serial != NULL ? serial : SIM_DEFAULT_SERIAL);
        if (!ok) {
            (void)fputs("sc-hsm-sim: cannot make the keys of a new card\n", stderr);
        }
        break;
    case SIM_STORE_LOADED:
        ok = sim_state_decode(&card->state, sim_buf_slice(&content));
        if (!ok) {
            fprintf(stderr, "sc-hsm-sim: %s: state file makes no sense; left as it is\n",
                    arguments->state);
        } else if (serial != NULL && !has_serial(&card->state, serial)) {
            fprintf(stderr, "sc-hsm-sim: %s is the card %.*s, not %s\n", arguments->state,
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

static bool write_root(const struct sim_card *card, const char *path)
{
    const struct sim_buf *root = &card->state.root_certificate;
    FILE *file = fopen(path, "wb");
    bool ok = file != NULL && fwrite(root->data, 1, root->len, file) == root->len;
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
    fprintf(stderr,
            "sc-hsm-sim: **** A SIMULATOR: IT PROTECTS NOTHING. Keys and PINs lie readable in\n"
            "sc-hsm-sim: **** %s\n"
            "sc-hsm-sim: **** Never keep a key on it that matters.\n"
            "sc-hsm-sim: card %.*s\n",
            path, (int)strlen(card->state.device_chr) - 5, card->state.device_chr);
}

int main(int argc, char **argv)
{
    struct arguments arguments = { .host = DEFAULT_HOST, .port = DEFAULT_PORT };
    struct sim_store store = { .lock_fd = -1 };
    struct sim_card card = { .store = &store };
    int status = parse_arguments(&arguments, argc, argv);
    if (status >= 0) {
        return status;
    }
    /*
     * The card must not read the openssl.cnf of the programs that use it: it may load the
     * provider that is just asking this card.
     */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    card.profile = arguments.profile;
    bool ok = load(&card, &arguments);
    if (ok && arguments.write_root != NULL) {
        ok = write_root(&card, arguments.write_root);
    } else if (ok) {
        warn(&card, arguments.state);
        card.real_latency = arguments.real_latency;
        card.trace = arguments.log;
        ok = sim_vpcd_serve(&card, arguments.host, arguments.port);
    }
    sim_card_free(&card);
    sim_store_close(&store);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
