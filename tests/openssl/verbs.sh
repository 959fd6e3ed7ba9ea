#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What the other tests of this folder leave out of the openssl command: smime, cms with all ways to
# encrypt, x509, spkac, pkcs12.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
virtual_card
make_rsa_key
make_ec_key
self_signed rsa
self_signed ec
printf 'Dear card,\r\n\r\nplease sign this.\r\n' >mail

# --- smime -----------------------------------------------------------------------------------

for name in rsa ec; do
    for key in "$name.pem" "sc-hsm:label=web-$name"; do
        check "smime -sign with $key" openssl smime -sign -binary -in mail -signer "$name.crt" \
            -inkey "$key" -out signed.eml
        check "verified by the default provider" plain_openssl smime -verify -in signed.eml \
            -CAfile "$name.crt" -purpose any -out opened
        same_bytes "it is the mail" mail opened
        sed 's/please sign/please shred/' signed.eml >changed.eml
        fails "another mail" plain_openssl smime -verify -in changed.eml -CAfile "$name.crt" \
            -purpose any -out opened
    done
done
check "smime -encrypt" plain_openssl smime -encrypt -binary -aes128 -in mail -out encrypted.eml rsa.crt
for key in rsa.pem sc-hsm:id=10; do
    check "smime -decrypt with $key" openssl smime -decrypt -in encrypted.eml -recip rsa.crt \
        -inkey "$key" -out opened
    same_bytes "it is the mail" mail opened
done

# --- cms -------------------------------------------------------------------------------------

# opened NAME OPTIONS...: encrypted by the default provider alone.
opened() {
    local name=$1
    shift
    check "cms -encrypt $* to $name.crt" plain_openssl cms -encrypt -binary -in mail \
        -out encrypted.p7 -outform DER -recip "$name.crt" "$@"
    rm -f opened
    check "cms -decrypt" openssl cms -decrypt -binary -in encrypted.p7 -inform DER \
        -recip "$name.crt" -inkey "$name.pem" -out opened
    same_bytes "it is the mail" mail opened
}

opened rsa -aes256 -keyopt rsa_padding_mode:oaep
opened rsa -aes128 -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha512 \
    -keyopt rsa_mgf1_md:sha1
opened rsa -aes256 -keyid -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_label:cafe
opened rsa -aes-256-gcm
for digest in sha1 sha256 sha512; do
    opened ec -aes256 -keyopt "ecdh_kdf_md:$digest"
    opened ec -aes128 -keyopt "ecdh_kdf_md:$digest" -keyid
done
opened ec -aes-128-gcm -keyopt ecdh_cofactor_mode:1
opened ec -aes256 -wrap aes256-wrap
check "two recipients" plain_openssl cms -encrypt -binary -aes256 -in mail -out encrypted.p7 \
    -recip ec.crt -recip rsa.crt
for name in rsa ec; do
    check "cms -decrypt with $name.pem, no certificate named" openssl cms -decrypt -binary \
        -in encrypted.p7 -inkey "$name.pem" -out opened
    same_bytes "it is the mail" mail opened
done

# A message for somebody else: implicit rejection must not make it look opened.
check "a stranger" plain_openssl req -x509 -newkey rsa:2048 -nodes -config "$OPENSSL_CONF" \
    -subj /CN=stranger -keyout stranger.pem -out stranger.crt
check "a message for the stranger" plain_openssl cms -encrypt -binary -aes-256-gcm -in mail \
    -out encrypted.p7 stranger.crt
fails "is not ours to open" openssl cms -decrypt -binary -in encrypted.p7 -recip rsa.crt \
    -inkey rsa.pem -out opened

# Two signers, a signer added later, signed attributes left out, with PSS.
check "two signers" openssl cms -sign -binary -nodetach -in mail -signer rsa.crt -inkey rsa.pem \
    -keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:20 -signer ec.crt -inkey sc-hsm:id=20 \
    -out signed.p7
check "verified by the default provider" plain_openssl cms -verify -noverify -in signed.p7 \
    -purpose any -out opened
same_bytes "it is the mail" mail opened
check "one signer" openssl cms -sign -binary -nodetach -in mail -signer ec.crt -inkey ec.pem \
    -out signed.p7
check "another one added" openssl cms -resign -in signed.p7 -signer rsa.crt -inkey sc-hsm:id=10 \
    -out resigned.p7
check "both verified by the default provider" plain_openssl cms -verify -noverify \
    -in resigned.p7 -out opened
same_bytes "it is the mail" mail opened
check "no attributes" openssl cms -sign -binary -noattr -nodetach -in mail -signer ec.crt \
    -inkey ec.pem -out signed.p7
check "verified by the default provider" plain_openssl cms -verify -noverify -in signed.p7 \
    -out opened
