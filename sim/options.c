/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "manual.h"
#include "personalise.h"

static bool set_state(struct sim_arguments *arguments, const char *value)
{
    arguments->state = value;
    return true;
}

/* HOST:PORT, the port behind the last colon; [::1]:35963 for IPv6. */
static bool set_vpcd(struct sim_arguments *arguments, const char *value)
{
    const char *colon = strrchr(value, ':');
    if (colon == NULL || colon == value || colon[1] == '\0') {
        return false;
    }
    size_t host_len = (size_t)(colon - value);
    if (value[0] == '[' && value[host_len - 1] == ']') {
        value++;
        host_len -= 2;
    }
    int host = snprintf(arguments->host, sizeof(arguments->host), "%.*s", (int)host_len, value);
    int port = snprintf(arguments->port, sizeof(arguments->port), "%s", colon + 1);
    return host > 0 && (size_t)host < sizeof(arguments->host) && port > 0 &&
           (size_t)port < sizeof(arguments->port);
}

static bool set_serial(struct sim_arguments *arguments, const char *value)
{
    arguments->serial = value;
    return sim_serial_is_valid(value);
}

static bool set_profile(struct sim_arguments *arguments, const char *value)
{
    arguments->profile = sim_profile_find(value);
    return arguments->profile != NULL;
}

static bool set_latency(struct sim_arguments *arguments, const char *value)
{
    return sim_latency_parse(&arguments->latency, value);
}

static bool set_challenge(struct sim_arguments *arguments, const char *value)
{
    bool is_shared = strcmp(value, "shared") == 0;
    arguments->challenge_rule = is_shared ? SIM_CHALLENGE_SHARED : SIM_CHALLENGE_ONCE;
    return is_shared || strcmp(value, "once") == 0;
}

static bool set_log(struct sim_arguments *arguments, const char *value)
{
    (void)value;
    arguments->log = true;
    return true;
}

static bool set_control(struct sim_arguments *arguments, const char *value)
{
    arguments->control = value;
    return true;
}

static bool set_tell(struct sim_arguments *arguments, const char *value)
{
    arguments->tell = value;
    return true;
}

static bool set_write_root(struct sim_arguments *arguments, const char *value)
{
    arguments->write_root = value;
    return true;
}

static bool set_help(struct sim_arguments *arguments, const char *value)
{
    (void)value;
    arguments->print = sim_manual_help;
    return true;
}

static bool set_version(struct sim_arguments *arguments, const char *value)
{
    (void)value;
    arguments->print = sim_manual_version;
    return true;
}

static bool set_print_manual(struct sim_arguments *arguments, const char *value)
{
    (void)value;
    arguments->print = sim_manual_page;
    return true;
}

static bool set_print_completion(struct sim_arguments *arguments, const char *value)
{
    (void)value;
    arguments->print = sim_manual_completion;
    return true;
}

