#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A token on another machine: two network namespaces, a token and `p11-kit server` in one, nginx
# with our provider in the other, joined by ssh, which forwards the server's socket. Then the link
# is cut for a while.
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../servers/server.sh
. "$SC_HSM_SOURCE/tests/servers/server.sh"
# shellcheck source=machines.sh
. "$SC_HSM_SOURCE/tests/pkcs11/machines.sh"
need nginx

# --- the machine with the token --------------------------------------------------------------

softhsm_token
make_rsa_key
make_ec_key
self_signed rsa
self_signed ec
cat rsa.crt ec.crt >both.crt

serve_token

# --- the machine with nginx ------------------------------------------------------------------

configure "pkcs11-module=$client_module" cache-pin=yes
check "the token is listed over the link" "${on_web[@]}" openssl storeutl sc-hsm:
says 'token=the%20token;id=10;label=web-rsa;type=private'
check "it signs over the link" "${on_web[@]}" openssl dgst -sha256 -sign rsa.pem -out sig rsa.crt
check "judged by the default provider" plain_openssl dgst -sha256 -verify rsa.pub -signature sig \
    rsa.crt

port=4433
nginx_configuration <<END
    server {
        listen 127.0.0.1:$port ssl;
        ssl_certificate $work/rsa.crt;
        ssl_certificate_key $work/rsa.pem;
        ssl_certificate $work/ec.crt;
        ssl_certificate_key $work/ec.pem;
        location / { return 200 "signed on another machine\n"; }
    }
END
: >server.log
"${on_web[@]}" nginx -e "$work/server.log" -p "$work" -c "$work/nginx.conf" >nginx.out 2>&1 &
server=$!
started+=("$server")

handshakes() {
    "${on_web[@]}" python3 "$SC_HSM_SOURCE/tests/servers/client.py" "$port" "$@"
}
wait_for "nginx" handshakes 1 1 1.3 both.crt
check "200 handshakes, none fails" handshakes 200 8 1.3 both.crt
says '^200 ok'

# --- the link --------------------------------------------------------------------------------

cut_link
handshakes 1 1 1.3 both.crt >cut 2>&1 &
client=$!
fails "no handshake without the token" wait $client
cp cut "$seen"
says '^1 failed: '
says_nothing_of 'timed out'
kill -0 "$server" || fail "nginx ended"
mend_link
wait_for "the service comes back by itself" handshakes 1 1 1.3 both.crt
echo "ok: the service is back"
check "200 handshakes, none fails" handshakes 200 8 1.3 both.crt
says '^200 ok'

check "the same nginx" kill -0 "$server"
kill -TERM "$server"
wait "$server" || fail "nginx ended badly"
