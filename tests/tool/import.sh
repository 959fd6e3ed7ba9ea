#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Private keys come from files to the device, with certificates and the shares of its DKEK.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=outcome.sh
. "$(dirname "$0")/outcome.sh"
admin_card
# The share of a published guide: its password is 123456789, its key check value 53CA37CEED5B227F.
base64 -d >share.pbe <<'END'
U2FsdGVkX19TK+VuViUAPOKAfVPE9puwK7yvJSInvPeBSld+Uh2hHli8RazbFVd3dGgOu7ahEjm6YzzYWtxMnA==
END
printf 123456789 >password
share=ae71747fce318e9cf798b8ae0553a32c41269dd4eccccf457ae2e3c0eaccbc3d
import() {
    sc-hsm --pin-source file:pin import "$@" --share share.pbe --password-source file:password
}

check "a device that expects a share" sc-hsm init --yes --so-pin-source file:so-pin \
    --pin-source file:pin --dkek-shares 1
check "the share" raw_apdus "8052000020${share}00"
! tells_kcv || says '53 CA 37 CE ED 5B 22 7F'
echo message >message

# --- files: a root, an intermediate CA, and a server's key in PKCS#12 with its chain ----------------

issue() { # NAME ISSUER: an RSA key and its certificate
    plain_openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -subj "/CN=$1" -out csr 2>/dev/null
    printf 'basicConstraints=CA:true\n' >extensions
    plain_openssl x509 -req -in csr -CA "$2.crt" -CAkey "$2.key" -days 30 -extfile extensions \
        -out "$1.crt" 2>/dev/null
}
plain_openssl req -x509 -newkey rsa:2048 -nodes -keyout root.key -subj /CN=root -days 30 \
    -out root.crt 2>/dev/null
issue intermediate root
issue server intermediate
cat intermediate.crt root.crt >chain.pem
printf 'secret pass' >p12-password
plain_openssl pkcs12 -export -inkey server.key -in server.crt -certfile chain.pem \
    -passout file:p12-password -out server.p12
plain_openssl genpkey -algorithm EC -pkeyopt group:P-384 -out ec.key
plain_openssl pkcs8 -topk8 -in ec.key -passout file:p12-password -out ec.p8
empty=$(files)

# --- what is refused, before a password is worked on ------------------------------------------------

ends 1 "a wrong password of the file" import server.p12 --file-password-source file:pin
says "server.p12 cannot be opened: its password is wrong"
head -c 500 server.p12 >cut.p12
ends 1 "a cut file" import cut.p12 --file-password-source file:p12-password
says "cut.p12 holds no private key"
ends 1 "a file without a key" import root.crt
says "root.crt holds no private key"
ends 1 "no file" import nothing.pem
says "nothing.pem"
ends 1 "no terminal" setsid -w sc-hsm import ec.p8 --share share.pbe
says "no terminal.*--file-password-source"
cat server.key ec.key >two.pem
ends 1 "two keys" import two.pem
says "several private keys"
ends 1 "another key's certificate" import ec.key --cert root.crt
says "none of the certificates is that of the private key"
ends 2 "no share" sc-hsm --pin-source file:pin import ec.key
says "\-\-share"
head -c 60 share.pbe >cut.pbe
ends 1 "a cut share" sc-hsm --pin-source file:pin import ec.key --share cut.pbe
says "cut.pbe.*cut short"
ends 2 "an unknown algorithm" import ec.key --algorithms rsa-pss
equal "nothing was written" "$empty" "$(files)"

# --- imported ---------------------------------------------------------------------------------------

check "PKCS#12 with a chain" import server.p12 --file-password-source file:p12-password
says "Imported key 'server'" "2 CA certificates of its chain were stored"
equal "key and certificates" \
    "['cert:intermediate', 'cert:root', 'cert:server', 'private:server']" \
    "$(json 'sorted(o["type"] + ":" + o["label"] for o in d["objects"])' sc-hsm --json list)"
for certificate in server intermediate root; do
    check "the certificate $certificate" sc-hsm cert export "label=$certificate"
    cp "$seen" exported.crt
    equal "it is the one of the file" "$(plain_openssl x509 -in $certificate.crt -fingerprint -noout)" \
        "$(plain_openssl x509 -in exported.crt -fingerprint -noout)"
done
check "the key signs" openssl dgst -sha256 -sign sc-hsm:label=server -out signature message
plain_openssl pkey -in server.key -pubout -out server.pub
check "the signature verifies" plain_openssl dgst -sha256 -verify server.pub -signature signature \
    message

# shellcheck disable=SC2034  # for typed
plain_openssl pkcs12 -export -legacy -inkey server.key -in server.crt -passout file:p12-password \
    -out old.p12
without_modules() {
    (
        export OPENSSL_MODULES=$work/nowhere
        import "$@"
    )
}
ends 1 "PKCS#12 of former times, without the provider for it" without_modules old.p12 \
    --file-password-source file:p12-password
says "legacy provider"
old_import() {
    (
        unset OPENSSL_MODULES
        import "$@"
    )
}
ends 1 "PKCS#12 of former times is opened, and the share is at fault" old_import old.p12 --no-chain \
    --share cut.pbe --file-password-source file:p12-password
says "cut.pbe.*cut short"
check "encrypted PKCS#8, both passwords typed" typed "password of the key file: =secret pass" \
    "password for share.pbe: =123456789" -- sc-hsm --pin-source file:pin import ec.p8 \
    --share share.pbe --label mail --id 42 --key-ref 7 --algorithms ecdsa,ecdsa-sha256
says "key-ref=7;id=42;label=mail"
check "it signs" openssl dgst -sha256 -sign sc-hsm:id=42 -out signature message
plain_openssl pkey -in ec.key -pubout -out ec.pub
check "the signature verifies" plain_openssl dgst -sha256 -verify ec.pub -signature signature message
ends 1 "its list forbids to wrap it" sc-hsm --pin-source file:pin wrap id=42 mail.wrapped
says "policy"
fails "nobody vouches for it" sc-hsm attest id=42
says "imported from a file"

# --- another DKEK -----------------------------------------------------------------------------------

check "a device that has another DKEK" sc-hsm init --yes --so-pin-source file:so-pin \
    --pin-source file:pin --dkek-shares random
other=$(json 'd["key_domains"][0]["key_check_value"]' sc-hsm --json dkek status)
ends 1 "another DKEK" import ec.key
says "53CA37CEED5B227F" "another \(.*$(tells_kcv && echo "$other")"
equal "nothing was written" "$empty" "$(files)"
