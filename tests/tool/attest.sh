#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sc-hsm attest proves what can be proven
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

need python3 openssl
virtual_cards 2
serial=$(sed -n 1p "$SC_HSM_VIRTUAL/serials")
other=$(sed -n 2p "$SC_HSM_VIRTUAL/serials")

# json EXPRESSION COMMAND...: the value of a Python expression over the document `d`.
json() {
    local expression=$1
    shift
    "$@" >out.json || true
    python3 -c 'import json, sys
d = json.load(open("out.json"))
print(eval(sys.argv[1]))' "$expression"
}

# flip FILE OFFSET: turns a bit of the byte at OFFSET.
flip() {
    python3 - "$1" "$2" <<'END'
import sys
d = bytearray(open(sys.argv[1], "rb").read())
d[int(sys.argv[2])] ^= 1
open(sys.argv[1], "wb").write(d)
END
}

check "the virtual cards' root" "$SC_HSM_BUILD/bin/sc-hsm-sim" --write-root root.cvc
check "an RSA-2048 key is made" openssl genpkey -algorithm SC-HSM-RSA -pkeyopt bits:2048 \
    -pkeyopt id:10 -pkeyopt label:web-rsa -pkeyopt "serial:$serial" -out rsa.pem
check "its public key" openssl pkey -in rsa.pem -pubout -out rsa.pub
check "a P-256 key is made on the other card" openssl genpkey -algorithm SC-HSM-EC \
    -pkeyopt group:P-256 -pkeyopt id:20 -pkeyopt label:web-ec -pkeyopt "serial:$other" -out ec.pem

fails "a virtual card is no maker's device" sc-hsm --serial "$serial" attest
says "nothing proves who made device $serial: .* none of the makers that we know" "--root FILE"
check "a device under the user's root" sc-hsm --serial "$serial" --root root.cvc attest
says "^Maker: +root.cvc \(root .*, trusted because you say so\)$" "^Device: +$serial$" \
    "Device $serial is what it says"
check "a key under the user's root" sc-hsm --root root.cvc attest sc-hsm:label=web-rsa
says "^Certified: +by device $serial, when it made the key$" \
    "This key was made on device $serial\.$"
hash=$(openssl pkey -pubin -in rsa.pub -outform DER | sha256sum | cut -d' ' -f1)
says "^Public key \(SHA-256\): +$hash$"
equal "as JSON" "('$serial', True, None, False, '$hash', True, True)" \
    "$(json '(d["device"]["serial"], d["device"]["verified"], d["device"]["why_not"],
              d["device"]["built_in_root"], d["key"]["sha256"], d["key"]["certified"],
              d["made_on_device"])' sc-hsm --json --root root.cvc attest sc-hsm:label=web-rsa)"
equal "without the root as JSON" "(False, True, False)" \
    "$(json '(d["device"]["verified"], d["key"]["certified"], d["made_on_device"])' \
        sc-hsm --json attest sc-hsm:label=web-rsa)"

# The same from files, with no card.
check "the certificates as a file" sc-hsm --serial "$serial" cat 2F02 --out device.id
check "those of the other card" sc-hsm --serial "$other" cat 2F02 --out other.id
check "the request as a file" sc-hsm --serial "$serial" cat CE01 --out rsa.req
offline() {
    env -u PCSCLITE_CSOCK_NAME sc-hsm --root root.cvc attest --file "$1" --device-id "$2"
}
check "a request and a device id" offline rsa.req device.id
says "files alone were looked at" "This key was made on device $serial\.$"
fails "another device's id" offline rsa.req other.id
says "nothing proves that this key was made on device $other: the key was made by device $serial"
cp rsa.req tampered.req
flip tampered.req -3
fails "a tampered signature of the device" offline tampered.req device.id
says "nothing proves .*the device's signature over the request"
cp rsa.req tampered.req
flip tampered.req 100
fails "a tampered public key" offline tampered.req device.id
says "nothing proves "
cp device.id tampered.id
flip tampered.id 150
fails "a tampered device certificate" offline rsa.req tampered.id
head -c 300 rsa.req >cut.req
fails "a cut request" offline cut.req device.id
says "a key's authenticated request is malformed"
fails "no request at all" offline root.cvc device.id
says "root.cvc is a device's certificate, with no key's request in it"
fails "a wrong root" sc-hsm --root device.id attest
says "no root certificate"
fails "a device id alone" sc-hsm attest --device-id device.id
says "device-id goes with --file"

self_signed rsa
openssl x509 -in rsa.crt -outform DER -out rsa.der
check "its certificate is stored" pkcs11-tool --module opensc-pkcs11.so --slot-index 0 --login \
    --pin "$pin" --write-object rsa.der --type cert --id 10 --label web-rsa
fails "a key whose request is gone" sc-hsm --root root.cvc attest sc-hsm:label=web-rsa
says "key reference 1 has no request of its making any more: its certificate"
check "but it is in a file" sc-hsm --serial "$serial" --root root.cvc attest --file rsa.req
says "This key was made on device $serial\.$"

# Devices that are sold, from the published files.
vectors=${SC_HSM_VECTORS:-$SC_HSM_SOURCE/../shared/vectors}
if [ -d "$vectors" ]; then
    vector() {
        env -u PCSCLITE_CSOCK_NAME sc-hsm attest --file "$vectors/$1" --device-id "$vectors/$2"
    }
    check "a key of a Nitrokey HSM 2" vector nitrokey-DENK0404144-ce03-p256-id20.bin \
        nitrokey-DENK0404144-ef2f02.bin
    says "^Maker: +CardContact, production \(root DESRCACC100001\)$" \
        "This key was made on device DENK0404144\.$"
    fails "a test card did not make it" vector nitrokey-DENK0404144-ce03-p256-id20.bin \
        UTCC0200013-ef2f02.bin
    says "made by device DENK040414400000, not UTCC020001300000" "root for tests"
    fails "a Pico HSM that no maker signed" vector nitrokey-DENK0404144-ce03-p256-id20.bin \
        pico-ESP2202E14A-ef2f02-v2.bin
    says "device ESP2202E14A"
else
    echo "SKIPPED: the published files of real devices are not in $vectors"
fi
