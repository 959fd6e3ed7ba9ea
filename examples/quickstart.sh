#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# From a fresh Debian 12 to TLS with a key that never leaves the card, in one command:
#
#     examples/quickstart.sh           on a virtual card, which it starts and ends by itself
#     examples/quickstart.sh --real    on your own token; asks for its PIN, never initialises it,
#                                      and removes the keys that it made (--keep leaves them)
#
# Ends with status 0 only if everything it says happened. Safe to run again.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${SC_HSM_BUILD:-$root/build}
# shellcheck source-path=SCRIPTDIR source=packages.sh
. "$root/examples/packages.sh"

real=no keep=no
for option in "$@"; do
    case $option in
    --real) real=yes ;;
    --keep) keep=yes ;;
    -h | --help)
        sed -n '3,/^set -/{/^#/{s/^# \{0,1\}//;p}}' "${BASH_SOURCE[0]}"
        exit 0
        ;;
    *)
        echo "quickstart.sh: unknown option $option; there are --real, --keep and --help" >&2
        exit 2
        ;;
    esac
done

# --- telling what happens --------------------------------------------------------------------

say() {
    printf '\n== %s\n' "$*"
}

die() {
    echo "quickstart.sh: $*" >&2
    exit 1
}

# run COMMAND...: shows the command as one would type it, then runs it.
run() {
    printf '$'
    printf ' %s' "$@"
    printf '\n'
    "$@"
}

# without_us: OpenSSL with its default provider alone; it knows nothing of the card.
without_us() {
    printf '$'
    printf ' %s' "$@"
    printf '      # default provider alone\n'
    env -u OPENSSL_MODULES OPENSSL_CONF=/dev/null "$@"
}

# --- set-up and end --------------------------------------------------------------------------

work=$(mktemp -d "${TMPDIR:-/tmp}/sc-hsm-quickstart.XXXXXX")
chmod 700 "$work"
made=() # labels of the keys that are on the card because of us
server=
reader= # of the user's own token

at_end() {
    local status=$?
    trap - EXIT
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    if [ "$real" = yes ]; then
        remove_keys || status=1
    elif [ -n "${SC_HSM_VIRTUAL:-}" ]; then
        "$root/examples/virtual-hsm.sh" stop >/dev/null || status=1
    fi
    cd /
    rm -rf "$work"
    [ $status = 0 ] || echo "quickstart.sh: stopped before the end, see above" >&2
    exit $status
}

build_all() {
    local options=()
    say "Building in $build"
    # The tests need more packages; a folder that was configured already stays as it is.
    [ -f "$build/CMakeCache.txt" ] || options=(-DSC_HSM_TESTS=OFF)
    cmake -S "$root" -B "$build" "${options[@]}" >"$work/cmake.log" 2>&1 ||
        die "cmake failed: $(tail -5 "$work/cmake.log")"
    cmake --build "$build" -j"$(nproc)" >"$work/build.log" 2>&1 || {
        tail -30 "$work/build.log" >&2
        die "the build failed"
    }
    echo "$build/lib/sc-hsm.so, $build/bin/sc-hsm-sim and $build/bin/sc-hsm are there"
}

start_virtual_card() {
    local settings
    say "Starting a virtual card behind a pcscd of its own"
    # A shell that has such a card already keeps it: this one is another.
    settings=$(SC_HSM_BUILD=$build "$root/examples/virtual-hsm.sh" start) ||
        die "no virtual card could be started"
    eval "$settings"
    run opensc-tool --list-readers
}

# --- the user's own token --------------------------------------------------------------------

find_token() {
    local pin
    say "Looking for your token"
    # A pcscd that systemd starts on demand is asked by the first client; without systemd it has
    # to run already.
    run opensc-tool --list-readers | tee "$work/readers"
    grep -q '^[0-9]* *Yes' "$work/readers" ||
        die "no card is in any reader; plug in the token, and check that pcscd runs"
    run sc-hsm-tool 2>&1 | tee "$work/token" || die "the first card is not a SmartCard-HSM"
    ! grep -qi 'never been initialized' "$work/token" ||
        die "the token was never initialised: do that first, with sc-hsm init"
    [ -t 0 ] && printf 'PIN of the token (it is checked once): '
    IFS= read -rs pin || die "no PIN was given"
    echo
    (umask 077 && printf '%s\n' "$pin" >"$work/pin")
    # Where there are several, the one that was shown is the one that is used.
    reader=$(sed -n 's/^Using reader with a card: //p' "$work/token")
    sed -e "s|^# pin-source = .*|pin-source = file:$work/pin|" \
        -e "s|^# reader = .*|reader = $reader|" "$root/openssl.cnf.sample" >"$work/openssl.cnf"
    export OPENSSL_CONF=$work/openssl.cnf OPENSSL_MODULES=$build/lib
}

