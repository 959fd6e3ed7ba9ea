#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
virtual_card
seq 1 1000 >data

# restrictions KEY: what its text says of them.
restrictions() {
    openssl pkey -in "$1" -noout -text | sed -n '/PSS parameter/,$p'
}

# --- keys --------------------------------------------------------------------------------------

check "a key restricted by genpkey's names" openssl genpkey -algorithm SC-HSM-RSA-PSS \
    -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_pss_keygen_md:sha256 \
    -pkeyopt rsa_pss_keygen_mgf1_md:sha256 -pkeyopt rsa_pss_keygen_saltlen:32 \
    -pkeyopt id:30 -pkeyopt label:pss -out pss.pem
check "a software key with the same" plain_openssl genpkey -algorithm RSA-PSS \
    -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_pss_keygen_md:sha256 \
    -pkeyopt rsa_pss_keygen_mgf1_md:sha256 -pkeyopt rsa_pss_keygen_saltlen:32 -out soft.pem
equal "both tell the same restrictions" "$(restrictions soft.pem)" "$(restrictions pss.pem)"

check "a key restricted by the parameters' own names" openssl genpkey -algorithm SC-HSM-RSA-PSS \
    -pkeyopt bits:2048 -pkeyopt digest:sha256 -pkeyopt mgf1-digest:sha256 -pkeyopt saltlen:32 \
    -out own.pem
equal "they mean the same" "$(restrictions soft.pem)" "$(restrictions own.pem)"

check "one restriction alone" openssl genpkey -algorithm SC-HSM-RSA-PSS -pkeyopt bits:1024 \
    -pkeyopt rsa_pss_keygen_md:sha384 -out one.pem
check "a software key with it" plain_openssl genpkey -algorithm RSA-PSS \
    -pkeyopt rsa_keygen_bits:1024 -pkeyopt rsa_pss_keygen_md:sha384 -out soft-one.pem
equal "the rest is OpenSSL's default" "$(restrictions soft-one.pem)" "$(restrictions one.pem)"

check "RSA-PSS with a card parameter" openssl genpkey -algorithm RSA-PSS \
    -propquery provider=sc-hsm -pkeyopt rsa_keygen_bits:1024 -pkeyopt rsa_pss_keygen_md:sha512 \
    -pkeyopt rsa_pss_keygen_mgf1_md:sha512 -pkeyopt label:byname -out byname.pem
check "it is on the card" openssl storeutl -keys sc-hsm:
says "label=byname"

check "a key without restrictions" openssl genpkey -algorithm SC-HSM-RSA-PSS -pkeyopt bits:1024 \
    -out free.pem
check "its text" openssl pkey -in free.pem -noout -text
says "no pss parameter restrictions"

before=$(files)
fails "an unknown digest" openssl genpkey -algorithm SC-HSM-RSA-PSS -pkeyopt digest:nosuch -out x.pem
fails "a salt length that is none" \
    openssl genpkey -algorithm SC-HSM-RSA-PSS -pkeyopt saltlen:-5 -out x.pem
says "saltlen: -5 is no length of a salt"
equal "the card is as it was" "$before" "$(files)"

# --- signatures --------------------------------------------------------------------------------

check "public key" openssl pkey -in pss.pem -pubout -out pss.pub
check "the judge reads it" plain_openssl pkey -pubin -in pss.pub -noout -text
says "minimum salt length: 32"
check "the public key of the free one" openssl pkey -in free.pem -pubout -out free.pub

# judged KEY OPTIONS...: dgst with the card's key, verified by the default provider alone.
judged() {
    local key=$1
    shift
    check "dgst $* with $key.pem" openssl dgst "$@" -sign "$key.pem" -out signature data
    check "verified" plain_openssl dgst "$@" -verify "$key.pub" -signature signature data
}

# refused_alike OPTIONS...: refused for the card's key as for the software key.
refused_alike() {
    fails "software: dgst $*" plain_openssl dgst "$@" -sign soft.pem -out signature data
    grep -o ':error:.*' "$seen" | cut -d: -f5- | sed 's/:\.\..*//' >soft.said || true
    fails "card: dgst $*" openssl dgst "$@" -sign pss.pem -out signature data
    while read -r sentence; do
        says "${sentence##*:}"
    done <soft.said
}

