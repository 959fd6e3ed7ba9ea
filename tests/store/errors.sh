#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
queue=$SC_HSM_BUILD/tests/store/store_queue
virtual_card
make_rsa_key
make_ec_key
# Without -traditional, 3.6 asks for PKCS#8 here, which there cannot be.
openssl pkey -in ec.pem -traditional -outform DER -out ec.der
seq 1 100 >data
tries=$(pin_tries)

# Without the default provider a URI works; for files OpenSSL itself says what to add.
cp "$OPENSSL_CONF" whole.cnf
sed -i '/^default *=/d' "$OPENSSL_CONF"
# dgst of OpenSSL 4.0 wants the digest itself from a provider; so somebody else hashes.
plain_openssl dgst -sha256 -binary -out data.hash data
check "no default provider: a key by its URI" openssl pkeyutl -sign -inkey sc-hsm:id=20 \
    -in data.hash -out signature
check "verified" plain_openssl dgst -sha256 -verify ec.pub -signature signature data
fails "no default provider: a key reference file" openssl pkeyutl -sign -inkey ec.pem \
    -in data.hash -out signature
says 'default or base providers'
cp whole.cnf "$OPENSSL_CONF"

# A PIN of two digits is refused unsent, and so spends nothing.
configure pin-source=
for key in rsa.pem ec.pem sc-hsm:id=10 sc-hsm:id=20; do
    check "the queue around $key" "$queue" "$key" 11 "$pin"
    says 'last: sc-hsm: the PIN given' 'marks left: 0'
    says_nothing_of 'marks left: [1-9]'
done
for key in rsa.pem ec.pem ec.der sc-hsm:id=10; do
    fails "openssl says why $key does not load" openssl pkey -in "$key" -passin pass:11 -noout
    says 'sc-hsm:.*the PIN given for device .* was not tried'
done
equal "no try was spent" "$tries" "$(pin_tries)"

# Reference files that are damaged, or written by somebody who knows more: as PEM and in DER.
# as_pem DER PEM
as_pem() {
    {
        echo "-----BEGIN SC-HSM PRIVATE KEY-----"
        base64 -w 64 "$1"
        echo "-----END SC-HSM PRIVATE KEY-----"
    } >"$2"
}
head -c 60 ec.der >short.der
as_pem short.der short.pem
sed 's/sc-hsm key v1/sc-hsm key v2/' ec.der >newer.der
as_pem newer.der newer.pem
sed 's/sc-hsm key v1/sc-hsm key 99/' ec.der >other.der
as_pem other.der other.pem
echo "no reference at all" >text.der
as_pem text.der text.pem
sed '/^-----END/d' ec.pem >no-end.pem
sed '0,/^M/s/^M/!/' ec.pem >no-base64.pem
damaged='sc-hsm:.*malformed key reference file:.*key reference is damaged or of a newer version'
for file in short.pem newer.pem newer.der other.pem text.pem no-end.pem no-base64.pem; do
    fails "openssl says why $file does not load" openssl pkey -in "$file" -noout
    says "$damaged"
done
for file in short.pem newer.pem other.pem text.pem no-end.pem no-base64.pem; do
    fails "the queue around $file" "$queue" "$file" 11 "$pin"
    says 'last: sc-hsm: the SC-HSM key reference is damaged' 'marks left: 0'
    says_nothing_of 'marks left: [1-9]'
done

# A setting that is wrong is told by whatever needs it first.
configure min-pin-tries=many
for key in rsa.pem ec.pem ec.der sc-hsm:id=10; do
    fails "a bad setting met through $key" openssl pkey -in "$key" -noout
    says "sc-hsm:.*bad configuration value:.*'min-pin-tries'.*'many' is not a number"
done
fails "the queue around a bad setting" "$queue" ec.pem 11 "$pin"
says "last: sc-hsm: setting 'min-pin-tries'" 'marks left: 0'
says_nothing_of 'marks left: [1-9]'
