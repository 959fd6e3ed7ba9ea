#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# pkcs11: URIs, in the words that OpenSC's module has for the same objects: taken where the user wants
# that, and not known at all where he does not.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
need pkcs11-tool python3
virtual_cards 2
mapfile -t serials <"$SC_HSM_VIRTUAL/serials"
seq 1 100 >data

# Both devices have a key with the label web-ec.
configure "serial=${serials[1]}"
check "a key on the second device" openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 \
    -pkeyopt id:21 -pkeyopt label:web-ec -out second.pem
openssl pkey -in second.pem -pubout -out second.pub
check "the second device's label" sc-hsm label "a label of thirty-two characters"
configure "serial=${serials[0]}"
make_rsa_key
make_ec_key
self_signed ec
check "its certificate on the device" sc-hsm cert import ec.crt
configure serial=

# without_ids: what OpenSSL says, without what differs from run to run.
without_ids() {
    sed -e 's/^[0-9A-F]*:error/error/' "$seen"
}

# Off: nothing is said that OpenSSL alone would not say.
for setting in "" no maybe; do
    configure "pkcs11-uris=$setting"
    fails "pkcs11: is an unknown scheme with pkcs11-uris=$setting" openssl storeutl -noout pkcs11:object=web-ec
    says 'unregistered scheme.*scheme=pkcs11|No store loader found.*Scheme [(]pkcs11'
    without_ids >ours
    fails "likewise for OpenSSL alone" plain_openssl storeutl -noout pkcs11:object=web-ec
    without_ids >alone
    same_bytes "it says the same" ours alone
done
fails "a bad value is told with the first key" openssl storeutl -noout sc-hsm:
says "setting 'pkcs11-uris' in the sc-hsm section of openssl.cnf: 'maybe' is neither yes nor no"
configure pkcs11-uris= pkcs11-uri=yes
fails "a slip in its name" openssl storeutl -noout sc-hsm:
says "'pkcs11-uri' .* is unknown: write pkcs11-uris"
configure pkcs11-uri= pkcs11-uris=yes

# signs KEY URI: signs with the URI, and checks with the key's public part.
signs() {
    check "signed with $2" openssl dgst -sha256 -sign "$2" -out signature data
    check "verified" plain_openssl dgst -sha256 -verify "$1.pub" -signature signature data
}

# What OpenSC says of a token, percent-encoded as p11tool prints it. With two readers, each has two
# slots of OpenSC's.
token_uri() {
    pkcs11-tool --module opensc-pkcs11.so --list-slots | python3 -c '
import re, sys, urllib.parse
text = sys.stdin.read()
slot = next(s for s in re.split(r"^Slot ", text, flags=re.M) if sys.argv[1] in s.partition("serial num")[2])
path = []
for name, words in ("model", "token model"), ("manufacturer", "token manufacturer"), \
        ("serial", "serial num"), ("token", "token label"):
    value = re.search(r"^ *" + words + r" *: (.*)$", slot, flags=re.M).group(1)
    path.append(name + "=" + urllib.parse.quote(value, safe=""))
print("pkcs11:" + ";".join(path))' "$1"
}
one=$(token_uri "${serials[0]}") two=$(token_uri "${serials[1]}")
# Since 0.26 it names no PIN behind the label.
if [[ $one != *";token=SmartCard-HSM" ]]; then
    [[ $one == *"token=SmartCard-HSM%20%28UserPIN%29"* ]] || fail "OpenSC calls the first token $one"
    [[ $two == *"...%20%28UserPIN%29"* ]] || fail "OpenSC does not cut the second token's label: $two"
fi
signs rsa "$one;id=%10;object=web-rsa;type=private"
signs ec "$one;object=web-ec;type=private"
signs second "$two;object=web-ec;type=private"
signs ec "pkcs11:token=SmartCard-HSM;object=web-ec?pin-source=file:$pin_file"
signs second "pkcs11:token=a%20label%20of%20thirty-two%20characters;object=web-ec?pin-value=$pin"
signs second "pkcs11:id=!"
signs rsa "PKCS11:manufacturer=www.CardContact.de;id=%10?pin-source=$pin_file&module-name=opensc-pkcs11"
check "a certificate" openssl x509 -in "$one;id=%20;type=cert" -out got.crt
same_bytes "it is that one" <(openssl x509 -in ec.crt -outform DER) <(openssl x509 -in got.crt -outform DER)

