#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sc-hsm ends with a status that scripts can use
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

# ends STATUS WHAT COMMAND...: with this status, one sentence on stderr, nothing on stdout.
ends() {
    local expected=$1 what=$2 status=0
    shift 2
    "$@" >out 2>err || status=$?
    cp err "$seen"
    equal "$what: status" "$expected" "$status"
    equal "$what: one line on stderr" 1 "$(wc -l <err)"
    equal "$what: nothing on stdout" "" "$(cat out)"
    says "^sc-hsm: "
}

virtual_card

ends 2 "no command" sc-hsm
says "say what to do"
ends 2 "an unknown command" sc-hsm format
says "'format'; 'sc-hsm --help' lists them"
ends 2 "an unknown option" sc-hsm --foo=648219 list
says "--foo;"
says_nothing_of 648219
ends 2 "an option with a slip" sc-hsm --pin-soruce=648219 list
says "--pin-soruce; did you mean --pin-source\? "
says_nothing_of 648219
ends 2 "a command with a slip" sc-hsm stauts
says "'stauts'; did you mean 'status'\? "
ends 2 "two words in one" sc-hsm pin-change
says "did you mean 'pin change'\? "
ends 2 "a group with a slip" sc-hsm dkke status
says "did you mean 'dkek'\? "
ends 2 "another command's option" sc-hsm list --use-count 3
says "of list; 'sc-hsm list --help'"
ends 2 "a long word" sc-hsm "$(printf 'status%.0s' {1..99})"
says_nothing_of "did you mean"
ends 2 "an unknown letter" sc-hsm -x list
ends 2 "an option without its value" sc-hsm list --reader
ends 2 "a flag with a value" sc-hsm --json=yes list
ends 2 "an option given twice" sc-hsm --serial A --serial B list
ends 2 "an empty value" sc-hsm --serial= list
ends 2 "one argument too many" sc-hsm status now
ends 2 "a bad PIN source" sc-hsm --pin-source 648219 list
says "option --pin-source: "
says_nothing_of 648219
ends 2 "a bad URI" sc-hsm list sc-hsm:colour=red
says "colour"
ends 2 "no URI" sc-hsm list web
ends 2 "help about an unknown command" sc-hsm help format

ends 1 "an object that is not there" sc-hsm list sc-hsm:id=77
ends 1 "a full disk" bash -c 'sc-hsm list >/dev/full'

ends 3 "another serial number" sc-hsm --serial DENK0000001 status
says "DENK0000001"
ends 3 "another reader" sc-hsm --reader "Other Reader" list
says "Other Reader"
ends 3 "no PC/SC service" env PCSCLITE_CSOCK_NAME="$work/nothing" sc-hsm readers
says "PC/SC"
for command in status list; do
    ends 3 "$command without PC/SC service" env PCSCLITE_CSOCK_NAME="$work/nothing" sc-hsm $command
done

virtual_hsm remove
check "readers without a card" sc-hsm readers
says "^no card"
ends 3 "status without a card" sc-hsm status
ends 3 "list without a card" sc-hsm list
virtual_hsm insert
check "status with the card again" sc-hsm status

# A user's configuration has no say in the tool, not even a broken one.
printf 'openssl_conf = x\n[x]\nproviders = y\n[y]\nsc-hsm = z\n[z]\nmodule = /none\nactivate = 1\n' \
    >broken.cnf
check "a broken openssl.cnf" env OPENSSL_CONF="$work/broken.cnf" sc-hsm status
