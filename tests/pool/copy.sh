#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sc-hsm copy: what is named goes from one device to another with the same DKEK, through no file.
# shellcheck source-path=SCRIPTDIR source=pool.sh
. "$(dirname "$0")/pool.sh"
virtual_cards 3
mapfile -t serials <"$SC_HSM_VIRTUAL/serials"
from=${serials[0]} to=${serials[1]} other=${serials[2]}
dkek_on 1
dkek_on 2
dkek_on 3 44
kcv=FC8B64001C5FDD0F other_kcv=BB391415C05E39D7

# --- what there is to copy --------------------------------------------------------------------------
check "an RSA key" on 1 keygen --type rsa:2048 --id 10 --label web --out web.pem
check "an EC key" on 1 keygen --type ec:P-256 --id 20 --label mail --out mail.pem
check "an AES key" on 1 keygen --type aes:256 --id 30 --label vault
check "a counted key" on 1 keygen --type ec:P-256 --id 40 --label once --use-count 9
check "one that stays" on 1 keygen --type ec:P-256 --id 50 --label stays --algorithms ecdsa
for key in web mail; do
    check "$key: its public key" on 1 pubkey "label=$key;type=private" --out $key.pub
done
check "a certificate" openssl req -x509 -new -key web.pem -subj /CN=web -days 9 -out web.crt
check "beside its key" on 1 cert import web.crt
plain_openssl req -x509 -newkey rsa:2048 -nodes -keyout root.key -subj /CN=root -days 9 -out root.crt 2>"$seen"
check "a certificate without a key" on 1 cert import root.crt --ca --id 77 --label root
head -c 300 /dev/urandom >public
head -c 300 /dev/urandom >secret
check "data" on 1 data write public --label public
check "private data" on 1 data write secret --label secret --private

# Everything from here on is done in an empty folder by a program that can write to no file.
mkdir empty
pins=file:$pin_file
copy() {
    (
        cd empty
        ulimit -f 0
        exec sc-hsm --pin-source "$pins" copy "$@" 2>&1
    ) | cat
}

# signs N LABEL: card N has the key; its signature is verified with the public key of the original.
signs() {
    rm -f signature
    check "card $1 signs as $2" openssl dgst -sha256 -sign \
        "sc-hsm:serial=${serials[$1 - 1]};label=$2;type=private" -out signature data
    check "and that is the same key" plain_openssl dgst -sha256 -verify "$2.pub" \
        -signature signature data
}

# state N: all that card N holds.
state() {
    on "$1" ls
    on "$1" --json list
}

# --- a device with another key encryption key ---------------------------------------------------------
state 3 >before
fails "another DKEK is refused" copy id=10 id=77 --to "$other" --serial "$from"
says "nothing was copied" "$kcv" "$other_kcv"
equal "nothing was changed" "$(cat before)" "$(state 3)"

# --- the objects ----------------------------------------------------------------------------------------
check "the keys" copy 'id=10;type=private' id=20 'id=30;type=secret' --to "$to"
says "key 'web' .*: copied" "key 'mail' .*: copied" "key 'vault' .*: copied" \
    "From device $from to device $to: 3 copied, 0 there already"
signs 2 web
signs 2 mail
check "the certificate came with its key" pkcs15-tool --reader "$(reader 2)" --read-certificate 10 \
    --output read.crt
same_bytes "byte by byte" <(plain_openssl x509 -in web.crt -outform DER) \
    <(plain_openssl x509 -in read.crt -outform DER)
check "OpenSC signs with the copy" pkcs15-crypt --reader "$(reader 2)" --pin "$pin" --sign \
    --pkcs1 --sha-256 --key 10 --input <(plain_openssl dgst -sha256 -binary data) --output opensc.sig
