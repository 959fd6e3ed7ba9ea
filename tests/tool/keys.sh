#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sc-hsm makes keys that OpenSSL, OpenSC and SSH use
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=outcome.sh
. "$(dirname "$0")/outcome.sh"
need openssl ssh-keygen

admin_card
fresh=$(files)
login=(--pin-source file:pin)
keygen() {
    sc-hsm "${login[@]}" keygen "$@"
}

# --- RSA: from the key to a decrypted file ---------------------------------------------------

check "an RSA key is made" keygen --type rsa:2048 --id 10 --label mail --out mail.pem
says "^Made key 'mail': sc-hsm:serial=$serial;key-ref=1;id=10;label=mail;type=private$" "^mail.pem "
check "the file stands for the key" openssl req -new -key mail.pem -subj /CN=mail -out mail.csr
check "its request verifies" plain_openssl req -in mail.csr -noout -verify
check "a self-signed certificate" openssl req -new -x509 -key mail.pem -subj /CN=mail -days 9 \
    -out mail.crt
check "it verifies" plain_openssl verify -CAfile mail.crt mail.crt
echo "a secret" >text
check "a file is encrypted to it" plain_openssl cms -encrypt -binary -aes256 -in text -out text.cms \
    mail.crt
check "and decrypted with the key" openssl cms -decrypt -in text.cms -recip mail.crt \
    -inkey mail.pem -out text.out
same_bytes "the file is what it was" text text.out

# --- EC, with a policy -----------------------------------------------------------------------

check "an EC key is made" keygen --type ec:P-256 --label web --key-ref 7 \
    --algorithms ecdsa,80 --use-count 20 --out web.pem
check "the device made it so" sc-hsm list --policy
says "^private key +7 +[0-9a-f]{16} +web +EC 256 +only ecdsa,ecdh; 20 uses left +sc-hsm:" \
    "^private key +1 +10 +mail +RSA 2048 +- +sc-hsm:"
equal "programs are told as well" "(['ecdsa', 'ecdh'], 20, 0)" \
    "$(json "[(o['permitted'], o['uses_left'], o['key_domain']) for o in d['objects']][0]" \
        sc-hsm --json list label=web)"
check "it signs" openssl dgst -sha256 -sign web.pem -out text.sig text
check "its public key" sc-hsm pubkey key-ref=7 --out web.pub
check "the signature verifies" plain_openssl dgst -sha256 -verify web.pub -signature text.sig text
! counts_uses || equal "a use was spent" 19 "$(json "d['objects'][0]['uses_left']" sc-hsm --json list label=web)"
check "more curves" keygen --type ec:brainpoolP256r1 --label brainpool
check "more curves" keygen --type EC:secp256k1 --label k1
check "more curves" keygen --type ec:P-384 --label 384
check "more curves" keygen --type ec:P-521 --label 521

# what is to be written is tried before the key is made
before=$(files)
ends 1 "its file is there" keygen --type ec:P-256 --out web.pem
says "^sc-hsm: no key was made: web.pem is there already" "\-\-overwrite"
ends 1 "its file cannot be" keygen --type ec:P-256 --out none/there.pem
says "^sc-hsm: no key was made: none/there.pem cannot be written"
equal "no key was made" "$before" "$(files)"
check "replaced" keygen --type ec:P-256 --label again --key-ref 9 --out web.pem --overwrite
says "key-ref=9"
equal "the file is the new key's" "$(sc-hsm pubkey key-ref=9)" "$(openssl pkey -in web.pem -pubout)"
check "deleted" sc-hsm "${login[@]}" delete --yes key-ref=9
check "and the file written again" sc-hsm pubkey key-ref=7 --reference --out web.pem --overwrite

# --- AES -------------------------------------------------------------------------------------

check "an AES key is made" keygen --type aes:256 --id 40 --label vault
says "^Made secret key 'vault': sc-hsm:serial=$serial;key-ref=6;id=40;label=vault;type=secret$"
check "another one for CMAC alone" keygen --type aes:128 --algorithms aes-cmac --label mac --json
check "both are listed" sc-hsm list --policy
says "^secret key +6 +40 +vault +AES 256 +- +sc-hsm:" \
    "^secret key +8 +[0-9a-f]{16} +mac +AES 128 +only aes-cmac +sc-hsm:"
check "the device works with it" raw_apdus 0020008106"$(printf %s "$pin" | od -An -tx1 | tr -d ' \n')" \
    80780810100000000000000000000000000000000010 80780818100000000000000000000000000000000010
equal "the list of algorithms is obeyed" "$(on_pico && echo 0x69,0x85 || echo 0x6A,0x81) 0x90,0x00" \
    "$(grep -o 'SW1=0x.., SW2=0x..' "$seen" | sed 's/SW.=//g; s/ //' | tail -2 | xargs)"

# --- OpenSC sees the same --------------------------------------------------------------------

