#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Killed, the card pulled out or full, an import leaves no half-written key that counts as whole,
# and the same made again completes. One import after the other, each interrupted later than
# the one before; most by a program that does what sc-hsm import does, but has the DKEK without the
# password of a share, which takes seconds each time.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=interruption.sh
. "$(dirname "$0")/interruption.sh"
dkek_card
plain_openssl genrsa -out web.key 4096 2>/dev/null # wrapped, it needs the device's file 2F10
plain_openssl pkey -in web.key -pubout -out web.pub
plain_openssl genpkey -algorithm EC -pkeyopt group:P-256 -out authority.key
long_certificate web web.key
long_certificate authority authority.key
cat web.crt authority.crt >chain.pem
# a share of 32 bytes 44
base64 -d <<<U2FsdGVkX19zYWx0c2FsdIJroh6Xor7lWe3kOUKYaVf6dtdFSNtPX/6HGNC4RFhbtAIUSn9Z+4HusCRP7eLkfA== \
    >share.pbe
printf correct-horse >password
import=(sc-hsm --pin-source file:pin import web.key --cert chain.pem --share share.pbe
    --password-source file:password)
cp web.key web # whose name is the label
by_program=("$SC_HSM_BUILD/tests/keymgmt/import_keys" --certs chain.pem web)

# keys: how many private keys the card shows.
keys() {
    json 'len([o for o in d["objects"] if o["type"] == "private"])' sc-hsm --json list
}

# killed_during COMMAND SKIP: the import is killed while the card executes this one, given by its first
# four bytes; so many with the same instruction went before.
killed_during() {
    killed_at "$2" "ins=${1:2:2}" -- "${by_program[@]}" || fail "the import ended before $1"
    equal "killed at command $1" "$1" \
        "$(sed -n 's/^! delay befalls //p' "$SC_HSM_VIRTUAL/card-1.log" | tail -n 1)"
}

killed_during 00D7CA00 0
equal "no key counts as whole" 0 "$(keys)"
check_whole "the first part of the chain"
killed_during 00D7C401 3
equal "no key counts as whole" 0 "$(keys)"
check_whole "the chain, and a description"
pulled "the card pulled out" "ins=D7 skip=4" "${import[@]}"
equal "no key counts as whole" 0 "$(keys)"
check_whole "the card pulled out"
control status 6A84 ins=74
fails "the card full" "${by_program[@]}"
says 'room|memory|full'
equal "no key counts as whole" 0 "$(keys)"
equal "nothing of it is left" "" "$(sc-hsm ls | grep -E '^ *(C401|CE01|CC01|2F10)' || true)"
check_whole "the card full"

check "the next run completes" "${import[@]}"
says "Imported key 'web'"
equal "a key" 1 "$(keys)"
check_whole "imported"
check "it is deleted" sc-hsm --pin-source file:pin delete --yes 'label=web;type=private'
killed_during 80740193 0
equal "only the answer was missing" 1 "$(keys)"
check_whole "killed at the end"
fails "what is there is not imported twice" "${by_program[@]}"
says "has this key already, as key reference 1, 'web'"
equal "one key" 1 "$(keys)"
