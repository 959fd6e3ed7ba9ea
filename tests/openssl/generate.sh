#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
virtual_card

# reference NAME: the file stands for a key, holds no PIN and no key.
reference() {
    check "$1 is a key reference file" grep -q 'BEGIN SC-HSM PRIVATE KEY' "$1"
    fails "$1 is no key for OpenSSL without our provider" plain_openssl pkey -in "$1" -noout
    sed '1,/^-----BEGIN/d; /^-/d' "$1" | base64 -d >reference.der
    check "$1 names its URI" grep -aq 'sc-hsm key v1.*sc-hsm:' reference.der
    fails "$1 holds no PIN" grep -aq "$pin" reference.der
}

# public KEY FILE BITS: the public part, as the default provider alone sees it.
public() {
    check "the public part of $1" openssl pkey -in "$1" -pubout -out "$2"
    check "the default provider reads it" plain_openssl pkey -pubin -in "$2" -noout -text
    says "$3"
}

check "RSA-2048 under our own name" openssl genpkey -algorithm SC-HSM-RSA \
    -pkeyopt bits:2048 -pkeyopt id:10 -pkeyopt label:web -out rsa.pem
reference rsa.pem
public rsa.pem rsa.pub '2048 bit'
check "the same by URI" openssl pkey -in sc-hsm:id=10 -pubout -out rsa2.pub
same_bytes "both are one key" rsa.pub rsa2.pub

check "RSA with the standard option's name" openssl genpkey -algorithm SC-HSM-RSA \
    -pkeyopt rsa_keygen_bits:1024 -pkeyopt id:11 -out rsa1024.pem
public rsa1024.pem rsa1024.pub '1024 bit'

check "P-256 under our own name" openssl genpkey -algorithm SC-HSM-EC \
    -pkeyopt group:P-256 -pkeyopt label:ec -out ec.pem
reference ec.pem
public ec.pem ec.pub 'P-256'
check "the same by URI" openssl pkey -in sc-hsm:label=ec -pubout -out ec2.pub
same_bytes "both are one key" ec.pub ec2.pub

check "P-384 with the standard option's name" openssl genpkey -algorithm SC-HSM-EC \
    -pkeyopt ec_paramgen_curve:P-384 -pkeyopt label:ec384 -out ec384.pem
public ec384.pem ec384.pub 'P-384'

check "RSA by property query" openssl genpkey -algorithm RSA -propquery provider=sc-hsm \
    -pkeyopt rsa_keygen_bits:2048 -pkeyopt label:query -out query.pem
reference query.pem
check "EC by property query" openssl genpkey -algorithm EC -propquery provider=sc-hsm \
    -pkeyopt ec_paramgen_curve:P-256 -pkeyopt label:query-ec -out query-ec.pem
reference query-ec.pem

check "req -newkey" openssl req -new -x509 -newkey SC-HSM-RSA:2048 -pkeyopt label:ca \
    -keyout ca.pem -out ca.crt -subj /CN=ca
reference ca.pem
check "its certificate, judged by the default provider" plain_openssl verify -CAfile ca.crt ca.crt

# A key is made on the card only when the user said so.
before=$(files)
check "genpkey -algorithm RSA gives a software key" \
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out soft.pem
check "an ordinary one" plain_openssl pkey -in soft.pem -noout
check "req -newkey rsa gives a software key" \
    openssl req -new -newkey rsa:2048 -nodes -keyout soft2.pem -out soft2.csr -subj /CN=soft
check "an ordinary one" plain_openssl pkey -in soft2.pem -noout
equal "nothing was made on the card" "$before" "$(files)"

fails "an id that is taken" openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 \
    -pkeyopt id:10 -out taken.pem
says 'already'
# SoftHSM has it.
on_token || fails "a curve the card does not have" openssl genpkey -algorithm SC-HSM-EC \
    -pkeyopt group:sect233k1 -out curve.pem
fails "a label for a software algorithm's wrong option" openssl genpkey -algorithm SC-HSM-RSA \
    -pkeyopt nonsense:1 -out nonsense.pem
equal "nothing was made on the card" "$before" "$(files)"

# These are a Pico HSM's alone (edwards.sh).
if ! on_pico; then
    for type in ED25519 ED448 X25519 X448; do
        fails "a key of $type" openssl genpkey -algorithm "SC-HSM-$type" -pkeyopt label:none \
            -out none.pem
        says "$type"
    done
fi
fails "and nothing was made" openssl pkey -in sc-hsm:label=none -noout