# Signed, then encrypted, then both undone.
check "signed" openssl cms -sign -in mail -text -signer rsa.crt -inkey rsa.pem -out signed.eml
check "and encrypted" openssl cms -encrypt -aes256 -in signed.eml -out both.eml ec.crt
check "decrypted" openssl cms -decrypt -in both.eml -recip ec.crt -inkey ec.pem -out inner.eml
check "verified by the default provider" plain_openssl cms -verify -in inner.eml -text \
    -CAfile rsa.crt -purpose any -out opened

# --- dgst and pkeyutl ------------------------------------------------------------------------

seq 1 5000 >data
for salt in digest max 17; do
    for digest in sha224 sha512; do
        options=(-sigopt rsa_padding_mode:pss -sigopt "rsa_pss_saltlen:$salt"
            -sigopt rsa_mgf1_md:sha384)
        check "dgst -$digest ${options[*]}" openssl dgst "-$digest" "${options[@]}" \
            -sign sc-hsm:id=10 -out signature data
        check "verified" plain_openssl dgst "-$digest" "${options[@]}" -verify rsa.pub \
            -signature signature data
    done
done
for options in '-digest sha256' '-digest sha512 -pkeyopt rsa_padding_mode:pss' \
    '-digest sha3-256 -pkeyopt rsa_padding_mode:pkcs1'; do
    read -ra words <<<"$options"
    check "pkeyutl -rawin $options" openssl pkeyutl -sign -rawin -inkey rsa.pem -in data \
        -out signature "${words[@]}"
    check "verified" plain_openssl pkeyutl -verify -rawin -pubin -inkey rsa.pub -in data \
        -sigfile signature "${words[@]}"
done
for digest in sha1 sha384 sha3-512; do
    check "pkeyutl -rawin -digest $digest" openssl pkeyutl -sign -rawin -digest "$digest" \
        -inkey sc-hsm:id=20 -in data -out signature
    check "verified" plain_openssl pkeyutl -verify -rawin -digest "$digest" -pubin -inkey ec.pub \
        -in data -sigfile signature
done

# --- x509, req -------------------------------------------------------------------------------

for digest in sha224 sha256 sha384 sha512; do
    for name in rsa ec; do
        check "a request, $digest, with $name.pem" openssl req -new "-$digest" -key "$name.pem" \
            -subj /CN=x -out x.csr
        check "verified" plain_openssl req -in x.csr -noout -verify
        check "x509 -req -CAkey, $digest" openssl x509 -req -in x.csr "-$digest" -CA "$name.crt" \
            -CAkey "sc-hsm:label=web-$name" -days 1 -out x.crt
        check "verified" plain_openssl verify -CAfile "$name.crt" -partial_chain x.crt
    done
done
pss=(-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest)
check "a request with PSS" openssl req -new -key rsa.pem "${pss[@]}" -subj /CN=x -out x.csr
check "verified" plain_openssl req -in x.csr -noout -verify
check "x509 -req with PSS" openssl x509 -req -in x.csr "${pss[@]}" -CA rsa.crt -CAkey rsa.pem \
    -days 1 -out x.crt
check "verified" plain_openssl verify -CAfile rsa.crt x.crt
check "x509 renews" openssl x509 -in rsa.crt -signkey rsa.pem -days 99 -out renewed.crt
check "verified" plain_openssl verify -CAfile renewed.crt renewed.crt
check "x509 -x509toreq" openssl x509 -x509toreq -in ec.crt -signkey ec.pem -out again.csr
check "verified" plain_openssl req -in again.csr -noout -verify

# --- spkac, pkey -----------------------------------------------------------------------------

for name in rsa ec; do
    check "spkac with $name.pem" openssl spkac -key "$name.pem" -digest sha256 -challenge word -out spkac
    check "verified" plain_openssl spkac -in spkac -verify -noout
    # OpenSSL 3.0's spkac leaves the file's last line without its end; the key is what counts.
    plain_openssl spkac -in spkac -pubkey -noout >spkac.pub
    same_bytes "it has the key" "$name.pub" spkac.pub
    check "pkey -check -pubin" openssl pkey -pubin -in "$name.pub" -pubcheck -noout
    check "pkey -text" openssl pkey -in "$name.pem" -text -noout
    says_nothing_of 'privateExponent' '^priv:'
done

# --- what cannot be --------------------------------------------------------------------------

# A private key that stays on the card goes into no file, and no file is left that looks like one.
for name in rsa ec; do
    rm -f out.p12 out.der
    fails "pkcs12 -export of $name.pem" openssl pkcs12 -export -inkey "$name.pem" \
        -in "$name.crt" -passout pass:secret -out out.p12
    says 'private.*(card|device|SmartCard-HSM)|(card|device|SmartCard-HSM).*private'
    [ ! -s out.p12 ] || fail "there is an out.p12 nevertheless"
done
check "pkcs12 with the certificate alone" openssl pkcs12 -export -nokeys -in rsa.crt \
    -passout pass:secret -out out.p12
check "opens" plain_openssl pkcs12 -in out.p12 -passin pass:secret -nokeys -out from-p12.crt
