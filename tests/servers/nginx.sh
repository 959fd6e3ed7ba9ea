#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
# shellcheck source=server.sh
. "$SC_HSM_SOURCE/tests/servers/server.sh"
PATH=$PATH:/usr/sbin
need nginx
virtual_card
make_rsa_key
make_ec_key
self_signed rsa
self_signed ec
port=$(free_port 1)
ec_port=$(free_port 2)
# The PIN is readable by the master alone. The workers are another user, and have to log in by
# themselves with the PIN that was proven when the key was loaded.
configure cache-pin=yes

nginx_configuration <<END
    server {
        listen 127.0.0.1:$port ssl;
        ssl_certificate $work/rsa.crt;
        ssl_certificate_key $work/rsa.pem;
        location / { return 200 "signed on the card\n"; }
    }
    server {
        listen 127.0.0.1:$ec_port ssl;
        ssl_certificate $work/ec.crt;
        ssl_certificate_key $work/ec.pem;
        location / { return 200 "signed on the card\n"; }
    }
END
at_end() {
    [ -z "${server:-}" ] || kill "$server" 2>/dev/null
    sed 's/^/nginx: /' "$work/server.log" 2>/dev/null | grep -E 'emerg|alert|crit|error|SSL_' | cut -c1-400 | head -5 >&2
}

start_nginx() {
    : >server.log
    nginx -e "$work/server.log" -p "$work" -c "$work/nginx.conf" >nginx.out 2>&1 &
    server=$!
    wait_for "nginx" listening "$port" "$server"
}

stop_nginx() {
    kill -QUIT "$server"
    wait "$server" || fail "nginx ended badly"
    server=
}

# all_work WHEN: 200 connections in parallel for each protocol and key.
all_work() {
    local version
    for version in 1.2 1.3; do
        check "$1: 200 connections, TLS $version, RSA" client 200 50 "$version" rsa.crt
        says "^200 ok TLSv$version"
        port=$ec_port check "$1: 200 connections, TLS $version, ECDSA" \
            client 200 50 "$version" ec.crt
        says "^200 ok TLSv$version"
    done
}

check "nginx -t" nginx -e "$work/server.log" -p "$work" -c "$work/nginx.conf" -t
start_nginx
# The port is open before they are there.
two_work() { [ "$(pgrep -c -P "$server" -u nobody)" -ge 2 ]; }
wait_for "two workers of the user nobody" two_work
all_work "started"

# The kept PIN's page is locked in each worker, where it is in the master.
locked_in() {
    sed -n 's/^VmLck:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$1/status"
}
if [ "$(locked_in "$server")" -gt 0 ]; then
    for worker in $(pgrep -P "$server"); do
        [ "$(locked_in "$worker")" -ge "$(locked_in "$server")" ] ||
            fail "worker $worker has locked $(locked_in "$worker") kB, the master $(locked_in "$server")"
    done
    echo "ok: the workers' PIN is locked in memory"
fi

# Reload while connections come in: not one of them fails.
three_times_during client 50 10 1.3 rsa.crt -- \
    nginx -e "$work/server.log" -p "$work" -c "$work/nginx.conf" -s reload
echo "ok: $((50 * $(grep -c ' ok ' load))) connections during three reloads"
all_work "reloaded"

# The card's other users and its owner: the workers log in again by themselves.
if ! on_token; then
    reset_card cold
    check "after a reset" client 20 4 1.3 rsa.crt
    virtual_hsm remove
    virtual_hsm insert
    check "after the card was pulled and put back" client 20 4 1.3 rsa.crt
fi
equal "no try was spent" 3 "$(pin_tries)"
stop_nginx

# A wrong PIN: nginx does not even start, and says why.
echo 111111 >wrong.pin
configure "pin-source=file:$work/wrong.pin"
fails "nginx -t with a wrong PIN" nginx -e "$work/server.log" -p "$work" -c "$work/nginx.conf" -t
says "$(tries 2) (are )?left"
equal "one try was spent" 2 "$(pin_tries)"

# The PIN from nginx's own password file.
configure pin-source=
echo "$pin" >password
sed -i "s|ssl_session_cache off;|ssl_session_cache off; ssl_password_file $work/password;|" nginx.conf
start_nginx
check "with ssl_password_file" client 20 4 1.3 rsa.crt
stop_nginx
