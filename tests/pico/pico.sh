#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A Pico HSM from its first day, when it has no certificate and so no serial number, until it holds keys of
# all kinds.
set -euo pipefail
export SC_HSM_TEST_DEVICE=pico
# shellcheck source-path=SCRIPTDIR source=../tool/outcome.sh
. "$(dirname "$0")/../tool/outcome.sh"
admin_card
init=(sc-hsm init --so-pin-source file:so-pin --pin-source file:pin)
keygen=(sc-hsm --pin-source file:pin keygen)
value() {
    raw_apdus >/dev/null 2>&1
    json "$@"
}

# --- without a serial number ------------------------------------------------------------------------

fresh_card
equal "no serial number is null" "[('Pico HSM', None, False)]" \
    "$(json '[(s["kind"], s["serial"], s["initialised"]) for s in d["devices"]]' sc-hsm --json status)"
check "status in words" sc-hsm status
says "^Serial number: +none that can be read; name the device by --reader"
check "the list" sc-hsm list
check "storeutl" openssl storeutl sc-hsm:
ends 3 "a serial number finds it not" sc-hsm --serial ESPICOHSMTR00001 list
says "a device without a serial number in reader Virtual Pico HSM 1"
ends 1 "its label is built in" sc-hsm label x --pin-source file:pin
says "label of a Pico HSM is built in and cannot be set; nothing was changed"
ends 1 "for init, too" "${init[@]}" --yes --label x
says "label of a Pico HSM is built in"
equal "nothing was sent" False "$(json 'd["devices"][0]["initialised"]' sc-hsm --json status)"
# Whatever is tried with it, a sentence that speaks of a device has a name for it.
plain_openssl req -x509 -newkey rsa:2048 -noenc -subj /CN=x -keyout x.key -out stored.crt 2>/dev/null
printf 'Salted__%056d' 0 >stored.pbe
: >swept
while read -r -a words; do
    echo "${words[*]}:" >>swept
    sc-hsm --pin-source file:pin --so-pin-source file:so-pin "${words[@]}" >>swept 2>&1 </dev/null || true
done <<END
doctor
pool
verify-pin
logout
pin change
pin unblock
so-pin change
keygen --type ec:P-256
pubkey id=10
csr id=10 --subject /CN=x
cert import stored.crt
cert self-sign id=10 --subject /CN=x --days 9
cert delete id=10 --yes
data write pin --label x
data list
rename id=10 --label x
delete id=10 --yes
tidy --yes
encrypt id=10 pin --out encrypted
mac id=10 pin
dkek import-share stored.pbe --password-source file:pin
dkek status
wrap id=10 wrapped
unwrap pin
import pin
backup saved
restore saved
mirror --to ESPICOHSMTR00002
domain list
domain create 0 --dkek-shares 1
domain clear 0 --yes
domain delete 0 --yes
domain create-signer
domain create-exchange-key 0
attest
pka status
random 8
ls
END
equal "every sentence names the device" "" \
    "$(grep -E '[Dd]evice(  |[,;:.]| (was|is|has|holds|needs|does)\b)' swept | grep -Evi '(the|any) device|device: device' || true)"
check "no key domains yet" sc-hsm domain list
says "never initialised, and has no key domains yet"
fails "nothing can be proven" sc-hsm attest
says "device Virtual Pico HSM 1 00 00 has no certificate of its own"
fails "nobody confirms" typed "type the word yes:=no" -- "${init[@]}"
says "nothing was done"
check "confirmed" typed "type the word yes:=yes" -- "${init[@]}"
says "Device $serial is initialised"
for name in "$serial" "${serial%00001}"; do
    check "it is found by $name" sc-hsm --serial "$name" list
done
equal "nobody stays logged in" unverified "$(json 'd["devices"][0]["pin"]["state"]' sc-hsm --json status)"

# --- the key check value is told after a login ------------------------------------------------------

check "a DKEK" "${init[@]}" --yes --dkek-shares 1
import_keys=$SC_HSM_BUILD/tests/keymgmt/import_keys # without the seconds that a share's password takes
check "its share" raw_apdus "8052000020$(printf '44%.0s' {1..32})00"
check "dkek status" sc-hsm dkek status
says "^0 +DKEK +1 +complete +told after a login"
check "status says the same" sc-hsm status
says "^DKEK: +set up, key check value told after a login"
equal "so do programs" "(None, None)" "($(value 'd["devices"][0]["dkek"]["key_check_value"]' \
    sc-hsm --json status), $(json 'd["key_domains"][0]["key_check_value"]' sc-hsm --json dkek status))"
for bits in 2048 3072; do
    plain_openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:$bits -out rsa-$bits.pem 2>/dev/null
    raw_apdus >/dev/null 2>&1
    check "RSA-$bits is imported" "$import_keys" rsa-$bits.pem
    plain_openssl pkey -in rsa-$bits.pem -pubout -out rsa-$bits.pub
    echo message >message
    check "it signs" openssl dgst -sha256 -sign "sc-hsm:label=rsa-$bits.pem" -out signature message
    check "the signature verifies" plain_openssl dgst -sha256 -verify rsa-$bits.pub -signature signature message
done
check "then it is told" sc-hsm dkek status
says "^0 +DKEK +1 +complete +BB391415C05E39D7"
check "by status, too" sc-hsm status
says "^DKEK: +set up, key check value BB391415C05E39D7"

# --- what it cannot have is refused before anything is made -----------------------------------------

before=$(files)
plain_openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3 \
    -out three.pem 2>/dev/null
fails "an RSA key with the exponent 3" "$import_keys" three.pem
says "another public exponent than 65537" "nothing was changed"
fails "nor is one made" openssl genpkey -algorithm SC-HSM-RSA -pkeyopt rsa_keygen_pubexp:3 -out three.pem
says "public exponent 65537 and no other; no key was made"
head -c 4033 /dev/urandom >large
ends 1 "a file of 4033 bytes" sc-hsm --pin-source file:pin data write large --label large
says "4033 bytes do not fit: a file on a Pico HSM has at most 4032; nothing was written"
equal "nothing was changed" "$before" "$(files)"

# --- the last wrong PIN is answered as a blocked one ------------------------------------------------

raw_apdus >/dev/null 2>&1
for tries in 2 1; do
    ends 4 "a wrong PIN" "${keygen[@]/file:pin/file:wrong-pin}" --type aes:128
    says "$tries (try is|tries are) left"
    echo "99999$tries" >wrong-pin
done
fails "the last one, typed" typed "PIN.*1 try left.*:=555555" -- sc-hsm --pin-source prompt keygen --type aes:128
says "wrong" "now blocked" "sc-hsm pin unblock"
