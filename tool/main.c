/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm: the admin tool. One run: read the command line, run one command, say how it ended. */
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "configured.h"
#include "exit_status.h"
#include "help.h"
#include "target.h"
#include "tell.h"

static int run_tool(struct schsm_tool *tool, struct schsm_error *err)
{
    if (tool->want_version) {
        puts(SCHSM_TOOL_NAME " " SC_HSM_VERSION);
        return 1;
    }
    if (tool->want_help) {
        return schsm_help(tool->command, tool->group, err);
    }
    return (tool->command->by_itself ? schsm_tool_registry(tool, err)
                                     : schsm_tool_configure(tool, err)) &&
           tool->command->run(tool, err);
}

/* A full disk or a closed pipe shows at the latest here. */
static int flush(struct schsm_error *err)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) {
        return 1;
    }
    return schsm_fail(err, SCHSM_REASON_DEVICE, "standard output cannot be written: %s",
                      strerror(errno));
}

/*
 * A standard descriptor that is closed is taken, so that no file of ours gets its number; by
 * something that cannot be used in that direction, so that printing into it fails as before.
 */
static void take_closed_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0) {
            (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
        }
    }
}

/* A command line with a slip in it, which may stand before --json, is told of as was wanted. */
static bool asks_for_json(int argc, char **argv)
{
    bool found = false;

    for (int i = 1; i < argc && !found && strcmp(argv[i], "--") != 0; i++) {
        found = strcmp(argv[i], "--json") == 0;
    }
    return found;
}

int main(int argc, char **argv)
{
    struct schsm_tool tool = { 0 };
    struct schsm_error err = SCHSM_ERROR_INIT;
    const char **words = NULL;
    int ok = 0, status = SCHSM_EXIT_DONE;

    take_closed_descriptors();
    /* The user's openssl.cnf may load our own provider: only its settings have a say here. */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    schsm_config_init(&tool.context.config);
    tool.context.config.secure_channel = SCHSM_CHANNEL_AUTO;
    tool.context.libctx = OSSL_LIB_CTX_new();
    words = OPENSSL_zalloc((size_t)(argc > 0 ? argc : 1) * sizeof(*words));
    if (tool.context.libctx == NULL || words == NULL) {
        schsm_fail_memory(&err);
        goto done;
    }
    if (!schsm_tool_parse(&tool, argc, argv, words, &err)) {
        tool.json = asks_for_json(argc, argv);
        goto done;
    }
    ok = run_tool(&tool, &err) && flush(&err);

done:
    if (!ok) {
        schsm_tool_blame(&tool, &err);
        status = tool.exit_status != 0 ? tool.exit_status : (int)schsm_exit_status(err.reason);
        schsm_tell_error(&tool, &err, status);
    }
    schsm_registry_free(tool.context.registry);
    schsm_pin_source_free(tool.prompt);
    schsm_tool_origins_clear(&tool.origins);
    schsm_config_clear(&tool.context.config);
    OSSL_LIB_CTX_free(tool.context.libctx);
    OPENSSL_free(words);
    return status;
}
