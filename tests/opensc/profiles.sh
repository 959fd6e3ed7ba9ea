#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# --profile: sizes, memory and versions of real devices; OpenSC works within them.
. "$(dirname "$0")/common.sh"
check "sizes and memory" env OPENSSL_CONF=/dev/null python3 "$here/profiles.py" \
    "$SC_HSM_BUILD/bin/sc-hsm-sim"
cat "$seen"
head -c 300 /dev/urandom >message

share=$(printf 'A5%.0s' $(seq 32))
# OpenSC takes no answer in pieces where it asked for a long one: an RSA key is too much for the
# smallest of them.
for profile in "jcop3 3.5 rsa:4096 SHA256-RSA-PKCS" "jcop4 4.1 rsa:3072 SHA256-RSA-PKCS" \
    "microsd 3.5 EC:prime256v1 ECDSA-SHA256"; do
    read -r name version kind mechanism <<<"$profile"
    opensc_card --profile "$name"
    check "a $name" sc-hsm-tool
    says "^Version *: $version\$"
    check "with a DKEK" sc-hsm-tool --initialize --so-pin "$so_pin" --pin "$pin" --dkek-shares 1
    check "its share" raw_apdus "8052000020${share}00"
    check "a key" p11_user --keypairgen --key-type "$kind" --id 10 --label key
    check "its public key" pkcs15-tool --read-public-key 10 --output pub.pem
    check "its wrapped form" sc-hsm-tool --wrap-key key.bin --key-reference 1 --pin "$pin"
    unwraps "comes back" sc-hsm-tool --unwrap-key key.bin --key-reference 1 --pin "$pin" --force
    check "signs" p11_user --sign --id 10 --mechanism "$mechanism" --signature-format openssl \
        --input-file message --output-file signature
    check "OpenSSL verifies it" plain_openssl dgst -sha256 -verify pub.pem -signature signature message
    virtual_hsm remove >/dev/null
    virtual_hsm insert >/dev/null
    check "still a $name after it was away" sc-hsm-tool
    says "^Version *: $version\$"
    eval "$(virtual_hsm stop)"
done
fails "no such profile" "$SC_HSM_BUILD/bin/sc-hsm-sim" --state none --profile jcop5
says 'profile.*jcop5'
