#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sc-hsm makes requests and self-signed certificates that OpenSSL verifies
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=outcome.sh
. "$(dirname "$0")/outcome.sh"
need openssl
admin_card
unset OPENSSL_CONF # it is for those who have none
tool=(sc-hsm --pin-source file:pin)
names=(--san DNS:www.example.org --san "DNS:*.example.org" --san IP:192.0.2.1 --san IP:2001:db8::1
    --san email:a@example.org --san URI:https://example.org/x)
all='DNS:www.example.org, DNS:\*.example.org, IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1, email:a@example.org, URI:https://example.org/x'

# certifies KEY ALGORITHM [OPTION]...: request and certificate with the key, by that algorithm.
certifies() {
    local key=$1 algorithm=$2
    shift 2
    check "$key: a request" "${tool[@]}" csr "label=$key" --subject "/C=DE/O=A\/B+OU=x/CN=Zoë" "${names[@]}" \
        "$@" --out "$key.csr" --overwrite
    check "$key: it verifies" plain_openssl req -in "$key.csr" -noout -verify -text -nameopt RFC2253,-esc_msb
    says 'verify OK' "Subject: CN=Zoë,(OU=x\+O=A/B|O=A/B\+OU=x),C=DE$" "$all" "Signature Algorithm: $algorithm"
    check "$key: a certificate" "${tool[@]}" cert self-sign "label=$key" --subject "/CN=$key" --days 30 \
        "${names[@]}" "$@" --out "$key.crt" --overwrite
    check "$key: it verifies" plain_openssl verify -x509_strict -check_ss_sig -CAfile "$key.crt" "$key.crt"
    check "$key: what it says" plain_openssl x509 -in "$key.crt" -noout -text
    says "$all" "Signature Algorithm: $algorithm" 'CA:FALSE' 'Digital Signature'
}

for type in rsa:2048 ec:P-256 ec:P-384 ec:P-521 ec:brainpoolP320r1 ec:secp192k1; do
    check "a key" "${tool[@]}" keygen --type "$type" --label "${type#*:}"
done
certifies 2048 sha256WithRSAEncryption
certifies 2048 rsassaPss --pss
certifies P-256 ecdsa-with-SHA256
certifies P-384 ecdsa-with-SHA384
certifies P-521 ecdsa-with-SHA512
certifies brainpoolP320r1 ecdsa-with-SHA384
certifies secp192k1 ecdsa-with-SHA256

# keys that are kept to less
check "a key for PSS alone" "${tool[@]}" keygen --type rsa:2048 --label pss --algorithms rsa-pss-sha256
certifies pss rsassaPss
check "a key that hashes for itself" "${tool[@]}" keygen --type rsa:2048 --label hashes \
    --algorithms rsa-pkcs1-sha256
certifies hashes sha256WithRSAEncryption
check "an EC key that does" "${tool[@]}" keygen --type ec:P-256 --label own --algorithms ecdsa-sha256
certifies own ecdsa-with-SHA256
check "a key for agreement" "${tool[@]}" keygen --type ec:P-256 --label agrees --algorithms ecdh
ends 1 "which signs nothing" "${tool[@]}" csr label=agrees --subject /CN=x
check "a key of one use" "${tool[@]}" keygen --type ec:P-256 --label once --use-count 1
check "is enough" "${tool[@]}" csr label=once --subject /CN=x
! counts_uses || ends 1 "and no more" "${tool[@]}" csr label=once --subject /CN=x

# --- an authority on the device -----------------------------------------------------------------

check "a root" "${tool[@]}" cert self-sign label=P-384 --subject "/CN=Example Root" --days 3650 --ca --store
says "^Stored certificate 'P-384': sc-hsm:serial=$serial;key-ref=3;.*type=cert$"
check "it is beside its key" sc-hsm cert export label=P-384 --out root.crt
check "what it says" plain_openssl x509 -in root.crt -noout -text
says 'CA:TRUE' 'Certificate Sign, CRL Sign' 'Subject: CN = Example Root'
export OPENSSL_CONF=$SC_HSM_VIRTUAL/openssl.cnf
check "it signs the request" openssl x509 -req -in P-256.csr -CA root.crt -CAkey 'sc-hsm:label=P-384' \
    -days 9 -copy_extensions copy -out leaf.crt
unset OPENSSL_CONF
check "which verifies" plain_openssl verify -x509_strict -CAfile root.crt leaf.crt
check "and is stored" "${tool[@]}" cert import leaf.crt
ends 1 "its place is not taken unasked" "${tool[@]}" cert self-sign label=P-384 --subject /CN=x --days 9 --store
check "but where it is told to" "${tool[@]}" --json cert self-sign label=P-384 --subject /CN=Next --days 9 \
    --store --replace --yes
check "the new one" sc-hsm cert show label=P-384
says '^Subject: +CN=Next$'

# --- forms, and what is wrong -------------------------------------------------------------------

check "DER" "${tool[@]}" csr label=P-256 --subject / --san DNS:x --format der --out x.der
check "an empty subject" plain_openssl req -inform DER -in x.der -noout -verify -text
says 'Subject: *$' 'Subject Alternative Name: critical'
check "standard output" bash -c "sc-hsm --pin-source file:pin csr label=P-256 --subject /CN=x | openssl req -noout -verify"
for subject in CN=x /x /CN= / /XX=y "/CN=x/" ''; do
    ends 2 "subject '$subject'" "${tool[@]}" csr label=P-256 --subject "$subject"
done
for name in x DNS: "DNS:a b" IP:300.1.1.1 email:x URI:x "DNS:$(printf 'a\nb')"; do
    ends 2 "name '$name'" "${tool[@]}" csr label=P-256 --subject /CN=x --san "$name"
done
ends 2 "no subject" "${tool[@]}" csr label=P-256
ends 2 "no days" "${tool[@]}" cert self-sign label=P-256 --subject /CN=x
ends 2 "too many" "${tool[@]}" cert self-sign label=P-256 --subject /CN=x --days 99999
ends 1 "no key" "${tool[@]}" csr label=nothing --subject /CN=x
ends 1 "a file that is there" "${tool[@]}" csr label=P-256 --subject /CN=x --out x.der
check "logged out" sc-hsm logout
check "the question names the key" typed "PIN for (private )?key 'P-256'[^?]* on device ${serial}[^?]*: =$pin" -- \
    sc-hsm --pin-source prompt csr label=P-256 --subject /CN=x --out typed.csr
check "logged out" sc-hsm logout
ends 4 "a wrong PIN" sc-hsm --pin-source file:wrong-pin csr label=P-256 --subject /CN=x
