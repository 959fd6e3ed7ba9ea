#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sc-hsm stores certificates beside their keys and loses none
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=outcome.sh
. "$(dirname "$0")/outcome.sh"
need openssl

admin_card
login=(--pin-source file:pin)
cert() {
    local verb=$1
    shift
    sc-hsm "${login[@]}" cert "$verb" "$@"
}
# certificates EXPRESSION: over each certificate `o` that is listed, as sorted text.
certificates() {
    json "' '.join(sorted(str($1) for o in d['objects']))" sc-hsm --json list type=cert
}

# An authority in software, an RSA and an EC key on the card, and certificates for them.
for name in root sub; do
    plain_openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out $name.key
done
plain_openssl req -x509 -new -key root.key -subj "/CN=Test root/O=x" -days 30 -out root.crt \
    -addext basicConstraints=critical,CA:TRUE
plain_openssl req -new -key sub.key -subj "/O=Only an organisation" -out sub.csr
echo basicConstraints=critical,CA:TRUE >ca.ext
plain_openssl x509 -req -in sub.csr -CA root.crt -CAkey root.key -CAcreateserial -days 30 \
    -extfile ca.ext -out sub.crt
check "an RSA key" sc-hsm "${login[@]}" keygen --type rsa:2048 --id 10 --label web --out web.pem
check "an EC key" sc-hsm "${login[@]}" keygen --type ec:P-256 --id 20 --label ec --out ec.pem
for name in web ec; do
    openssl req -new -key $name.pem -subj /CN=$name -out $name.csr
    plain_openssl x509 -req -in $name.csr -CA sub.crt -CAkey sub.key -CAcreateserial -days 30 \
        -out $name.crt 2>/dev/null
done
# large NAME: another certificate of the key, of about 3000 bytes.
large() {
    openssl req -new -x509 -key "$1.pem" -subj "/CN=large $1" -days 30 -out "$1-large.crt" -addext \
        "nsComment=$(printf 'x%.0s' {1..2300})"
}
large web
cat web.crt sub.crt root.crt >chain.pem
plain_openssl x509 -in ec.crt -outform DER -out ec.der

# --- the journey: a chain, a single one, back to files ---------------------------------------

check "a chain" cert import chain.pem
says "^Stored the certificate 'web' of key-ref 1 on $serial$" \
    "^Stored the certificate 'Only an organisation' without a key on $serial$" \
    "^Stored the certificate 'Test root' without a key on $serial$"
check "one in DER" cert import ec.der
says "^Stored the certificate 'ec' of key-ref 2 on"
check "all are listed" sc-hsm list type=cert
says "^certificate +1 +10 +web +[0-9]+ bytes +sc-hsm:.*type=cert$" "^certificate +2 +20 +ec +" \
    "^certificate +- +[0-9a-f]{40} +Test root +" "^certificate +- +[0-9a-f]{40} +Only an org"
before=$(files)
check "the chain once more" cert import chain.pem --json
equal "is there already" "present present present" \
    "$(python3 -c 'import json; print(*(c["action"] for c in json.load(open(".seen"))["certificates"]))')"
equal "and nothing was written" "$before" "$(files)"
check "a label that is no UTF-8 is told" cert import root.crt --ca --label $'caf\xe9' --json
says '"action": "present"'
for name in web ec; do
    check "$name comes back" cert export "label=$name" --out $name.back
    plain_openssl x509 -in $name.crt -out $name.pure
    same_bytes "as it was" $name.pure $name.back
done
equal "for programs" "$(sc-hsm cert export id=20)" "$(json "d['text'].strip()" sc-hsm --json cert export id=20)"
check "in DER" cert export id=20 --format der --out ec.back.der
same_bytes "as it was" ec.der ec.back.der
check "the chain from the card verifies" sh -c 'sc-hsm cert export "label=Test root" >root.back &&
    sc-hsm cert export "label=Only an organisation" >sub.back'
check "the chain from the card verifies" plain_openssl verify -CAfile root.back -untrusted sub.back \
    web.back
check "OpenSSL's store sees it" openssl storeutl -certs -noout "sc-hsm:"
found 4

# --- OpenSC reads ours, and we read OpenSC's -------------------------------------------------

check "pkcs15-tool lists them" opensc pkcs15-tool --list-certificates
says "X.509 Certificate \[web\]" "X.509 Certificate \[Test root\]" "Authority +: yes"
check "pkcs15-tool reads one" opensc pkcs15-tool --read-certificate 10
plain_openssl x509 -in "$seen" -out opensc.web
same_bytes "pkcs15-tool's is ours" web.pure opensc.web
root_id=$(plain_openssl x509 -in root.crt -noout -fingerprint -sha1 | sed 's/.*=//; s/://g')
check "pkcs15-tool reads the authority's" opensc pkcs15-tool --read-certificate "$root_id"
plain_openssl x509 -in "$seen" -out opensc.root
plain_openssl x509 -in root.crt -out root.pure
same_bytes "pkcs15-tool's is ours" root.pure opensc.root
check "pkcs11-tool lists them" p11 --list-objects --type cert
says "label: +web$" "ID: +(10|16 \(0x10\))$" "label: +Test root$"
plain_openssl req -x509 -new -key sub.key -subj "/CN=by OpenSC" -days 30 -outform DER -out p11.der
check "pkcs11-tool stores one" p11 --login --pin "$pin" --write-object p11.der --type cert --id 77 \
    --label by-opensc
