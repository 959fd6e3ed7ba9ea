# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the tests of `sc-hsm doctor` have in common:
#
#     . "$(dirname "$0")/patient.sh"
#     patient
#     sick "a PIN file that all can read" pin-source "mode 644" "chmod 600"
#     take_cure
#     healthy
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/tool/outcome.sh
. "$here/outcome.sh"

# patient: a card with a key and its reference file ec.pem, and nothing wrong with it. Its module is a
# copy, because other users may not enter the folder of every build.
patient() {
    admin_card
    make_ec_key
    install -D -m 644 "$module" "$SC_HSM_VIRTUAL/module/sc-hsm.so"
    module=$SC_HSM_VIRTUAL/module/sc-hsm.so
    # The module by its own name, as it is told in a configuration that is whole.
    configure "module=$module"
    unset OPENSSL_MODULES
    keep
    healthy "from the beginning"
}

# keep, put_back: the configuration as it is now, and back to it.
keep() {
    cp -p "$OPENSSL_CONF" kept.cnf
}
put_back() {
    cp -p kept.cnf "$OPENSSL_CONF"
}

# doctor [WORD...]: runs it, under another user or with other settings where `as` says so; files may
# be named. What it says is in $seen, its status in $ended.
as=()
doctor() {
    ended=0
    "${as[@]}" sc-hsm doctor "$@" >"$seen" 2>&1 </dev/null || ended=$?
}

# healthy WHAT [WORD...]: nothing is wrong any more.
healthy() {
    doctor "${@:2}"
    [ "$ended" = 0 ] || fail "$1: it should be well"
    says_nothing_of '^(error|warning)'
    echo "ok: well: $1"
}

# finding LEVEL WHAT REGEX CURE: a finding with these words, and this cure in the next line, which is $cure then.
finding() {
    local line
    line=$(grep -Ei -m1 -A1 -e "^$1 +$2: .*($3)" "$seen") || fail "no $1 of $2 with /$3/"
    cure=$(sed -n '2s/^ *cure: //p' <<<"$line")
    grep -Eqi -e "$4" <<<"$cure" || fail "the cure of $2 is '$cure', not /$4/"
}

# sick NAME WHAT REGEX CURE [WORD...]: the doctor ends with 1 and an error.
sick() {
    doctor "${@:5}"
    equal "$1: status" 1 "$ended"
    finding error "$2" "$3" "$4"
    echo "ok: named: $1"
}

# uneasy, likewise: a warning, which fails nothing.
uneasy() {
    doctor "${@:5}"
    equal "$1: status" 0 "$ended"
    finding warning "$2" "$3" "$4"
    echo "ok: warned of: $1"
}

# take_cure: runs what the cure has in quotes first.
take_cure() {
    local command=${cure#*\'}
    command=${command%%\'*}
    check "the cure: $command" bash -c "$command"
}

# edit SED-SCRIPT: at the line of openssl.cnf that the finding or its cure names, as a person would.
edit() {
    local line
    line=$(grep -Eo 'openssl.cnf, line [0-9]+' "$seen" | head -n1 | grep -Eo '[0-9]+$')
    [ -n "$line" ] || fail "no line is named"
    sed -i -e "$line$1" "$OPENSSL_CONF"
}
