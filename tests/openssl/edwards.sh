#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Ed25519, Ed448, X25519 and X448 keys, as a Pico HSM has them.
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../servers/server.sh
. "$SC_HSM_SOURCE/tests/servers/server.sh"
virtual_cards 1 --profile pico
seq 1 300 >data
head -c 2000 /dev/zero >longest
head -c 2001 /dev/zero >longer

at_end() {
    [ -z "${server:-}" ] || kill "$server"
}

# as_software WHAT COMMAND...: with the key on the device what the default provider does with a
# software key; its version of OpenSSL may not.
as_software() {
    local what=$1
    shift
    if plain_openssl "${@/#DEVICE/soft}" >/dev/null 2>&1; then
        check "$what" openssl "${@/#DEVICE/$name}"
        return 0
    fi
    fails "$what, as with a software key" openssl "${@/#DEVICE/$name}"
    return 1
}

# handshake KEY: TLS 1.3 by OpenSSL's own client.
handshake() {
    port=$(free_port 1)
    openssl s_server -accept "127.0.0.1:$port" -cert "$name.crt" -key "$1" -www \
        </dev/null >server.log 2>&1 &
    server=$!
    wait_for "s_server with $1" listening "$port" "$server"
    for _ in 1 2 3; do
        check "TLS 1.3 with $1" plain_openssl s_client -connect "127.0.0.1:$port" -CAfile \
            "$name.crt" -verify_return_error -tls1_3 </dev/null
        says 'Verify return code: 0' "Peer signature type: $name"
    done
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=
}

for name in Ed25519 Ed448; do
    check "a key on the device" openssl genpkey -algorithm "SC-HSM-${name^^}" \
        -pkeyopt "label:$name" -out "$name.pem"
    check "its reference" grep -q "SC-HSM" "$name.pem"
    check "its public part" openssl pkey -in "$name.pem" -pubout -out "$name.pub"
    check "the default provider knows it" plain_openssl pkey -pubin -in "$name.pub" -noout -text
    says "${name^^} Public-Key"
    check "as text" openssl pkey -in "$name.pem" -noout -text
    says "sc-hsm:" "${name^^} Public-Key"
    check "storeutl" openssl storeutl -keys "sc-hsm:label=$name"
    says "Total found: 1"
    for key in "$name.pem" "sc-hsm:label=$name"; do
        for message in data longest; do
            check "$key signs" openssl pkeyutl -sign -rawin -inkey "$key" -in "$message" \
                -out signature
            check "verified" plain_openssl pkeyutl -verify -rawin -pubin -inkey "$name.pub" \
                -in "$message" -sigfile signature
        done
        fails "a message that the device does not take" openssl pkeyutl -sign -rawin -inkey "$key" \
            -in longer -out none
        says '2001 bytes is longer than the 2000'
        check "req -x509 with $key" openssl req -new -x509 -key "$key" -subj "/CN=$name" \
            -addext subjectAltName=DNS:localhost -out "$name.crt"
        check "verified" plain_openssl verify -CAfile "$name.crt" "$name.crt"
        check "req with $key" openssl req -new -key "$key" -subj /CN=request -out request.csr
        check "verified" plain_openssl req -in request.csr -verify -noout
        check "ours verifies as well" openssl pkeyutl -verify -rawin -inkey "$key" -in longest \
            -sigfile signature
        handshake "$key"
    done
    check "a request is certified" openssl x509 -req -in request.csr -CA "$name.crt" \
        -CAkey "$name.pem" -CAcreateserial -out issued.crt
    check "verified" plain_openssl verify -CAfile "$name.crt" issued.crt
    check "a software key" plain_openssl genpkey -algorithm "$name" -out soft.pem
    check "its certificate" plain_openssl req -new -x509 -key soft.pem -subj /CN=soft -out soft.crt
    if as_software "cms -sign" cms -sign -nodetach -binary -in data -signer DEVICE.crt -inkey DEVICE.pem \
        -outform PEM -out signed; then
        check "verified" plain_openssl cms -verify -inform PEM -in signed -CAfile "$name.crt" \
            -purpose any -out opened
    fi
    fails "the certificate of another key" openssl req -x509 -key "$name.pem" -in request.csr \
        -CA soft.crt -CAkey "$name.pem" -out no.crt
    fails "a digest" openssl dgst -sha256 -sign "$name.pem" -out signature data
    fails "it is not exported" openssl pkcs8 -topk8 -nocrypt -in "$name.pem" -outform DER -out no
done

for name in X25519 X448; do
    check "a key on the device" openssl genpkey -algorithm "SC-HSM-$name" -pkeyopt "label:$name" \
        -out "$name.pem"
    check "its public part" openssl pkey -in "$name.pem" -pubout -out "$name.pub"
    check "the peer, in software" plain_openssl genpkey -algorithm "$name" -out peer.pem
    check "its public part" plain_openssl pkey -in peer.pem -pubout -out peer.pub
    check "the secret as the peer sees it" plain_openssl pkeyutl -derive -inkey peer.pem \
        -peerkey "$name.pub" -out theirs
    for key in "$name.pem" "sc-hsm:label=$name"; do
        check "the secret with $key" openssl pkeyutl -derive -inkey "$key" -peerkey peer.pub \
            -out ours
        same_bytes "both have the same" theirs ours
        fails "a peer of another kind" openssl pkeyutl -derive -inkey "$key" \
            -peerkey Ed25519.pub -out ours
    done
    fails "it signs nothing" openssl pkeyutl -sign -rawin -inkey "$name.pem" -in data -out signature
