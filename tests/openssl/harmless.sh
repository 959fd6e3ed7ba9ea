#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
need strace
virtual_card
check "a key" openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 -out ec.pem
check "its public part" openssl pkey -in ec.pem -pubout -out ec.pub
check "software keys" plain_openssl genpkey -algorithm RSA -out soft.pem
seq 1 100 >data
check "a certificate" openssl req -new -x509 -key soft.pem -subj /CN=x -out c.pem

# quiet COMMAND...: activated for everyone, the provider opens no socket and starts no thread.
quiet() {
    local before
    before=$(commands)
    # The sanitizer's own leak check is a thread that traces the process: not under strace.
    check "openssl $* works" strace -f -qq -e trace=socket,connect,clone,clone3,fork,vfork \
        -o trace -E LD_PRELOAD="${SC_HSM_ASAN:-}" -E ASAN_OPTIONS=detect_leaks=0 "$real_openssl" "$@"
    if [ -s trace ]; then
        cp trace "$seen"
        fail "openssl $* opened a socket or started a thread"
    fi
    equal "openssl $*: no card command" "$before" "$(commands)"
}
quiet version
check "the provider is active" openssl list -providers
says 'sc-hsm' 'active'
quiet list -providers
quiet list -signature-algorithms
quiet list -cipher-algorithms
quiet list -mac-algorithms
quiet dgst -sha256 data
quiet rand -hex 16
quiet genpkey -algorithm RSA -out other.pem
quiet dgst -sha256 -sign soft.pem -out signature data
quiet x509 -in c.pem -noout -text
quiet verify -CAfile c.pem c.pem
quiet pkey -pubin -in ec.pub -noout

# The same when there is no pcscd at all.
export PCSCLITE_CSOCK_NAME=$work/no-such-socket
quiet version
quiet dgst -sha256 -sign soft.pem -out signature data

# The trace would show it: a key that is used does connect.
check "a signature, traced" strace -f -qq -e trace=connect -o trace \
    -E LD_PRELOAD="${SC_HSM_ASAN:-}" -E ASAN_OPTIONS=detect_leaks=0 \
    -E PCSCLITE_CSOCK_NAME="$SC_HSM_VIRTUAL/pcscd.comm" \
    "$real_openssl" dgst -sha256 -sign ec.pem -out signature data
check "shows the connection to pcscd" grep -q "$SC_HSM_VIRTUAL/pcscd.comm" trace
