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

# --- a PIN file that others can get at ---
refused() {
    fails "a PIN file of mode $1" openssl dgst -sha256 -sign "sc-hsm:id=10?pin-source=file:$work/shared.pin" \
        -out signature data
    says "the PIN file $work/shared.pin was not used, because its mode 0?$1 lets $2 at it" \
        "'chmod $3 $work/shared.pin' mends that"
}
cp pin.txt shared.pin
before=$(pin_tries)
for mode in 604 666 602 640 660 620 644; do
    chmod $mode shared.pin
    who="its group"
    [ "${mode: -1}" = 0 ] || who="every user"
    refused $mode "$who" 600
done
equal "no try was spent" "$before" "$(pin_tries)"
configure "pin-source=file:$work/shared.pin"
fails "configured" openssl dgst -sha256 -sign rsa.pem -out signature data
says "chmod 600 $work/shared.pin"
fails "for a new key" openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 -out k.pem
says "chmod 600 $work/shared.pin"
# The command that was named.
eval "$(sed -n "s/.*'\(chmod [^']*\)'.*/\1/p" "$seen" | head -n 1)"
signs "mended by the command that was named" openssl dgst -sha256 -sign rsa.pem -out signature data
chmod 400 shared.pin
signs "a file to be read alone" openssl dgst -sha256 -sign rsa.pem -out signature data
ln -s shared.pin link.pin
signs "by way of a link" openssl dgst -sha256 -sign "sc-hsm:id=10?pin-source=file:$work/link.pin" \
    -out signature data
# What is no file with a name is nobody else's to read.
signs "a pipe" openssl dgst -sha256 \
    -sign "sc-hsm:id=10?pin-source=file:"<(cat shared.pin) -out signature data
mkfifo -m 644 fifo.pin
(cat shared.pin >fifo.pin) &
signs "a FIFO" openssl dgst -sha256 -sign "sc-hsm:id=10?pin-source=file:$work/fifo.pin" -out signature data
(umask 022 && cat pin.txt >gone.pin)
exec 7<gone.pin
rm gone.pin
signs "a file without a name" openssl dgst -sha256 -sign "sc-hsm:id=10?pin-source=file:/dev/fd/7" \
    -out signature data
exec 7<&-
configure "pin-source="

# Who is neither the file's owner nor root has it by its group: that is how it was given to him.
as_member() {
    OPENSSL_CONF=/dev/null setpriv --reuid 65534 --regid 65533 --clear-groups \
        sc-hsm --pin-source "file:$work/shared.pin" "$@"
}
if ! on_token && ! on_pico; then
    chgrp 65533 shared.pin
    chmod 640 shared.pin
    raw_apdus >/dev/null 2>&1 # nobody is logged in
    check "a group's PIN file" as_member keygen --type ec:P-256 --label group
    raw_apdus >/dev/null 2>&1
    for mode in 660 644; do
        chmod $mode shared.pin
        fails "a group's PIN file of mode $mode" as_member keygen --type ec:P-256 --label group
        says "'chmod 640 $work/shared.pin' mends that"
    done
fi
rm -f shared.pin

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
