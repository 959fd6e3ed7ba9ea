#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# EC keys on every curve that OpenSC knows: made, used for signatures and ECDH, checked by OpenSSL.
. "$(dirname "$0")/common.sh"
opensc_card
head -c 500 /dev/urandom >message

id=10
for curve in secp192r1 secp256r1 secp384r1 secp521r1 secp192k1 secp256k1 brainpoolP192r1 \
    brainpoolP224r1 brainpoolP256r1 brainpoolP320r1 brainpoolP384r1 brainpoolP512r1; do
    id=$((id + 1))
    check "$curve" p11_user --keypairgen --key-type "EC:$curve" --id $id --label "ec $curve"
    check "its public key" pkcs15-tool --read-public-key $id --output pub.pem
    check "is one" plain_openssl pkey -pubin -in pub.pem -noout

    for digest in SHA1 SHA256 SHA384 SHA512; do
        check "ECDSA-$digest" p11_user --sign --id $id --mechanism "ECDSA-$digest" \
            --signature-format openssl --input-file message --output-file signature
        check "OpenSSL verifies it" plain_openssl dgst -"${digest,,}" -verify pub.pem \
            -signature signature message
    done
    plain_openssl dgst -sha1 -binary message >hash
    check "ECDSA over a hash" p11_user --sign --id $id --mechanism ECDSA \
        --signature-format openssl --input-file hash --output-file signature
    check "OpenSSL verifies it" plain_openssl pkeyutl -verify -pubin -inkey pub.pem -in hash \
        -sigfile signature

    plain_openssl genpkey -genparam -algorithm EC -out param.pem \
        -pkeyopt "ec_paramgen_curve:$(case $curve in
            secp192r1) echo prime192v1 ;; secp256r1) echo prime256v1 ;; *) echo "$curve" ;; esac)" \
        -pkeyopt ec_param_enc:named_curve
    plain_openssl genpkey -paramfile param.pem -out peer.pem
    plain_openssl pkey -in peer.pem -pubout -outform DER -out peer.der
    check "ECDH" p11_user --derive --id $id --mechanism ECDH1-DERIVE --input-file peer.der \
        --output-file shared
    plain_openssl pkeyutl -derive -inkey peer.pem -peerkey pub.pem -out expected
    same_bytes "both sides share it" expected shared
done

check "all are listed" p11_user --list-objects --type privkey
equal "12 keys" 12 "$(grep -c 'label: *ec ' "$seen")"
