#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
need expect
virtual_card
make_ec_key
make_rsa_key
self_signed ec
self_signed rsa
seq 1 100 >data
configure pin-source=
serial=$(sed -n 1p "$SC_HSM_VIRTUAL/serials")

# logged_out: by SELECT, as any other program would do.
logged_out() {
    raw_apdus >/dev/null 2>&1
}

sign=(openssl dgst -sha256 -out signature -sign)

logged_out
count "status, status again, VERIFY, SIGN" '=4' prompted "$pin" "${sign[@]}" ec.pem data
says "SmartCard-HSM $serial, key 'web-ec', 3 tries left:" '^asked 1 times'
check "verified" plain_openssl dgst -sha256 -verify ec.pub -signature signature data
logged_out
check "the same by URI" prompted "$pin" "${sign[@]}" sc-hsm:id=10 data
says "SmartCard-HSM $serial, key 'web-rsa', 3 tries left:"
logged_out
fails "a wrong PIN" prompted 111111 "${sign[@]}" ec.pem data
says '2 tries are left'
check "two tries are told; two keys of one device are one prompt" prompted "$pin" openssl cms -sign \
    -in data -signer ec.crt -inkey ec.pem -signer rsa.crt -inkey rsa.pem -out data.p7
says "2 tries left:" '^asked 1 times'
logged_out
checks=$(pin_checks)
count "the public key alone is one status, without a terminal" '=1' \
    setsid -w openssl pkey -in ec.pem -noout </dev/null
equal "no PIN was sent" "$checks" "$(pin_checks)"

# A label cannot draw a prompt of its own.
check "a label that would" openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 -pkeyopt id:30 \
    -pkeyopt "label:one"$'\e[2J\rYour password' -pkeyopt "pin-source:file:$pin_file" -out steering.pem
logged_out
check "is asked about" prompted "$pin" "${sign[@]}" sc-hsm:id=30 data
says "key 'one\?\[2J\?Your password', 3 tries left:"
says_nothing_of $'\e'

# Nobody is asked in vain.
logged_out
fails "wrong" "${sign[@]}" ec.pem -passin pass:111111 data
fails "wrong again" "${sign[@]}" ec.pem -passin pass:222222 data
checks=$(pin_checks)
fails "with one try left" prompted "$pin" "${sign[@]}" ec.pem data
says 'only 1 PIN try is left .*, so the application was not asked for the PIN: ' '^asked 0 times'
configure min-pin-tries=1
check "unless that is permitted" prompted "$pin" "${sign[@]}" ec.pem data
says ', 1 try left:'
logged_out
for wrong in 111111 222222 333333; do
    fails "wrong" "${sign[@]}" ec.pem -passin "pass:$wrong" data
done
fails "blocked" prompted "$pin" "${sign[@]}" ec.pem data
says 'blocked' '^asked 0 times'
virtual_hsm remove
check "without the card the public part is there" prompted "$pin" openssl pkey -in ec.pem -pubout
says '^asked 0 times' 'BEGIN PUBLIC KEY'
fails "and a signature says what is missing" prompted "$pin" "${sign[@]}" ec.pem data
says "$serial" '^asked 0 times'
configure login=use
check "login = use asks, and leaves the device alone" prompted "$pin" openssl pkey -in ec.pem -noout
says "SmartCard-HSM $serial, key 'web-ec':" '^asked 1 times'
