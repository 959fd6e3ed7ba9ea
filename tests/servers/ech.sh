#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Encrypted Client Hello: the server's name is read by a key on the card, and TLS signed by another.
. "$(dirname "$0")/../lib.sh"
# shellcheck source=server.sh
. "$SC_HSM_SOURCE/tests/servers/server.sh"
if ! openssl ech -help >/dev/null 2>&1; then
    echo "skipped: this OpenSSL has no ECH, 4.0 and later do"
    exit 77
fi
virtual_card
make_ec_key
self_signed ec

at_end() {
    [ -z "${server:-}" ] || kill "$server"
}

stop_server() {
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=
}

# hello: one handshake with an encrypted name; a new session each time.
hello() {
    plain_openssl s_client -connect "127.0.0.1:$port" -CAfile ec.crt -verify_return_error -tls1_3 \
        -servername inner.example -ech_config_list "$list" </dev/null
}

# hellos NUMBER
hellos() {
    local i
    for ((i = 0; i < $1; i++)); do
        hello || return 1
    done
}

# served GENPKEY-OPTION...: a key for ECH on the card, its file, and what a handshake costs.
served() {
    check "a key for ECH: $*" openssl genpkey "$@" -pkeyopt label:ech -out ech-key.pem
    check "its file" bash -c "'$SC_HSM_SOURCE/examples/ech/ech-config.sh' ech-key.pem public.example >ech.pem"
    check "openssl reads it" openssl ech -in ech.pem -text
    says 'public.example.*has private key'
    list=$(sed -n '/BEGIN ECHCONFIG/,/END ECHCONFIG/{/-----/d;p}' ech.pem | tr -d '\n')
    port=$(free_port 1)
    openssl s_server -accept "127.0.0.1:$port" -cert ec.crt -key ec.pem -ech_key ech.pem -www \
        </dev/null >server.log 2>&1 &
    server=$!
    wait_for "s_server with ECH" listening "$port" "$server"
    check "a handshake" hello
    says 'ECH: success' 'Verify return code: 0'
    before=$(commands)
    check "10 more" hellos 10
    equal "each is two commands: one key agreement, one signature" 20 $(($(commands) - before))
    check "without ECH" plain_openssl s_client -connect "127.0.0.1:$port" -CAfile ec.crt \
        -verify_return_error -tls1_3 </dev/null
    says 'ECH: NOT|Verify return code: 0'
    stop_server
    check "the key goes" sc-hsm delete --yes label=ech
}

for curve in P-256 P-384 P-521; do
    served -algorithm SC-HSM-EC -pkeyopt "group:$curve"
done
if on_pico; then
    served -algorithm SC-HSM-X25519
    served -algorithm SC-HSM-X448
fi

# The device has only the ECH key: while it is away, names are not read, and all else goes on.
check "a key for ECH" openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 -pkeyopt label:ech -out ech-key.pem
check "its file" bash -c "'$SC_HSM_SOURCE/examples/ech/ech-config.sh' ech-key.pem public.example >ech.pem"
list=$(sed -n '/BEGIN ECHCONFIG/,/END ECHCONFIG/{/-----/d;p}' ech.pem | tr -d '\n')
check "a TLS key in software" plain_openssl req -x509 -newkey rsa:2048 -nodes -config "$OPENSSL_CONF" \
    -keyout soft.pem -out ec.crt -subj /CN=public.example -addext subjectAltName=DNS:public.example
port=$(free_port 1)
openssl s_server -accept "127.0.0.1:$port" -cert ec.crt -key soft.pem -ech_key ech.pem -www \
    </dev/null >server.log 2>&1 &
server=$!
wait_for "s_server with ECH" listening "$port" "$server"
check "a handshake" hello
says 'ECH: success'
virtual_hsm remove
fails "without the device" hello
says 'ECH: (failed|got retry)'
check "names in the clear" plain_openssl s_client -connect "127.0.0.1:$port" -CAfile ec.crt \
    -verify_return_error -tls1_3 </dev/null
virtual_hsm insert
check "with the device again" hello
says 'ECH: success'
stop_server

check "an RSA key" openssl genpkey -algorithm SC-HSM-RSA -pkeyopt bits:2048 -out rsa.pem
fails "is none for ECH" "$SC_HSM_SOURCE/examples/ech/ech-config.sh" rsa.pem public.example
says 'rsa.pem is no key on P-256'
fails "and '...' no server's name" "$SC_HSM_SOURCE/examples/ech/ech-config.sh" ec.pem ...
