#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
virtual_card
make_rsa_key
make_ec_key
seq 1 20000 >data
head -c 32 data >hash32

# judged NAME OPTIONS...: dgst with the card's key, verified by the default provider alone.
judged() {
    local name=$1
    shift
    rm -f signature
    check "dgst $* with $name.pem" openssl dgst "$@" -sign "$name.pem" -out signature data
    check "verified" plain_openssl dgst "$@" -verify "$name.pub" -signature signature data
}

# Every digest that the default provider signs with a software key, and no other.
check "a software RSA key to compare with" plain_openssl genpkey -algorithm RSA \
    -pkeyopt rsa_keygen_bits:2048 -out soft-rsa.pem
check "a software EC key to compare with" plain_openssl genpkey -algorithm EC \
    -pkeyopt ec_paramgen_curve:P-256 -out soft-ec.pem
for name in rsa ec; do
    signed=0
    for digest in md5 sha1 sha224 sha256 sha384 sha512 sha512-224 sha512-256 sha3-224 sha3-256 \
        sha3-384 sha3-512 ripemd160 blake2s256 blake2b512 sm3 md5-sha1; do
        if plain_openssl dgst "-$digest" -sign "soft-$name.pem" -out soft.sig data 2>/dev/null; then
            judged "$name" "-$digest"
            signed=$((signed + 1))
        else
            fails "dgst -$digest with $name.pem, as with a software key" \
                openssl dgst "-$digest" -sign "$name.pem" -out signature data
        fi
    done
    [ "$signed" -ge 11 ] || fail "only $signed digests were tried with $name"
done

for salt in digest max auto 0 20; do
    judged rsa -sha256 -sigopt rsa_padding_mode:pss -sigopt "rsa_pss_saltlen:$salt"
done
judged rsa -sha512 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest \
    -sigopt rsa_mgf1_md:sha1

# pkeyutl on a hash: with and without the digest's name, PSS, raw.
# utl NAME OPTIONS...
utl() {
    local name=$1
    shift
    rm -f signature
    check "pkeyutl -sign $* with $name.pem" \
        openssl pkeyutl -sign -inkey "$name.pem" -in "$input" -out signature "$@"
    check "verified" plain_openssl pkeyutl -verify -pubin -inkey "$name.pub" -in "$input" \
        -sigfile signature "$@"
}
input=hash32
utl rsa
utl rsa -pkeyopt digest:sha256
utl rsa -pkeyopt digest:sha256 -pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:digest
utl ec
utl ec -pkeyopt digest:sha256
input=data
utl rsa -rawin -digest sha384
utl ec -rawin -digest sha384
{
    head -c 1 /dev/zero
    head -c 255 data
} >block256
# A whole block, as it comes; pkeyutl of OpenSSL 3.0 signs nothing longer than a hash.
check "rsautl -sign -raw" openssl rsautl -sign -raw -inkey rsa.pem -in block256 -out signature
check "verify-recover by the default provider" plain_openssl pkeyutl -verifyrecover -pubin \
    -inkey rsa.pub -in signature -pkeyopt rsa_padding_mode:none -out recovered
same_bytes "it is what was signed" block256 recovered

fails "a hash that is not of the digest's size" openssl pkeyutl -sign -inkey rsa.pem -in data \
    -pkeyopt digest:sha256 -out signature
fails "a block that is not of the key's size" \
    openssl rsautl -sign -raw -inkey rsa.pem -in hash32 -out signature

# Our provider verifies as well, and tells a bad signature.
check "a signature" openssl dgst -sha256 -sign sc-hsm:id=20 -out signature data
check "verified with our provider loaded" openssl dgst -sha256 -verify ec.pub -signature signature data
check "verified by the private key's own public part" \
    openssl dgst -sha256 -prverify ec.pem -signature signature data
fails "other data" openssl dgst -sha256 -prverify ec.pem -signature signature hash32
