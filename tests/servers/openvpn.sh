#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
# shellcheck source=server.sh
. "$SC_HSM_SOURCE/tests/servers/server.sh"
# shellcheck source=programs.sh
. "$SC_HSM_SOURCE/tests/servers/programs.sh"
loads_module openvpn
need openvpn
virtual_card
make_rsa_key
make_ec_key
port=$(free_port 1)

# certificate NAME KEY USE
certificate() {
    check "a certificate for OpenVPN's $1" openssl req -new -x509 -key "$2.pem" -subj "/CN=$1" \
        -days 30 -out "vpn-$1.crt" -addext "extendedKeyUsage = $3" \
        -addext 'keyUsage = digitalSignature, keyCertSign'
    cp "$2.pem" "vpn-$1.pem"
}
certificate server rsa serverAuth
certificate client ec clientAuth
cp vpn-server.crt servers.crt
cp vpn-client.crt clients.crt
configure pin-source= cache-pin=yes
(umask 077 && echo "$pin" >pin)

# No tunnel device is made; without one OpenVPN knows but one peer for each server.
sample openvpn/server.conf 'dev tun' 'dev null' 'server 10.8.0.0 255.255.255.0' tls-server \
    'topology subnet' '' \
    'port 1194' "port $port
local 127.0.0.1" /etc/sc-hsm/ "$work/" >server.conf
sample openvpn/client.conf 'dev tun' 'dev null' $'client\nproto' $'tls-client\nproto' \
    'vpn.example 1194' "127.0.0.1 $port" /etc/sc-hsm/ "$work/" >client.conf

connected() {
    grep -q 'Initialization Sequence Completed' "$1"
}

openvpn --config server.conf >server.log 2>&1 &
servers=($!)
openvpn --config client.conf >client.log 2>&1 &
servers+=($!)
wait_for "OpenVPN's client is connected" connected client.log
wait_for "OpenVPN's server is connected" connected server.log
cp client.log "$seen"
says 'VERIFY OK: depth=0, CN=server' 'TLSv1.3.*RSA-SHA256'
cp server.log "$seen"
says 'UID set to nobody' 'VERIFY OK: depth=0, CN=client' 'TLSv1.3.*ecdsa-with-SHA256'
echo "ok: OpenVPN's server and client, both with keys on the card"
kill "${servers[@]}"
wait "${servers[@]}" || fail "OpenVPN ended badly"
servers=()
equal "no try was spent" 3 "$(pin_tries)"

echo 111111 >pin
fails "OpenVPN with a wrong PIN" ends_by_itself openvpn --config client.conf
# OpenVPN 2.7 keeps the reason to itself.
says "the PIN is wrong .* $(tries 2) are left|private key password verification failed"
equal "one try was spent" 2 "$(pin_tries)"
