#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
# shellcheck source=server.sh
. "$SC_HSM_SOURCE/tests/servers/server.sh"
virtual_card
make_rsa_key
make_ec_key
self_signed rsa
self_signed ec

# serve NAME KEY [OPTIONS]...: s_server with that key on a free port; sets port and server.
serve() {
    local name=$1 key=$2
    shift 2
    port=$(free_port 1)
    openssl s_server -accept "127.0.0.1:$port" -cert "$name.crt" -key "$key" -www "$@" \
        </dev/null >server.log 2>&1 &
    server=$!
    wait_for "s_server with $key" listening "$port" "$server"
}

stop_server() {
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=
}

at_end() {
    [ -z "${server:-}" ] || kill "$server"
}

# handshakes NAME KEY: TLS 1.2 and 1.3 by OpenSSL's own client and by Python's.
handshakes() {
    serve "$1" "$2"
    for version in 1.2 1.3; do
        check "TLS $version with $2, s_client" tls_client "$version" "$1.crt"
        says "Protocol *: TLSv$version|New, TLSv$version" 'Verify return code: 0'
        check "20 connections, TLS $version with $2" client 20 4 "$version" "$1.crt"
    done
    stop_server
}

# tls_client VERSION CA
tls_client() {
    plain_openssl s_client -connect "127.0.0.1:$port" -CAfile "$2" -verify_return_error \
        "-tls${1/./_}" </dev/null | sed 's/^-tls1_3$//'
}

handshakes rsa rsa.pem
handshakes rsa sc-hsm:id=10
handshakes ec ec.pem
handshakes ec sc-hsm:label=web-ec

# TLS 1.2 with the key decrypting instead of signing.
serve rsa rsa.pem -cipher 'AES128-GCM-SHA256:@SECLEVEL=0'
check "TLS 1.2, RSA key exchange" client 5 2 1.2 rsa.crt 'AES128-GCM-SHA256:@SECLEVEL=0'
says 'AES128-GCM-SHA256'
stop_server

# A client certificate whose key is on the card.
port=$(free_port 1)
check "a server key" plain_openssl req -x509 -newkey rsa:2048 -nodes -config "$OPENSSL_CONF" \
    -keyout server.pem -out server.crt -subj /CN=server
plain_openssl s_server -accept "127.0.0.1:$port" -cert server.crt -key server.pem -www -Verify 1 \
    -verify_return_error -CAfile ec.crt </dev/null >server.log 2>&1 &
server=$!
wait_for "a server that wants a client certificate" listening "$port" "$server"
for version in 1_2 1_3; do
    echo 'GET / HTTP/1.0' >request
    echo >>request
    check "client certificate, TLS $version" bash -c "openssl s_client -connect 127.0.0.1:$port \
        -CAfile server.crt -verify_return_error -tls$version -cert ec.crt -key ec.pem -ign_eof \
        <request"
    says 'HTTP/1.0 200'
done
stop_server
