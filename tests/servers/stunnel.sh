#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
# shellcheck source=server.sh
. "$SC_HSM_SOURCE/tests/servers/server.sh"
# shellcheck source=programs.sh
. "$SC_HSM_SOURCE/tests/servers/programs.sh"
loads_module stunnel4
need stunnel4 curl
virtual_card
make_rsa_key
make_ec_key
localhost rsa ec
configure cache-pin=yes
port=$(free_port 1)
client_port=$(free_port 2)
page_port=$(free_port 3)
cp ec.crt clients.crt

mkdir html
echo 'signed on the card' >html/index.html
: >server.log
python3 -m http.server --bind 127.0.0.1 --directory html "$page_port" >page.log 2>&1 &
servers+=($!)
wait_for "a server without TLS" listening "$page_port" $!

# Newer Debians name the user without the 4.
user=stunnel4
id "$user" >"$seen" 2>&1 || user=stunnel
sample stunnel/server.conf "uid = stunnel4" "uid = $user" "gid = stunnel4" "gid = $user" \
    'accept = 443' "accept = 127.0.0.1:$port" \
    127.0.0.1:80 "127.0.0.1:$page_port" /etc/sc-hsm/ "$work/" >server.conf
sample stunnel/client.conf "uid = stunnel4" "uid = $user" "gid = stunnel4" "gid = $user" \
    127.0.0.1:8080 "127.0.0.1:$client_port" \
    localhost:443 "127.0.0.1:$port" /etc/sc-hsm/ "$work/" >client.conf

# Sets process.
start_stunnel() {
    stunnel4 "$1.conf" >"$1.log" 2>&1 &
    process=$!
    servers+=("$process")
    wait_for "stunnel with $1.conf" listening "$2" "$process"
}

stop_stunnel() {
    kill -TERM "$process"
    wait "$process" || fail "stunnel ended badly"
}

start_stunnel server "$port"
for version in 1.2 1.3; do
    (echo 'debug = info' && cat client.conf && echo "sslVersion = TLSv$version") \
        >"client-$version.conf"
    start_stunnel "client-$version" "$client_port"
    for _ in 1 2 3; do
        check "stunnel to stunnel, TLS $version" plain_curl "http://127.0.0.1:$client_port/"
        says '^signed on the card$'
    done
    stop_stunnel
    cp "client-$version.log" "$seen"
    says "TLSv$version cipher"
    # The certificate of the client was asked for, and proven.
    cp server.log "$seen"
    says 'Certificate accepted at depth=0: CN=localhost'
done

fails "a client without a certificate" plain_curl --cacert rsa.crt "https://localhost:$port/"

# A certificate and key in one file, the certificate's key being the server's EC key.
kill "${servers[1]}"
wait "${servers[1]}" || fail "stunnel ended badly"
cat ec.pem ec.crt >bundle.pem
sed -e '/^key = /d' -e '/^verifyChain/d' -e "s|^cert = .*|cert = $work/bundle.pem|" \
    server.conf >bundle.conf
start_stunnel bundle "$port"
many "$port" 200 1.2 ecdsa
many "$port" 200 1.3 ecdsa
stop_stunnel
equal "no try was spent" 3 "$(pin_tries)"

echo 111111 >wrong.pin
# It names the reason; our own log has the sentence.
configure "pin-source=file:$work/wrong.pin" log=error
fails "stunnel with a wrong PIN" ends_by_itself stunnel4 server.conf
says "error the PIN is wrong .* $(tries 2) are left"
! shares_libcrypto "$(type -P stunnel4)" || says 'PIN incorrect'
equal "one try was spent" 2 "$(pin_tries)"
