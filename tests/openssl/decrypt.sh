#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
virtual_card
make_rsa_key
printf 'a message for the key on the card' >message

# both_ways OPTIONS...: encrypted by the default provider alone, decrypted with the card's key.
both_ways() {
    local key
    check "encrypted $*" plain_openssl pkeyutl -encrypt -pubin -inkey rsa.pub -in message \
        -out secret "$@"
    for key in rsa.pem sc-hsm:id=10; do
        rm -f opened
        check "decrypted with $key $*" openssl pkeyutl -decrypt -inkey "$key" -in secret \
            -out opened "$@"
        same_bytes "it is the message" message opened
    done
}

both_ways
both_ways -pkeyopt rsa_padding_mode:pkcs1
both_ways -pkeyopt rsa_padding_mode:oaep
both_ways -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256
both_ways -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_mgf1_md:sha1
both_ways -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha512 -pkeyopt rsa_oaep_label:cafe
: >message
both_ways -pkeyopt rsa_padding_mode:oaep

{
    head -c 1 /dev/zero
    seq 1 1000 | head -c 255
} >message
both_ways -pkeyopt rsa_padding_mode:none

printf 'short' >message
check "encrypted with one label" plain_openssl pkeyutl -encrypt -pubin -inkey rsa.pub -in message \
    -out secret -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_label:cafe
fails "another label" openssl pkeyutl -decrypt -inkey rsa.pem -in secret \
    -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_label:beef
printf 'x%.0s' $(seq 1 300) >secret
fails "a text longer than the key" openssl pkeyutl -decrypt -inkey rsa.pem -in secret
