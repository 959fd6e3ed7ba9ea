# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154  # seen is of tests/lib.sh
#
# Requests, certificates, revocation lists and messages made with keys on the card have the very
# bytes that OpenSSL writes with software keys, except for keys, signatures and dates. What the
# tests of that share, on top of tests/lib.sh.

cat >plain.cnf <<'END'
[req]
distinguished_name = req_dn
[req_dn]
[v3]
basicConstraints = critical, CA:true
keyUsage = critical, digitalSignature, keyCertSign, cRLSign
subjectKeyIdentifier = 01:02:03:04
authorityKeyIdentifier = none
[ca]
default_ca = authority
[authority]
database = database
crlnumber = crlnumber
default_crl_days = 3
crl_extensions = crl
[crl]
issuerAltName = DNS:example.org
END
printf 'V\t991231235959Z\t\t01\tunknown\t/CN=x\nR\t991231235959Z\t250101000000Z\t02\tunknown\t/CN=y\n' \
    >database
printf 'a text\r\n' >text

# keys NAME CARD-ALGORITHM SOFTWARE-ALGORITHM OPTIONS...: NAME.pem on the card, NAME-soft.pem.
keys() {
    local name=$1 card=$2 software=$3
    shift 3
    check "$name, on the card" openssl genpkey -algorithm "$card" "$@" -out "$name.pem"
    check "$name, in software" plain_openssl genpkey -algorithm "$software" "$@" \
        -out "$name-soft.pem"
    for key in "$name" "$name-soft"; do
        openssl req -config plain.cnf -x509 -extensions v3 -new -key "$key.pem" -set_serial 7 \
            -subj "/CN=one name" -days 9 -out "$key.crt" 2>"$seen" || fail "a certificate for $key"
    done
}

compared=0

# enough NUMBER: ends the test if fewer structures were compared.
enough() {
    [ $compared -ge "$1" ] || fail "only $compared structures were compared"
    echo "$compared structures were compared"
}

# outline KIND FILE: of "out"; openssl ca writes lists as PEM alone.
outline() {
    [ "$1" != crl ] || plain_openssl crl -in out -outform DER -out out 2>"$seen"
    python3 "$SC_HSM_SOURCE/tests/openssl/der_outline.py" "$1" out >"$2" 2>"$seen" ||
        fail "what was written is not understood"
}

# same KIND WHAT KEY COMMAND...: runs the command, which writes to "out", with the software key and
# without our provider, then with the key on the card and with it. In its words, KEY stands for
# the key's name. Either both fail, or both write the same.
same() {
    local kind=$1 what=$2 name=$3
    shift 3
    echo 0a >crlnumber
    rm -f out
    if ! plain_openssl "${@//KEY/$name-soft}" >"$seen" 2>&1; then
        fails "$what with $name, as with a software key" openssl "${@//KEY/$name}"
        return
    fi
    outline "$kind" expected
    echo 0a >crlnumber
    rm -f out
    check "$what with $name" openssl "${@//KEY/$name}"
    outline "$kind" actual
    check "it has the same bytes" diff expected actual
    compared=$((compared + 1))
}

# all_signed NAME OPTIONS...: everything that is signed, with that digest and these parameters.
all_signed() {
    local name=$1 digest=$2 word signature_options=() key_options=()
    shift 2
    for word in "$@"; do
        signature_options+=(-sigopt "$word")
        key_options+=(-keyopt "$word")
    done
    same request "a request, $digest $*" "$name" req -config plain.cnf -new -key KEY.pem \
        "-$digest" -subj "/CN=one name" -outform DER -out out "${signature_options[@]}"
    same certificate "a certificate, $digest $*" "$name" req -config plain.cnf -x509 \
        -extensions v3 -new -key KEY.pem "-$digest" -set_serial 7 -subj "/CN=one name" -days 9 \
        -outform DER -out out "${signature_options[@]}"
    same crl "a revocation list, $digest $*" "$name" ca -config plain.cnf -gencrl \
        -keyfile KEY.pem -cert KEY.crt -md "$digest" "${signature_options[@]}" -out out
    same signed "a signed message, $digest $*" "$name" cms -sign -binary -nocerts -nodetach \
        -in text -signer KEY.crt -inkey KEY.pem -md "$digest" -outform DER -out out \
        "${key_options[@]}"
}

# bare NAME: the other forms of a signed message.
bare() {
    same signed-bare "a message without attributes" "$1" cms -sign -binary -nocerts -nodetach \
        -noattr -in text -signer KEY.crt -inkey KEY.pem -outform DER -out out
    same signed "a message as S/MIME" "$1" smime -sign -binary -nocerts -nodetach -in text \
        -signer KEY.crt -inkey KEY.pem -outform DER -out out
    same signed "a message by key identifier" "$1" cms -sign -binary -nocerts -nodetach -keyid \
        -in text -signer KEY.crt -inkey KEY.pem -outform DER -out out
}

# enveloped KIND NAME OPTIONS...: an encrypted message; the recipient's public key goes through our
# provider.
enveloped() {
    local kind=$1 name=$2
    shift 2
    same "$kind" "an encrypted message $*" "$name" cms -encrypt -binary -in text -outform DER \
        -out out -recip KEY.crt "$@"
}
