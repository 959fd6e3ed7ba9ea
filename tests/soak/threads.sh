#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The provider with ThreadSanitizer under a program with 16 threads, and under a child of it, while
# the card goes and comes back. Where this machine cannot run ThreadSanitizer the test is skipped.
. "$(dirname "$0")/../lib.sh"
need cmake cc
options=(-fsanitize=thread -g1 -O1)
sources=$SC_HSM_SOURCE/tests/programs
export TSAN_OPTIONS=exitcode=0:log_path=$work/report:suppressions=$SC_HSM_SOURCE/tests/soak/threads.supp

# What it must find. In some kernels programs lie where it cannot work; then without that lottery.
cat >race.c <<'END'
#include <pthread.h>
#include <stdio.h>
static int shared;
static void *run(void *arg)
{
    (void)arg;
    for (int i = 0; i < 100000; i++) {
        shared++;
    }
    return NULL;
}
int main(void)
{
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        pthread_create(&threads[i], NULL, run, NULL);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    return printf("%d\n", shared) < 0;
}
END
cc "${options[@]}" race.c -o race -lpthread || exit 77
finds_race() {
    rm -f report*
    "$@" ./race >"$seen" 2>&1
    ls report* >/dev/null 2>&1
}
if finds_race; then
    launch=()
elif finds_race setarch -R; then
    launch=(setarch -R)
else
    echo "ThreadSanitizer does not find a race here"
    exit 77
fi
rm -f report*
echo "ok: ThreadSanitizer finds a race"

virtual_card
make_rsa_key
make_ec_key
configure cache-pin=yes
launcher=$(command -v ccache) || launcher=
check "the provider is configured" env CFLAGS="${options[*]}" cmake -S "$SC_HSM_SOURCE" -B build \
    -DSC_HSM_TOOL=OFF -DSC_HSM_SIM=OFF -DSC_HSM_TESTS=OFF -DCMAKE_BUILD_TYPE=None \
    ${launcher:+"-DCMAKE_C_COMPILER_LAUNCHER=$launcher"}
check "the provider is built" cmake --build build -j "$(nproc)"
check "the program is built" cc "${options[@]}" -D_GNU_SOURCE -o mixed_work \
    "$sources/mixed_work.c" "$sources/operations.c" "$sources/program.c" -lcrypto -lpthread

serial=$(sed -n 1p "$SC_HSM_VIRTUAL/serials")
OPENSSL_MODULES=$work/build/lib ${launch[@]+"${launch[@]}"} ./mixed_work rsa.pem ec.pem "sc-hsm:serial=$serial" \
    12 16 log >work.out 2>&1 &
process=$!
wait_for "the program" grep -q ready work.out
reset_card cold
check "another program selects the applet" raw_apdus
virtual_hsm remove
virtual_hsm insert
virtual_hsm service kill
virtual_hsm service start
wait $process || { cat work.out >"$seen"; fail "the program failed"; }
cut -d' ' -f4 log.* | sort | uniq -c | tee outcome
! grep -qv ' ok$\| refused$' outcome || fail "a result was wrong"
[ "$(awk '$2 == "ok" { print $1 }' outcome)" -gt 32 ] || fail "hardly anything was done"
if ls report* >/dev/null 2>&1; then
    cat report* >"$seen"
    fail "ThreadSanitizer reports"
fi
echo "ok: ThreadSanitizer reports nothing"
