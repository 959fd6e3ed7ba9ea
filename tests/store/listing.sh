#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
virtual_card
# shellcheck source-path=SCRIPTDIR source=objects.sh
. "$SC_HSM_SOURCE/tests/store/objects.sh"
objects_on_card
configure pin-source=
checks=$(pin_checks)

# Two keys with description and CE, two CA certificates and two data objects: one command to
# enumerate, one for each description, one for each certificate or public key.
count "the list" '<=12' openssl storeutl -noout sc-hsm:
says 'Total found: 9' 'type=private' 'type=public' 'type=cert' 'type=data' 'data object'
cp "$seen" listed
uris=$(sed -n 's/^[0-9]*: Name: //p' listed)
equal "every object has a URI of its own" 9 "$(sort -u <<<"$uris" | wc -l)"
while read -r uri; do
    check "$uri" openssl storeutl -noout "$uri"
    says 'Total found: 1'
    case $uri in
    *type=private) says '0: Pkey' ;;
    *type=public) says '0: Public key' ;;
    *type=cert) says '0: Certificate' ;;
    *type=data) says "0: Name: $uri" ;;
    *) fail "what is $uri?" ;;
    esac
done <<<"$uris"
equal "the twins are told apart by their handles" 2 "$(grep -c 'label=note;handle=[0-9a-f]*;type=data' listed)"
equal "handles are printed only there" 2 "$(grep -c handle= listed)"
fails "a handle of nothing" openssl storeutl -noout 'sc-hsm:handle=dead'
says 'no object with handle dead'
for handle in '' 0 xyz 123456789; do
    fails "no handle: '$handle'" openssl storeutl -noout "sc-hsm:handle=$handle"
    says 'handle'
done

# --- a type that is expected ---
check "one key of several is never picked: their names" openssl storeutl -noout -keys sc-hsm:
equal "both keys" 2 "$(grep -c '^[0-9]: Name: sc-hsm:.*type=private' "$seen")"
fails "a program that needs one fails" openssl req -new -key sc-hsm: -passin "pass:$pin" -subj /CN=x
says '2 private keys match' 'label=web-rsa' 'label=web-ec'
fails "also with type=private" openssl req -new -key sc-hsm:type=private -passin "pass:$pin" -subj /CN=x
says '2 private keys match'
fails "one certificate of several" openssl x509 -in sc-hsm: -noout
says '3 certificates match' 'label=root' 'label=web-ec'
fails "one public key of several" openssl pkey -pubin -in sc-hsm: -noout
# Some versions look for a private key first.
says '2 (public|private) keys match'
check "type=cert asks for all certificates" openssl storeutl -noout -certs sc-hsm:type=cert
equal "three" 3 "$(grep -c ': Certificate' "$seen")"
check "the certificate beside a key" openssl x509 -in sc-hsm:id=20 -out got.crt
same_bytes "is the one" ec.crt got.crt
check "a CA certificate" openssl x509 -in sc-hsm:label=root -out got.crt
same_bytes "is the one" root.crt got.crt
check "a public key" openssl pkey -pubin -in sc-hsm:id=20 -pubout -out got.pub
same_bytes "is the one" ec.pub got.pub
fails "a key without certificate" openssl x509 -in sc-hsm:id=10 -noout
says 'no certificate with id 10'
fails "there are no CRLs" openssl crl -in sc-hsm: -noout
check "and nobody minds" openssl storeutl -noout -crls sc-hsm:
found 0
equal "no PIN was asked for" "$checks" "$(pin_checks)"
