#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Private keys with nothing public beside them, which a token shows only after a login: they are found
# where a PIN is at hand, and no PIN is spent that nobody meant for this token.
. "$(dirname "$0")/../lib.sh"
need pkcs11-tool expect
softhsm_token
configure pin-source=

tool() {
    sc-hsm --pkcs11-module "$softhsm" --pin-source "file:$work/.pin" "$@"
}

# into_token TYPE FILE ID LABEL [TOKEN]: writes an object past the provider.
into_token() {
    check "a $1 $4" pkcs11-tool --module "$softhsm" --token-label "${5:-the token}" --login --pin "$pin" \
        --write-object "$2" --type "$1" --id "$3" --label "$4"
}

# signs WHAT KEY PUBLIC: a signature with the key that the default provider takes.
signs() {
    check "$1 signs" openssl dgst -sha256 -sign "$2" -out sig note
    check "by the default provider's word" plain_openssl dgst -sha256 -verify "$3" -signature sig note
}

# software_key NAME OPTIONS...: a key made by OpenSSL, in NAME.der, its public part in NAME.pub.
software_key() {
    check "a software key" plain_openssl genpkey "${@:2}" -outform DER -out "$1.der"
    check "its public part" plain_openssl pkey -in "$1.der" -pubout -out "$1.pub"
}

echo "a note" >note
echo 111111 >wrong
software_key rsa -algorithm RSA -pkeyopt rsa_keygen_bits:2048
software_key ec -algorithm EC -pkeyopt ec_paramgen_curve:P-256
software_key ca -algorithm EC -pkeyopt ec_paramgen_curve:P-256
into_token privkey rsa.der 10 alone
into_token privkey ec.der 20 bare
into_token privkey ca.der 30 authority
check "an authority's certificate, as req -x509 makes it" plain_openssl req -new -x509 -key ca.der \
    -subj /CN=authority -config "$SC_HSM_SOURCE/openssl.cnf.sample" -addext basicConstraints=CA:TRUE -out ca.crt
check "in DER" plain_openssl x509 -in ca.crt -outform DER -out ca-crt.der
into_token cert ca-crt.der 30 authority

# The PIN in the URI, in the configuration, from the program.
with_pin="?pin-source=file:$work/.pin"
signs "by id" "sc-hsm:id=10$with_pin" rsa.pub
signs "by label" "sc-hsm:label=alone;type=private$with_pin" rsa.pub
signs "an authority's key" "sc-hsm:id=30$with_pin" ca.pub
signs "by pin-value" "sc-hsm:id=10?pin-value=$pin" rsa.pub
check "a pass phrase" openssl dgst -sha256 -passin "pass:$pin" -sign sc-hsm:id=10 -out sig note
check "which is asked for once" prompted "$pin" openssl dgst -sha256 -sign sc-hsm:id=30 -out sig note
says '^asked 1 times'
configure "pin-source=file:$work/.pin"
signs "by configuration" sc-hsm:id=10 rsa.pub
configure login=use
signs "with login = use" sc-hsm:id=10 rsa.pub
configure login=
check "storeutl, which names a key" openssl storeutl sc-hsm:id=10
found 1
check "the key is checked" openssl pkey -check -noout -in sc-hsm:id=10
says 'is valid'
check "a program that expects nothing in particular" "$programs/sign_many" sc-hsm:id=30 2
fails "no such key" openssl pkey -noout -in sc-hsm:id=77
says 'there is no private key with id 77 on'
fails "several keys" openssl pkey -noout -in sc-hsm:
says '3 private keys match'

# From 3.2 on OpenSSL gives the pass phrase when a store is opened; who names a private key is told then.
configure pin-source=
opens=1
case $(openssl version) in
"OpenSSL 3.0."* | "OpenSSL 3.1."*) ;;
*) opens=0 ;;
esac
plain=$SC_HSM_BUILD/tests/store/store_plain
fails "a store of a private key with a wrong PIN" "$plain" "sc-hsm:id=10;type=private" 111111
says "opened: $opens" 'asked: 1' 'PIN is wrong'
check "and with the right one" "$plain" "sc-hsm:id=10;type=private" "$pin"
says 'opened: 1' 'came: Pkey' 'asked: 1' 'signs: 1'
fails "a store of whatever is there opens with a wrong PIN" "$plain" "sc-hsm:id=10" 111111
says 'opened: 1' 'asked: 1' 'PIN is wrong'
check "and with the right one" "$plain" "sc-hsm:id=10" "$pin"
says 'opened: 1' 'came: Pkey' 'asked: 1' 'signs: 1'
configure "pin-source=file:$work/.pin"

# A key without any public part can do nothing, and that is said.
fails "an EC key whose public part nobody knows" openssl pkey -noout -in sc-hsm:id=20
says "\(token 'the token'\), bare: the token holds neither a public key nor a certificate"

# Reference files.
check "a reference file" openssl pkey -in sc-hsm:id=10 -out alone.pem
check "of the authority" openssl pkey -in sc-hsm:id=30 -out ca.pem
check "another, by the tool" tool pubkey id=30 --reference --out ca-tool.pem
check "without the public part" env uri="$(sed -n 's/^sc-hsm://p' <(tool --json list id=10 |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["objects"][0]["uri"].replace(";type=private", ""))'))" \
    python3 - <<'END'
