#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A token on another machine: two network namespaces, a token and `p11-kit server` in one, nginx
# with our provider in the other, joined by ssh, which forwards the server's socket. Then the link
# is cut for a while.
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../servers/server.sh
. "$SC_HSM_SOURCE/tests/servers/server.sh"
PATH=$PATH:/usr/sbin:/usr/lib/openssh
need nginx p11-kit ssh sshd ssh-keygen ip unshare nsenter
client_module=$(find /usr/lib -name p11-kit-client.so | head -1)
[ -n "$client_module" ] || fail "there is no p11-kit-client.so: install p11-kit-modules"

# --- two machines ----------------------------------------------------------------------------

if ! unshare --net true 2>/dev/null || [ "$(id -u)" != 0 ]; then
    echo "skipped: no network namespaces for this user here"
    exit 77
fi
started=()
at_end() {
    local process
    for process in ${started[@]+"${started[@]}"}; do
        pkill -P "$process" # the tunnel's ssh, sshd's sessions
        kill "$process" 2>/dev/null
    done
    [ "$status" = 0 ] || sed 's/^/nginx: /' "$work/server.log" 2>/dev/null | grep -E 'emerg|alert|crit' | cut -c1-400 |
        tail -3 >&2
}

# machine NAME: a network of its own, held by a process.
machine() {
    unshare --net sleep infinity &
    started+=($!)
    declare -g "$1=$!"
    wait_for "the network of $1" is_apart "$!"
}

is_apart() {
    [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/$$/ns/net)" ]
}

hsm='' web=''
machine hsm
machine web
# Before a command; words rather than a function, so that $! is the command's number.
on_hsm=(nsenter --target "$hsm" --net --)
on_web=(nsenter --target "$web" --net --)
check "a link between them" ip link add name there netns "$hsm" type veth peer name here netns "$web"
"${on_hsm[@]}" ip link set lo up
"${on_hsm[@]}" ip address add 192.0.2.1/24 dev there
"${on_hsm[@]}" ip link set there up
"${on_web[@]}" ip link set lo up
"${on_web[@]}" ip address add 192.0.2.2/24 dev here
"${on_web[@]}" ip link set here up

# --- the machine with the token --------------------------------------------------------------

softhsm_token
make_rsa_key
make_ec_key
self_signed rsa
self_signed ec
cat rsa.crt ec.crt >both.crt

check "host key" ssh-keygen -q -t ed25519 -N '' -f host_key
check "user key" ssh-keygen -q -t ed25519 -N '' -f user_key
mkdir -p /run/sshd
cat >sshd_config <<END
ListenAddress 192.0.2.1:22
HostKey $work/host_key
PidFile none
AuthorizedKeysFile $work/user_key.pub
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
END
"${on_hsm[@]}" "$(command -v sshd)" -D -e -f "$work/sshd_config" 2>sshd.log &
started+=($!)
mkdir hsm.d
OPENSSL_CONF=/dev/null "${on_hsm[@]}" p11-kit server --provider "$softhsm" -f -n "$work/hsm.d/socket" \
    'pkcs11:token=the%20token' >p11-kit.log 2>&1 &
started+=($!)
wait_for "p11-kit's server" test -S hsm.d/socket

# --- the machine with nginx ------------------------------------------------------------------

# What keeps the tunnel up is somebody else's task, here a loop. That ssh notices a link that is cut is a
# matter of its deadlines; this one is told.
cat >tunnel <<END
while true; do
    ssh -N -F none -i "$work/user_key" -o BatchMode=yes -o StrictHostKeyChecking=no \\
        -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \\
        -o ExitOnForwardFailure=yes \\
        -o StreamLocalBindUnlink=yes -o StreamLocalBindMask=0111 \\
        -L "$work/web.d/socket:$work/hsm.d/socket" root@192.0.2.1
    sleep 0.2
done
END
mkdir -m 755 web.d # the workers give up root
"${on_web[@]}" bash tunnel >tunnel.log 2>&1 &
tunnel=$!
started+=("$tunnel")
wait_for "the tunnel" test -S web.d/socket

unset SOFTHSM2_CONF
export P11_KIT_SERVER_ADDRESS=unix:path=$work/web.d/socket
configure "pkcs11-module=$client_module" cache-pin=yes
check "the token is listed over the link" "${on_web[@]}" openssl storeutl sc-hsm:
says 'token=the%20token;id=10;label=web-rsa;type=private'
check "it signs over the link" "${on_web[@]}" openssl dgst -sha256 -sign rsa.pem -out sig rsa.crt
check "judged by the default provider" plain_openssl dgst -sha256 -verify rsa.pub -signature sig \
    rsa.crt

port=4433
nginx_configuration <<END
    server {
        listen 127.0.0.1:$port ssl;
        ssl_certificate $work/rsa.crt;
        ssl_certificate_key $work/rsa.pem;
        ssl_certificate $work/ec.crt;
        ssl_certificate_key $work/ec.pem;
        location / { return 200 "signed on another machine\n"; }
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
check "200 handshakes, none fails" handshakes 200 8 1.3 both.crt
says '^200 ok'

# --- the link --------------------------------------------------------------------------------

"${on_web[@]}" ip link set here down
echo "the link is cut"
handshakes 1 1 1.3 both.crt >cut 2>&1 &
client=$!
pkill -P "$tunnel" ssh
fails "no handshake without the token" wait $client
cp cut "$seen"
says '^1 failed: '
says_nothing_of 'timed out'
kill -0 "$server" || fail "nginx ended"
"${on_web[@]}" ip link set here up
wait_for "the service comes back by itself" handshakes 1 1 1.3 both.crt
echo "ok: the service is back"
check "200 handshakes, none fails" handshakes 200 8 1.3 both.crt
says '^200 ok'

check "the same nginx" kill -0 "$server"
kill -TERM "$server"
wait "$server" || fail "nginx ended badly"