check "pkcs15-tool lists the keys" opensc pkcs15-tool -D
says "Private RSA Key \[mail\]" "Private EC Key \[web\]" "Key ref +: 7 " "ID +: 10$"
# pkcs11-tool signs with the keys, and its signature is OpenSSL's
openssl dgst -sha256 -binary text >hash
id=$(json "d['objects'][0]['id']" sc-hsm --json list 'label=web;type=private')
check "pkcs11-tool signs" p11 --login --pin "$pin" --sign --mechanism ECDSA --id "$id" \
    --signature-format openssl --input-file hash --output-file p11.sig
check "and OpenSSL verifies" plain_openssl pkeyutl -verify -pubin -inkey web.pub -in hash \
    -sigfile p11.sig

# --- the public key in every form ------------------------------------------------------------

for key in mail web 384 521; do
    check "$key as PEM" sc-hsm pubkey label=$key
    cp "$seen" $key.pub
    check "$key as DER" sc-hsm pubkey label=$key --format der --out $key.der
    check "$key in both is the same" plain_openssl pkey -pubin -in $key.pub -outform DER -out from-pem.der
    same_bytes "$key: DER is what OpenSSL makes of the PEM" from-pem.der $key.der
    check "$key for SSH" sc-hsm pubkey label=$key --format ssh
    cp "$seen" $key.ssh
    says "^(ssh-rsa|ecdsa-sha2-nistp[0-9]+) [A-Za-z0-9+/=]+ $key$"
    check "SSH knows $key" ssh-keygen -l -f $key.ssh
    plain_openssl pkey -pubin -in $key.pub -out spki.pub
    check "SSH reads it" ssh-keygen -e -m PKCS8 -f $key.ssh
    cp "$seen" ssh.pub
    same_bytes "$key: SSH means the same key" ssh.pub spki.pub
done
# jwk LABEL: the DER public key that Python makes of the JSON Web Key.
jwk() {
    sc-hsm pubkey "label=$1" --format jwk >"$1.jwk" || return 1
    python3 -c '
import base64, json, sys
k = json.load(sys.stdin)
b = lambda n: base64.urlsafe_b64decode(k[n] + "=" * (-len(k[n]) % 4))
h = lambda n: b(n).hex()
print(k["kty"], k.get("crv", ""), h("x") + h("y") if k["kty"] == "EC" else h("e") + " " + h("n"))
' <"$1.jwk"
}
# point LABEL: the public point without its first byte, as OpenSSL prints it.
point() {
    plain_openssl pkey -pubin -in "$1.pub" -noout -text | sed -n '/^pub:/,/^ASN1/p' |
        grep '^ ' | tr -d ' :\n' | cut -c3-
}
sc-hsm pubkey label=k1 >k1.pub
for name in web:P-256 384:P-384 521:P-521 k1:secp256k1; do
    equal "${name%:*} as JWK" "EC ${name#*:} $(point "${name%:*}")" "$(jwk "${name%:*}")"
done
modulus=$(plain_openssl rsa -pubin -in mail.pub -noout -modulus | cut -d= -f2)
equal "mail as JWK" "RSA  010001 ${modulus,,}" "$(jwk mail)"
check "as a reference file" sc-hsm pubkey label=mail --format reference --out again.pem
check "which is a key for OpenSSL" openssl pkey -in again.pem -pubout -out again.pub
same_bytes "the same one" again.pub mail.pub
equal "--reference says the same" "$(cat again.pem)" "$(sc-hsm pubkey label=mail --reference)"
equal "for programs" "$(cat again.pem)" \
    "$(json "d['text'].strip()" sc-hsm --json pubkey label=mail --format reference)"
equal "DER as base64" "$(sc-hsm pubkey label=mail --format der | base64 -w0)" \
    "$(json "d['base64']" sc-hsm --json pubkey label=mail --format der)"
equal "with a file, its name" "json.der der" \
    "$(json "d['file'] + ' ' + d['format']" sc-hsm --json pubkey label=mail --format der --out json.der)"
check "which has the key" plain_openssl pkey -pubin -inform DER -in json.der -noout
equal "a JWK is JSON already" RSA "$(json "d['kty']" sc-hsm --json pubkey label=mail --format jwk)"
ends 1 "a file that is there" sc-hsm pubkey label=mail --out json.der
says "json.der is there already" "\-\-overwrite"
ends 2 "a format that nobody knows" sc-hsm pubkey label=nothing --format xml
ends 1 "a key that is not there" sc-hsm pubkey label=nothing
says "no object with label 'nothing'" "sc-hsm list"
ends 1 "nor on the device that was named" sc-hsm --serial "$serial" pubkey label=nothing
says "no object with label 'nothing' on device $serial"
ends 1 "a curve that SSH has no name for" sc-hsm pubkey label=brainpool --format ssh
says "no name for the curve brainpoolP256r1"
ends 1 "an AES key" sc-hsm pubkey label=vault
says "no public part"

