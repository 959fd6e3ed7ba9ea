#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
virtual_card
make_rsa_key
make_ec_key
printf 'Dear card,\r\n\r\nplease sign this.\r\n' >mail

# signed NAME KEY OPTIONS...
signed() {
    local name=$1 key=$2
    shift 2
    check "cms -sign $* with $key" openssl cms -sign -binary -nodetach -in mail -signer "$name.crt" \
        -inkey "$key" -out signed.p7 "$@"
    check "verified by the default provider" plain_openssl cms -verify -CAfile "$name.crt" \
        -purpose any -in signed.p7 -out opened
    same_bytes "it is the mail" mail opened
    check "verified with our provider loaded" openssl cms -verify -CAfile "$name.crt" \
        -purpose any -in signed.p7 -out opened
}

# opened NAME KEY OPTIONS...: encrypted by the default provider alone.
opened() {
    local name=$1 key=$2
    shift 2
    check "cms -encrypt $* to $name.crt" plain_openssl cms -encrypt -binary -aes256 -in mail \
        -out encrypted.p7 -recip "$name.crt" "$@"
    check "cms -decrypt with $key" openssl cms -decrypt -binary -in encrypted.p7 \
        -recip "$name.crt" -inkey "$key" -out opened
    same_bytes "it is the mail" mail opened
    check "cms -decrypt with $key, no certificate named" openssl cms -decrypt -binary \
        -in encrypted.p7 -inkey "$key" -out opened
    same_bytes "it is the mail" mail opened
}

self_signed rsa
self_signed ec
for key in rsa.pem sc-hsm:id=10; do
    signed rsa "$key"
    signed rsa "$key" -md sha512 -keyopt rsa_padding_mode:pss
    opened rsa "$key"
    opened rsa "$key" -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256
done
for key in ec.pem sc-hsm:id=20; do
    signed ec "$key"
    signed ec "$key" -md sha384
    opened ec "$key"
    opened ec "$key" -keyopt ecdh_kdf_md:sha384
done

check "encryption with our provider loaded" openssl cms -encrypt -binary -aes256 -in mail \
    -out encrypted.p7 -recip rsa.crt -recip ec.crt
for name in rsa ec; do
    check "decrypted with $name.pem" openssl cms -decrypt -binary -in encrypted.p7 \
        -recip "$name.crt" -inkey "$name.pem" -out opened
    same_bytes "it is the mail" mail opened
done
check "smime -sign" openssl smime -sign -in mail -signer rsa.crt -inkey rsa.pem -out signed.eml
check "verified by the default provider" plain_openssl smime -verify -in signed.eml -CAfile rsa.crt \
    -purpose any -out opened
