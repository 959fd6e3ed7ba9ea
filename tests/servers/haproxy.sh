#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
# shellcheck source=server.sh
. "$SC_HSM_SOURCE/tests/servers/server.sh"
# shellcheck source=programs.sh
. "$SC_HSM_SOURCE/tests/servers/programs.sh"
loads_module haproxy
need haproxy curl
virtual_card
make_rsa_key
make_ec_key
localhost rsa ec
port=$(free_port 1)
configure cache-pin=yes
cat rsa.crt rsa.pem >rsa-bundle.pem
cat ec.pem ec.crt >ec-bundle.pem

sample haproxy/haproxy.cfg 'bind :443' "bind 127.0.0.1:$port" /etc/sc-hsm/ "$work/" \
    'timeout connect 5s' "timeout connect ${SC_HSM_PATIENCE}s" \
    'timeout client 30s' "timeout client ${SC_HSM_PATIENCE}s" \
    'timeout server 30s' "timeout server ${SC_HSM_PATIENCE}s" >haproxy.cfg

check "haproxy -c" haproxy -c -f haproxy.cfg

start_haproxy() {
    haproxy -W -f haproxy.cfg >server.log 2>&1 &
    servers=($!)
    wait_for "HAProxy" listening "$port" "${servers[0]}"
}

stop_haproxy() {
    local status=0
    kill -TERM "${servers[0]}"
    wait "${servers[0]}" || status=$?
    # It ends as one that a signal ended.
    [ "$status" = 0 ] || [ "$status" = 143 ] || fail "HAProxy ended badly: $status"
    servers=()
}

# workers: the processes of the workers.
workers() {
    pgrep -P "${servers[0]}"
}

start_haproxy
many "$port" 200 1.2 rsa-pss
many "$port" 200 1.2 ecdsa
many "$port" 200 1.3 rsa-pss
many "$port" 200 1.3 ecdsa
before=$(workers)
# reload: and waits for its end. One that comes before the new worker is ready finds nobody to take the
# sockets from; a signal that comes before the master listens for signals again is lost.
reload() {
    local before end=$((SECONDS + SC_HSM_PATIENCE)) again=0
    before=$(loads)
    until [ "$(loads)" -gt "$before" ]; do
        [ "$SECONDS" -lt "$end" ] || return 1
        if [ "$SECONDS" -ge $again ]; then
            kill -USR2 "${servers[0]}"
            again=$((SECONDS + 10))
        fi
        sleep 0.05
    done
}
loads() {
    grep -c 'Loading success' server.log || true
}
under_load "$port" 1.3 rsa-pss reload
under_load "$port" 1.2 ecdsa reload
[ "$before" != "$(workers)" ] || fail "there is no new worker"
many "$port" 200 1.3 ecdsa
check "curl fetches a page" plain_curl --cacert ec.crt "https://localhost:$port/"
says '^signed on the card'
stop_haproxy

# Every order, and the key in a file of its own.
openssl req -x509 -newkey rsa:2048 -nodes -keyout other.key -subj /CN=other -out other.crt \
    2>/dev/null
for order in "rsa.crt rsa.pem" "rsa.pem rsa.crt" "rsa.pem rsa.crt other.crt" \
    "rsa.crt rsa.pem other.crt" "rsa.crt other.crt rsa.pem"; do
    # shellcheck disable=SC2086  # words on purpose
    cat $order >rsa-bundle.pem
    start_haproxy
    check "$order in one file" handshakes "$port" 4 1.3 rsa-pss
    stop_haproxy
done
cp rsa.crt rsa-bundle.pem
cp rsa.pem rsa-bundle.pem.key
start_haproxy
check "the key in a file of its own" handshakes "$port" 4 1.3 rsa-pss
stop_haproxy

# Debian's own configuration lets it change its root directory once the keys are loaded.
(umask 022 && mkdir jail)
sed "s|^global|global\n    chroot $work/jail|" haproxy.cfg >plain.cfg
mv plain.cfg haproxy.cfg
configure cache-pin=yes log=error
start_haproxy
if handshakes "$port" 1 1.3 rsa-pss >"$seen" 2>&1; then
    # In newer ones the process that loads the keys is the one that uses them, and is connected.
    stop_haproxy
    echo "ok: the process that loaded the keys goes on behind its chroot"
else
    stop_haproxy
    cp server.log "$seen"
    says "cannot be seen from here: this program has changed its root directory \(chroot\)" \
        "$PCSCLITE_CSOCK_NAME"
    says_nothing_of "start that pcscd"
fi
# a mount as docs/servers.md has it needs rights that not all who run this have; a link does the same
(umask 022 && mkdir -p "jail$(dirname "$PCSCLITE_CSOCK_NAME")")
if ln "$PCSCLITE_CSOCK_NAME" "jail$PCSCLITE_CSOCK_NAME" 2>/dev/null; then
    start_haproxy
    check "it is there" handshakes "$port" 4 1.3 rsa-pss
    stop_haproxy
fi
sed -i /chroot/d haproxy.cfg
configure cache-pin=yes

equal "no try was spent" 3 "$(pin_tries)"
echo 111111 >wrong.pin
# What it says itself gives no reason; our own log does.
configure "pin-source=file:$work/wrong.pin" log=error
fails "HAProxy with a wrong PIN" haproxy -c -f haproxy.cfg
says 'unable to load private key' "error the PIN is wrong .* $(tries 2) are left"
equal "one try was spent" 2 "$(pin_tries)"
