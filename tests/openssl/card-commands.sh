#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
virtual_card
make_rsa_key
make_ec_key
ref=$(openssl storeutl -noout -text sc-hsm:id=20 | grep -o 'key-ref=[0-9]*' | head -1)
[ -n "$ref" ] || fail "storeutl tells no key-ref"

# x509 KEY
x509() {
    openssl req -new -x509 -key "$1" -subj /CN=x -out c.pem
}

# cold KEYS: what a new process needs with so many keys on the card.
cold() {
    count "req -x509 by reference file, $1 keys on the card" "=$(cold_signature)" x509 ec.pem
    count "the same with the RSA key" "=$(cold_signature)" x509 rsa.pem
    count "req -x509 by key-ref, $1 keys on the card" '<=5' x509 "sc-hsm:$ref"
    # A Pico HSM is asked for certificates and data that nobody described, too.
    count "sc-hsm list, $1 keys on the card" "<=$((2 * $1 + 1 + $(on_pico && echo 4 || echo 0)))" sc-hsm list
}

# genpkey, and keygen NUMBER: another key, for which the id is left to us.
genpkey() {
    openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 -out /dev/null
}
keygen() {
    sc-hsm --pin-source "file:$pin_file" keygen --type "$1"
}

cold 2
configure login=use
count "loading a reference file with login = use" '=0' openssl pkey -in ec.pem -noout
count "its public part" '=0' openssl pkey -in ec.pem -pubout -out ec2.pub
configure login= pin-source=
# One command: the prompt tells how many tries are left.
count "loading a reference file without a PIN" "=$(($(cold_signature) - 2))" openssl pkey -in ec.pem -pubout -out ec2.pub
configure "pin-source=file:$SC_HSM_VIRTUAL/pin"
count "a certificate's check with our provider loaded" '=0' openssl verify -CAfile c.pem c.pem

for number in $(seq 3 40); do
    openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 -pkeyopt "label:key $number" \
        -out /dev/null 2>"$seen" || fail "key number $number"
done
equal "40 keys are on the card" 40 "$(openssl storeutl -noout sc-hsm:type=private | sed -n 's/^Total found: //p')"
cold 40
count "openssl genpkey, 40 keys on the card" '<=10' genpkey
# The secure channel for the PIN is a part of it, and a Pico HSM is asked once more who it is.
bound="<=$(on_pico && echo 11 || echo 10)"
count "sc-hsm keygen of an EC key" "$bound" keygen ec:P-256
count "sc-hsm keygen of an AES key" "$bound" keygen aes:128
count "sc-hsm keygen of an RSA key" "$bound" keygen rsa:2048
openssl storeutl -noout -text sc-hsm:type=private | grep -o ';id=[0-9a-f]*' >ids
equal "no id is two keys'" "" "$(sort ids | uniq -d)"

# Steady state: one command for each signature, whoever asks.
for key in rsa.pem ec.pem; do
    first=$(commands)
    check "one signature" "$programs/sign_many" "$key" 1
    second=$(commands)
    check "101 signatures" "$programs/sign_many" "$key" 101
    third=$(commands)
    equal "100 more signatures with $key are 100 commands" 100 $((third - second - (second - first)))
done