# Lists have our URIs, which reach the same objects.
check "all is listed" openssl storeutl -noout pkcs11:
cp "$seen" listed
check "as by our own scheme" openssl storeutl -noout sc-hsm:
cp "$seen" ours
same_bytes "the lists are the same" listed ours
check "one device" openssl storeutl -noout "pkcs11:token=SmartCard-HSM%20%28UserPIN%29"
says_nothing_of "serial=${serials[1]}"
says "serial=${serials[0]};key-ref=1;id=10;label=web-rsa;type=private"

# What cannot be meant, or means several.
refused() {
    fails "refused: ${1:0:100}" openssl dgst -sha256 -sign "$1" -out signature data
    says "$2"
}
refused "pkcs11:object=web-ec;type=private" "2 private keys match .*serial=${serials[0]}.*serial=${serials[1]}"
refused "pkcs11:type=private" '3 private keys match'
refused "pkcs11:object=web" "no object with label 'web' on the device"
refused "pkcs11:token=SmartCard-HSM;object=other" 'on device SmartCard-HSM'
refused "pkcs11:token=SmartCard;object=web-ec" "no device with the label 'SmartCard'; there is .*'SmartCard-HSM'.*'a label of"
refused "pkcs11:serial=${serials[1]};object=web-rsa" "on device ${serials[1]}"
refused "pkcs11:token=SmartCard-HSM;serial=${serials[1]};object=web-ec" 'no device with the label'
refused "pkcs11:web-ec" 'did you mean object=web-ec'
refused "pkcs11:slot-id=0;object=web-ec" 'slot-id'
refused "pkcs11:model=SoftHSM%20v2;object=web-rsa" 'serial or token'
refused "pkcs11:object=web-rsa%00" 'zero byte'
refused "pkcs11:object=%" 'percent-encoding'
refused "pkcs11:object=web-rsa;object=web-ec" 'given twice'
refused "pkcs11:object=$(seq -s x 2000)" 'longer than'
refused "pkcs11:object=web-rsa?pin-source=|touch%20$work/ran" 'no program is run'
[ ! -e ran ] || fail "a program was run for a PIN"
refused "pkcs11:object=web-rsa?pin-source=file:$work/nowhere" 'nowhere'
equal "no try was spent" 3 "$(pin_tries)"
configure pin-source=
refused "pkcs11:object=web-rsa;type=private?pin-value=111111" "the PIN is wrong .* $(tries 2) are left"

# Other programs may want a provider by the name of pkcs11. The tool and the doctor find it there.
named=$(<"$SC_HSM_SOURCE/examples/pkcs11/openssl.cnf")
printf '%s\n' "${named//\/etc\/sc-hsm\/pin/$pin_file}" >named.cnf
export OPENSSL_CONF=$work/named.cnf
check "the provider has another name" openssl list -providers
says '^ *pkcs11$' 'name: SmartCard-HSM provider'
signs rsa "$one;object=web-rsa;type=private"
signs ec sc-hsm:label=web-ec\;serial="${serials[0]}"
signs rsa rsa.pem
check "asked for by that name" openssl dgst -propquery '?provider=pkcs11' -sha256 \
    -sign "pkcs11:object=web-rsa" -out signature data
check "verified" plain_openssl dgst -sha256 -verify rsa.pub -signature signature data
check "a key is made" openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 -pkeyopt label:third \
    -pkeyopt "serial:${serials[0]}" -out third.pem
openssl pkey -in third.pem -pubout -out third.pub
signs third pkcs11:object=third
check "the tool logs in with the PIN of that section" sc-hsm --serial "${serials[0]}" verify-pin
sc-hsm doctor >"$seen" 2>&1 || true
says 'pkcs11 in \[sc_hsm_sect\]' 'pkcs11 and the default provider are active'
configure pkcs11-uri=yes
fails "a slip is found there as well" openssl storeutl -noout pkcs11:
says "'pkcs11-uri' .* is unknown: write pkcs11-uris"
