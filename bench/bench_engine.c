/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same signatures as bench_evp makes, through libp11's engine and a PKCS#11 module.
 *
 *     bench_engine [--threads N | --processes N] COUNT ENGINE.so MODULE.so PIN KEY-URI
 */
#include <stdio.h>

#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "measure.h"

static ENGINE *load_engine(const char *path, const char *module, const char *pin)
{
    ENGINE *engine = NULL;

    ENGINE_load_dynamic();
    engine = ENGINE_by_id("dynamic");
    if (engine != NULL && ENGINE_ctrl_cmd_string(engine, "SO_PATH", path, 0) &&
        ENGINE_ctrl_cmd_string(engine, "LOAD", NULL, 0) &&
        ENGINE_ctrl_cmd_string(engine, "MODULE_PATH", module, 0) &&
        ENGINE_ctrl_cmd_string(engine, "PIN", pin, 0) && ENGINE_init(engine)) {
        return engine;
    }
    ENGINE_free(engine);
    return NULL;
}

static int sign(void *arg)
{
    static const unsigned char message[64] = { 0x5A };
    EVP_PKEY *key = arg;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char signature[1024];
    size_t len = sizeof(signature);
    int ok = ctx != NULL && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) > 0 &&
             EVP_DigestSign(ctx, signature, &len, message, sizeof(message)) > 0;

    EVP_MD_CTX_free(ctx);
    if (!ok) {
        ERR_print_errors_fp(stderr);
    }
    return ok;
}

int main(int argc, char **argv)
{
    struct bench_plan plan = { .operate = sign };
    int next = bench_plan_parse(&plan, argc, argv);
    ENGINE *engine = NULL;
    EVP_PKEY *key = NULL;
    int status = 1;

    if (next < 0 || argc - next != 4) {
        (void)fprintf(stderr, "usage: bench_engine [--threads N | --processes N] COUNT ENGINE.so "
                              "MODULE.so PIN KEY-URI\n");
        return 2;
    }
    engine = load_engine(argv[next], argv[next + 1], argv[next + 2]);
    if (engine != NULL) {
        key = ENGINE_load_private_key(engine, argv[next + 3], NULL, NULL);
    }
    if (key == NULL) {
        ERR_print_errors_fp(stderr);
        return 1;
    }
    plan.arg = key;
    status = bench_run(&plan);
    EVP_PKEY_free(key);
    ENGINE_finish(engine);
    ENGINE_free(engine);
    return status;
}
