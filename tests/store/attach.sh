#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
attach=$SC_HSM_BUILD/tests/store/store_attach
virtual_card
make_ec_key
self_signed ec
check "the reference in DER" openssl pkey -in ec.pem -outform DER -out ec.der
plain_openssl genpkey -algorithm EC -pkeyopt group:P-256 -out soft.pem
plain_openssl pkey -in soft.pem -outform DER -out soft.der

check "a reference in PEM" "$attach" ec.pem none
says 'file: attached 1, key 1, asked 0, signs 1, left 0' 'memory: .*key 1, .*signs 1, left 0' 'ended 1'
says_nothing_of error
check "in DER" "$attach" ec.der none
says 'file: .*key 1, .*signs 1, left 0' 'memory: .*key 1, .*signs 1, left 0'
cat ec.pem ec.crt >bundle.pem
check "with a certificate behind it" "$attach" bundle.pem none
says "file: .*signs 1, left $(stat -c %s ec.crt)" "memory: .*signs 1, left $(stat -c %s ec.crt)"
cat ec.der ec.crt >bundle.der
check "behind DER, too" "$attach" bundle.der none
says "file: .*signs 1, left $(stat -c %s ec.crt)" "memory: .*signs 1, left $(stat -c %s ec.crt)"

# Nothing else is taken for a key, and in PEM nothing is taken away from who reads it after us.
for other in soft.pem ec.crt; do
    fails "$other is none" "$attach" $other none
    says "file: attached 0, key 0, asked 0, signs 0, left $(stat -c %s $other)"
    says 'is no SC-HSM key reference'
done
for other in soft.der /dev/null; do
    fails "$other is none" "$attach" $other none
    says 'file: attached 0' 'is no SC-HSM key reference'
done
sed '/^-----BEGIN/{n;n;s/^..../AAAA/}' ec.pem >damaged.pem
fails "a damaged one" "$attach" damaged.pem none
says 'file: attached 0' 'reference is damaged|is no SC-HSM key reference'

configure pin-source=
raw_apdus >/dev/null 2>&1
check "the program gives the PIN" "$attach" ec.pem "$pin"
says 'file: .*asked 1, signs 1' 'memory: .*asked 0, signs 1'
raw_apdus >/dev/null 2>&1
fails "a wrong one" "$attach" ec.pem 111111
says 'file: attached 1, key 0, asked 1' '2 tries are left'
