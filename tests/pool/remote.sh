#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A card on this machine and a token on another one have the same key: nginx uses both, and the link
# between the machines is cut and mended, and the card pulled and put back, while it serves.
. "$(dirname "$0")/pool.sh"
# shellcheck source=../servers/server.sh
. "$SC_HSM_SOURCE/tests/servers/server.sh"
# shellcheck source=../pkcs11/machines.sh
. "$SC_HSM_SOURCE/tests/pkcs11/machines.sh"
need nginx softhsm2-util

card_and_token
serve_token
configure pool=share cache-pin=yes "pkcs11-module=$client_module" "pin-source=file:$card_pin"
check "the card takes its time" virtual_hsm control 1 delay 30 ins=68 count=100000

# work_of COUNT COMMAND...: runs it, and tells how many of so many operations were the card's.
count=0
work_of() {
    local before
    before=$(used 1)
    check "${@:2}"
    count=$(($(used 1) - before))
    echo "the card did $count of $1"
}
work_of 160 "8 threads" "${on_web[@]}" "$programs/sign_threads" both.pem 8 20
[ "$count" -lt 155 ] || fail "the token did next to nothing"

# --- nginx ----------------------------------------------------------------------------------------
port=4433
nginx_configuration <<END
    server {
        listen 127.0.0.1:$port ssl;
        ssl_certificate $work/both.crt;
        ssl_certificate_key $work/both.pem;
        location / { return 200 "signed on one machine or the other\n"; }
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
work_of 200 "200 handshakes" handshakes 200 8 1.3 both.crt
says '^200 ok'

# through WHAT COMMAND...: handshakes go on without a failure while the command changes things.
through() {
    local client
    handshakes 400 8 1.3 both.crt >busy.out 2>&1 &
    client=$!
    sleep 0.5
    "${@:2}"
    wait $client || {
        cp busy.out "$seen"
        fail "$1: a handshake failed"
    }
    cp busy.out "$seen"
    says '^400 ok'
    echo "ok: $1"
}
cut_and_mend() {
    cut_link
    sleep 1
    mend_link
    wait_for "the tunnel" test -S web.d/socket
}
pull_and_insert() {
    check "the card is pulled" virtual_hsm remove 1
    sleep 1
    check "the card is back" virtual_hsm insert 1
}
through "the link is cut and mended" cut_and_mend
through "the card is pulled and put back" pull_and_insert
token_works() {
    work_of 50 "50 handshakes" handshakes 50 4 1.3 both.crt
    [ "$count" -lt 45 ]
}
wait_for "the token works again" token_works
check "the same nginx" kill -0 "$server"
kill -TERM "$server"
wait "$server" || fail "nginx ended badly"