check "we read it" cert export label=by-opensc --format der --out p11.back
same_bytes "as it was" p11.der p11.back
check "we delete it" cert delete label=by-opensc --yes
check "pkcs11-tool replaces a key's" p11 --login --pin "$pin" --delete-object --type cert --id 20
check "pkcs11-tool replaces a key's" p11 --login --pin "$pin" --write-object ec.der --type cert \
    --id 20 --label ec
check "we read that" cert export id=20 --format der --out p11.back --overwrite
same_bytes "as it was" ec.der p11.back

# --- replacing, and the key whose public part nobody knows -----------------------------------

ends 1 "the key has one already" cert import web-large.crt
says "key-ref 1 on $serial has a certificate already; --replace"
ends 1 "nobody confirmed" setsid sc-hsm "${login[@]}" cert import web-large.crt --replace
says "nothing was done: .*--yes .*deletes the certificates that the keys on the device $serial have"
check "a large one takes its place" cert import web-large.crt --replace --yes
check "the large one comes back" cert export label=web --out large.back
plain_openssl x509 -in web-large.crt -out large.pure
same_bytes "as it was" large.pure large.back
check "pkcs15-tool reads the large one" opensc pkcs15-tool --read-certificate 10
says "BEGIN CERTIFICATE"
check "a small one takes its place" cert import web.crt --replace --yes
check "the small one comes back" cert export label=web --format der --out small.der
plain_openssl x509 -in web.crt -outform DER -out web.der
same_bytes "as it was" web.der small.der
check "it goes" cert delete id=10 --yes
ends 1 "no key is known to it" cert import web.crt
says "belongs to no key on $serial whose public part the device knows: name its key with --key"
ends 1 "a certificate of another key" cert import sub.crt --key id=10
says "(is not one of key 'web'|public key is another)"
ends 1 "the EC key's" cert import ec.crt --key id=10
says "is not one of key 'web'"
ends 1 "the RSA key's" cert import web.crt --key id=20
says "is not one of key 'ec'"
check "the key shows that it is its own" cert import web.crt --key id=10
check "the key works with it" openssl s_client -help
check "the public part is known again" sc-hsm pubkey id=10

# --- authorities -----------------------------------------------------------------------------

check "an authority's goes" cert delete "label=Test root" --yes
ends 1 "it fits no key" cert import root.crt
says "the certificate 'Test root' belongs to no key on $serial; --ca"
ends 1 "with a key's id" cert import root.crt --ca --id 10
says "\(web\) has this id"
check "with an id and a label" cert import root.crt --ca --id 99aa --label "the root"
equal "it has them" "99aa the root" "$(json "d['objects'][0]['id'] + ' ' + d['objects'][0]['label']" \
    sc-hsm --json list id=99aa)"
plain_openssl req -x509 -new -key sub.key -subj "/CN=another" -days 30 -out another.crt
ends 1 "with an id that is taken" cert import another.crt --ca --id 99aa
says "\(the root\) has this id"
ends 2 "names for a key's certificate" cert import web.crt --label x
says "a key's certificate has its key's id and label"
ends 2 "--key and --ca" cert import root.crt --ca --key id=10

# --- what is no certificate ------------------------------------------------------------------

before=$(files)
ends 1 "no file" cert import nowhere.crt
says "nowhere.crt cannot be read: No such file"
echo nonsense >nonsense
ends 1 "nonsense" cert import nonsense
says "nonsense holds no X.509 certificate"
: >empty
ends 1 "an empty file" cert import empty
ends 1 "a private key" cert import root.key
says "holds a private key and no certificate: 'sc-hsm import'"
head -c 400 ec.crt >cut.crt
ends 1 "a PEM file that was cut" cert import cut.crt
says "cut.crt: a PEM block in it is damaged or cut off"
head -c 200 ec.der >cut.der
ends 1 "a DER file that was cut" cert import cut.der
says "cut.der is no X.509 certificate in DER, or is cut off"
{ cat root.crt; echo "-----BEGIN CERTIFICATE-----"; echo "AAAA"; echo "-----END CERTIFICATE-----"; } >bad.pem
ends 1 "a chain with a damaged one" cert import bad.pem --ca
says "bad.pem: certificate 2 in it is damaged"
cat web.crt web-large.crt >two.pem
ends 1 "two of one key" cert import two.pem --replace --yes
says "two certificates of the same key, 'web' and 'large web'"
ends 1 "no such certificate" cert export label=nobody
ends 2 "no such format" cert export label=web --format txt
ends 1 "no such certificate" cert delete label=nobody --yes
ends 1 "nobody confirmed" setsid sc-hsm "${login[@]}" cert delete label=web
says "knows its public part from this certificate alone"
ends 4 "a wrong PIN" sc-hsm --pin-source file:wrong-pin cert import web-large.crt --replace --yes
equal "nothing was changed" "$before" "$(files)"
check "a right PIN makes up for it" cert delete id=99aa --yes

