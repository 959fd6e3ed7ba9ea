# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Two machines, for tests that are on one: two network namespaces with a link between them, a token and
# `p11-kit server` in one, joined by ssh, which forwards the server's socket to the other.
#
#     . "$SC_HSM_SOURCE/tests/pkcs11/machines.sh"
#     softhsm_token
#     serve_token
#     configure "pkcs11-module=$client_module"
#     check "it signs over the link" "${on_web[@]}" openssl dgst ...
#     cut_link; mend_link
PATH=$PATH:/usr/sbin:/usr/lib/openssh
need p11-kit ssh sshd ssh-keygen ip unshare nsenter
client_module=$(find /usr/lib -name p11-kit-client.so | head -1)
[ -n "$client_module" ] || missing "there is no p11-kit-client.so (p11-kit-modules)"

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
    # shellcheck disable=SC2154  # set in cleanup
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

# serve_token: the token of softhsm_token is on the machine hsm, and reached from the machine web.
serve_token() {
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
    # shellcheck disable=SC2154  # of lib.sh
    OPENSSL_CONF=/dev/null "${on_hsm[@]}" p11-kit server --provider "$softhsm" -f \
        -n "$work/hsm.d/socket" 'pkcs11:token=the%20token' >p11-kit.log 2>&1 &
    started+=($!)
    wait_for "p11-kit's server" test -S hsm.d/socket
    # What keeps the tunnel up is somebody else's task, here a loop. That ssh notices a link that is
    # cut is a matter of its deadlines; this one is told.
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
    mkdir -m 755 web.d # a server's workers give up root
    "${on_web[@]}" bash tunnel >tunnel.log 2>&1 &
    tunnel=$!
    started+=("$tunnel")
    wait_for "the tunnel" test -S web.d/socket
    unset SOFTHSM2_CONF
    export P11_KIT_SERVER_ADDRESS=unix:path=$work/web.d/socket
}

cut_link() {
    "${on_web[@]}" ip link set here down
    pkill -P "$tunnel" ssh
    echo "the link is cut"
}

mend_link() {
    "${on_web[@]}" ip link set here up
}
