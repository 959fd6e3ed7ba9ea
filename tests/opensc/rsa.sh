#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# RSA keys of every size through OpenSC: made, used, checked by OpenSSL, deleted.
. "$(dirname "$0")/common.sh"
opensc_card
head -c 500 /dev/urandom >message
printf 'a short secret' >secret

# sign_and_verify ID MECHANISM FILE PKCS11-OPTIONS -- OPENSSL-OPTIONS
sign_and_verify() {
    local id=$1 mechanism=$2 file=$3 options=()
    shift 3
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    check "$mechanism ${options[*]}" p11_user --sign --id "$id" --mechanism "$mechanism" \
        "${options[@]}" --input-file "$file" --output-file signature
    check "OpenSSL verifies it" plain_openssl "$@" -signature signature "$file"
}

id=10
for bits in 1024 1536 2048 3072 4096; do
    id=$((id + 1))
    check "RSA $bits" p11_user --keypairgen --key-type rsa:$bits --id $id --label "rsa $bits"
    says "RSA +$bits bits"
    check "its public key" p11 --read-object --type pubkey --id $id --output-file pub.der
    check "is one" plain_openssl pkey -pubin -inform DER -in pub.der -out pub.pem
    plain_openssl pkey -pubin -in pub.pem -noout -text >"$seen"
    says "Public-Key: \($bits bit\)" 'Exponent: 65537'

    for digest in SHA1 SHA256 SHA384 SHA512; do
        sign_and_verify $id "$digest-RSA-PKCS" message -- \
            dgst -"${digest,,}" -verify pub.pem
    done
    plain_openssl dgst -sha256 -binary message >hash
    # RSA-PKCS signs a DigestInfo that the host made
    { printf '\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20'
        cat hash; } >info
    check "RSA-PKCS" p11_user --sign --id $id --mechanism RSA-PKCS --input-file info \
        --output-file signature
    check "OpenSSL verifies it" plain_openssl dgst -sha256 -verify pub.pem -signature signature message
    check "RSA-PKCS-PSS" p11_user --sign --id $id --mechanism RSA-PKCS-PSS --hash-algorithm SHA256 \
        --input-file hash --output-file signature
    check "OpenSSL verifies it" plain_openssl pkeyutl -verify -pubin -inkey pub.pem -in hash \
        -sigfile signature -pkeyopt digest:sha256 -pkeyopt rsa_padding_mode:pss \
        -pkeyopt rsa_pss_saltlen:32
    plain_openssl pkeyutl -encrypt -pubin -inkey pub.pem -in secret -out c
    check "RSA-PKCS decryption" p11_user --decrypt --id $id --mechanism RSA-PKCS --input-file c \
        --output-file plain
    same_bytes "gives the message" secret plain
    plain_openssl pkeyutl -encrypt -pubin -inkey pub.pem -in secret -out c \
        -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256
    check "OAEP decryption" p11_user --decrypt --id $id --mechanism RSA-PKCS-OAEP \
        --hash-algorithm SHA256 --mgf MGF1-SHA256 --input-file c --output-file plain
    same_bytes "gives the message" secret plain
done

check "all are listed" p11_user --list-objects --type privkey
for bits in 1024 1536 2048 3072 4096; do
    says "label: *rsa $bits"
done
check "a key is deleted" p11_user --delete-object --type privkey --id 13
check "and gone" p11_user --list-objects --type privkey
says_nothing_of 'rsa 2048'
says 'rsa 1024' 'rsa 4096'
fails "so it cannot sign" p11_user --sign --id 13 --mechanism SHA256-RSA-PKCS \
    --input-file message --output-file signature
check "the others can, after power-off too" virtual_hsm remove
check "card back" virtual_hsm insert
check "signature" p11_user --sign --id 12 --mechanism SHA256-RSA-PKCS --input-file message \
    --output-file signature