const struct sim_option sim_options[] = {
    { "state", "FILE", NULL, NULL, "the card; created when it does not exist",
      "The card.\n"
      "It is created when it does not exist.\n"
      "Each change is written to a new file that takes the place of the old one, so that a crash "
      "loses no completed command.",
      set_state },
    { "vpcd", "HOST:PORT", SIM_DEFAULT_HOST ":" SIM_DEFAULT_PORT, "HOST:PORT",
      "where vpcd listens (default " SIM_DEFAULT_HOST ":" SIM_DEFAULT_PORT ")",
      "Where the virtual reader listens; " SIM_DEFAULT_HOST ":" SIM_DEFAULT_PORT " if not given.",
      set_vpcd },
    { "serial", "S", SIM_DEFAULT_SERIAL, "two letters and 1 to 9 letters or digits",
      "serial number of a new card (default " SIM_DEFAULT_SERIAL ")",
      "The serial number of a new card: two letters, then 1 to 9 letters or digits.\n"
      "A Pico HSM that is provisioned has its last five characters behind ESPICOHSMTR; all others "
      "are ESPICOHSMTR00001.",
      set_serial },
    { "profile", "P", "default jcop3 jcop4 microsd hsm12 pico pico-provisioned",
      "default, jcop3, jcop4, microsd, hsm12, pico or pico-provisioned",
      "be a device: jcop3, jcop4, microsd, hsm12, pico, pico-provisioned",
      "The device whose sizes of commands and answers, memory (76 KB) and version the card has: "
      "\"jcop3\", \"jcop4\" or \"microsd\".\n"
      "A longer command is refused, a longer answer goes on in GET RESPONSE.\n"
      "\"default\" has roomier limits than any of them.\n"
      "\"hsm12\" is applet 1.2, the first to be sold: RSA up to 2048 and curves up to 320 bits, no "
      "AES keys, no key domains, and nothing told of its options.\n"
      "\"pico\" is a Pico HSM with firmware 6.6, its faults included; see below.\n"
      "\"pico-provisioned\" is one that its maker has certified.",
      set_profile },
    { "latency", "TIME", "none real jcop3 jcop4", "none, real, jcop3 or jcop4",
      "take as long as a device: none, real, jcop3, jcop4",
      "How long private operations and new keys take.\n"
      "\"real\" is a device of the first generation: 600 ms for a signature with RSA-2048, 170 ms "
      "with P-256, half a minute for a new RSA-2048 key.\n"
      "\"jcop3\" and \"jcop4\" are the faster generations after it.\n"
      "\"none\", the default, is as fast as the computer.",
      set_latency },
    { "challenge", "RULE", "once shared", "once or shared",
      "for one authentication with a key (once) or for all (shared)",
      "What a challenge is good for where public keys open the card.\n"
      "\"once\", the default: one authentication, and another challenge leaves those before as "
      "they "
      "are.\n"
      "\"shared\": all of them, and another challenge starts over.\n"
      "Which of both a genuine device wants is not documented; a client should get on with either.",
      set_challenge },
    { "log", NULL, NULL, NULL, "each command and response on stderr, secrets left out",
      "Writes each command and response to standard error, without PINs and plaintexts.", set_log },
    { "control", "SOCKET", NULL, NULL, "listen there for faults to make, as the manual tells",
      "Listens at this Unix socket, which only its owner can reach, for faults that are to befall "
      "the card; see below.",
      set_control },
    { "tell", "WORDS", "remove insert reset list clear help", NULL,
      "say this to the card that listens at --control",
      "Says this over the socket of \"--control\" to the card that is running there, prints its "
      "answer, and ends.",
      set_tell },
    { "write-root", "FILE", NULL, NULL, "write the root certificate of all virtual cards and exit",
      "Writes the root certificate under which all virtual cards are made, and ends.\n"
      "With \"--state\" it is the root of that card: one from the first version of this program "
      "has another.",
      set_write_root },
    { "help", NULL, NULL, NULL, "print this and exit", "Prints a short help, and ends.", set_help },
    { "version", NULL, NULL, NULL, "print the version and exit", "Prints the version, and ends.",
      set_version },
    { "print-manual", NULL, NULL, NULL, NULL, NULL, set_print_manual },
    { "print-completion", NULL, NULL, NULL, NULL, NULL, set_print_completion },
};
#define N_OPTIONS (sizeof(sim_options) / sizeof(sim_options[0]))
const size_t sim_n_options = N_OPTIONS;

static bool wrong(const char *problem, const char *detail)
{
    (void)fprintf(stderr, "sc-hsm-sim: %s%s; sc-hsm-sim --help tells more\n", problem, detail);
    return false;
}

static bool apply(struct sim_arguments *arguments, const struct sim_option *option,
                  const char *value)
{
    if (option->set(arguments, value)) {
        return true;
    }
    (void)fprintf(stderr, "sc-hsm-sim: --%s wants %s, not %s\n", option->name, option->wants,
                  value);
    return false;
}

bool sim_options_parse(struct sim_arguments *arguments, int argc, char **argv)
{
    struct option known[N_OPTIONS + 1] = { 0 };
    int found;
    for (size_t i = 0; i < N_OPTIONS; i++) {
        known[i].name = sim_options[i].name;
        known[i].has_arg = sim_options[i].argument == NULL ? no_argument : required_argument;
    }
    *arguments = (struct sim_arguments){ .host = SIM_DEFAULT_HOST, .port = SIM_DEFAULT_PORT };
    int index = 0;
    while ((found = getopt_long(argc, argv, "", known, &index)) != -1) {
        if (found != 0) {
            return false; /* getopt has said why */
        }
        if (!apply(arguments, &sim_options[index], optarg)) {
            return false;
        }
        if (arguments->print != NULL) {
            return true;
        }
    }
    if (optind < argc) {
        return wrong("unexpected argument ", argv[optind]);
    }
    if (arguments->tell != NULL) {
        return arguments->control != NULL || wrong("--tell needs --control SOCKET", "");
    }
    return arguments->state != NULL || arguments->write_root != NULL ||
           wrong("--state FILE is missing", "");
}
