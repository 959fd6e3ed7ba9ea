#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A device whose serial number cannot be read is backed up and restored as any other.
set -euo pipefail
export SC_HSM_TEST_DEVICE=pico
# shellcheck source-path=SCRIPTDIR source=interruption.sh
. "$(dirname "$0")/interruption.sh"
dkek_card
tool=(sc-hsm --pin-source file:pin)
printf correct-horse >share-password
# 32 times the byte 44, under that password
base64 -d <<<U2FsdGVkX19zYWx0c2FsdIJroh6Xor7lWe3kOUKYaVf6dtdFSNtPX/6HGNC4RFhbtAIUSn9Z+4HusCRP7eLkfA== \
    >share.pbe
share=(--share share.pbe --password-source file:share-password)
check "a key" "${tool[@]}" keygen --type ec:P-256 --id 30 --label web --key-ref 30
check "a public key" "${tool[@]}" pubkey id=30 --out web.pub
check "an AES key" "${tool[@]}" keygen --type aes:128 --id 31 --label vault
check "a certificate" openssl req -x509 -new -key sc-hsm:id=30 -subj /CN=web -days 9 -out web.crt
check "the device's certificate is nonsense" card 00D72F020754020000530100
check "the list tells no serial number" sc-hsm --json list
says_nothing_of 'serial'

# --- all that people do with a device ---------------------------------------------------------

echo first >notes
echo second >later
while read -r -a words; do
    check "without a serial number: ${words[*]}" "${tool[@]}" "${words[@]}"
done <<END
status
verify-pin
keygen --type ec:P-256 --id 40 --label used --algorithms ecdsa-sha256,wrap --out used.pem
csr id=40 --subject /CN=used --out used.csr
cert self-sign id=40 --subject /CN=used --days 9 --out used.crt
cert import used.crt
cert show id=40
cert export id=40 --out exported.crt
data write notes --label notes
data write later --label notes --replace --yes
data list
data read label=notes --out read
rename id=40 --label renamed
wrap id=31 vault.wrapped
cert delete id=40 --yes
delete id=40;type=private --yes
data delete label=notes --yes
tidy --yes
pool
logout
END
same_bytes "the data" read later
same_bytes "the certificate" <(plain_openssl x509 -in used.crt) <(plain_openssl x509 -in exported.crt)
check "what was signed" plain_openssl req -in used.csr -verify -noout

# --- in words and for programs ---------------------------------------------------------------

check "a backup" "${tool[@]}" backup saved
says "Device without serial number is backed up in saved: 2 objects"
equal "for programs" None "$(json 'd["serial"]' "${tool[@]}" --json backup again)"
# With sanitizers the share's password would take longest; backup.sh opens a backup there.
if [ -z "${SC_HSM_ASAN:-}" ]; then
    check "it can be verified" sc-hsm backup verify saved "${share[@]}"
    says "The complete backup of device without serial number of .* is good: 2 keys open"
    check "and decrypted" typed "type the word yes:=yes" -- sc-hsm decrypt-backup saved "${share[@]}" \
        --out decrypted --new-password-source file:so-pin
fi
equal "restore for programs" "(None, None, 0, 2)" \
    "$(json '(d["serial"], d["backup_of"], d["restored"], d["present"])' "${tool[@]}" --json restore saved)"
equal "certificates for programs" None "$(json 'd["serial"]' "${tool[@]}" --json cert import web.crt)"
equal "tidy for programs" None "$(json 'd["serial"]' "${tool[@]}" --json tidy --yes)"
equal "key domains for programs" None "$(json 'd["serial"]' sc-hsm --json domain list)"

# --- back ------------------------------------------------------------------------------------

check "the keys go" "${tool[@]}" delete id=30\;type=private --yes
check "both" "${tool[@]}" delete id=31 --yes
check "they are restored" "${tool[@]}" restore saved
says "Device without serial number: 2 restored"
check "the key signs" openssl dgst -sha256 -sign sc-hsm:id=30 -out signature message
check "the signature verifies" plain_openssl dgst -sha256 -verify web.pub -signature signature message

fails "a backup of a device that has one stays where it is" \
    bash -c 'sed -i "s/\"serial\": null/\"serial\": \"X1\"/; s/\"complete\": true/\"complete\": false/" again/manifest.json &&
        sc-hsm --pin-source file:pin backup again'
says "again holds a backup of device X1, and this is without serial number"