# --- a line of progress, on a terminal alone ---------------------------------------------------

check "the card takes its time" virtual_hsm control 1 delay 2500 ins=46
check "a person sees that it works" typed "Device $serial makes a key .ec:P-256.: 1 s=" \
    "Made key 'slow'=" -- sc-hsm "${login[@]}" keygen --type ec:P-256 --label slow
check "it goes" sc-hsm "${login[@]}" delete label=slow --yes
check "the card takes its time" virtual_hsm control 1 delay 1500 ins=46
check "a file is told of the end alone" keygen --type ec:P-256 --label slow
says_nothing_of "makes a key"
check "it goes" sc-hsm "${login[@]}" delete label=slow --yes

# --- what is refused, and that nothing is left of it -----------------------------------------

before=$(files)
ends 1 "an id that is taken" keygen --type ec:P-256 --id 10
says "already has this id"
ends 1 "a key reference that is taken" keygen --type ec:P-256 --key-ref 7
says "key reference 7 is taken"
ends 2 "no type" keygen --label x
says "say what key to make"
ends 2 "an unknown type" keygen --type rsa:2047
says "'rsa:2047' is no type of key"
ends 2 "an unknown curve" keygen --type ec:P-255
says "no curve 'P-255'"
ends 2 "an algorithm that there is not" keygen --type ec:P-256 --algorithms ecdsa,md5
says "'md5' is neither the name .*; for an EC key there are ecdsa \(70\), .*, ecdh \(80\), .*wrap \(92\)"
says_nothing_of rsa
ends 2 "another key's algorithm" keygen --type ec:P-256 --algorithms rsa-pkcs1
says "nothing for an EC key"
ends 2 "no use at all" keygen --type ec:P-256 --use-count 0
says "from 1 to 4294967294"
ends 2 "a bad id" keygen --type ec:P-256 --id 1g
ends 2 "a bad key reference" keygen --type ec:P-256 --key-ref 256
ends 2 "a file for an AES key" keygen --type aes:128 --out aes.pem
ends 1 "a file that is there" keygen --type ec:P-256 --out mail.pem
says "no key was made: mail.pem is there already"
ends 1 "a file that cannot be" keygen --type ec:P-256 --out nowhere/x.pem
says "no key was made"
ends 4 "a wrong PIN" sc-hsm --pin-source file:wrong-pin keygen --type ec:P-256
ends 2 "a format that there is not" sc-hsm pubkey label=web --format xml
ends 1 "a file that is there" sc-hsm pubkey label=web --out web.pub
ends 1 "no such key" sc-hsm pubkey label=nobody
ends 1 "several keys" sc-hsm pubkey type=private
says "match where one is needed"
check "the right PIN makes up for the wrong one" sc-hsm "${login[@]}" data write text --label x
check "and is gone again" sc-hsm "${login[@]}" delete label=x --yes
for status in 6A84 6F00; do
    check "the card refuses" virtual_hsm control 1 status $status ins=46
    ends 1 "the card cannot make the key ($status)" keygen --type ec:P-256 --label refused
    check "the card refuses the description" virtual_hsm control 1 status $status ins=D7
    ends 1 "the card cannot take the description ($status)" keygen --type ec:P-256 --label refused
    check "the card refuses" virtual_hsm control 1 status $status ins=48
    ends 1 "the card cannot make an AES key ($status)" keygen --type aes:128 --label refused
done
check "the answer gets lost" virtual_hsm control 1 status-after 6F00 ins=D7
ends 1 "the card says that it failed" keygen --type aes:128 --label refused
equal "nothing was left" "$before" "$(files)"
check "key domains that the card does not have" raw_apdus
ends 1 "a key domain that is not there" keygen --type ec:P-256 --key-domain 5
says "key domain"
says_nothing_of "6A80"
equal "nothing was left" "$before" "$(files)"

# --- deleting --------------------------------------------------------------------------------

ends 1 "nobody confirmed" setsid sc-hsm "${login[@]}" delete label=vault
says "nothing was done" "deletes secret key 'vault' from the device $serial"
fails "the wrong serial number" typed "deletes key 'web'.*type the serial number=DENK0000000" -- \
    sc-hsm "${login[@]}" delete label=web
check "confirmed at the terminal" typed "type the serial number $serial=$serial" -- \
    sc-hsm "${login[@]}" delete label=web
check "confirmed in advance" sc-hsm "${login[@]}" delete --yes key-ref=6
for id in 521 384 k1 brainpool mac; do
    check "$id goes" sc-hsm "${login[@]}" delete --yes label=$id
done
ends 1 "what is gone" sc-hsm "${login[@]}" delete --yes label=web
ends 1 "everything at once" sc-hsm "${login[@]}" delete --yes sc-hsm:
says "names one object"
check "the last one" sc-hsm "${login[@]}" delete --yes "sc-hsm:serial=$serial;id=10" --json
equal "nothing is left on the card" "$fresh" "$(files)"
