#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Certificates and data objects through OpenSC: written, listed, read, deleted; the file system
# through opensc-explorer.
. "$(dirname "$0")/common.sh"
opensc_card

check "a key" p11_user --keypairgen --key-type rsa:2048 --id 10 --label web
check "its public key" pkcs15-tool --read-public-key 10 --output pub.pem
plain_openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -subj /CN=root -out ca.pem \
    2>/dev/null
plain_openssl x509 -new -force_pubkey pub.pem -CA ca.pem -CAkey ca.key -subj /CN=web \
    -set_serial 7 -days 9 -out web.pem 2>"$seen" ||
    plain_openssl req -new -key ca.key -subj /CN=web |
    plain_openssl x509 -req -force_pubkey pub.pem -CA ca.pem -CAkey ca.key -set_serial 7 -days 9 \
        -out web.pem 2>"$seen"
plain_openssl x509 -in web.pem -outform DER -out web.der
plain_openssl x509 -in ca.pem -outform DER -out ca.der

check "the key's certificate is written" p11_user --write-object web.der --type cert --id 10 \
    --label web
check "and another one" p11_user --write-object ca.der --type cert --id 20 --label root
check "both are listed" p11 --list-objects --type cert
says 'subject:.*CN=web' 'subject:.*CN=root'
check "the first is read back" p11 --read-object --type cert --id 10 --output-file back
same_bytes "unchanged" web.der back
check "by pkcs15-tool too" pkcs15-tool --read-certificate 20 --output back.pem
plain_openssl x509 -in back.pem -outform DER -out back
same_bytes "unchanged" ca.der back
check "the dump shows everything" pkcs15-tool --dump
says 'Private RSA Key \[web\]' 'X.509 Certificate \[root\]' 'X.509 Certificate \[web\]'
check "a signature by the key fits the certificate" p11_user --sign --id 10 \
    --mechanism SHA256-RSA-PKCS --input-file ca.der --output-file signature
plain_openssl x509 -in web.pem -noout -pubkey >pub2.pem
check "OpenSSL verifies it" plain_openssl dgst -sha256 -verify pub2.pem -signature signature ca.der
check "a certificate is deleted" p11_user --delete-object --type cert --id 20
check "and gone" p11 --list-objects --type cert
says_nothing_of 'CN=root'

head -c 700 /dev/urandom >public
head -c 900 /dev/urandom >private
check "public data" p11_user --write-object public --type data --label pub
check "private data" p11_user --write-object private --type data --label priv --private
check "public data is read without PIN" p11 --read-object --type data --label pub --output-file back
same_bytes "unchanged" public back
check "private data with it" p11_user --read-object --type data --label priv --output-file back
same_bytes "unchanged" private back
check "without it" p11 --list-objects --type data
says "label: *'?pub"
says_nothing_of "label: *'?priv"
check "public data is deleted" p11_user --delete-object --type data --label pub
check "and gone" p11_user --list-objects --type data
says_nothing_of "label: *'?pub"
says "label: *'?priv"

check "random" p11 --generate-random 2000 --output-file random
equal "2000 bytes" 2000 "$(stat -c %s random)"
gzip -9 <random >random.gz
check "that do not compress" test "$(stat -c %s random.gz)" -gt 1950

check "opensc-explorer lists" explore ls
says '2F02' 'CC01' 'C401' 'CE01' 'CC00'
check "shows a file" explore 'cat C401'
says '^00000000: 30 '
check "gets one" explore 'get CE01 file'
same_bytes "all of it" web.der file
check "and the device certificates" explore 'get 2F02 chain'
equal "whose length is" 1 "$(($(stat -c %s chain) >= 450))"
check "info" explore 'info 2F02'
says 'File size: *4[0-9][0-9]'
