# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the tests that let OpenSC judge the virtual card start from:
#
#     . "$(dirname "$0")/common.sh"
#     opensc_card
#     check "a key is made" p11_user --keypairgen --key-type rsa:2048 --id 10
#
# OpenSC alone is at work here: our provider, the openssl.cnf that loads it, and the code of
# device/ have no part in it.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lib.sh
. "$here/../lib.sh"

need opensc-tool sc-hsm-tool pkcs11-tool pkcs15-tool opensc-explorer python3

opensc_module=$(find /usr/lib /usr/local/lib -name opensc-pkcs11.so -print -quit 2>/dev/null)
[ -n "$opensc_module" ] || missing "opensc-pkcs11.so is not there (opensc-pkcs11)"

# Files that OpenSC remembers about cards must not reach the next run.
export XDG_CACHE_HOME=$work/.cache HOME=$work
export PYTHONDONTWRITEBYTECODE=1

# opensc_card: an initialised card of this test's own, and OpenSC set up to reach it.
opensc_card() {
    local settings
    need_virtual_hsm
    settings=$(virtual_hsm start "$@") || fail "no virtual card"
    eval "$settings"
    export OPENSSL_CONF=/dev/null
    # shellcheck disable=SC2034  # for the tests
    card_log=$SC_HSM_VIRTUAL/card-1.log
    card_state=$SC_HSM_VIRTUAL/card-1.state
    # shellcheck disable=SC2034  # for the tests
    serial=$(sed -n 1p "$SC_HSM_VIRTUAL/serials")
}

# fresh_card: the card as it comes from the factory, never initialised.
fresh_card() {
    virtual_hsm remove >/dev/null
    rm "$card_state"
    virtual_hsm insert >/dev/null
}

# kill_card: cuts its power: no warning, no farewell.
kill_card() {
    local process
    process=$(cat "$SC_HSM_VIRTUAL/card-1.pid")
    kill -9 "$process" 2>/dev/null || true
    while kill -0 "$process" 2>/dev/null; do
        sleep 0.01
    done
}

p11() {
    pkcs11-tool --module "$opensc_module" "$@"
}

# p11_user, p11_so: logged in.
p11_user() {
    p11 --login --pin "$pin" "$@"
}

p11_so() {
    p11 --login --login-type so --so-pin "$so_pin" "$@"
}

# explore LINE...: commands for opensc-explorer.
explore() {
    printf '%s\n' "$@" quit | opensc-explorer --reader 0
}

# status_words HEX...: sends commands after SELECT of the applet; prints one status word for each.
status_words() {
    raw_apdus "$@" 2>&1 | sed -n 's/^Received (SW1=0x\(..\), SW2=0x\(..\)).*/\1\2/p' | tail -n +2 |
        tr '\n' ' ' | sed 's/ $//'
}

# answers WHAT EXPECTED HEX...: compares status words, given as "9000 6982".
answers() {
    local what=$1 expected=$2
    shift 2
    equal "$what" "$expected" "$(status_words "$@")"
}

hex_of() {
    printf %s "$1" | od -An -tx1 | tr -d ' \n'
}

# initialise HEX: INITIALIZE DEVICE with these data objects.
initialise() {
    printf '80500000%02X%s' $((${#1} / 2)) "$1"
}

# VERIFY with the user PIN, as a command.
# shellcheck disable=SC2034  # for the tests
verify_pin=00200081$(printf %02x ${#pin})$(hex_of "$pin")
