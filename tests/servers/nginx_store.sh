#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# nginx 1.29 and later load a key from any store that OpenSSL knows, by its URI.
. "$(dirname "$0")/../lib.sh"
# shellcheck source=server.sh
. "$SC_HSM_SOURCE/tests/servers/server.sh"
# shellcheck source=programs.sh
. "$SC_HSM_SOURCE/tests/servers/programs.sh"
PATH=$PATH:/usr/sbin
need nginx curl
version=$(nginx -v 2>&1 | sed -n 's|^nginx version: nginx/\([0-9.]*\).*|\1|p')
if [ "$(printf '%s\n' 1.29 "$version" | sort -V | head -1)" != 1.29 ]; then
    echo "skipped: nginx $version knows no ssl_certificate_key store:URI, 1.29 and later do"
    exit 77
fi
virtual_card
make_rsa_key
make_ec_key
localhost rsa ec
# Nothing but the URIs: no key reference file can take their place.
rm rsa.pem ec.pem
port=$(free_port 1)
serial=$(head -1 "$SC_HSM_VIRTUAL/serials")
configure cache-pin=yes

nginx_configuration <<END
    server {
        listen 127.0.0.1:$port ssl;
        ssl_certificate $work/rsa.crt;
        ssl_certificate_key "store:sc-hsm:serial=$serial;label=web-rsa;type=private";
        ssl_certificate $work/ec.crt;
        ssl_certificate_key "store:sc-hsm:id=20;type=private";
        location / { return 200 "signed on the card\n"; }
    }
END
own_nginx=(nginx -e "$work/server.log" -p "$work" -c "$work/nginx.conf")

check "nginx -t" "${own_nginx[@]}" -t
"${own_nginx[@]}" >server.log 2>&1 &
servers=($!)
wait_for "nginx" listening "$port" "${servers[0]}"
# The workers, who may not read the PIN's file, log in with the PIN that was proven at the start.
raw_apdus >/dev/null 2>&1
many "$port" 100 1.2 rsa-pkcs1
many "$port" 100 1.2 ecdsa
many "$port" 100 1.3 rsa-pss
under_load "$port" 1.3 ecdsa "${own_nginx[@]}" -s reload
check "curl fetches a page" plain_curl --cacert ec.crt "https://localhost:$port/"
says '^signed on the card$'
kill -QUIT "${servers[0]}"
wait "${servers[0]}" || fail "nginx ended badly"
servers=()

sed -i 's/label=web-rsa/label=web-dsa/' nginx.conf
fails "a key that is not there" "${own_nginx[@]}" -t
says "emerg.*there is no private key with label 'web-dsa'"

sed -i 's/label=web-dsa/label=web-rsa/' nginx.conf
echo 111111 >wrong.pin
configure "pin-source=file:$work/wrong.pin"
fails "a wrong PIN" "${own_nginx[@]}" -t
says "emerg.*the PIN is wrong .* $(tries 2) are left"
equal "one try was spent" 2 "$(pin_tries)"
