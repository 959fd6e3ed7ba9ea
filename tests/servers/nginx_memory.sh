#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A kept PIN is in no core dump of nginx, and nowhere when its master and workers have ended.
. "$(dirname "$0")/../lib.sh"
# shellcheck source=server.sh
. "$SC_HSM_SOURCE/tests/servers/server.sh"
PATH=$PATH:/usr/sbin
need nginx setpriv
# In a container root itself may not look into the processes of others.
if [ "$(id -u)" = 0 ]; then
    printf 'nothing 0011223344556677\n' >secrets
    setpriv --reuid=65534 --regid=65534 --clear-groups sleep 60 &
    stranger=$!
    wait_for "another user's process" grep -q sleep /proc/$stranger/comm
    status=0
    "$programs/search_memory" secrets $stranger >"$seen" 2>&1 || status=77
    kill $stranger
    [ $status = 0 ] || {
        cat "$seen"
        exit $status
    }
fi
virtual_card
make_rsa_key
self_signed rsa
port=$(free_port 1)
# A comment in it shows a PIN, and libcrypto reads it.
sed -i '/^#/d' "$OPENSSL_CONF"
printf 'pin %s\n' "$(printf %s "$pin" | od -An -v -tx1 | tr -d ' \n')" >secrets
nginx_configuration <<END
    server {
        listen 127.0.0.1:$port ssl;
        ssl_certificate $work/rsa.crt;
        ssl_certificate_key $work/rsa.pem;
    }
END
at_end() {
    [ ! -s nginx.pid ] || kill "$(cat nginx.pid)" 2>/dev/null
}

# serve: nginx serves with its memory in sight.
serve() {
    : >server.log
    # shellcheck disable=SC2154  # from lib.sh
    "$programs/search_memory" secrets nginx -e "$work/server.log" -p "$work" -c "$work/nginx.conf" \
        >ended 2>nginx.err &
    searcher=$!
    wait_for "nginx" listening "$port" $searcher
    check "$1: 20 connections" client 20 4 1.3 rsa.crt
}
# living WHAT KEPT: neither the master nor a worker has the PIN where a dump has it; KEPT says how often
# elsewhere.
living() {
    local process
    for process in $(cat nginx.pid) $(pgrep -P "$(cat nginx.pid)"); do
        "$programs/search_memory" secrets "$process"
    done >"$seen"
    equal "$1: they live" 3 "$(grep -c '^nginx [0-9]*: pin: 0 times, and '"$2"' in ' "$seen")"
}
ended() {
    kill -QUIT "$(cat nginx.pid)"
    wait $searcher || fail "nginx ended badly"
    cp ended "$seen"
    equal "$1: they have ended" 3 "$(grep -c '^nginx [0-9]*: pin: 0 times, and 0 in ' "$seen")"
}

configure cache-pin=yes
serve "a kept PIN"
living "a kept PIN" '[1-9]'
ended "a kept PIN"

# From nginx's own file: it hands the PIN over, and goes over its copy.
configure pin-source=
echo "$pin" >password
sed -i "s|ssl_session_cache off;|ssl_session_cache off; ssl_password_file $work/password;|" nginx.conf
raw_apdus >select.out
serve "nginx's own file"
living "nginx's own file" '[1-9]'
ended "nginx's own file"
