#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
virtual_card

# requests NAME ID: certificate and request with the key, by reference file and each URI form.
requests() {
    local name=$1 id=$2 key uri serial ref
    uri=$(openssl storeutl -noout -text "sc-hsm:id=$id;type=private" 2>&1)
    serial=$(grep -o 'serial=[^;]*' <<<"$uri" | head -1)
    if on_token; then
        ref='token=the%20token;id='$id
    else
        ref=$(grep -o 'key-ref=[0-9]*' <<<"$uri" | head -1)
    fi
    if [ -z "$serial" ] || [ -z "$ref" ]; then
        fail "storeutl tells no serial and key-ref for id $id"
    fi
    for key in "$name.pem" "sc-hsm:id=$id" "sc-hsm:id=%$id" "sc-hsm:$ref" "sc-hsm:label=web-$name" \
        "sc-hsm:id=$id;type=private" \
        "sc-hsm:id=$id;$serial?pin-source=file:$pin_file" \
        "sc-hsm:$ref?pin-value=$pin"; do
        rm -f c.pem r.pem
        check "req -x509 -key $key" openssl req -new -x509 -key "$key" -subj /CN=x -out c.pem
        check "verified by the default provider" plain_openssl verify -CAfile c.pem c.pem
        check "req -new -key $key" openssl req -new -key "$key" -subj /CN=x -out r.pem
        check "verified by the default provider" plain_openssl req -in r.pem -noout -verify
        plain_openssl x509 -in c.pem -noout -pubkey >c.pub
        same_bytes "the certificate is for that key" "$name.pub" c.pub
    done
}

make_rsa_key
make_ec_key
requests rsa 10
requests ec 20

# A small CA: the root signs a request made elsewhere.
self_signed rsa
check "a request from elsewhere" plain_openssl req -new -newkey rsa:2048 -nodes \
    -config "$OPENSSL_CONF" -keyout leaf.pem -out leaf.csr -subj /CN=leaf
check "x509 -req -CAkey by file" openssl x509 -req -in leaf.csr -CA rsa.crt -CAkey rsa.pem \
    -set_serial 1 -days 3 -out leaf.crt
check "verified by the default provider" plain_openssl verify -CAfile rsa.crt leaf.crt
check "x509 -req -CAkey by URI" openssl x509 -req -in leaf.csr -CA rsa.crt -CAkey sc-hsm:id=10 \
    -set_serial 2 -days 3 -out leaf.crt
check "verified by the default provider" plain_openssl verify -CAfile rsa.crt leaf.crt
check "x509 -signkey by URI" openssl x509 -req -in r.pem -signkey sc-hsm:id=20 -days 3 -out self.crt
check "verified by the default provider" plain_openssl verify -CAfile self.crt self.crt