check "and that is the same key" plain_openssl dgst -sha256 -verify web.pub -signature opensc.sig data
# encrypts N: what the AES key of card N makes of a block.
encrypts() {
    opensc-tool --reader "$(reader "$1")" --card-driver default \
        --send-apdu 00A404000BE82B0601040181C31F020100 \
        --send-apdu "0020008106$(printf %s "$pin" | od -An -tx1 | tr -d ' \n')" \
        --send-apdu "80780310100000000000000000000000000000000000" | tail -n 2
}
equal "the AES key is the same" "$(encrypts 1)" "$(encrypts 2)"

check "the rest" copy 'id=77' label=public label=secret --to "$to" --serial "$from"
says "3 copied"
check "the certificate without a key" on 2 cert export id=77 --format der --out read.crt --overwrite
same_bytes "is the same" <(plain_openssl x509 -in root.crt -outform DER) read.crt
for label in public secret; do
    check "$label data" on 2 data read label=$label --out read-$label
    same_bytes "are the same" $label read-$label
done

# --- again ----------------------------------------------------------------------------------------------
wrapped=$(grep -c '^> 8072' "$SC_HSM_VIRTUAL/card-1.log")
before=$(state 2)
check "the same again" copy id=10 id=20 'id=30;type=secret' id=77 label=public label=secret --to "$to"
says "0 copied, 6 there already"
if on_pico; then wrapped=$((wrapped + 1)); fi # the AES key, whose description waits elsewhere
equal "wraps nothing" "$wrapped" "$(grep -c '^> 8072' "$SC_HSM_VIRTUAL/card-1.log")"
equal "changes nothing" "$before" "$(state 2)"
check "a renewed certificate" openssl req -x509 -new -key web.pem -subj /CN=web2 -days 9 -out new.crt
check "on the first device" on 1 cert import new.crt --replace --yes
check "leaves the other's alone" copy 'id=10;type=private' --to "$to"
says "there already, with an older certificate|there already, with another certificate"
check "a first certificate" openssl req -x509 -new -key mail.pem -subj /CN=mail -days 9 -out mail.crt
check "after the key was copied" on 1 cert import mail.crt
check "comes by itself" copy id=20 --to "$to"
says "there already, without its certificate" "certificate .*: copied" "1 copied, 1 there already"
check "as it is" on 2 cert export id=20 --format der --out read.crt --overwrite
same_bytes "byte by byte" <(plain_openssl x509 -in mail.crt -outform DER) read.crt
signs 2 mail

# --- what is left out, and what is in the way ---------------------------------------------------------
fails "a counted key" copy id=40 --to "$to"
says "left out: it has a use counter.*--counted-keys"
check "on demand" copy id=40 --counted-keys --to "$to"
says "key 'once' .*: copied"
fails "a key that stays" copy id=50 --to "$to"
says "key 'stays' .*: left out: "
check "somebody's key" on 2 keygen --type ec:P-256 --key-ref 9 --id 60 --label theirs
check "a key where that is" on 1 keygen --type ec:P-256 --key-ref 9 --id 61 --label place
check "another with that id" on 1 keygen --type ec:P-256 --id 60 --label id
check "its public key" on 1 pubkey "label=place;type=private" --out place.pub
fails "both" copy id=60 id=61 --to "$to" --serial "$from"
says "key 'place' .*: copied as key reference" "key 'id' .*: NOT COPIED: .*id is taken.*theirs"
signs 2 place

# --- which devices ------------------------------------------------------------------------------------
fails "without a target" copy id=10
says "--to SERIAL"
fails "onto itself" copy id=10 --to "$from" --serial "$from"
fails "nothing of that name" copy label=nothing --to "$to"
says "nothing"
echo 111111 >wrong
mkdir -m 700 pins
for card in 1 2 3; do
    echo "$pin" >"pins/${serials[card - 1]}"
done
pins="file:$PWD/pins/{serial}"
check "each with its own PIN" copy id=20 --to "$to"
fails "a wrong PIN for the target" copy id=20 --to "$to" --to-pin-source "file:$PWD/wrong"
says "PIN"
check "the right one" copy id=20 --to "$to" --to-pin-source "file:$PWD/pins/$to"
equal "nothing was written on the way" "" "$(ls -A empty)"
