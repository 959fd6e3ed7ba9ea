# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154  # work, seen and status are of tests/lib.sh
# What the tests of the samples under examples/ share, on top of server.sh.
#
# Each of them runs the sample itself, with nothing changed but ports, users and folders.

PATH=$PATH:/usr/sbin

# What was started, to be ended with the test in any case.
servers=()
at_end() {
    local process
    for process in ${servers[@]+"${servers[@]}"}; do
        kill "$process" 2>/dev/null || true
    done
    for process in ${servers[@]+"${servers[@]}"}; do
        wait "$process" 2>/dev/null || true
    done
    if [ "$status" != 0 ] && [ -s "$work/server.log" ]; then
        echo "--- the end of the server's log:" >&2
        { grep -E "crit|emerg|alert|rror" "$work/server.log" | tail -n 4; tail -n 4 "$work/server.log"; } | cut -c1-700 >&2
    fi
}

# sample FILE [FROM TO]...: prints that sample of examples/ with all places of each text replaced.
# A text that is not there any more is an error.
sample() {
    local text from
    text=$(<"$SC_HSM_SOURCE/examples/$1") || fail "there is no examples/$1"
    shift
    while [ $# -gt 0 ]; do
        from=$1
        [[ $text == *"$from"* ]] || fail "the sample does not say '$from'"
        text=${text//"$from"/"$2"}
        shift 2
    done
    printf '%s\n' "$text"
}

# loads_module PROGRAM: it gets the sanitizer's runtime in a sanitized build. Leaks are not looked
# for: what servers leave behind at their end with a software key, too, would hide any of ours.
loads_module() {
    [ -z "${SC_HSM_ASAN:-}" ] || wrap "$1" "LD_PRELOAD=$SC_HSM_ASAN" \
        "ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0"
}

# not_sanitized WHY: ends the test as skipped in a sanitized build.
not_sanitized() {
    [ -n "${SC_HSM_ASAN:-}" ] || return 0
    echo "skipped in a sanitized build: $*"
    exit 77
}

# as_user USER: sets as_user to what runs a command as that user where we are root. No function,
# which would make $! the number of a shell instead of the server.
# shellcheck disable=SC2034  # for the tests
as_user() {
    as_user=()
    [ "$(id -u)" = 0 ] || return 0
    as_user=(setpriv --reuid "$1" --regid "$1" --clear-groups)
    # The build folder may be in somebody's home, where others may not look.
    mkdir -p "$work/modules"
    install -m 755 "$OPENSSL_MODULES/sc-hsm.so" "$work/modules/sc-hsm.so"
    export OPENSSL_MODULES=$work/modules
}

# localhost NAME...: certificates for localhost, signed by their own keys NAME.pem, in NAME.crt.
localhost() {
    local name
    for name in "$@"; do
        check "a certificate for localhost with $name.pem" openssl req -new -x509 \
            -key "$name.pem" -subj /CN=localhost -days 30 -out "$name.crt" \
            -addext 'subjectAltName = DNS:localhost, IP:127.0.0.1'
    done
}

# unwrapped PROGRAM: where it is itself, not what stands before it in a sanitized build.
unwrapped() {
    hash -r # type would tell of what was run alone
    type -aP "$1" | grep -v "^$work/" | head -n 1
}

# handshakes PORT NUMBER VERSION KIND: full handshakes, each with one request, in which the server
# signs in that way: rsa-pss, rsa-pkcs1 or ecdsa. Its certificate has to be rsa.crt or ec.crt. The
# client is the judge and has the default provider alone.
handshakes() {
    local ca=rsa.crt algorithm
    case $4 in
    rsa-pss) algorithm=rsa_pss_rsae_sha256:RSA+SHA256 ;; # HAProxy knows RSA by the second
    rsa-pkcs1) algorithm=RSA+SHA256 ;;
    ecdsa) algorithm=ecdsa_secp256r1_sha256 ca=ec.crt ;;
    *) fail "there is no kind $4" ;;
    esac
    cat >"client-$4.cnf" <<END
openssl_conf = init
[init]
ssl_conf = tls
[tls]
system_default = defaults
[defaults]
SignatureAlgorithms = $algorithm
END
    env -u OPENSSL_MODULES -u PCSCLITE_CSOCK_NAME OPENSSL_CONF="client-$4.cnf" \
        "$(unwrapped python3)" "$SC_HSM_SOURCE/tests/servers/client.py" "$1" "$2" 8 "$3" "$ca"
}

# many PORT NUMBER VERSION KIND: the same as a check.
many() {
    check "$2 handshakes, TLS $3, $4" handshakes "$@"
    says "^$2 ok TLSv$3"
}

# plain_curl ARGUMENTS...: curl with the default provider alone.
plain_curl() {
    env -u OPENSSL_MODULES -u PCSCLITE_CSOCK_NAME OPENSSL_CONF=/dev/null \
        "$(unwrapped curl)" --silent --show-error "$@"
}

# under_load PORT VERSION KIND COMMAND...: runs the command three times while handshakes go on, none
# of which may fail.
under_load() {
    local port=$1 version=$2 kind=$3
    shift 3
    three_times_during handshakes "$port" 100 "$version" "$kind" -- "$@"
    echo "ok: $(grep -c ' ok ' load)00 connections, TLS $version, $kind, with three times: $*"
}
