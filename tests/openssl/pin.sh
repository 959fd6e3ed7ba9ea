#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
need expect
virtual_card
make_rsa_key
self_signed rsa
seq 1 100 >data
configure pin-source=

# signs WHAT COMMAND...: the command leaves a good signature of data.
signs() {
    rm -f signature
    check "$@"
    check "verified" plain_openssl dgst -sha256 -verify rsa.pub -signature signature data
}

# --- no source configured: -passin ---
for key in rsa.pem sc-hsm:id=10; do
    signs "dgst -passin pass: with $key" openssl dgst -sha256 -sign "$key" -passin "pass:$pin" \
        -out signature data
    check "req -passin pass: with $key" openssl req -new -x509 -key "$key" -passin "pass:$pin" \
        -subj /CN=x -out c.pem
    check "verified" plain_openssl verify -CAfile c.pem c.pem
    check "cms -passin pass: with $key" openssl cms -sign -in data -signer rsa.crt -inkey "$key" \
        -passin "pass:$pin" -out data.p7
    echo "$pin" >pin.txt
    check "pkeyutl -passin file: with $key" openssl pkeyutl -sign -inkey "$key" \
        -passin file:pin.txt -in pin.txt -out pkeyutl.sig
done

# --- the prompt ---
for key in rsa.pem sc-hsm:id=10; do
    signs "the prompt with $key" prompted "$pin" openssl dgst -sha256 -sign "$key" \
        -out signature data
    check "once" prompted "$pin" openssl dgst -sha256 -sign "$key" -out signature data
    says '^asked 1 times'
done
fails "a wrong PIN at the prompt" prompted 111111 openssl dgst -sha256 -sign rsa.pem \
    -out signature data
says "$(tries 2) (are )?left"
check "public work needs no answer" openssl pkey -in rsa.pem -pubout -out p.pub </dev/null
same_bytes "it is the public key" rsa.pub p.pub
fails "no terminal, no PIN" setsid -w openssl dgst -sha256 -sign rsa.pem -out signature data </dev/null
says 'PIN'
equal "no try spent" 2 "$(pin_tries)"
signs "the right PIN sets the counter back" openssl dgst -sha256 -sign rsa.pem -passin "pass:$pin" \
    -out signature data
equal "3 tries" 3 "$(pin_tries)"

# --- every source of the configuration and of the URI ---
signs "URI: file:" openssl dgst -sha256 -sign "sc-hsm:id=10?pin-source=file:$work/pin.txt" \
    -out signature data
PIN_HERE=$pin signs "URI: env:" openssl dgst -sha256 -sign "sc-hsm:id=10?pin-source=env:PIN_HERE" \
    -out signature data
exec 7<pin.txt
signs "URI: fd:" openssl dgst -sha256 -sign "sc-hsm:id=10?pin-source=fd:7" -out signature data
exec 7<&-
signs "URI: pin-value" openssl dgst -sha256 -sign "sc-hsm:id=10?pin-value=$pin" -out signature data
signs "URI: prompt" prompted "$pin" openssl dgst -sha256 -sign "sc-hsm:id=10?pin-source=prompt" \
    -out signature data
configure "pin-source=env:PIN_HERE"
PIN_HERE=$pin signs "configuration: env:" openssl dgst -sha256 -sign rsa.pem -out signature data
configure "pin-source=" "pin=$pin"
signs "configuration: pin" openssl dgst -sha256 -sign rsa.pem -out signature data
configure "pin="

# --- generation, which gets no pass phrase from OpenSSL ---
check "genpkey with pin-source" openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 \
    -pkeyopt "pin-source:file:$work/pin.txt" -out k.pem
check "genpkey with pin-value" openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 \
    -pkeyopt "pin-value:$pin" -out k.pem
check "genpkey asks on the terminal" prompted "$pin" openssl genpkey -algorithm SC-HSM-EC \
    -pkeyopt group:P-256 -out k.pem
before=$(files)
fails "genpkey without any" setsid -w openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 \
    -out none.pem </dev/null
says 'PIN'
equal "nothing was made" "$before" "$(files)"

fails "no PIN in what the provider logs" env SC_HSM_LOG=apdu bash -c \
    "openssl dgst -sha256 -sign rsa.pem -passin pass:$pin -out signature data 2>&1 |
        grep -E '$pin|$(printf %s "$pin" | od -An -tx1 | tr -d ' \n')'"
