#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sc-hsm shows readers, status and objects
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

need python3 pkcs11-tool openssl
virtual_cards 2
serial=$(sed -n 1p "$SC_HSM_VIRTUAL/serials")
other=$(sed -n 2p "$SC_HSM_VIRTUAL/serials")

# json EXPRESSION COMMAND...: the value of a Python expression over the document `d`.
json() {
    local expression=$1
    shift
    "$@" >out.json || fail "status $? from: $*"
    python3 -c 'import json, sys
d = json.load(open("out.json"))
print(eval(sys.argv[1]))' "$expression"
}

on_pkcs11() {
    env -u OPENSSL_CONF pkcs11-tool --module opensc-pkcs11.so --slot-index 0 "$@"
}

check "readers as a table" sc-hsm readers
says "^SmartCard-HSM +$serial +Virtual SmartCard-HSM .*00 00$" "^no card +- " \
    "^SmartCard-HSM +$other "
equal "readers as JSON" "['hsm', 'none', 'hsm', 'none']" \
    "$(json '[r["card"] for r in d["readers"]]' sc-hsm --json readers)"
equal "readers name the serial numbers" "['$serial', None, '$other', None]" \
    "$(json '[r["serial"] for r in d["readers"]]' sc-hsm readers --json)"

check "a part of a reader's name" sc-hsm --reader "Virtual SmartCard-HSM" --serial "$serial" status
for number in 0 4 00; do
    fails "OpenSC's number $number" sc-hsm --reader $number status
    says "no reader is called $number, and readers have no numbers here" "sc-hsm readers"
done

check "an empty card is listed" sc-hsm list
says "nothing to list"
equal "an empty card is listed as JSON" "[]" "$(json 'd["objects"]' sc-hsm --json list)"

raw_apdus >apdus.out # selects the applet, so that nobody is logged in
check "status as a table" sc-hsm --serial "$serial" status
says "^Serial number: +$serial$" "^Initialised: +yes$" "^PIN: +not verified, 3 tries left$" \
    "^SO-PIN: +15 tries left$" "^DKEK: +none$" "^Version: +[0-9]+\.[0-9]+$"
says_nothing_of "$other"
equal "status of one device as JSON" "[('$serial', True, 'unverified', 3, 15, False)]" \
    "$(json '[(s["serial"], s["initialised"], s["pin"]["state"], s["pin"]["tries_left"],
               s["so_pin"]["tries_left"], s["dkek"]["exists"]) for s in d["devices"]]' \
        sc-hsm --json --reader "$serial" status)"
equal "status of all devices as JSON" "['$serial', '$other']" \
    "$(json '[s["serial"] for s in d["devices"]]' sc-hsm --json status)"

check "a key is made" openssl genpkey -algorithm SC-HSM-RSA -pkeyopt bits:2048 -pkeyopt id:10 \
    -pkeyopt label:web -pkeyopt "serial:$serial" -out web.pem
check "another key is made" openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-384 \
    -pkeyopt id:20 -pkeyopt label:ec -pkeyopt "serial:$serial" -out ec.pem
check "a certificate is made" openssl req -new -x509 -key web.pem -subj /CN=x -outform DER -out c.der
check "the certificate is stored" on_pkcs11 --login --pin "$pin" --write-object c.der \
    --type cert --id 10 --label web
printf 'twelve bytes' >data
check "a data object is stored" on_pkcs11 --login --pin "$pin" --write-object data --type data \
    --label note
check "a private data object is stored" on_pkcs11 --login --pin "$pin" --write-object data \
    --type data --private --label secret

check "the list as a table" sc-hsm list
says "^private key +1 +10 +web +RSA 2048 +sc-hsm:serial=$serial;key-ref=1;id=10;label=web;type=private$" \
    "^private key +2 +20 +ec +EC 384 +sc-hsm:" \
    "^certificate +1 +10 +web +$(stat -c %s c.der) bytes +sc-hsm:.*type=cert$" \
    "^data +- .*note +12 bytes +sc-hsm:.*label=note;type=data$" \
    "^private data +- .*secret +- +sc-hsm:.*label=secret;type=data$"
equal "the list as JSON" "['cert', 'data', 'data', 'private', 'private']" \
    "$(json 'sorted(o["type"] for o in d["objects"])' sc-hsm --json list)"
equal "sizes in the list" "[('EC', 384, None), ('RSA', 2048, None)]" \
    "$(json 'sorted((o["algorithm"], o["bits"], o["bytes"]) for o in d["objects"]
                    if o["type"] == "private")' sc-hsm --json list)"
equal "a URI narrows the list" "['10']" \
    "$(json '[o["id"] for o in d["objects"]]' sc-hsm --json list sc-hsm:type=cert)"
equal "public keys are listed where they are asked for" 2 \
    "$(json 'len(d["objects"])' sc-hsm --json list sc-hsm:type=public)"

uri=$(json '[o["uri"] for o in d["objects"] if o["algorithm"] == "EC"][0]' sc-hsm --json list)
check "openssl takes the URI of the list" openssl pkey -in "$uri" -pubout -out listed.pub
check "the key's own file is read" openssl pkey -in ec.pem -pubout -out file.pub
same_bytes "the URI names the key" listed.pub file.pub

# What looks needs no PIN, even where a wrong one is offered.
echo 999999 >wrong-pin
for command in readers status list; do
    check "$command takes no PIN" sc-hsm --pin-source file:wrong-pin $command
    check "$command asks for no PIN" sc-hsm --pin-source prompt $command
done
raw_apdus >apdus.out
equal "no try was spent" 3 "$(pin_tries)"

check "nobody is logged out" openssl dgst -sha256 -sign web.pem -out sig data
lines=$(wc -l <"$SC_HSM_VIRTUAL/card-1.log")
check "status between two signatures" sc-hsm --serial "$serial" status
says "^PIN: +verified$"
check "list between two signatures" sc-hsm --serial "$serial" list
equal "the applet is not selected anew" 0 \
    "$(tail -n +$((lines + 1)) "$SC_HSM_VIRTUAL/card-1.log" | grep -c '^> 00A40400' || true)"
check "the next signature" openssl dgst -sha256 -sign web.pem -out sig data
