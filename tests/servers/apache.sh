#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
# shellcheck source=server.sh
. "$SC_HSM_SOURCE/tests/servers/server.sh"
# shellcheck source=programs.sh
. "$SC_HSM_SOURCE/tests/servers/programs.sh"
loads_module apache2
need apache2 curl
virtual_card
make_rsa_key
make_ec_key
localhost rsa ec
port=$(free_port 1)
# The PIN comes from Apache's dialog alone.
configure pin-source= cache-pin=yes
(umask 077 && echo "$pin" >pin)
cat ec.crt ec.pem >bundle.pem
sample apache/apache-pin /etc/sc-hsm/ "$work/" >apache-pin
chmod 700 apache-pin

apache_configuration sc-hsm.conf
sample apache/sc-hsm.conf 'Listen 443' "Listen 127.0.0.1:$port" '*:443' "127.0.0.1:$port" \
    /var/www/html "$work/html" /etc/sc-hsm/ "$work/" >sc-hsm.conf

own_apache=(apache2 -d "$work" -f "$work/apache2.conf")

start_apache() {
    : >server.log
    "${own_apache[@]}" -D FOREGROUND >apache.out 2>&1 &
    servers=($!)
    wait_for "Apache" listening "$port" "${servers[0]}"
}

stop_apache() {
    kill -TERM "${servers[0]}"
    wait "${servers[0]}" || fail "Apache ended badly"
    servers=()
}

start_apache
many "$port" 200 1.2 rsa-pss
many "$port" 200 1.2 ecdsa
many "$port" 200 1.3 rsa-pss
many "$port" 200 1.3 ecdsa
under_load "$port" 1.3 ecdsa kill -USR1 "${servers[0]}"
under_load "$port" 1.2 rsa-pss kill -USR1 "${servers[0]}"
check "curl fetches a page" plain_curl --cacert rsa.crt --cacert ec.crt "https://localhost:$port/"
says '^signed on the card$'
check "curl fetches a page of the host with certificate and key in one file" \
    plain_curl --insecure "https://bundle.localhost:$port/" --resolve "bundle.localhost:$port:127.0.0.1"
says '^signed on the card$'
stop_apache
equal "no try was spent" 3 "$(pin_tries)"

# A wrong PIN: Apache does not start. It tries the file in other ways afterwards, whose errors push
# ours out of what it logs; our own log has the sentence.
configure log=error "log-file=$work/sc-hsm.log"
echo 111111 >pin
: >server.log
fails "Apache with a wrong PIN" "${own_apache[@]}" -D FOREGROUND
cat server.log sc-hsm.log >>"$seen"
says 'AH02580: Init: Pass phrase incorrect'
says "error the PIN is wrong .* $(tries 2) are left"
equal "one try was spent" 2 "$(pin_tries)"
