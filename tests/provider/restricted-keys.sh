#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Keys whose algorithm list permits only signatures that the card pads, or hashes and pads.
. "$(dirname "$0")/../lib.sh"
virtual_card
head -c 300 /dev/urandom >short
head -c 5000 /dev/urandom >long
head -c 32 /dev/urandom >hash
pss=(-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest)

# key NAME TYPE ALGORITHMS: a key with that list.
key() {
    local options=(-pkeyopt bits:2048)
    [ "$2" = SC-HSM-RSA ] || options=(-pkeyopt group:P-256)
    check "a key with the list $3" openssl genpkey -algorithm "$2" "${options[@]}" \
        -pkeyopt "algorithms:$3" -pkeyopt "label:$1" -out "$1.pem"
    check "its public key" openssl pkey -in "$1.pem" -pubout -out "$1.pub"
}

# signs KEY FILE OPTIONS...: dgst with the card's key, verified by the default provider alone.
signs() {
    local key=$1 file=$2
    shift 2
    rm -f signature
    check "$key signs the $file file, $*" openssl dgst "$@" -sign "$key.pem" -out signature "$file"
    check "verified" plain_openssl dgst "$@" -verify "$key.pub" -signature signature "$file"
}

# refuses KEY FILE OPTIONS...
refuses() {
    local key=$1 file=$2
    shift 2
    fails "$key does not sign the $file file, $*" \
        openssl dgst "$@" -sign "$key.pem" -out signature "$file"
    says "$key.*policy does not permit"
}

key info SC-HSM-RSA 30
signs info short -sha256
signs info long -sha512
signs info long -sha3-256
signs info short -md5-sha1
refuses info short -sha256 "${pss[@]}"
says "list would have to hold 20, 40 or 43"
check "a certificate" openssl req -new -x509 -key info.pem -subj /CN=info -out info.crt
check "verified" plain_openssl verify -CAfile info.crt info.crt
check "pkeyutl signs a hash" openssl pkeyutl -sign -inkey info.pem -in hash -out signature \
    -pkeyopt digest:sha256
check "verified" plain_openssl pkeyutl -verify -pubin -inkey info.pub -in hash -sigfile signature \
    -pkeyopt digest:sha256

key pss SC-HSM-RSA 40
signs pss short -sha256 "${pss[@]}"
signs pss long -sha1 "${pss[@]}"
signs pss long -sha384 "${pss[@]}"
signs pss long -sha512 "${pss[@]}"
refuses pss short -sha256
says "list would have to hold 20, 30 or 33"
refuses pss short -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:20
says "list would have to hold 20" "salt of its length" "rsa_pss_saltlen:digest"
refuses pss short -sha256 "${pss[@]}" -sigopt rsa_mgf1_md:sha1
refuses pss short -sha3-256 "${pss[@]}"

key hashing SC-HSM-RSA 31:33:34:35:41:43:44:45
for digest in sha1 sha256 sha384 sha512; do
    signs hashing short "-$digest"
    signs hashing short "-$digest" "${pss[@]}"
done
refuses hashing short -sha224
says "list would have to hold 20 or 30"
refuses hashing long -sha256
says "20 or 30, or the algorithm that hashes as well and a message of at most 1000 bytes"
fails "nor a bare hash" openssl pkeyutl -sign -inkey hashing.pem -in hash -out signature \
    -pkeyopt digest:sha256
says "message of at most 1000 bytes"
check "but a certificate" openssl req -new -x509 -key hashing.pem -subj /CN=localhost -out h.crt
check "verified" plain_openssl verify -CAfile h.crt h.crt

key curve SC-HSM-EC 71:72:73:74:75
for digest in sha1 sha224 sha256 sha384 sha512; do
    signs curve short "-$digest"
done
refuses curve short -sha3-256
says "list would have to hold 70"
refuses curve long -sha256
says "70, or the algorithm that hashes as well"
check "a certificate" openssl req -new -x509 -key curve.pem -subj /CN=localhost -out curve.crt
check "verified" plain_openssl verify -CAfile curve.crt curve.crt

# TLS signs short messages: such keys serve it.
handshake() {
    local name=$1 server port
    shift
    : >server.log
    openssl s_server -accept 127.0.0.1:0 -cert "$1" -key "$name.pem" -www >server.log 2>&1 &
    server=$!
    wait_for "s_server" grep -q '^ACCEPT' server.log
    port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' server.log | head -1)
    for version in -tls1_2 -tls1_3; do
        check "TLS $version with $name" plain_openssl s_client -connect "127.0.0.1:$port" \
            "$version" -CAfile "$1" -verify_return_error
        says "verification: ok"
    done
    kill "$server"
    wait "$server" || true
}
handshake hashing h.crt </dev/null
handshake curve curve.crt </dev/null

# What is refused is found out once.
count "two refusals before the first signature" "<=8" "$programs/sign_many" hashing.pem 1
count "and one command for each that follows" "<=18" "$programs/sign_many" hashing.pem 10

# Nothing that cannot be done is done in another way.
key agree SC-HSM-EC 80
refuses agree short -sha256
key sign SC-HSM-RSA 20
check "a certificate" openssl req -new -x509 -key sign.pem -subj /CN=sign -out sign.crt
check "its ciphertext" plain_openssl pkeyutl -encrypt -certin -inkey sign.crt -in hash -out cipher
fails "a signing key does not decrypt" \
    openssl pkeyutl -decrypt -inkey sign.pem -in cipher -out opened
says "policy does not permit" "list would have to hold 21"
fails "a signing key derives nothing" openssl pkeyutl -derive -inkey curve.pem \
    -peerkey agree.pub -out secret
says "list would have to hold 80"
