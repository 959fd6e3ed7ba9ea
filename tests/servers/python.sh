#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
# shellcheck source=server.sh
. "$SC_HSM_SOURCE/tests/servers/server.sh"
# shellcheck source=programs.sh
. "$SC_HSM_SOURCE/tests/servers/programs.sh"
# Debian's, whose ssl module goes with Debian's OpenSSL.
PATH=/usr/bin:$PATH
loads_module python3
[ -z "${SC_HSM_ASAN:-}" ] || PATH=$work/.bin:$PATH
need python3 curl
virtual_card
make_rsa_key
make_ec_key
localhost rsa ec
port=$(free_port 1)
configure pin-source=
readonly samples=$SC_HSM_SOURCE/examples/python

# start_python NAME [CLIENTS]: the server with the key NAME.pem.
start_python() {
    : >server.log
    SC_HSM_PIN=$pin python3 "$samples/server.py" "$port" "$1.crt" "$1.pem" "${@:2}" \
        >server.log 2>&1 &
    servers=($!)
    wait_for "Python's server" listening "$port" "${servers[0]}"
}

stop_python() {
    kill "${servers[0]}"
    wait "${servers[0]}" 2>/dev/null || true
    servers=()
}

start_python rsa
many "$port" 200 1.2 rsa-pss
many "$port" 200 1.3 rsa-pss
stop_python
start_python ec
many "$port" 200 1.2 ecdsa
many "$port" 200 1.3 ecdsa
check "curl fetches a page" plain_curl --cacert ec.crt "https://localhost:$port/"
says '^hello stranger$'
stop_python

start_python rsa ec.crt
check "Python's client with a client certificate" env SC_HSM_PIN="$pin" \
    python3 "$samples/client.py" "https://localhost:$port/" rsa.crt ec.crt ec.pem
says '^hello localhost$'
fails "a client without one" plain_curl --cacert rsa.crt "https://localhost:$port/"
stop_python
equal "no try was spent" 3 "$(pin_tries)"

# Python names no reason of a provider; our own log has the sentence.
configure log=error
fails "Python's server with a wrong PIN" ends_by_itself env SC_HSM_PIN=111111 \
    python3 "$samples/server.py" "$port" rsa.crt rsa.pem
says 'ssl.SSLError: ' "error the PIN is wrong .* $(tries 2) are left"
equal "one try was spent" 2 "$(pin_tries)"
