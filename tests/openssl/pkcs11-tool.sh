#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
need pkcs11-tool
virtual_card
seq 1 3000 >data

p11() {
    pkcs11-tool --module opensc-pkcs11.so "$@"
}

# --- ours, seen by OpenSC ---
make_rsa_key
make_ec_key
check "OpenSC lists our keys" p11 --login --pin "$pin" --list-objects
# Newer ones print ids as numbers: 16 (0x10).
says 'label: *web-rsa' 'label: *web-ec' 'ID: .*(x| )10\b' 'ID: .*(x| )20\b' 'RSA' 'EC'
check "OpenSC signs with our RSA key" p11 --login --pin "$pin" --sign --id 10 \
    --mechanism SHA256-RSA-PKCS --input-file data --output-file signature
check "verified" plain_openssl dgst -sha256 -verify rsa.pub -signature signature data
plain_openssl dgst -sha256 -binary data >data.hash
check "OpenSC signs with our EC key" p11 --login --pin "$pin" --sign --id 20 \
    --mechanism ECDSA --signature-format openssl --input-file data.hash --output-file signature
check "verified" plain_openssl pkeyutl -verify -pubin -inkey ec.pub -in data.hash -sigfile signature
check "OpenSC reads our public key" p11 --read-object --type pubkey --id 10 --output-file theirs.der
check "as DER" plain_openssl pkey -pubin -inform DER -in theirs.der -out theirs.pub
same_bytes "it is the one in our file" rsa.pub theirs.pub

# --- OpenSC's, used by us ---
check "OpenSC makes an RSA key" p11 --login --pin "$pin" --keypairgen --key-type rsa:2048 \
    --id a1 --label theirs-rsa
check "OpenSC makes an EC key" p11 --login --pin "$pin" --keypairgen --key-type EC:prime256v1 \
    --id a2 --label "theirs ec"
check "we list them" openssl storeutl -noout -text sc-hsm:
says 'id=a1' 'id=a2' 'theirs-rsa'
for key in sc-hsm:id=a1 sc-hsm:label=theirs-rsa sc-hsm:id=a2 'sc-hsm:label=theirs%20ec'; do
    check "its public part by $key" openssl pkey -in "$key" -pubout -out key.pub
    check "we sign with $key" openssl dgst -sha256 -sign "$key" -out signature data
    check "verified" plain_openssl dgst -sha256 -verify key.pub -signature signature data
    check "a certificate with $key" openssl req -new -x509 -key "$key" -subj /CN=x -out c.pem
    check "verified" plain_openssl verify -CAfile c.pem c.pem
done
check "a reference file for their key" openssl pkey -in sc-hsm:id=a1 -out theirs.pem
check "is a reference file" grep -q 'BEGIN SC-HSM PRIVATE KEY' theirs.pem
check "and signs" openssl dgst -sha256 -sign theirs.pem -out signature data

# --- deleted by OpenSC ---
check "OpenSC deletes our key" p11 --login --pin "$pin" --delete-object --type privkey --id 10
fails "we no longer sign with it" openssl dgst -sha256 -sign rsa.pem -out signature data
says 'no .*key|not found|not there|does not exist|gone'
