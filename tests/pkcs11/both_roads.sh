#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# One key, two roads: a card behind PC/SC, and the same card as a token of OpenSC's PKCS#11 module,
# with one openssl.cnf for both.
. "$(dirname "$0")/../lib.sh"
need pkcs11-tool
virtual_card
opensc=$(find /usr/lib -name opensc-pkcs11.so -path '*gnu/opensc*' | head -1)
[ -n "$opensc" ] || missing "there is no opensc-pkcs11.so (opensc-pkcs11)"
# OpenSC keeps files of cards it knows.
export HOME=$work XDG_CACHE_HOME=$work/cache
make_rsa_key
make_ec_key
serial=$(cat "$SC_HSM_VIRTUAL/serials")
configure "pkcs11-module=$opensc"

check "storeutl lists the card and the token" openssl storeutl sc-hsm:
says "^[0-9]+: Name: sc-hsm:serial=$serial;key-ref=[0-9]+;id=10;label=web-rsa;type=private" \
    "^[0-9]+: Name: sc-hsm:serial=$serial;token=[^;]*;id=10;label=web-rsa;type=private"
token=$(grep -o 'token=[^;]*' "$seen" | head -1)
[ -n "$token" ] || fail "no token label"
check "the card alone" openssl storeutl -keys "sc-hsm:id=10;reader=Virtual;type=private"
check "the token alone" openssl storeutl "sc-hsm:$token"
says_nothing_of 'key-ref='

fails "an ambiguous URI" openssl pkey -in sc-hsm:id=10 -noout
says "2 .* match where one is needed: sc-hsm:serial=$serial;key-ref=[0-9]+;id=10[^,]*, sc-hsm:serial=$serial;${token//[()]/.};id=10"
fails "an ambiguous device" sc-hsm random 4
says "several devices .*$serial in Virtual SmartCard-HSM.*$serial \(token '"

# Equal signatures, by both roads; and each the other's certificate.
echo "to be signed" >message
pkcs11="sc-hsm:$token;id=10"
check "PKCS#1 over PC/SC" openssl dgst -sha256 -sign rsa.pem -out card.sig message
check "PKCS#1 over PKCS#11" openssl dgst -sha256 -sign "$pkcs11" -out token.sig message
same_bytes "equal signatures" card.sig token.sig
check "OpenSC's own, with the same key" env OPENSSL_CONF=/dev/null pkcs11-tool --module "$opensc" \
    --login --pin "$pin" --id 10 --sign --mechanism SHA256-RSA-PKCS -i message -o opensc.sig
same_bytes "equal to OpenSC's own" card.sig opensc.sig
check "PSS over PKCS#11" openssl dgst -sha256 -sign "$pkcs11" \
    -sigopt rsa_padding_mode:pss -out pss.sig message
check "judged by the default provider" plain_openssl dgst -sha256 -verify rsa.pub \
    -sigopt rsa_padding_mode:pss -signature pss.sig message
check "ECDSA over PKCS#11" openssl dgst -sha256 -sign "sc-hsm:$token;id=20" -out ec.sig message
check "judged by the default provider" plain_openssl dgst -sha256 -verify ec.pub \
    -signature ec.sig message
check "encryption" plain_openssl pkeyutl -encrypt -pubin -inkey rsa.pub -in message \
    -pkeyopt rsa_padding_mode:oaep -out cipher
check "decryption over PKCS#11" openssl pkeyutl -decrypt -inkey "$pkcs11" -in cipher \
    -pkeyopt rsa_padding_mode:oaep -out plain
same_bytes "the message again" message plain
check "a peer's key" plain_openssl genpkey -algorithm EC -pkeyopt group:P-256 -out peer.pem
check "its public key" plain_openssl pkey -in peer.pem -pubout -out peer.pub
check "ECDH over PKCS#11" openssl pkeyutl -derive -inkey "sc-hsm:$token;id=20" -peerkey peer.pub \
    -out ours
check "ECDH by the peer" plain_openssl pkeyutl -derive -inkey peer.pem -peerkey ec.pub -out theirs
same_bytes "the same secret" ours theirs

# A reference file made over PKCS#11 names the token, and works without a key-ref.
check "a reference file of the token's key" openssl pkey -in "$pkcs11" -out token.pem
check "signing with it" openssl dgst -sha256 -sign token.pem -out file.sig message
same_bytes "equal signatures" card.sig file.sig

# A wrong PIN over PKCS#11 spends one try of the card's three, and says so.
echo 999999 >wrong
fails "a wrong PIN" openssl pkey -in "$pkcs11?pin-source=file:$work/wrong" -noout
says "the PIN is wrong for device $serial \(token '.*'\); (2|fewer than 3) tries are left"
equal "one try was spent" 2 "$(pin_tries)"
configure min-pin-tries=3
fails "a stored PIN with few tries left" openssl pkey -in "$pkcs11" -noout
says 'tries (are )?left.*so the stored PIN was not tried'
equal "no try was spent" 2 "$(pin_tries)"
configure min-pin-tries=
check "the right PIN" openssl pkey -in "$pkcs11" -noout
equal "three tries again" 3 "$(pin_tries)"

# What only a SmartCard-HSM has.
on_token=(sc-hsm --pkcs11-module "$opensc" --pin-source "file:$pin_file" --token "$(python3 -c \
    'import sys, urllib.parse; print(urllib.parse.unquote(sys.argv[1][6:]))' "$token")")
fails "dkek status" "${on_token[@]}" dkek status
says 'is no SmartCard-HSM'
check "a file on the card" sc-hsm --reader Virtual data write --label note message
check "a backup of what may leave it" sc-hsm --reader Virtual backup folder
[ -s folder/manifest.json ] || fail "no backup"
fails "onto the token" "${on_token[@]}" restore folder
says 'is no SmartCard-HSM, and only that has wrapped keys'

# A pkcs11: URI says what OpenSC's module shows, be it of the card or of its token; SoftHSM's token, with a
# label of its own, is found by that.
configure pkcs11-uris=yes
shown="pkcs11:$token"
fails "it is both roads' label" openssl pkey -in "$shown;object=web-rsa;type=private" -noout
says "2 .* match where one is needed: .*key-ref=[0-9]+;id=10.*token="
check "the reader's is one" openssl pkey -in "$shown;object=web-rsa;type=private;slot-description=Virtual" -noout
softhsm_tokens "soft token"
configure "pkcs11-module=$softhsm"
check "a key on SoftHSM's token" env OPENSSL_CONF=/dev/null pkcs11-tool --module "$softhsm" \
    --token-label "soft token" --login --pin "$pin" --keypairgen --key-type EC:prime256v1 --id 30 --label soft
check "it signs by its token's label" openssl dgst -sha256 -out soft.sig -sign \
    "pkcs11:model=SoftHSM%20v2;manufacturer=SoftHSM%20project;token=soft%20token;object=soft;type=private" message
check "its public key" openssl pkey -pubin -in "pkcs11:token=soft%20token;object=soft;type=public" -pubout -out soft.pub
check "judged by the default provider" plain_openssl dgst -sha256 -verify soft.pub -signature soft.sig message
check "the card beside it" openssl pkey -in "$shown;object=web-rsa;type=private" -noout
fails "a label that OpenSC's module would show" openssl pkey -noout \
    -in "pkcs11:token=soft%20token%20%28UserPIN%29;object=soft"
says "no device with the label 'soft token \(UserPIN\)'; there is .*'SmartCard-HSM'.*'soft token'"
