#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A key that was made can be written in whatever form a program asks for: refused, it would stay on the
# device and nobody knew of it. What is written is the reference, in PEM or DER.
. "$(dirname "$0")/../lib.sh"
virtual_card

# stands_for FILE PUBLIC: a reference that loads, of this key.
stands_for() {
    check "$1 is a reference" python3 - "$1" <<'END'
import base64, sys
data = open(sys.argv[1], "rb").read()
if b"-----BEGIN SC-HSM PRIVATE KEY-----" in data:
    assert b"provider sc-hsm" in data.split(b"-----")[0]
    data = base64.b64decode(b"".join(data.split(b"-----")[2].split()))
sys.exit(0 if data[:1] == b"\x30" and b"sc-hsm key v1" in data[:32] else 1)
END
    check "it loads" openssl pkey -in "$1" -pubout -out "$1.pub"
    [ -z "${2:-}" ] || same_bytes "it is the key" "$2" "$1.pub"
}

# The openssl command, as it comes: which calls these are depends on its version.
make_rsa_key
make_ec_key
made=2
for form in PEM DER; do
    for algorithm in "SC-HSM-EC -pkeyopt group:P-256" "SC-HSM-RSA -pkeyopt bits:1024" \
        "SC-HSM-RSA-PSS -pkeyopt bits:1024"; do
        # shellcheck disable=SC2086  # words on purpose
        check "genpkey -outform $form of $algorithm" openssl genpkey -algorithm $algorithm -outform $form -out made
        made=$((made + 1))
        stands_for made
    done
done

# The calls themselves, of whatever version.
for form in pkcs8 pkcs8-memory pkcs8-encrypted pkcs8-encrypted-memory pem pem-memory pem-encrypted \
    pem-encrypted-memory der der-memory encoded encoded-memory; do
    check "a key in the form $form" "$programs/write_made" SC-HSM-EC group P-256 "$form" made
    made=$((made + 1))
    stands_for made
done
check "an RSA key as OpenSSL 4.0's genpkey writes it" "$programs/write_made" SC-HSM-RSA bits 1024 pkcs8-memory made
made=$((made + 1))
stands_for made
check "as many keys are on the device as were written" openssl storeutl sc-hsm:type=private
found "$made"

# Keys that are there already.
check "pkey" openssl pkey -in sc-hsm:id=10 -outform DER -out rsa.der
stands_for rsa.der rsa.pub
check "pkey from a file" openssl pkey -in ec.pem -outform DER -out ec.der
stands_for ec.der ec.pub
check "to standard output" sh -c 'openssl pkey -in ec.pem -outform DER >piped.der'
stands_for piped.der ec.pub
check "rsa" openssl rsa -in rsa.pem -outform DER -out rsa2.der
stands_for rsa2.der rsa.pub
check "rsa into a pipe" sh -c 'openssl rsa -in rsa.pem -outform DER | cat >rsa3.der'
stands_for rsa3.der rsa.pub
check "ec" openssl ec -in ec.pem -outform DER -out ec2.der
stands_for ec2.der ec.pub
check "a signature with one in DER" openssl dgst -sha256 -sign rsa2.der -out sig rsa.pub
check "by the default provider's word" plain_openssl dgst -sha256 -verify rsa.pub -signature sig rsa.pub

# Who goes on to read PKCS#8 is told that the key stays.
for command in "pkcs12 -export -nocerts -passout pass:x" "pkcs8 -topk8 -nocrypt -outform DER" \
    "pkcs8 -topk8 -passout pass:abcd"; do
    # shellcheck disable=SC2086  # words on purpose
    case $command in
    pkcs12*) fails "$command" openssl $command -inkey rsa.pem -out no ;;
    *) fails "$command" openssl $command -in rsa.pem -out no ;;
    esac
    says 'private key stays on the SmartCard-HSM'
    [ ! -s no ] || fail "something was written"
done