# remove_keys: what we made, and nothing else: by the ids that the keys were made with.
remove_keys() {
    local id
    if [ "${#made[@]}" = 0 ]; then
        return 0
    fi
    if [ "$keep" = yes ]; then
        say "Keeping the keys with these ids, as you said: ${made[*]}"
        return 0
    fi
    say "Removing the keys that were made"
    for id in "${made[@]}"; do
        run "$build/bin/sc-hsm" --reader "$reader" --pin-source "file:$work/pin" delete --yes \
            "id=$id;type=private" || {
            echo "Not everything of the key with the id $id is gone from the token." >&2
            return 1
        }
    done
}

# --- the main part ---------------------------------------------------------------------------

# unused_id: eight random bytes, which no key of the token has.
unused_id() {
    od -An -N8 -tx1 /dev/urandom | tr -d ' \n'
}

# make_key NAME ALGORITHM OPTION
make_key() {
    local id
    id=$(unused_id)
    say "A key on the card: $1"
    run openssl genpkey -algorithm "$2" -pkeyopt "$3" -pkeyopt "id:$id" \
        -pkeyopt "label:quickstart-$1" -out "$1.pem"
    made+=("$id")
    echo "$1.pem stands for the key, which is on the card and stays there:"
    head -2 "$1.pem"
}

# certify NAME: request and certificate, judged by OpenSSL without us.
certify() {
    say "A request and a self-signed certificate with $1.pem"
    run openssl req -new -key "$1.pem" -subj "/CN=localhost/O=quickstart" -out "$1.csr"
    without_us openssl req -in "$1.csr" -noout -verify
    run openssl req -new -x509 -key "$1.pem" -days 30 -subj "/CN=localhost/O=quickstart" \
        -addext subjectAltName=DNS:localhost -out "$1.crt"
    without_us openssl verify -CAfile "$1.crt" "$1.crt"
}

# listening PORT: in the table of the kernel; a connection would count as a client.
listening() {
    grep -qi "0100007F:$(printf %04X "$1") 00000000:0000 0A" /proc/net/tcp
}

free_port() {
    local port
    for ((port = 10443; port < 11443; port++)); do
        if ! (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
    die "no free port"
}

# handshake NAME: s_server signs on the card, s_client knows nothing of it.
handshake() {
    local port end=$((SECONDS + 240 * ${SC_HSM_TEST_SCALE:-1}))
    port=$(free_port)
    say "A TLS 1.3 handshake, signed with $1.pem"
    openssl s_server -accept "127.0.0.1:$port" -cert "$1.crt" -key "$1.pem" -tls1_3 -www \
        </dev/null >server.log 2>&1 &
    server=$!
    echo "\$ openssl s_server -accept 127.0.0.1:$port -cert $1.crt -key $1.pem -tls1_3 -www &"
    until listening "$port"; do
        kill -0 "$server" 2>/dev/null || die "s_server did not start: $(cat server.log)"
        [ "$SECONDS" -lt "$end" ] || die "s_server does not listen: $(cat server.log)"
        sleep 0.05
    done
    without_us openssl s_client -connect "127.0.0.1:$port" -tls1_3 -CAfile "$1.crt" \
        -verify_return_error -verify_hostname localhost </dev/null >client.log 2>&1 || {
        cat client.log server.log >&2
        die "the handshake failed"
    }
    grep -E '^(New, TLSv1.3|Peer signature type|Server public key|Verification)' client.log
    grep -q '^New, TLSv1.3' client.log || die "that was no TLS 1.3"
    grep -q '^Verification: OK' client.log || die "the client does not trust the certificate"
    kill "$server"
    wait "$server" 2>/dev/null || true
    server=
}

trap at_end EXIT
trap 'exit 1' INT TERM HUP
say "Packages"
if [ "$real" = yes ]; then
    install_packages "${packages_build[@]}" "${packages_token[@]}"
else
    install_packages "${packages_build[@]}" "${packages_virtual[@]}"
fi
echo "all that is needed is installed"
build_all
cd "$work"
if [ "$real" = yes ]; then
    find_token
else
    start_virtual_card
fi
make_key rsa SC-HSM-RSA bits:2048
make_key ec SC-HSM-EC group:P-256
for name in rsa ec; do
    certify "$name"
    handshake "$name"
done
say "What is on the card now"
run openssl storeutl -noout -text sc-hsm:
if [ "$real" = yes ]; then
    say "Done: all of this happened with keys on your token"
else
    say "Done: all of this happened with keys on the virtual card, which ends now." \
        "For one to play with: eval \"\$(examples/virtual-hsm.sh start)\""
fi
