#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sc-hsm renames keys, certificates and data, and OpenSC sees the new names
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=outcome.sh
. "$(dirname "$0")/outcome.sh"
need openssl
admin_card
tool=(sc-hsm --pin-source file:pin)
rename() {
    "${tool[@]}" rename "$@"
}

check "a key" "${tool[@]}" keygen --type ec:P-256 --label web --id 10 --out web.pem
check "its certificate" "${tool[@]}" cert self-sign label=web --subject /CN=web --days 9 --store
check "a key of OpenSC's" p11 --login --pin "$pin" --keypairgen --key-type rsa:2048 --id 20 \
    --label "a label that is longer than the next one" --usage-sign
check "an AES key" "${tool[@]}" keygen --type aes:128 --label vault --id 30
plain_openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout root.key -out root.crt \
    -subj /CN=root 2>"$seen"
check "a certificate without a key" "${tool[@]}" cert import root.crt --ca --label root --id 40
echo text >text
check "data" "${tool[@]}" data write text --label note --application app
# places: which files there are; a Pico HSM lists what was written last behind all others.
places() {
    sc-hsm ls | cut -c1-5 | sort
}
kept=$(places)
# usage LABEL: what OpenSC reads of a key beside its name.
usage() {
    opensc pkcs15-tool -D | sed -n "/Key \[$1\]/,/^\$/p" | grep -vE 'ID  |\[' | tr -s '\t '
}
before=$(usage 'a label that is longer than the next one')

check "a key with its certificate" rename label=web --label www --id 1122334455
says "^Renamed, now key 'www': sc-hsm:serial=$serial;key-ref=1;id=1122334455;label=www;type=private$"
check "a key of OpenSC's" rename id=20 --label short
check "a secret key" rename label=vault --label safe
check "a certificate" rename label=root --label authority --id 41
check "data" rename label=note --label notes
equal "the files are the same" "$kept" "$(places)"

check "OpenSC" opensc pkcs15-tool -D
says 'Private EC Key \[www\]' 'X.509 Certificate \[www\]' 'ID +: 1122334455$' 'Private RSA Key \[short\]' \
    'X.509 Certificate \[authority\]' 'ID +: 41$' "Data object 'notes'"
says_nothing_of '\[web\]' 'longer' '\[root\]' "'note'"
equal "what else OpenSC wrote of its key stays" "$before" "$(usage short)"
check "OpenSC's PKCS#11" p11 --login --pin "$pin" -O
says "label: +www$" "ID: +1122334455$" "label: +short$" "label: +'?notes'?$"
check "it signs by its new id" p11 --login --pin "$pin" --sign --mechanism ECDSA-SHA256 --id 1122334455 \
    --input-file text --output-file sig
check "a key reference file of before works" openssl dgst -sha256 -sign web.pem -out sig text
check "by its new name as well" openssl dgst -sha256 -sign sc-hsm:label=www -out sig text
check "content and program stay" sc-hsm data read label=notes --out notes
same_bytes "they do" text notes
check "data are listed" sc-hsm data list
says "^notes +5 bytes +all +app "

# made again, and made badly
check "the same again" rename label=web --label www --id 1122334455
says "^Has that name already"
for id in 20 41 30; do
    ends 1 "an id that is taken: $id" rename label=www --id $id
    says "has this id: choose another"
done
check "its own id is not" rename label=www --label web --id 1122334455
check "no label" rename id=41 --label ''
ends 1 "nothing of that name" rename label=nothing --label some
ends 2 "an id of data" rename label=notes --id 50
says "a data object has a label and no id"
ends 2 "no name" rename label=web
ends 1 "several objects" rename type=private --label web
ends 2 "a label that is too long" rename label=web --label "$(printf '%0300d' 0)"
check "logged out" sc-hsm logout
ends 4 "a wrong PIN" sc-hsm --pin-source file:wrong-pin rename label=web --label other
equal "the files are the same" "$kept" "$(places)"

# a key that nobody described
raw_apdus "0020008106$(printf %s "$pin" | od -An -tx1 | tr -d ' \n')" 00E4020002C401 >"$seen"
check "it gets a name" rename key-ref=1 --label found --id 99
check "OpenSC" opensc pkcs15-tool -D
says 'Private EC Key \[found\]' 'ID +: 99$'
