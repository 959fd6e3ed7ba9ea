/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor: SELECT and VERIFY once, then SIGN commands through SCardTransmit and nothing else.
 *
 *     bench_raw COUNT READER KEY-REF rsa|ec PIN-FILE
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <winscard.h>

#include "card_command.h"
#include "measure.h"

struct raw {
    SCARDHANDLE card;
    const SCARD_IO_REQUEST *protocol;
    struct bench_command sign;
};

static int transmit(const struct raw *raw, const struct bench_command *command, const char *what)
{
    uint8_t response[BENCH_RESPONSE_MAX];
    DWORD len = sizeof(response);
    LONG code = SCardTransmit(raw->card, raw->protocol, command->bytes, (DWORD)command->len, NULL,
                              response, &len);

    if (code == SCARD_S_SUCCESS && len >= 2 && response[len - 2] == 0x90 &&
        response[len - 1] == 0x00) {
        return 1;
    }
    (void)fprintf(stderr, "%s: %s, status word %02X%02X\n", what, pcsc_stringify_error(code),
                  len >= 2 ? response[len - 2] : 0, len >= 2 ? response[len - 1] : 0);
    return 0;
}

static int sign(void *arg)
{
    struct raw *raw = arg;

    return transmit(raw, &raw->sign, "SIGN");
}

static int read_pin(const char *path, char *pin, size_t size)
{
    FILE *file = fopen(path, "r");
    int ok = file != NULL && fgets(pin, (int)size, file) != NULL;

    if (file != NULL) {
        (void)fclose(file);
    }
    if (!ok) {
        perror(path);
        return 0;
    }
    pin[strcspn(pin, "\r\n")] = '\0';
    return 1;
}

int main(int argc, char **argv)
{
    struct raw raw = { 0 };
    struct bench_plan plan = { .operate = sign, .arg = &raw };
    struct bench_command verify;
    int next = bench_plan_parse(&plan, argc, argv);
    SCARDCONTEXT context;
    DWORD protocol = 0;
    LONG code = 0;
    char pin[32];
    int status = 1;

    if (next < 0 || argc - next != 4 || plan.workers != 1 ||
        !bench_sign(&raw.sign, (unsigned int)strtoul(argv[next + 1], NULL, 0), argv[next + 2])) {
        (void)fprintf(stderr, "usage: bench_raw COUNT READER KEY-REF rsa|ec PIN-FILE\n");
        return 2;
    }
    if (!read_pin(argv[next + 3], pin, sizeof(pin))) {
        return 1;
    }
    bench_verify(&verify, pin);
    code = SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context);
    if (code == SCARD_S_SUCCESS) {
        code = SCardConnect(context, argv[next], SCARD_SHARE_SHARED, SCARD_PROTOCOL_T1, &raw.card,
                            &protocol);
    }
    if (code != SCARD_S_SUCCESS) {
        (void)fprintf(stderr, "%s: %s\n", argv[next], pcsc_stringify_error(code));
        return 1;
    }
    raw.protocol = SCARD_PCI_T1;
    if (transmit(&raw, &bench_select, "SELECT") && transmit(&raw, &verify, "VERIFY")) {
        status = bench_run(&plan);
    }
    SCardDisconnect(raw.card, SCARD_LEAVE_CARD);
    SCardReleaseContext(context);
    return status;
}
