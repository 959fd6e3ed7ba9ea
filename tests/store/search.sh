#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
virtual_card
# shellcheck source-path=SCRIPTDIR source=objects.sh
. "$SC_HSM_SOURCE/tests/store/objects.sh"
objects_on_card

# finds WHAT NUMBER OPTION...: storeutl finds so many objects.
finds() {
    check "$1" openssl storeutl -noout "${@:3}"
    found "$2"
}

fingerprint() {
    openssl dgst -sha256 -r | cut -d' ' -f1
}

finds "a subject" 1 -subject /CN=root sc-hsm:
says '0: Certificate'
check "it is that certificate" openssl storeutl -out got.crt -subject /CN=root sc-hsm:
equal "it is that certificate" "$(openssl x509 -in root.crt -noout -fingerprint)" \
    "$(openssl x509 -in got.crt -noout -fingerprint)"
finds "a subject of nobody" 0 -subject /CN=nobody sc-hsm:
finds "issuer and serial number" 1 -issuer /CN=root -serial 0x1234 sc-hsm:
finds "another serial number" 0 -issuer /CN=root -serial 0x1235 sc-hsm:
finds "another issuer" 0 -issuer /CN=other -serial 0x1234 sc-hsm:
finds "an alias: key, public key and certificate" 3 -alias web-ec sc-hsm:
finds "an alias among certificates" 1 -certs -alias web-ec sc-hsm:
finds "an alias among keys" 1 -keys -alias web-ec sc-hsm:
says '0: Pkey'
finds "an alias of data" 2 -alias note sc-hsm:
finds "an alias of nobody" 0 -alias nobody sc-hsm:
finds "an alias beside an id" 0 -alias web-rsa sc-hsm:id=20
spki=$(openssl pkey -in ec.pem -pubout -outform DER | fingerprint)
finds "a key's fingerprint: key, public key and certificate" 3 -sha256 -fingerprint "$spki" sc-hsm:
finds "among private keys" 1 -keys -sha256 -fingerprint "$spki" sc-hsm:
finds "a certificate's fingerprint" 1 -sha256 -fingerprint "$(fingerprint <root.der)" sc-hsm:
finds "with another digest" 1 -sha384 -fingerprint \
    "$(openssl dgst -sha384 -r root.der | cut -d' ' -f1)" sc-hsm:
finds "a fingerprint of nobody" 0 -sha256 -fingerprint "${spki//[0-9]/0}" sc-hsm:
