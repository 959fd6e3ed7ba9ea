#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Apache finds its keys by pkcs11: URIs
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
configure pkcs11-uris=yes cache-pin=yes
# Apache asks libp11's engine first, where it is there.
export OPENSSL_ENGINES=$work/no-engines
(umask 077 && echo "$pin" >pin)

apache_configuration pkcs11.conf
sample apache/pkcs11.conf 'Listen 443' "Listen 127.0.0.1:$port" '*:443' "127.0.0.1:$port" \
    /var/www/html "$work/html" /etc/sc-hsm/ "$work/" >pkcs11.conf
own_apache=(apache2 -d "$work" -f "$work/apache2.conf")

: >server.log
"${own_apache[@]}" -D FOREGROUND >apache.out 2>&1 &
servers=($!)
wait_for "Apache" listening "$port" "${servers[0]}"
many "$port" 50 1.2 rsa-pss
many "$port" 50 1.3 rsa-pss
check "the host whose key has a PIN source in its URI" plain_curl --insecure \
    "https://ec.localhost:$port/" --resolve "ec.localhost:$port:127.0.0.1"
says '^signed on the card$'
kill -TERM "${servers[0]}"
wait "${servers[0]}" || fail "Apache ended badly"
servers=()
equal "no try was spent" 3 "$(pin_tries)"

configure pkcs11-uris=
fails "Apache without the setting" "${own_apache[@]}" -D FOREGROUND
cp server.log "$seen"
says 'OSSL_STORE_open failed for PKCS#11 URI'