judged pss -sha256
judged pss -sha256 -sigopt rsa_pss_saltlen:40
judged pss -sha256 -sigopt rsa_pss_saltlen:max
judged free -sha256
judged free -sha384 -sigopt rsa_mgf1_md:sha1 -sigopt rsa_pss_saltlen:0
refused_alike -sha384
refused_alike -sha256 -sigopt rsa_padding_mode:pkcs1
refused_alike -sha256 -sigopt rsa_padding_mode:none
refused_alike -sha256 -sigopt rsa_pss_saltlen:31
refused_alike -sha256 -sigopt rsa_mgf1_md:sha384
fails "it decrypts nothing, as a software key" \
    openssl pkeyutl -decrypt -inkey pss.pem -in data -out opened

# --- certificates, both provider orders --------------------------------------------------------

# everything HOW: a certificate, a request, CMS, TLS 1.3 with it.
everything() {
    local how=$1 server port
    check "$how: req -x509" \
        openssl req -new -x509 -key pss.pem -subj /CN=localhost -days 30 -out pss.crt
    check "$how: the judge verifies it" plain_openssl verify -CAfile pss.crt pss.crt
    check "$how: its text" plain_openssl x509 -in pss.crt -noout -text
    says "public key algorithm: rsassaPss" "salt length: 0x20"
    check "$how: req" openssl req -new -key pss.pem -subj /CN=localhost -out pss.csr
    check "$how: the judge verifies it" plain_openssl req -in pss.csr -verify -noout
    check "$how: cms -sign" openssl cms -sign -binary -nodetach -in data -signer pss.crt -inkey pss.pem \
        -keyopt rsa_padding_mode:pss \
        -outform DER -out data.p7
    check "$how: the judge verifies it" plain_openssl cms -verify -inform DER -in data.p7 \
        -binary -CAfile pss.crt -purpose any -out opened
    same_bytes "$how: it is the data" data opened

    : >server.log
    openssl s_server -accept 127.0.0.1:0 -cert pss.crt -key pss.pem -tls1_3 -www \
        >server.log 2>&1 &
    server=$!
    wait_for "s_server" grep -q '^ACCEPT' server.log
    port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' server.log | head -1)
    plain_openssl s_client -connect "127.0.0.1:$port" -CAfile pss.crt -verify_return_error \
        -sigalgs rsa_pss_pss_sha256 </dev/null >"$seen" 2>&1 || fail "$how: s_client"
    kill "$server"
    wait "$server" || true
    says "peer signature type: (rsa-pss|rsa_pss_pss_sha256)" "verification: ok"
    echo "ok: $how: TLS 1.3 with rsa_pss_pss_sha256"

    # A software key is the default provider's as ever.
    check "$how: a software key signs" openssl dgst -sha256 -sign soft.pem -out signature data
    check "$how: a software key is made" openssl genpkey -algorithm RSA-PSS \
        -pkeyopt rsa_keygen_bits:1024 -pkeyopt rsa_pss_keygen_md:sha256 -out made.pem
    check "$how: an ordinary one" plain_openssl pkey -in made.pem -noout -text
    says "hash algorithm: (SHA2-256|sha256)"
}

everything "default provider first"
sed -i '/^default = default_sect/d' "$OPENSSL_CONF"
sed -i '/^sc-hsm = sc_hsm_sect/a default = default_sect' "$OPENSSL_CONF"
everything "ours first"

# --- the restriction lives in the reference file -----------------------------------------------

check "the reference in DER" openssl asn1parse -strictpem -in pss.pem -noout -out pss.der
check "it loads" openssl pkey -inform DER -in pss.der -noout -text
says "minimum salt length: 32"
check "the card itself knows a plain RSA key" openssl pkey -in sc-hsm:id=30 -pubout -out plain.pub
check "as the judge sees" plain_openssl pkey -pubin -in plain.pub -noout -text
says_nothing_of "restrictions"
