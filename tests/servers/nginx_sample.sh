#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
# shellcheck source=server.sh
. "$SC_HSM_SOURCE/tests/servers/server.sh"
# shellcheck source=programs.sh
. "$SC_HSM_SOURCE/tests/servers/programs.sh"
need nginx curl
virtual_card
make_rsa_key
make_ec_key
localhost rsa ec
port=$(free_port 1)
client_port=$(free_port 2)
# The keys' PIN comes from nginx alone.
configure pin-source= cache-pin=yes
echo "$pin" >pin
chmod 600 pin
cat rsa.crt ec.crt >clients.crt

sample nginx/nginx.conf 'user www-data;' 'user www-data; daemon off;
    # Of the sanitized build.
    env ASAN_OPTIONS; env LSAN_OPTIONS; env UBSAN_OPTIONS;' \
    /etc/sc-hsm/ "$work/" /run/ "$work/" /var/log/nginx/ "$work/" \
    'listen 443' "listen 127.0.0.1:$port" 'listen 8443' "listen 127.0.0.1:$client_port" \
    'http {' "http { client_body_temp_path $work/tmp1; proxy_temp_path $work/tmp2;
    fastcgi_temp_path $work/tmp3; uwsgi_temp_path $work/tmp4; scgi_temp_path $work/tmp5;" \
    >nginx.conf

own_nginx=(nginx -e "$work/server.log" -p "$work" -c "$work/nginx.conf")

start_nginx() {
    "${own_nginx[@]}" >server.log 2>&1 &
    servers=($!)
    wait_for "nginx" listening "$port" "${servers[0]}"
}

stop_nginx() {
    kill -QUIT "${servers[0]}"
    wait "${servers[0]}" || fail "nginx ended badly"
    servers=()
}

start_nginx
# That none of thousands fails is shown without a sanitizer, which would need a minute.
handshakes=1000
[ -z "${SC_HSM_ASAN:-}" ] || handshakes=200
many "$port" $handshakes 1.2 rsa-pss
many "$port" $handshakes 1.2 ecdsa
many "$port" $handshakes 1.3 rsa-pss
many "$port" $handshakes 1.3 ecdsa
many "$port" 100 1.2 rsa-pkcs1
under_load "$port" 1.3 rsa-pss "${own_nginx[@]}" -s reload
under_load "$port" 1.2 ecdsa "${own_nginx[@]}" -s reload
many "$port" 100 1.3 ecdsa

for version in 1.2 1.3; do
    check "curl fetches a page, TLS $version" plain_curl --cacert ec.crt \
        "--tlsv$version" --tls-max "$version" "https://localhost:$port/"
    says '^signed on the card$'
done
stop_nginx

# curl_with_card_key: the second server wants a certificate of the client; its key is on the card.
curl_with_card_key() {
    configure "pin-source=file:$work/pin"
    for version in 1.2 1.3; do
        check "curl with a client certificate, TLS $version" curl --silent --show-error \
            --config curlrc "--tlsv$version" --tls-max "$version"
        says '^hello CN=localhost$'
    done
    cat rsa.crt rsa.pem >bundle.pem
    check "curl with certificate and key in one file" curl --silent --show-error --cacert ec.crt \
        --cert bundle.pem "https://localhost:$client_port"
    says '^hello CN=localhost$'
    configure pin-source=
    check "curl with the PIN as pass phrase" curl --silent --show-error --config curlrc \
        --pass "$pin"
    says '^hello CN=localhost$'
}

sample curl/curlrc /etc/sc-hsm/ "$work/" https://localhost:8443 "https://localhost:$client_port" \
    >curlrc
start_nginx
if [ -z "${SC_HSM_ASAN:-}" ]; then
    curl_with_card_key
else
    echo "skipped in a sanitized build: curl hangs with the sanitizer's runtime loaded, without our" \
        "module, too"
fi
check "curl without a certificate is turned away" plain_curl --cacert ec.crt \
    "https://localhost:$client_port"
says '400 No required SSL certificate'
stop_nginx

# nginx tries each line of its password file for each key: a wrong one is sent once all the same.
printf '111111\n%s\n' "$pin" >pin
before=$(pin_checks)
check "nginx -t with a wrong first line" "${own_nginx[@]}" -t
equal "the PIN was sent twice" 2 $(($(pin_checks) - before))
equal "no try is missing" 3 "$(pin_tries)"
echo 111111 >pin
fails "nginx -t with a wrong PIN" "${own_nginx[@]}" -t
says "emerg.*:the PIN is wrong .* $(tries 2) are left"
equal "one try was spent" 2 "$(pin_tries)"
