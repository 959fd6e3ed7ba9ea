# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For the tests of the store: a card with two keys, a certificate beside one, two CA certificates
# and two data objects that nothing in their URIs but the handle tells apart.
need pkcs11-tool
: "${pin:?lib.sh sets it}" "${other_road:?virtual_card sets it}"

# put FILE OPTION...: writes an object past the provider.
put() {
    check "an object is written: ${*:2}" pkcs11-tool --module "$other_road" --login --pin "$pin" \
        --write-object "$@"
}

# authority NAME: a CA of its own with key NAME.key and certificate NAME.crt and NAME.der.
authority() {
    check "a CA $1" plain_openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -subj "/CN=$1" -keyout "$1.key" -out "$1.crt" -config /dev/null \
        -addext basicConstraints=critical,CA:TRUE
    plain_openssl x509 -in "$1.crt" -outform DER -out "$1.der"
}

objects_on_card() {
    make_rsa_key
    make_ec_key
    authority root
    authority other
    check "a request" openssl req -new -key ec.pem -subj /CN=web-ec -out ec.csr
    check "its certificate" plain_openssl x509 -req -in ec.csr -CA root.crt -CAkey root.key \
        -set_serial 0x1234 -days 30 -out ec.crt
    plain_openssl x509 -in ec.crt -outform DER -out ec.der
    put ec.der --type cert --id 20 --label web-ec
    put root.der --type cert --id 77 --label root
    put other.der --type cert --id 78 --label other
    echo one >note.txt
    put note.txt --type data --label note
    put note.txt --type data --label note --application-label another
}
