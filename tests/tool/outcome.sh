# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the tests of commands that change a device start from, beside lib.sh:
#
#     . "$(dirname "$0")/outcome.sh"
#     admin_card
#     ends 4 "a wrong SO-PIN" sc-hsm init --yes --so-pin-source file:wrong --pin-source file:pin
#     typed "new PIN:=654321" "once more=654321" -- sc-hsm pin change --pin-source file:pin
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lib.sh
. "$here/../lib.sh"
need expect python3 sc-hsm-tool pkcs11-tool pkcs15-tool

# Files that OpenSC remembers about cards must not reach the next run.
export XDG_CACHE_HOME=$work/.cache HOME=$work

# admin_card: an initialised card, its PINs in the files pin and so-pin, another PIN in new-pin and
# wrong ones in wrong-pin and wrong-so-pin.
admin_card() {
    virtual_card
    # shellcheck disable=SC2034  # for the tests
    serial=$(sed -n 1p "$SC_HSM_VIRTUAL/serials")
    echo "$pin" >pin
    echo "$so_pin" >so-pin
    echo 24681357 >new-pin
    echo 999999 >wrong-pin
    echo 1111111111111111 >wrong-so-pin
}

# fresh_card: the card as it comes from the factory, never initialised.
fresh_card() {
    virtual_hsm remove >/dev/null
    rm "$SC_HSM_VIRTUAL/card-1.state"
    virtual_hsm insert >/dev/null
}

# ends STATUS WHAT COMMAND...: with this status, one sentence on stderr, nothing on stdout.
ends() {
    local expected=$1 what=$2 status=0
    shift 2
    "$@" >out 2>err </dev/null || status=$?
    cp err "$seen"
    equal "$what: status" "$expected" "$status"
    equal "$what: one line on stderr" 1 "$(wc -l <err)"
    equal "$what: nothing on stdout" "" "$(cat out)"
    says "^sc-hsm: "
}

# json EXPRESSION COMMAND...: the value of a Python expression over the document `d`.
json() {
    local expression=$1
    shift
    "$@" >out.json || fail "status $? from: $*"
    python3 -c 'import json, sys
d = json.load(open("out.json"))
print(eval(sys.argv[1]))' "$expression"
}

# status EXPRESSION: over the only device's `s` of `sc-hsm status`, nobody being logged in.
status() {
    raw_apdus >/dev/null 2>&1
    json "(lambda s: $1)(d['devices'][0])" sc-hsm --json status
}

# typed QUESTION=ANSWER... -- COMMAND...: runs the command on a terminal of its own; each question,
# a regular expression, has to come in this order and gets its answer. The status is the command's.
typed() {
    local answers=()
    while [ "$1" != -- ]; do
        answers+=("$1")
        shift
    done
    shift
    printf '%s\n' "${answers[@]}" >answers
    expect -f - -- "$@" <<'END'
set timeout $env(SC_HSM_PATIENCE)
set answers [open answers r]
spawn -noecho {*}$argv
while {[gets $answers line] >= 0} {
    set at [string last "=" $line]
    set question [string range $line 0 [expr {$at - 1}]]
    expect {
        -re $question { send "[string range $line [expr {$at + 1}] end]\r" }
        timeout { puts "NOT ASKED: $question"; exit 90 }
        eof { puts "NOT ASKED: $question"; exit 91 }
    }
}
expect {
    timeout { puts "NO END"; exit 92 }
    eof {}
}
exit [lindex [wait] 3]
END
}

# opensc COMMAND...: OpenSC's own program, without our provider.
opensc() {
    env OPENSSL_CONF=/dev/null "$@"
}

p11() {
    opensc pkcs11-tool --module opensc-pkcs11.so "$@"
}