# --- a card that is full ---------------------------------------------------------------------

before=$(files)
for skip in 0 1 2; do
    check "the card is full after $skip writes" virtual_hsm control 1 status 6A84 ins=D7 skip=$skip
    ends 1 "no room for a certificate" cert import web-large.crt --replace --yes
    says "the device has no room for [0-9]+ bytes more"
    check "nothing is in store" virtual_hsm control 1 clear
    equal "nothing is left ($skip)" "$before" "$(files)"
    check "the old one is there" cert export label=web --format der --out same.der --overwrite
    same_bytes "as it was ($skip)" web.der same.der
done
for skip in 0 1; do
    check "the card is full after $skip writes" virtual_hsm control 1 status 6A84 ins=D7 skip=$skip
    ends 1 "no room for an authority's" cert import root.crt --ca
    equal "nothing is left ($skip)" "$before" "$(files)"
done

# --- a card that is pulled out at any moment -------------------------------------------------

# in_the_card NAME...: each certificate that is whole on the card, be it without a name.
whole() {
    sc-hsm --json list --all type=cert >list.json 2>"$seen" || true # a key's may be there in part
    python3 -c '
import json
print(*(o["uri"] for o in json.load(open("list.json"))["objects"] if not o["orphan"]), sep="\n")' | while read -r uri; do
        sc-hsm cert export "$uri" --format der --out one.der --overwrite
        cmp -s one.der "$1" && echo "$1"
        cmp -s one.der "$2" && echo "$2"
    done
    true
}
plain_openssl x509 -in web-large.crt -outform DER -out large.der
old=web.der new=large.der file=web-large.crt
swap() {
    if [ $new = large.der ]; then
        old=large.der new=web.der file=web.crt
    else
        old=web.der new=large.der file=web-large.crt
    fi
}
# The large one takes three writes for the spare copy and three in its place, the small one one each.
for fault in remove-before:D7:0 remove-after:D7:1 remove-after:D7:1 remove-after:E4:0 \
    remove-after:D7:3 remove-before:E4:1 remove-before:D7:4; do
    IFS=: read -r kind ins skip <<<"$fault"
    check "the card is pulled out: $fault" virtual_hsm control 1 "$kind" "ins=$ins" "skip=$skip"
    status=0
    cert import $file --replace --yes >"$seen" 2>&1 || status=$?
    [ $status = 1 ] || [ $status = 3 ] || fail "status $status with the card pulled out"
    says "^sc-hsm: .*half done: run the same again"
    virtual_hsm control 1 clear >/dev/null
    virtual_hsm control 1 insert >/dev/null
    wait_for "the card is back" sc-hsm list
    [ -n "$(whole $old $new)" ] || fail "neither the old nor the new one is whole"
    check "the same again finishes it" cert import $file --replace --yes --key id=10
    check "the new one is there" cert export id=10 --format der --out same.der --overwrite
    same_bytes "and whole ($fault)" $new same.der
    equal "nothing is left ($fault)" "$before" "$(files)"
    swap
done

out() {
    virtual_hsm control 1 list | grep -q ^removed
}
comes_back() {
    seen=$work/.waited # it runs beside the command
    wait_for "the card is out" out
    virtual_hsm control 1 insert >/dev/null 2>&1
}

# It comes back soon: the command goes on by itself, or says that it wants to be run again.
for fault in remove-after:D7:0 remove-after:D7:1 remove-after:E4:0 remove-after:E4:1; do
    IFS=: read -r kind ins skip <<<"$fault"
    check "the card is pulled out: $fault" virtual_hsm control 1 "$kind" "ins=$ins" "skip=$skip"
    comes_back &
    if ! cert import $file --replace --yes >"$seen" 2>&1; then
        says "^sc-hsm: .*half done: run the same again"
        wait $!
        wait_for "the card is back" sc-hsm list
        check "the same again finishes it" cert import $file --replace --yes --key id=10
    fi
    wait $!
    check "the new one is there" cert export id=10 --format der --out same.der --overwrite
    same_bytes "and whole ($fault)" $new same.der
    equal "nothing is left ($fault)" "$before" "$(files)"
    swap
done
