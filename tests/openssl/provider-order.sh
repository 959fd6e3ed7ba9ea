#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
virtual_card
make_rsa_key
make_ec_key
seq 1 1000 >data

# everything HOW OPTIONS...: keys of both kinds, made, signed and decrypted with, where the
# provider is loaded in that way.
everything() {
    local how=$1 name id=10
    shift
    for name in rsa ec; do
        check "$how: dgst -sign with $name.pem" \
            openssl dgst "$@" -sha256 -sign "$name.pem" -out signature data
        check "verified" plain_openssl dgst -sha256 -verify "$name.pub" -signature signature data
        check "$how: req -x509 by URI" openssl req "$@" -new -x509 -key "sc-hsm:id=$id" \
            -subj "/CN=$name" -out "$name.crt"
        check "verified" plain_openssl verify -CAfile "$name.crt" "$name.crt"
        check "$how: cms -decrypt" plain_openssl cms -encrypt -binary -in data -out data.p7 \
            -recip "$name.crt"
        check "decrypted" openssl cms "$@" -decrypt -binary -in data.p7 -inkey "$name.pem" -out opened
        same_bytes "it is the data" data opened
        id=20
    done
    check "$how: a software RSA key" openssl genpkey "$@" -algorithm RSA -out soft.pem
    check "an ordinary one" plain_openssl pkey -in soft.pem -noout
    check "$how: it signs" openssl dgst "$@" -sha256 -sign soft.pem -out signature data
    check "$how: a software EC key" openssl genpkey "$@" -algorithm EC -pkeyopt group:P-256 \
        -out soft.pem
    check "an ordinary one" plain_openssl pkey -in soft.pem -noout
    check "$how: it signs" openssl dgst "$@" -sha256 -sign soft.pem -out signature data
    check "$how: a key on the card" openssl genpkey "$@" -algorithm SC-HSM-EC -pkeyopt group:P-256 \
        -out made.pem
    check "$how: it signs" openssl dgst "$@" -sha256 -sign made.pem -out signature data
}

everything "by openssl.cnf alone"

# The same file with our provider before the default one.
sed -i '/^default = default_sect/d' "$OPENSSL_CONF"
sed -i '/^sc-hsm = sc_hsm_sect/a default = default_sect' "$OPENSSL_CONF"
everything "by openssl.cnf, ours first"

# Nothing in openssl.cnf activates it: the command line does, in both orders.
sed -i '/^sc-hsm = sc_hsm_sect/d' "$OPENSSL_CONF"
fails "without it, no such key" openssl dgst -sha256 -sign rsa.pem -out signature data
cat >env.pin <<END
$pin
END
with_pin() {
    local pin_uri="?pin-source=file:$work/env.pin"
    check "-provider $*: a URI" openssl req "$@" -new -x509 -key "sc-hsm:id=10$pin_uri" -subj /CN=x \
        -out c.pem
    check "verified" plain_openssl verify -CAfile c.pem c.pem
    check "-provider $*: the reference file" openssl dgst "$@" -sha256 -sign rsa.pem \
        -passin "pass:$pin" -out signature data
    check "verified" plain_openssl dgst -sha256 -verify rsa.pub -signature signature data
}
with_pin -provider sc-hsm -provider default
with_pin -provider default -provider sc-hsm
with_pin -provider sc-hsm

# A module that OpenSSL finds by its path alone.
unset OPENSSL_MODULES
with_pin -provider-path "$SC_HSM_BUILD/lib" -provider default -provider sc-hsm
