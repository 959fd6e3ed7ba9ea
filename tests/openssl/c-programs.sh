#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The C samples of examples/c do what their first lines promise.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../servers/server.sh
. "$SC_HSM_SOURCE/tests/servers/server.sh"
virtual_card
samples=$SC_HSM_BUILD/examples
seq 1 20000 >data

check "generate_key makes an RSA key" "$samples/generate_key" web-rsa rsa.pem
says 'a key of 2048 bits'
check "generate_key makes an EC key" "$samples/generate_key" web-ec ec.pem P-384
says 'a key of 384 bits'
fails "generate_key on a curve that is none" "$samples/generate_key" none none.pem P-1
says 'P-1.*not a curve'
fails "generate_key without a place for the file" "$samples/generate_key" none there/is/no.pem
check "two keys are on the card" openssl storeutl -noout 'sc-hsm:type=private'
found 2
says 'label=web-rsa' 'label=web-ec'

for name in rsa ec; do
    check "its public key" openssl pkey -in "$name.pem" -pubout -out "$name.pub"
    self_signed "$name"
    for key in "$name.pem" "sc-hsm:label=web-$name"; do
        rm -f signature
        check "sign_file with $key" "$samples/sign_file" "$key" data signature
        check "openssl verifies" plain_openssl dgst -sha256 -verify "$name.pub" \
            -signature signature data
        for public in "$name.pub" "$name.crt"; do
            check "verify_file with $public" env -u OPENSSL_MODULES "$samples/verify_file" \
                "$public" data signature
            says 'signature is good'
        done
        fails "verify_file of another file" "$samples/verify_file" "$name.pub" "$name.crt" signature
        says 'NOT good'
    done

    check "a message for $name" plain_openssl cms -encrypt -binary -aes256 -in data -outform DER \
        -out data.p7 "$name.crt"
    for key in "$name.pem" "sc-hsm:label=web-$name"; do
        "$samples/decrypt_file" "$key" "$name.crt" data.p7 >opened 2>"$seen" ||
            fail "decrypt_file with $key"
        same_bytes "decrypt_file with $key" data opened
    done
done
fails "sign_file with a key that is not there" "$samples/sign_file" sc-hsm:label=none data signature
says 'label none|label.*none'
fails "decrypt_file with another key" "$samples/decrypt_file" rsa.pem ec.crt data.p7

check "list_objects" "$samples/list_objects"
says 'sc-hsm:.*label=web-rsa' 'sc-hsm:.*label=web-ec' 'type=private'
check "list_objects of one key" "$samples/list_objects" "sc-hsm:label=web-ec;type=public"
says 'public key +EC 384 '
fails "list_objects of what is not there" "$samples/list_objects" sc-hsm:label=none

at_end() {
    [ -z "${server:-}" ] || kill "$server"
}
request() {
    printf 'GET / HTTP/1.0\r\n\r\n' | plain_openssl s_client -connect "127.0.0.1:$port" \
        -CAfile "$1" -verify_return_error "-tls${2/./_}" -quiet
}
for name in rsa ec; do
    for version in 1.2 1.3; do
        port=$(free_port 1)
        rm -f server.log # of the one before, which listens no more
        "$samples/tls_server" "$port" "$name.pem" "$name.crt" >server.log 2>&1 &
        server=$!
        wait_for "tls_server" grep -q listening server.log
        check "a request, TLS $version, $name" request "$name.crt" "$version"
        says 'signed with a key on a SmartCard-HSM'
        check "the server ends well" wait "$server"
        server=
    done
done
configure pin-source=env:WRONG
fails "tls_server with a wrong PIN does not start" env WRONG=000000 "$samples/tls_server" "$port" \
    rsa.pem rsa.crt
says "$(tries 2)"