done
# RFC 7748, 6.1: a point of small order, with which every key has the secret zero.
{
    echo '-----BEGIN PUBLIC KEY-----'
    printf '\x30\x2a\x30\x05\x06\x03\x2b\x65\x6e\x03\x21\0%032d' 0 | tr 0 '\0' | base64
    echo '-----END PUBLIC KEY-----'
} >zero.pub
fails "a peer's key of small order" openssl pkeyutl -derive -inkey X25519.pem -peerkey zero.pub \
    -out ours

# Software keys are the default provider's, whoever is loaded first.
software() {
    for name in ED25519 ED448; do
        check "$1: a software key" openssl genpkey -algorithm "$name" -out soft.pem
        check "an ordinary one" plain_openssl pkey -in soft.pem -out again.pem
        check "$1: written as it is" openssl pkey -in soft.pem -out ours.pem
        same_bytes "the same file" again.pem ours.pem
        check "as text" plain_openssl pkey -in soft.pem -noout -text
        cp "$seen" theirs
        check "$1: as text" openssl pkey -in soft.pem -noout -text
        cp "$seen" ours
        same_bytes "the same" theirs ours
        check "it signs" plain_openssl pkeyutl -sign -rawin -inkey soft.pem -in data -out theirs
        check "$1: it signs" openssl pkeyutl -sign -rawin -inkey soft.pem -in data -out ours
        same_bytes "the same signature" theirs ours
        check "$1: longer messages too" openssl pkeyutl -sign -rawin -inkey soft.pem -in longer \
            -out ours
        check "$1: req -x509" openssl req -new -x509 -key soft.pem -subj /CN=soft -out soft.crt
        check "verified" plain_openssl verify -CAfile soft.crt soft.crt
    done
    for name in X25519 X448; do
        check "$1: a software key" openssl genpkey -algorithm "$name" -out soft.pem
        check "$1: its public part" openssl pkey -in soft.pem -pubout -out soft.pub
        check "their secret" plain_openssl pkeyutl -derive -inkey peer.pem -peerkey peer.pub \
            -out /dev/null
        check "$1: the secret of a pair" openssl pkeyutl -derive -inkey soft.pem \
            -peerkey soft.pub -out ours
        check "the same by the default provider" plain_openssl pkeyutl -derive -inkey soft.pem \
            -peerkey soft.pub -out theirs
        same_bytes "the same secret" theirs ours
    done
    name=Ed25519
    for group in X25519 X448 P-256; do
        port=$(free_port 1)
        openssl s_server -accept "127.0.0.1:$port" -cert Ed25519.crt -key Ed25519.pem -www \
            -groups "$group" </dev/null >server.log 2>&1 &
        server=$!
        wait_for "s_server" listening "$port" "$server"
        check "$1: TLS 1.3 with $group, ours at both ends" openssl s_client -connect \
            "127.0.0.1:$port" -CAfile Ed25519.crt -verify_return_error -tls1_3 -groups "$group" \
            </dev/null
        says 'Verify return code: 0'
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
        server=
    done
}
software "the default provider first"
sed -i '/^default = default_sect/d' "$OPENSSL_CONF"
sed -i '/^sc-hsm = sc_hsm_sect/a default = default_sect' "$OPENSSL_CONF"
software "ours first"

keygen() {
    sc-hsm --pin-source "file:$pin_file" keygen "$@"
}

# The tool makes them as well, and tells them apart.
for type in ed25519 ed448 x25519 x448; do
    check "keygen --type $type" keygen --type "$type" \
        --label "tool-$type" --out "tool-$type.pem"
    check "list" sc-hsm list "label=tool-$type"
    says "${type^^}"
    check "pubkey" sc-hsm pubkey "label=tool-$type"
    check "it is that of the reference" openssl pkey -in "tool-$type.pem" -pubout
done
# It lets them sign requests and certificates of themselves.
for type in ed25519 ed448; do
    check "csr" sc-hsm --pin-source "file:$pin_file" csr "label=tool-$type" --subject /CN=x --san DNS:x.example \
        --out "$type.csr"
    check "it verifies" plain_openssl req -in "$type.csr" -noout -verify
    check "cert self-sign" sc-hsm --pin-source "file:$pin_file" cert self-sign "label=tool-$type" --subject /CN=x \
        --days 9 --ca --store --out "$type.crt"
    check "it verifies" plain_openssl verify -x509_strict -CAfile "$type.crt" "$type.crt"
done
fails "a key that only agrees" sc-hsm --pin-source "file:$pin_file" csr label=tool-x25519 --subject /CN=x
says "signs nothing"
check "its help names them" sc-hsm help pubkey
says 'P-521, Ed25519\), jwk' 'secp256k1, Ed448, X25519 and X448\)'
check "pubkey --format jwk" sc-hsm pubkey --format jwk label=tool-ed25519
says '"kty": "OKP"' '"crv": "Ed25519"' '"x": "[A-Za-z0-9_-]{43}"'
check "pubkey --format jwk" sc-hsm pubkey --format jwk label=tool-x448
says '"crv": "X448"'
check "pubkey --format ssh" sc-hsm pubkey --format ssh label=tool-ed25519
cp "$seen" key.pub
check "ssh-keygen takes it" ssh-keygen -l -f key.pub
says ED25519
fails "ssh has no Ed448" sc-hsm pubkey --format ssh label=tool-ed448
fails "none is wrapped, as none would come back" sc-hsm --pin-source "file:$pin_file" wrap \
    label=tool-ed25519 tool.wrapped
says 'no device takes an Ed25519'
check "a key for agreement alone" keygen --type x25519 \
    --algorithms xdh --label xdh
fails "eddsa is nothing for it" keygen --type x25519 \
    --algorithms eddsa
says 'eddsa is nothing for an X25519 key'