import os
text = lambda s: bytes([0x0c, len(s)]) + s.encode()
body = text("sc-hsm key v1") + text("sc-hsm:" + os.environ["uri"])
open("bare-reference.der", "wb").write(bytes([0x30, len(body)]) + body)
END
signs "by its reference" alone.pem rsa.pub
signs "by the tool's" ca-tool.pem ca.pub
signs "by one without the public part" bare-reference.der rsa.pub
check "a certificate request" openssl req -new -key ca.pem -subj /CN=ca -out ca.csr
check "which is right" plain_openssl req -in ca.csr -verify -noout
configure pin-source=
check "a pass phrase" openssl dgst -sha256 -passin "pass:$pin" -sign ca.pem -out sig note
check "also without the public part" openssl dgst -sha256 -passin "pass:$pin" -sign bare-reference.der \
    -out sig note
check "its public part without a PIN" setsid -w openssl pkey -in ca.pem -pubout -out ca-again.pub </dev/null
same_bytes "the same" ca.pub ca-again.pub
check "a reference to a key that is not there" plain_openssl asn1parse -strictpem -in alone.pem -out alone.der
sed 's/id=10;label=alone/id=66;label=alone/' alone.der >missing.der
fails "is found out by the signature" openssl dgst -sha256 -passin "pass:$pin" -sign missing.der -out sig note
says 'no private key of this id'

# Without a PIN it is said what hides; what is to be seen is given.
for uri in sc-hsm:id=10 'sc-hsm:label=alone;type=private' sc-hsm: sc-hsm:id=30; do
    fails "no PIN for $uri" setsid -w openssl pkey -in "$uri" -noout </dev/null
    says "device [0-9a-f]+ \(token 'the token'\) shows its keys only after a login, and no PIN was given"
done
check "the authority's certificate needs none" setsid -w openssl storeutl -certs -noout sc-hsm:id=30 </dev/null
found 1
check "nor does it for who expects nothing in particular" \
    setsid -w openssl storeutl -noout sc-hsm:id=30 </dev/null
found 1
check "a list never asks" setsid -w openssl storeutl sc-hsm: </dev/null
found 1
configure login=never
fails "nobody is logged in with login = never" openssl pkey -in "sc-hsm:id=10$with_pin" -noout
says 'shows its keys only after a login'
configure login=

# A wrong PIN costs one try, and the same one no more.
check "nothing was wrong so far" pkcs11-tool --module "$softhsm" --list-slots
says_nothing_of 'count low'
fails "a wrong one" openssl pkey -in "sc-hsm:id=10?pin-source=file:$work/wrong" -noout
says 'the PIN is wrong for device'
check "the right one sets the tries back" openssl pkey -in "sc-hsm:id=10$with_pin" -noout

# However many decoders try a reference without the public part, and with each password that a program
# has: one try for one PIN.
export SC_HSM_REAL_MODULE=$softhsm SC_HSM_LOGINS=$work/logins
touch "$SC_HSM_LOGINS"
configure "pkcs11-module=$SC_HSM_BUILD/lib/counting.so" "pin-source=file:$work/wrong" min-pin-tries=1
chmod 600 wrong
for key in bare-reference.der sc-hsm:id=10 ca.pem; do
    : >logins
    fails "a wrong PIN with $key" openssl pkey -in "$key" -noout
    equal "was sent once" wrong "$(cat logins)"
done
configure "pkcs11-module=$softhsm" pin-source= min-pin-tries=
unset SC_HSM_REAL_MODULE SC_HSM_LOGINS

# The tool.
check "it lists what shows" sc-hsm --pkcs11-module "$softhsm" list
says '^certificate'
says_nothing_of '^private key'
check "and all with a PIN" tool list
says '^private key .*label=alone' '^private key .*label=bare' '^private key .*label=authority'
fails "a name without a PIN" sc-hsm --pkcs11-module "$softhsm" list id=10
says 'shows its keys only after a login'
check "the public part" tool pubkey id=10 --out again.pub
same_bytes "the same" rsa.pub again.pub
check "a certificate of the key" openssl req -new -x509 -key "sc-hsm:id=10$with_pin" -subj /CN=alone -out alone.crt
check "goes to it by itself" tool cert import alone.crt
says "of key 'alone'"
check "and is there already" tool cert import alone.crt
says "Already there: .* of key 'alone'"
check "the key is deleted" tool delete --yes 'id=10;type=private'
fails "and is gone" openssl pkey -in "sc-hsm:id=10$with_pin" -noout
says 'there is no private key with id 10'

# With several tokens nobody knows whose the PIN is: none is sent.
softhsm_tokens other
into_token privkey rsa.der 50 elsewhere other
configure "pin-source=file:$work/wrong"
fails "a key that may be on either" openssl pkey -in sc-hsm:id=50 -noout
says 'no (private key|object) with id 50 to be seen on several devices' 'name it as in sc-hsm:serial=.*;token='
fails "a list with a PIN" sc-hsm --pkcs11-module "$softhsm" --pin-source "file:$work/wrong" list id=50
says 'to be seen on several devices'
check "no try was spent" pkcs11-tool --module "$softhsm" --list-slots
says_nothing_of 'count low'
configure "pin-source=file:$work/.pin"
signs "by its token" "sc-hsm:token=other;id=50" rsa.pub
check "the tool likewise" tool --token other pubkey id=50
