#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
need_virtual_hsm
virtual_card
make_rsa_key
seq 1 100 >data

# refused WHAT REGEX KEY...: signing, generating and listing fail with that sentence.
refused() {
    local what=$1 regex=$2 key
    for key in "${@:3}"; do
        rm -f signature
        fails "$what: signing with $key" openssl dgst -sha256 -sign "$key" -out signature data
        says "$regex"
    done
    fails "$what: generating" openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 -out k.pem
    says "$regex"
    fails "$what: listing" openssl storeutl -noout sc-hsm:
    says "$regex"
}

virtual_hsm remove
refused "no card" 'no (SmartCard-HSM|card|device)|(card|device|SmartCard-HSM).* (was|is not|not)' \
    rsa.pem sc-hsm:id=10
virtual_hsm insert
check "it is back" openssl dgst -sha256 -sign rsa.pem -out signature data

# A reference file names its device, and that goes before the configuration.
configure "reader=No Such Reader"
refused "a reader that is not there" 'No Such Reader' sc-hsm:id=10
configure reader= serial=NOSUCH001
refused "a serial number that is not there" 'NOSUCH001' sc-hsm:id=10
configure serial=

# A card as it left the factory: a state file of its own.
virtual_hsm remove
mv "$SC_HSM_VIRTUAL/card-1.state" initialised.state
virtual_hsm insert
fails "a card not initialised: generating" openssl genpkey -algorithm SC-HSM-EC \
    -pkeyopt group:P-256 -out k.pem
says 'not (been |yet )?initiali[sz]ed|initiali[sz]e'
fails "a card not initialised: signing" openssl dgst -sha256 -sign rsa.pem -out signature data
virtual_hsm remove
mv initialised.state "$SC_HSM_VIRTUAL/card-1.state"
virtual_hsm insert
check "the other one is back" openssl dgst -sha256 -sign rsa.pem -out signature data

# A pcscd that was given no reader.
saved=$PCSCLITE_CSOCK_NAME
none=$(virtual_hsm start --cards 0 | sed -n "s/^export SC_HSM_VIRTUAL='\(.*\)'/\1/p")
at_end() {
    SC_HSM_VIRTUAL=$none virtual_hsm stop >/dev/null
}
export PCSCLITE_CSOCK_NAME=$none/pcscd.comm
refused "no reader" 'no .*reader|reader.* (found|connected)' rsa.pem sc-hsm:id=10

# pcscd down: nothing listens.
export PCSCLITE_CSOCK_NAME=$work/no-such-socket
refused "pcscd down" 'pcscd|PC/SC' rsa.pem sc-hsm:id=10

export PCSCLITE_CSOCK_NAME=$saved
check "all is well again" openssl dgst -sha256 -sign rsa.pem -out signature data
